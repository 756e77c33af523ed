//! What happens to a visit when the network, the node or the device goes away and comes
//! back.

use anyhow::{Result, ensure};
use serde_json::json;

use crate::support::{
    browser::{Browser, engine::Engine},
    scripted::{Script, Scripted, granted},
};

in_every_browser!(
    a_node_that_is_away_for_a_moment_is_waited_for_with_the_same_token,
    a_node_that_restarts_is_come_back_to_with_a_new_token,
    every_wait_shows_life_says_what_for_and_has_a_way_out,
);

in_chromium!(
    a_token_that_has_died_during_sleep_is_replaced_on_waking,
    looking_at_another_tab_for_a_moment_asks_the_node_for_nothing,
    reconnecting_can_be_left,
    a_wait_that_takes_long_says_so,
);

const GUEST: &str = "conference=telehealth.1&name=Beverley+Spinder&role=guest";

/// A deployment, and a guest in a visit there.
async fn joined(engine: Engine, tokens: usize) -> Result<(Scripted, Browser)> {
    let page = Scripted::start("").await?;
    page.play(visit(tokens));
    let browser = Browser::start(engine).await?;
    browser.follow(&page.link(GUEST)).await?;
    browser.screen("joined").await?;
    Ok((page, browser))
}

/// A visit that is entered so often.
fn visit(tokens: usize) -> Script {
    Script::visit(vec![granted("GUEST"); tokens])
}

async fn a_node_that_is_away_for_a_moment_is_waited_for_with_the_same_token(
    engine: Engine,
) -> Result<()> {
    let (page, browser) = joined(engine, 1).await?;
    page.lose_the_node();
    let text = browser.screen("reconnecting").await?.text().await?;
    ensure!(text.contains("The connection was interrupted"), "{text}");
    page.play(visit(0));
    browser.screen("joined").await?;
    page.until_received("request_token", 1).await?;
    page.until_received("release_token", 0).await?;
    browser.close().await?;
    Ok(())
}

async fn a_node_that_restarts_is_come_back_to_with_a_new_token(engine: Engine) -> Result<()> {
    let (page, browser) = joined(engine, 1).await?;
    page.stop_the_node();
    browser.screen("reconnecting").await?;
    page.play(visit(1));
    browser.screen("joined").await?;
    page.until_received("request_token", 2).await?;
    let received = page.received();
    let mut asked = received.iter().filter(|it| it.request == "request_token");
    ensure!(asked.all(|it| it.body["display_name"] == "Beverley Spinder"));
    browser.close().await?;
    Ok(())
}

async fn a_token_that_has_died_during_sleep_is_replaced_on_waking(engine: Engine) -> Result<()> {
    let (page, browser) = joined(engine, 1).await?;
    sleep(&browser, 600).await?;
    page.stop_the_node();
    page.play(visit(1));
    wake(&browser).await?;
    page.until_received("request_token", 2).await?;
    browser.screen("joined").await?;
    browser.close().await?;
    Ok(())
}

async fn looking_at_another_tab_for_a_moment_asks_the_node_for_nothing(
    engine: Engine,
) -> Result<()> {
    let (page, browser) = joined(engine, 1).await?;
    sleep(&browser, 3).await?;
    wake(&browser).await?;
    browser.screen("joined").await?;
    page.until_received("refresh_token", 0).await?;
    // After a longer time the token is looked after at once.
    sleep(&browser, 60).await?;
    wake(&browser).await?;
    page.until_received("refresh_token", 1).await?;
    browser.screen("joined").await?;
    page.until_received("request_token", 1).await?;
    browser.close().await?;
    Ok(())
}

/// Sleep as the page sees it: hidden, and visible again so many seconds later.
/// Firefox's driver does not let a test set the page's clock.
async fn sleep(browser: &Browser, seconds: u32) -> Result<()> {
    let script = "let hidden = true;\
         Object.defineProperty(document, 'hidden', {get: () => hidden, configurable: true});\
         document.dispatchEvent(new Event('visibilitychange'));\
         const [seconds] = arguments;\
         const now = Date.now;\
         window.wake = () => {\
           Date.now = () => now() + 1000 * seconds;\
           hidden = false;\
           document.dispatchEvent(new Event('visibilitychange'));\
         }";
    browser.client.execute(script, vec![seconds.into()]).await?;
    Ok(())
}

async fn wake(browser: &Browser) -> Result<()> {
    browser.client.execute("wake()", vec![]).await?;
    Ok(())
}

/// Has the module trap as soon as `trapped` is set, as one does that has come to an end
/// that nobody has thought of.
const TRAPS: &str = "for (const name of ['instantiate', 'instantiateStreaming']) {\
       const original = WebAssembly[name];\
       WebAssembly[name] = async (...given) => {\
         const result = await original(...given);\
         const instance = result.instance || result;\
         const exports = Object.fromEntries(Object.entries(instance.exports).map(([name, it]) =>\
           [name, typeof it !== 'function' ? it : (...values) => {\
             if (window.trapped) throw new WebAssembly.RuntimeError('unreachable');\
             return it(...values);\
           }]));\
         return result.instance ? {instance: {exports}, module: result.module} : {exports};\
       };\
     }";

/// Chromium's developer tools only: no other driver gets at the module before it starts.
#[tokio::test]
async fn a_module_that_traps_in_the_middle_of_a_visit_gives_the_token_back() -> Result<()> {
    let page = Scripted::start("").await?;
    page.play(visit(1));
    let browser = Browser::start(Engine::Chromium).await?;
    browser.before_every_page(TRAPS).await?;
    browser.client.goto(&page.link(GUEST)).await?;
    browser.screen("joined").await?;
    browser
        .client
        .execute("window.trapped = true", vec![])
        .await?;
    let leave = "[data-screen=joined] [data-action=leave]";
    browser.shown(leave).await?.click().await?;
    page.until_received("release_token", 1).await?;
    browser.screen("unsupported").await?;
    page.until_received("request_token", 1).await?;
    browser.close().await?;
    Ok(())
}

/// Chromium's developer tools only: no other driver can freeze a page.
#[tokio::test]
async fn a_page_that_was_frozen_finds_back_into_the_visit() -> Result<()> {
    let (page, browser) = joined(Engine::Chromium, 1).await?;
    browser.devtools("Page.enable", json!({})).await?;
    let lifecycle = |state| browser.devtools("Page.setWebLifecycleState", json!({"state": state}));
    sleep(&browser, 600).await?;
    lifecycle("frozen").await?;
    page.stop_the_node();
    page.play(visit(1));
    lifecycle("active").await?;
    wake(&browser).await?;
    page.until_received("request_token", 2).await?;
    browser.screen("joined").await?;
    browser.close().await?;
    Ok(())
}

/// Chromium's developer tools only: no other driver can take the network away.
#[tokio::test]
async fn offline_is_said_at_once_and_online_leads_back() -> Result<()> {
    let (page, browser) = joined(Engine::Chromium, 1).await?;
    browser.devtools("Network.enable", json!({})).await?;
    let network = |offline: bool| {
        let conditions = json!({
            "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1,
        });
        browser.devtools("Network.emulateNetworkConditions", conditions)
    };
    network(true).await?;
    browser.screen("reconnecting").await?;
    network(false).await?;
    browser.screen("joined").await?;
    page.until_received("request_token", 1).await?;
    page.until_received("release_token", 0).await?;
    browser.close().await?;
    Ok(())
}

async fn reconnecting_can_be_left(engine: Engine) -> Result<()> {
    let (page, browser) = joined(engine, 1).await?;
    page.lose_the_node();
    let leave = "[data-screen=reconnecting] [data-action=leave]";
    browser.shown(leave).await?.click().await?;
    browser.screen("left").await?;
    page.until_received("release_token", 1).await?;
    page.play(visit(1));
    let rejoin = "[data-screen=left] [data-action=rejoin]";
    browser.shown(rejoin).await?.click().await?;
    browser.screen("joined").await?;
    page.until_received("request_token", 2).await?;
    browser.close().await?;
    Ok(())
}

/// The screens on which somebody waits, what they say, and how to leave them.
const WAITS: [(&str, &str, &str); 4] = [
    ("connecting", "Connecting to your visit", "cancel"),
    ("waiting", "Waiting for the host", "leave"),
    ("let-in", "The host is here and will let you in", "leave"),
    ("reconnecting", "The connection was interrupted", "leave"),
];

async fn every_wait_shows_life_says_what_for_and_has_a_way_out(engine: Engine) -> Result<()> {
    let page = Scripted::start("").await?;
    let browser = Browser::start(engine).await?;
    for (name, words, way_out) in WAITS {
        wait_on(&page, &browser, name).await?;
        let text = browser.screen(name).await?.text().await?;
        ensure!(text.contains(words), "{name}: {text}");
        let progress = format!("[data-screen={name}] .progress");
        browser.shown(&progress).await?;
        let moving = format!(
            "return document.querySelector('{progress} *').getAnimations()\
             .some((animation) => animation.playState === 'running')"
        );
        browser.until("something moves", &moving).await?;
        let button = format!("[data-screen={name}] [data-action={way_out}]");
        browser.shown(&button).await?.click().await?;
        browser.screen("left").await?;
    }
    browser.close().await?;
    Ok(())
}

async fn a_wait_that_takes_long_says_so(engine: Engine) -> Result<()> {
    let page = Scripted::start("").await?;
    let browser = Browser::start(engine).await?;
    wait_on(&page, &browser, "waiting").await?;
    browser.screen("waiting").await?;
    let late = browser.shown("[data-screen=waiting] .late").await?;
    let text = late.text().await?;
    ensure!(text.contains("not here yet"), "{text}");
    ensure!(browser.announced().await? == text);
    browser.close().await?;
    Ok(())
}

/// Goes to a screen on which somebody waits.
async fn wait_on(page: &Scripted, browser: &Browser, name: &str) -> Result<()> {
    let mut script = visit(1);
    match name {
        "connecting" => script.tokens.clear(),
        "waiting" => script.events = vec![("conference_update", json!({"started": false}))],
        "let-in" => script.tokens[0].1["current_service_type"] = "waiting_room".into(),
        _ => {}
    }
    page.play(script);
    let asked = page.count("request_token");
    browser.client.goto("about:blank").await?;
    browser.follow(&page.link(GUEST)).await?;
    // From now on the page listens.
    page.until_received("request_token", asked + 1).await?;
    if name == "reconnecting" {
        browser.screen("joined").await?;
        page.lose_the_node();
    }
    Ok(())
}
