//! Fault row 33: links that somebody has rewritten on the way, and whoever opens them
//! before the patient does.

use anyhow::{Context, Result, ensure};
use axum::{
    Router,
    extract::Query,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use serde_json::json;
use tokio::net::TcpListener;
use url::form_urlencoded::byte_serialize;

use crate::{
    support::{
        browser::{Browser, engine::Engine},
        house::House,
        launcher::join_link,
        scripted::{Script, Scripted, granted},
    },
    visit::TICKET_LINKS,
};

in_every_browser!(
    row_33_a_rewritten_link_leads_into_the_visit_after_scanners_have_opened_it,
    row_33_a_link_that_has_lost_its_fragment_says_which_one_to_open,
);

in_chromium!(row_33_the_first_of_repeated_parameters_counts_and_the_console_names_them,);

async fn row_33_a_rewritten_link_leads_into_the_visit_after_scanners_have_opened_it(
    engine: Engine,
) -> Result<()> {
    let house = House::with_profile(TICKET_LINKS).await?;
    let wrapping = wrapping().await?;
    let browser = Browser::start(engine).await?;
    for (number, rewrite) in REWRITTEN.iter().enumerate() {
        let link = join_link(&house, "patient").await?;
        let (page, parameters) = link.split_once("#/?").context("a fragment")?;
        let link = rewrite
            .replace("{wrapping}", &wrapping)
            .replace(
                "{encoded}",
                &byte_serialize(link.as_bytes()).collect::<String>(),
            )
            .replace("{page}", page)
            .replace("{parameters}", parameters);
        scan(&link).await?;
        browser.client.goto(&format!("{}/", house.ehr)).await?;
        browser.follow(&link).await?;
        browser
            .screen("waiting")
            .await
            .with_context(|| format!("{rewrite} fails"))?;
        let address = browser.client.current_url().await?;
        ensure!(!address.as_str().contains("ticket"), "{rewrite}");
        house.until_count("/launch/redeem", number + 1).await?;
    }
    browser.close().await?;
    Ok(())
}

/// What mail gateways, proxies and people make of `{page}#/?{parameters}`.
const REWRITTEN: [&str; 6] = [
    "{page}#/?{parameters}",
    // A gateway adds a query of its own.
    "{page}?utm_source=sms&x=1#/?{parameters}",
    // A proxy makes a query of the fragment.
    "{page}?{parameters}",
    // Copied out of HTML source.
    "{page}#/?x=1&amp;{parameters}",
    // Pasted twice.
    "{page}#/?{parameters}&ticket=00000000000000000000000000000000",
    // Wrapped by a mail gateway that looks at links when they are opened.
    "{wrapping}/?url={encoded}&data=05%7C02%7C&sdata=c2lnbmF0dXJl&reserved=0",
];

async fn row_33_a_link_that_has_lost_its_fragment_says_which_one_to_open(
    engine: Engine,
) -> Result<()> {
    let house = House::with_profile(TICKET_LINKS).await?;
    let link = join_link(&house, "patient").await?;
    let (page, _) = link.split_once('#').context("a fragment")?;
    let browser = Browser::start(engine).await?;
    browser.client.goto(&format!("{}/", house.ehr)).await?;
    browser.follow(&format!("{page}?utm_source=sms")).await?;
    browser.screen("failed").await?;
    let text = browser.framed_text("main").await?;
    ensure!(text.contains("the link in the newest message"), "{text}");
    // The whole link is still good.
    house.until_count("/launch/redeem", 0).await?;
    browser.follow(&link).await?;
    browser.screen("waiting").await?;
    browser.close().await?;
    Ok(())
}

/// Keeps what the page warns of.
const KEEP_WARNINGS: &str = "window.warned = [];\
     console.warn = (...words) => { warned.push(words.join(' ')) }";

async fn row_33_the_first_of_repeated_parameters_counts_and_the_console_names_them(
    engine: Engine,
) -> Result<()> {
    let page = Scripted::start("").await?;
    page.play(Script::visit([granted("GUEST")]));
    let browser = Browser::start(engine).await?;
    browser.before_every_page(KEEP_WARNINGS).await?;
    let link = "conference=telehealth.1&name=Beverley+Spinder&role=guest\
         &name=Benjamin+Sisko&pin=87654321x&alias=telehealth.2";
    browser.follow(&page.link(link)).await?;
    browser.screen("joined").await?;
    let asked = page.received();
    ensure!(asked[0].body["display_name"] == "Beverley Spinder");
    let warned = browser.client.execute("return warned", vec![]).await?;
    let expected =
        ["name", "conference", "pin"].map(|name| format!("Not used of the link: {name}"));
    ensure!(warned == json!(expected), "{warned}");
    browser.close().await?;
    Ok(())
}

/// A gateway for mail that leads from its own address to the link that it has wrapped.
async fn wrapping() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let lead = |Query(query): Query<Vec<(String, String)>>| async move {
        let link = query.into_iter().find(|(name, _)| name == "url");
        let (_, link) = link.unwrap_or_default();
        (StatusCode::FOUND, [(header::LOCATION, link)]).into_response()
    };
    let router = Router::new().route("/", get(lead));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

/// Opens a link as scanners do: some by HEAD, most by GET, none with a script.
async fn scan(link: &str) -> Result<()> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a scanner of links, which is no client of the server's"
    )]
    let client = reqwest::Client::builder().build()?;
    for _ in 0..2 {
        client.head(link).send().await?;
        client.get(link).send().await?.error_for_status()?;
    }
    Ok(())
}
