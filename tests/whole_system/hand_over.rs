//! Who goes on with a visit that is joined: the embedding page, the Connect web app, or
//! this page.

use anyhow::{Context, Result, ensure};
use axum::{Router, http::StatusCode, response::Html};
use serde_json::json;
use tokio::net::TcpListener;

use crate::support::{
    browser::{Browser, engine::Engine},
    scripted::{Script, Scripted, granted, pin_wanted},
};

in_every_browser!(
    the_embedding_page_gets_the_session_and_the_token_is_its_own,
    the_connect_web_app_of_each_version_gets_its_address_and_the_token_is_given_back,
);

in_chromium!(
    a_guest_is_handed_on_only_when_the_host_is_there,
    a_connect_web_app_that_does_not_open_can_be_opened_by_a_link,
);

const GUEST: &str = "conference=telehealth.1&name=Beverley+Spinder&role=guest";
const HOST: &str = "conference=telehealth.1&name=Dr+Julian+Bashir&pin=12345678";

/// Keeps every session that is handed over, as JSON text.
const KEEP_SESSIONS: &str = "window.sessions = []; addEventListener('vestibule-session', \
     (event) => sessions.push(JSON.stringify(event.detail)))";

const ONE_SESSION: &str = "return sessions.length === 1";

async fn the_embedding_page_gets_the_session_and_the_token_is_its_own(
    engine: Engine,
) -> Result<()> {
    let page = Scripted::start("[landing_page]\nhand_over = \"event\"\n").await?;
    page.play(Script {
        tokens: [pin_wanted()].into(),
        ..Script::default()
    });
    let browser = Browser::start(engine).await?;
    browser.follow(&page.link(HOST)).await?;
    // The node keeps the second request until somebody listens.
    page.until_received("request_token", 2).await?;
    browser.client.execute(KEEP_SESSIONS, vec![]).await?;
    page.answer_late(granted("HOST"));
    browser.until("a session came", ONE_SESSION).await?;
    let session = browser.client.execute("return sessions[0]", vec![]);
    let session = session.await?;
    let session: serde_json::Value = serde_json::from_str(session.as_str().context("text")?)?;
    let expected = json!({
        "conference": "telehealth.1", "node": "", "token": "token", "expires": 120,
        "participantUuid": "1", "role": "host", "displayName": "Dr Julian Bashir",
    });
    ensure!(session == expected, "{session}");
    browser.screen("handed-on").await?;
    // It is for the embedding page to renew the token and to give it back.
    browser.client.goto("about:blank").await?;
    ensure!(page.count("refresh_token") + page.count("release_token") == 0);
    browser.close().await?;
    Ok(())
}

async fn the_connect_web_app_of_each_version_gets_its_address_and_the_token_is_given_back(
    engine: Engine,
) -> Result<()> {
    let app = web_app(StatusCode::OK).await?;
    let browser = Browser::start(engine).await?;
    for (form, [as_host, as_guest]) in [
        (
            "webapp",
            [
                "#/?conference=telehealth.1&pin=12345678&name=Dr%20Julian%20Bashir&join=1",
                "#/?conference=telehealth.1&name=Beverley%20Spinder&role=guest&join=1",
            ],
        ),
        (
            "webapp2",
            [
                "conference/telehealth.1?pin=12345678&name=Dr%20Julian%20Bashir&join=1",
                "conference/telehealth.1?name=Beverley%20Spinder&role=guest&join=1",
            ],
        ),
        (
            "webapp3",
            [
                "m/telehealth.1/express?pin=12345678&name=Dr%20Julian%20Bashir",
                "m/telehealth.1/express?name=Beverley%20Spinder&role=guest",
            ],
        ),
    ] {
        let page = Scripted::start(&connect(&format!("{app}/{form}"), form)).await?;
        let roles = [(HOST, "HOST", as_host), (GUEST, "GUEST", as_guest)];
        for (count, (link, role, rest)) in (1..).zip(roles) {
            page.play(Script::visit([granted(role)]));
            if role == "HOST" {
                let tokens = [pin_wanted(), granted(role)];
                page.play(Script::visit(tokens));
            }
            browser.client.goto("about:blank").await?;
            browser.follow(&page.link(link)).await?;
            browser.shown("#connect").await?;
            let address = browser.client.current_url().await?;
            let expected = format!("{app}/{form}/{rest}");
            ensure!(address.as_str() == expected, "{address} is not {expected}");
            page.until_received("release_token", count).await?;
        }
    }
    browser.close().await?;
    Ok(())
}

async fn a_guest_is_handed_on_only_when_the_host_is_there(engine: Engine) -> Result<()> {
    let app = web_app(StatusCode::OK).await?;
    let browser = Browser::start(engine).await?;
    for configuration in [
        "[landing_page]\nhand_over = \"event\"\n",
        &connect(&format!("{app}/webapp2"), "webapp2"),
    ] {
        let page = Scripted::start(configuration).await?;
        let alone = ("conference_update", json!({"started": false}));
        page.play(Script {
            tokens: [granted("GUEST")].into(),
            events: vec![alone],
            ..Script::default()
        });
        browser.client.goto("about:blank").await?;
        browser.follow(&page.link(GUEST)).await?;
        browser.screen("waiting").await?;
        browser.client.execute(KEEP_SESSIONS, vec![]).await?;
        page.until_received("release_token", 0).await?;
        page.happen("conference_update", json!({"started": true}));
        if configuration.contains("event") {
            browser.until("a session came", ONE_SESSION).await?;
        } else {
            browser.shown("#connect").await?;
            page.until_received("release_token", 1).await?;
        }
    }
    browser.close().await?;
    Ok(())
}

async fn a_connect_web_app_that_does_not_open_can_be_opened_by_a_link(
    engine: Engine,
) -> Result<()> {
    // No content: a browser that is sent there stays where it is.
    let app = web_app(StatusCode::NO_CONTENT).await?;
    let page = Scripted::start(&connect(&format!("{app}/webapp2"), "webapp2")).await?;
    page.play(Script::visit([granted("GUEST")]));
    let browser = Browser::start(engine).await?;
    browser.follow(&page.link(GUEST)).await?;
    browser.screen("handed-on").await?;
    let link = browser.shown("[data-link=go]").await?;
    let href = link.attr("href").await?.context("an address")?;
    let rest = "conference/telehealth.1?name=Beverley%20Spinder&role=guest&join=1";
    ensure!(href == format!("{app}/webapp2/{rest}"), "{href}");
    browser.close().await?;
    Ok(())
}

/// The configuration that hands visits on to a Connect web app.
fn connect(base: &str, form: &str) -> String {
    format!(
        "[landing_page]\nhand_over = \"connect\"\n\
         connect = {{ base = {base:?}, form = {form:?} }}\n"
    )
}

/// A Connect web app, as far as it matters here: it answers every address with this status,
/// and tells nobody about them.
async fn web_app(status: StatusCode) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let app = Html("<!doctype html><title>Connect</title><p id=connect>Connect");
    let router = Router::new().fallback(move || async move { (status, app) });
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}
