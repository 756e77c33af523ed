//! nginx in front of a Connect web app, as docs/topics/reverse-proxy.md has it: it serves
//! the landing page, and brings everything else to Vestibule and to the node.

use std::{net::TcpListener, time::Duration};

use anyhow::{Context, Result, ensure};
use percent_encoding::percent_decode_str;
use reqwest::{Client, Response};
use tokio::time::{Instant, sleep};
use vestibule_test_log::{Class, secret};

use crate::{
    support::{
        browser::{Browser, engine::Engine},
        house::House,
        launcher::join_link,
        nginx::{CONNECT, Nginx},
    },
    visit::{CLINICIAN, PATIENT, launch, nothing_personal_is_left},
};

/// The profile of a launch that nobody answers.
const UUID: &str = "5e1f6b52-8a70-4d0c-9d6a-3f1f0a3c9b27";

/// Only against hanging.
const PATIENCE: Duration = Duration::from_secs(60);

/// What Vestibule and nginx must say alike.
const HEADERS: [&str; 7] = [
    "content-type",
    "content-security-policy",
    "permissions-policy",
    "cross-origin-opener-policy",
    "referrer-policy",
    "x-content-type-options",
    "cache-control",
];

#[tokio::test]
async fn a_launch_goes_through_nginx_to_joined() -> Result<()> {
    let house = House::start().await?;
    let nginx = Nginx::start(house.server_address(), "").await?;
    house.tap.forward_to(&nginx.address);

    let patient = Browser::start(Engine::Chromium).await?;
    launch(&house, &patient, PATIENT).await?;
    patient.screen("waiting").await?;
    let clinician = Browser::start(Engine::Chromium).await?;
    launch(&house, &clinician, CLINICIAN).await?;
    clinician.screen("joined").await?;
    // The node's event came through at once.
    patient.screen("joined").await?;
    nothing_personal_is_left(&house, &patient).await?;
    nothing_personal_is_left(&house, &clinician).await?;
    clinician.close().await?;
    patient.close().await?;
    Ok(())
}

#[tokio::test]
async fn a_launch_that_is_handed_over_ends_in_the_connect_web_app() -> Result<()> {
    let house = House::start().await?;
    let branding = format!(
        "[landing_page]\nhand_over = \"connect\"\n\
         connect = {{ base = \"{}/webapp3\", form = \"webapp3\" }}\n",
        house.tap.address
    );
    let nginx = Nginx::start(house.server_address(), &branding).await?;
    house.tap.forward_to(&nginx.address);

    let browser = Browser::start(Engine::Chromium).await?;
    let link = join_link(&house, "clinician").await?;
    browser.follow(&link).await?;
    let arrived = format!("return document.title === {CONNECT:?}");
    browser.until("the Connect web app", &arrived).await?;
    let address = browser.client.current_url().await?;
    let decoded = percent_decode_str(address.path())
        .decode_utf8_lossy()
        .into_owned();
    let alias = decoded
        .strip_prefix("/webapp3/m/")
        .and_then(|rest| rest.strip_suffix("/express"))
        .with_context(|| format!("it is no express link: {decoded}"))?;
    let link = percent_decode_str(&link).decode_utf8_lossy().into_owned();
    ensure!(link.contains(&format!("conference={alias}")), "{alias}");
    let pin = address.query_pairs().find(|(key, _)| key == "pin");
    let (_, pin) = pin.context("the host's PIN goes with the launch")?;
    ensure!(link.contains(&format!("pin={pin}")));
    // The shim's own token was given back.
    house
        .until_requested("POST /api/client/v2/conferences/", "/release_token")
        .await?;
    // What the web app is given stands in no log.
    ensure!(!nginx.access_log()?.contains(&*pin));
    browser.close().await?;
    Ok(())
}

#[tokio::test]
async fn nginx_sends_the_page_and_its_files_as_vestibule_does() -> Result<()> {
    let landing = "[landing_page]\nhospital = \"Healthcare Org\"\naccent = \"#7a1f5c\"\n\
        device_check = \"offer\"\npaths = [\"/webapp/\", \"/visit/\"]\n";
    let house = House::configured(landing, "").await?;
    let nginx = Nginx::start(house.server_address(), landing).await?;
    let served = get(house.server_address(), "/webapp/")
        .await?
        .text()
        .await?;
    let script = address_after(&served, "<script", "src=\"")?;
    let style = address_after(&served, "rel=\"stylesheet\"", "href=\"")?;
    let paths = [
        "/webapp/",
        "/webapp/index.html",
        "/webapp/home/?conference=a",
        "/webapp/conference/a%40b?pin=1",
        "/visit/m/a/express?pin=1",
        "/visit/error-frame.html",
        "/webapp/error-frame.html",
        &script,
        &style,
        &script.replace("/webapp/", "/visit/"),
    ];
    for path in paths {
        let ours = get(house.server_address(), path).await?;
        let theirs = get(&nginx.address, path).await?;
        ensure!(ours.status() == 200 && theirs.status() == 200, "{path}");
        for name in HEADERS {
            let [ours, theirs] = [&ours, &theirs].map(|response| header(response, name));
            ensure!(
                ours == theirs,
                "{name} of {path}: {ours} here, {theirs} there"
            );
        }
        ensure!(ours.bytes().await? == theirs.bytes().await?, "{path}");
    }
    let missing = get(&nginx.address, "/webapp/nothing.0123456789.js").await?;
    ensure!(missing.status() == 404);
    ensure!(!header(&missing, "cache-control").contains("immutable"));
    let wasm = get(&nginx.address, &wasm_of(&served)?).await?;
    ensure!(wasm.status() == 200 && header(&wasm, "content-type") == "application/wasm");
    for folder in ["/webapp", "/visit"] {
        let moved = get(&nginx.address, &format!("{folder}?conference=a")).await?;
        ensure!(moved.status() == 308);
        let location = header(&moved, "location");
        ensure!(
            location.ends_with(&format!("{folder}/?conference=a")),
            "{location}"
        );
    }
    // Not a word of what stands in join links is kept.
    ensure!(!nginx.access_log()?.contains("pin="));
    Ok(())
}

/// A launch token, a code and a PIN, as they stand in addresses.
const CANARY: &str = "canary-of-an-address";

#[tokio::test]
async fn nginx_writes_down_no_query_not_even_where_vestibule_is_away() -> Result<()> {
    secret(Class::Token, CANARY);
    // Whoever listened there has gone.
    let away = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let nginx = Nginx::start(&format!("http://{away}"), "").await?;
    let (launch, authorized) = (
        format!("/api/telehealth/v1/patient/oauth2smartlaunch/{UUID}"),
        format!("/api/telehealth/v1/patient/oauth2authorized/{UUID}"),
    );
    let events = "/api/client/v2/conferences/a/events";
    for (path, query, status) in [
        (&*launch, format!("iss=x&launch={CANARY}"), 502),
        (&*authorized, format!("code={CANARY}&state={CANARY}"), 502),
        (events, format!("token={CANARY}"), 502),
        ("/webapp/", format!("conference=a&pin={CANARY}"), 200),
        ("/webapp/none.js", format!("pin={CANARY}"), 404),
    ] {
        let answer = get(&nginx.address, &format!("{path}?{query}")).await?;
        ensure!(answer.status() == status, "{path}: {}", answer.status());
    }
    // It writes a line down after it has answered.
    let start = Instant::now();
    while !nginx.access_log()?.contains(&format!("GET {events} 502 ")) {
        ensure!(start.elapsed() < PATIENCE, "{}", nginx.access_log()?);
        sleep(Duration::from_millis(20)).await;
    }
    let logs = nginx.access_log()? + &nginx.error_log()?;
    for path in [&*launch, &*authorized] {
        ensure!(logs.contains(&format!("GET {path} 502 ")), "{logs}");
    }
    ensure!(!logs.contains(CANARY), "{logs}");
    Ok(())
}

async fn get(base: &str, path: &str) -> Result<Response> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a browser, not the server's client"
    )]
    let client = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()?;
    Ok(client.get(format!("{base}{path}")).send().await?)
}

/// A header in the form in which it can be compared.
fn header(response: &Response, name: &str) -> String {
    let value = response.headers().get(name);
    let value = value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    value.to_ascii_lowercase().replace("; charset=utf-8", "")
}

/// The address in the first such attribute after a mark.
fn address_after(page: &str, mark: &str, attribute: &str) -> Result<String> {
    let (_, rest) = page
        .split_once(mark)
        .with_context(|| format!("{mark} in the page"))?;
    let (_, rest) = rest.split_once(attribute).context(attribute.to_owned())?;
    let (address, _) = rest.split_once('"').context("a closing quote")?;
    Ok(address.to_owned())
}

/// The address of the module, which the page preloads.
fn wasm_of(page: &str) -> Result<String> {
    let found = page.split('"').find(|value| value.ends_with(".wasm"));
    found
        .map(str::to_owned)
        .context("the module's address in the page")
}
