//! `<vestibule-launch>` on a page of somebody else, out of the npm package.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::support::{
    browser::{Browser, engine::Engine},
    portal::Portal,
    scripted::{Script, granted},
};

in_every_browser!(
    the_snippet_of_the_package_hands_the_session_or_the_failure_to_the_page,
    an_element_is_as_the_page_wants_it_and_gives_the_visit_back_when_it_is_removed,
);

in_chromium!(the_attributes_of_an_element_say_with_whom_it_joins_and_who_goes_on);

const GUEST: &str = "#/?conference=telehealth.1&name=Beverley+Spinder&role=guest";
const FRENCH_DEVICES: &str = include_str!("../../www/locales/devices/fr.json");
const GERMAN: &str = include_str!("../../www/locales/de.json");

async fn the_snippet_of_the_package_hands_the_session_or_the_failure_to_the_page(
    engine: Engine,
) -> Result<()> {
    let portal = Portal::start().await?;
    portal.scripted.play(Script::visit([granted("GUEST")]));
    let browser = Browser::start(engine).await?;
    let address = portal.page("element");
    browser.client.goto(&format!("{address}{GUEST}")).await?;
    let session = portal.told_only(&browser, "session").await?;
    let expected = json!({
        "conference": "telehealth.1", "node": "", "token": "token", "expires": 120,
        "participantUuid": "1", "role": "guest", "displayName": "Beverley Spinder",
    });
    ensure!(session == expected, "{session}");
    if engine == Engine::Chromium {
        // Trusted Types are enforced, as far as there are any.
        let script = "try { document.body.innerHTML = ''; return '' }
            catch (error) { told.length = 0; return error.name }";
        let refused = browser.client.execute(script, vec![]).await?;
        ensure!(refused == "TypeError", "{refused}");
    }
    let left = browser.client.current_url().await?;
    ensure!(!left.as_str().contains("Spinder"), "{left}");
    let script = "const done = arguments[arguments.length - 1];
        const { visit } = element();
        element().remove();
        visit.then((session) => done(JSON.stringify(session)))";
    let kept = browser.client.execute_async(script, vec![]).await?;
    let kept: Value = serde_json::from_str(kept.as_str().context("text")?)?;
    ensure!(kept == expected, "{kept}");
    // It is for the page to give the token back now.
    browser.client.goto("about:blank").await?;
    ensure!(portal.scripted.count("release_token") == 0);

    portal.scripted.play(Script {
        tokens: [(404, json!("Neither conference nor gateway found"))].into(),
        error_page: Some(json!({
            "error_name": "conference_not_found",
            "telehealth_request_id": "8d8ac610-566d-4ef0-9c22-186b2a5ed793",
            "utc_time": "2026-03-14T09:26:53Z",
            "template": "<style>b { color: rgb(1, 2, 3) }</style><b>{{ error_name }}</b>",
        })),
        ..Script::default()
    });
    browser.client.goto(&format!("{address}{GUEST}")).await?;
    portal.screen(&browser, "failed").await?;
    let script = "const page = inside('[data-failure]').contentDocument;
        const word = page && page.querySelector('b');
        return !!word && getComputedStyle(word).color === 'rgb(1, 2, 3)' &&
          word.textContent === 'conference_not_found'";
    browser.until("the error page", script).await?;
    let failure = portal.told_only(&browser, "failed").await?;
    ensure!(failure["code"] == "conference_not_found", "{failure}");
    ensure!(failure["name"] == "LaunchError", "{failure}");
    let script = "const done = arguments[arguments.length - 1];
        element().visit.then(() => done('kept'), (error) => done(error.code))";
    let broken = browser.client.execute_async(script, vec![]).await?;
    ensure!(broken == "conference_not_found", "{broken}");
    browser.close().await?;
    Ok(())
}

async fn an_element_is_as_the_page_wants_it_and_gives_the_visit_back_when_it_is_removed(
    engine: Engine,
) -> Result<()> {
    let portal = Portal::start().await?;
    let node = &portal.scripted;
    node.play(Script::visit([granted("GUEST"), granted("GUEST")]));
    let browser = Browser::start(engine).await?;
    browser.client.goto(&portal.page("bare")).await?;
    let attributes = json!({
        "link": node.link(GUEST.trim_start_matches("#/?")),
        "hospital": "St Mary's Hospital",
        "language": "de-AT",
    });
    let put = "put(arguments[0])";
    browser
        .client
        .execute(put, vec![attributes.clone()])
        .await?;
    portal.screen(&browser, "joined").await?;
    browser
        .until("German", "return element().lang === 'de'")
        .await?;
    let script = "const style = (css) => getComputedStyle(inside(css));
        return {
          link: element().link,
          name: inside('[data-brand=name]').innerText,
          title: inside('[data-screen=joined] h1:not([hidden])').innerText,
          accent: style('[data-screen=joined] [data-action=leave]').color,
          radius: style('[data-screen=joined]').borderTopLeftRadius,
          width: style('[data-screen=joined]').borderTopWidth,
          unseen: style('[data-screen=waiting]').display,
          around: getComputedStyle(document.body).display,
        }";
    let seen = browser.client.execute(script, vec![]).await?;
    let german: Value = serde_json::from_str(GERMAN)?;
    let expected = json!({
        "link": null, "name": "St Mary's Hospital", "title": german["joined.guest"],
        "accent": "rgb(122, 31, 92)", "radius": "3px", "width": "5px", "unseen": "none",
        "around": "block",
    });
    ensure!(seen == expected, "{seen}");
    browser.screenshot("element").await?;

    // Moved on the page it stays what it is; another link is another visit.
    let script = "document.querySelector('header').appendChild(element());
        return new Promise((resolve) => setTimeout(resolve)).then(() => element().lang)";
    let moved = browser.client.execute(script, vec![]).await?;
    ensure!(moved == "de", "{moved}");
    node.until_received("release_token", 0).await?;
    let other = node.link("conference=telehealth.2&name=Kim&role=guest");
    let script = "element().link = arguments[0]";
    browser.client.execute(script, vec![other.into()]).await?;
    node.until_received("release_token", 1).await?;
    portal.screen(&browser, "joined").await?;
    node.until_received("request_token", 2).await?;

    let script = "const done = arguments[arguments.length - 1];
        const { visit } = element();
        window.removed = element();
        removed.remove();
        visit.then((session) => done(String(session) + String(removed.visit)))";
    let ended = browser.client.execute_async(script, vec![]).await?;
    ensure!(ended == "undefinedundefined", "{ended}");
    node.until_received("release_token", 2).await?;

    // The next one is removed before the node has answered. Nothing listens to the
    // browser any more for those that are gone.
    browser.client.execute(put, vec![attributes]).await?;
    node.until_received("request_token", 3).await?;
    let script = "element().remove(); dispatchEvent(new Event('pagehide'))";
    browser.client.execute(script, vec![]).await?;
    node.answer_late(granted("GUEST"));
    node.until_received("release_token", 3).await?;
    let told = portal.told(&browser).await?;
    ensure!(told.is_empty(), "{told:?}");
    browser.close().await?;
    Ok(())
}

async fn the_attributes_of_an_element_say_with_whom_it_joins_and_who_goes_on(
    engine: Engine,
) -> Result<()> {
    let portal = Portal::start().await?;
    let node = &portal.scripted;
    node.play(Script::visit([granted("GUEST")]));
    let browser = Browser::start(engine).await?;
    browser.client.goto(&portal.page("bare")).await?;
    let attributes = json!({
        "node": node.address,
        "launch-api": node.address,
        "hand-over": "connect",
        "connect-base": format!("{}/elsewhere", node.address),
        "connect-form": "webapp2",
        "link": format!("https://clinic.example/{GUEST}"),
    });
    let put = "put(arguments[0])";
    browser.client.execute(put, vec![attributes]).await?;
    let expected = format!(
        "{}/elsewhere/conference/telehealth.1?name=Beverley%20Spinder&role=guest&join=1",
        node.address
    );
    let there = format!("return location.href === '{expected}'");
    browser.until("the Connect web app goes on", &there).await?;
    node.until_received("request_token", 1).await?;
    node.until_received("release_token", 1).await?;
    browser.close().await?;
    Ok(())
}

#[tokio::test]
async fn the_module_of_the_package_is_run_unless_it_was_changed_on_the_way() -> Result<()> {
    let portal = Portal::start().await?;
    portal.scripted.play(Script::visit([granted("GUEST")]));
    let browser = Browser::start(Engine::Chromium).await?;
    browser.client.goto(&portal.page("module")).await?;
    let script = "return window.outcome === 'join_link_invalid'";
    browser.until("the module has run", script).await?;
    let told = portal.told(&browser).await?;
    ensure!(told.is_empty(), "{told:?}");

    portal.change_the_module();
    browser.client.goto("about:blank").await?;
    browser.client.goto(&portal.page("module")).await?;
    let refused = "return told.some(([name]) => name === 'error') && window.outcome === undefined";
    browser
        .until("a changed module is refused", refused)
        .await?;

    browser.client.goto("about:blank").await?;
    let address = portal.page("element");
    browser.client.goto(&format!("{address}{GUEST}")).await?;
    portal.screen(&browser, "unsupported").await?;
    let failure = portal.told_only(&browser, "failed").await?;
    ensure!(failure["code"] == "internal_error", "{failure}");
    ensure!(portal.scripted.count("request_token") == 0);
    browser.close().await?;
    Ok(())
}

/// Keeps the shim's module from coming; `Fetch.disable` lets it come.
async fn hold_the_module(browser: &Browser) -> Result<()> {
    let held = json!({"patterns": [{"urlPattern": "*/vestibule_bg.wasm"}]});
    browser.devtools("Fetch.enable", held).await?;
    Ok(())
}

#[tokio::test]
async fn an_element_whose_module_does_not_come_can_be_cancelled_and_had_again() -> Result<()> {
    let portal = Portal::start().await?;
    portal.scripted.play(Script::visit([granted("GUEST")]));
    let browser = Browser::start(Engine::Chromium).await?;
    browser.client.goto(&portal.page("bare")).await?;
    hold_the_module(&browser).await?;
    let link = portal.scripted.link(GUEST.trim_start_matches("#/?"));
    let put = "put({ link: arguments[0] })";
    browser
        .client
        .execute(put, vec![link.clone().into()])
        .await?;
    portal.screen(&browser, "connecting").await?;
    let cancel = "window.kept = element().visit; inside('[data-action=cancel]').click()";
    browser.client.execute(cancel, vec![]).await?;
    portal.screen(&browser, "left").await?;
    let ended = portal.told_only(&browser, "ended").await?;
    ensure!(ended == Value::Null, "{ended}");
    let script = "const done = arguments[arguments.length - 1];
        kept.then((session) => done([String(session), element().shadowRoot.activeElement.innerText,
          inside('#announcement').textContent, inside('[data-when=over]').hidden]))";
    let seen = browser.client.execute_async(script, vec![]).await?;
    let title = "You have left the visit";
    ensure!(seen == json!(["undefined", title, title, false]), "{seen}");

    // It does not begin when the module comes at last; another link does.
    browser.devtools("Fetch.disable", json!({})).await?;
    let script = "element().link = arguments[0]";
    browser.client.execute(script, vec![link.into()]).await?;
    portal.screen(&browser, "joined").await?;
    portal.scripted.until_received("request_token", 1).await?;
    let told = portal.told(&browser).await?;
    ensure!(told.is_empty(), "{told:?}");
    browser.close().await?;
    Ok(())
}

#[tokio::test]
async fn an_element_whose_module_does_not_come_fails_after_a_while() -> Result<()> {
    let portal = Portal::start().await?;
    let browser = Browser::start(Engine::Chromium).await?;
    // A tenth of the time, as far as it is longer than a second.
    let hurry = "const real = setTimeout;
        window.setTimeout = (call, ms) => real(call, ms > 1000 ? ms / 10 : ms)";
    let hurry = json!({"source": hurry});
    browser
        .devtools("Page.addScriptToEvaluateOnNewDocument", hurry)
        .await?;
    browser.client.goto(&portal.page("bare")).await?;
    hold_the_module(&browser).await?;
    let link = portal.scripted.link(GUEST.trim_start_matches("#/?"));
    let put = "put({ link: arguments[0] })";
    browser.client.execute(put, vec![link.into()]).await?;
    portal.screen(&browser, "unsupported").await?;
    let failure = portal.told_only(&browser, "failed").await?;
    ensure!(failure["code"] == "internal_error", "{failure}");
    browser.close().await?;
    Ok(())
}

#[tokio::test]
async fn axe_finds_nothing_on_a_page_with_the_element_and_the_device_check_in_it() -> Result<()> {
    let axe = Path::new(env!("CARGO_MANIFEST_DIR")).join("node_modules/axe-core/axe.min.js");
    let axe = fs::read_to_string(axe).context("axe-core is needed: run `cargo xtask test`")?;
    let portal = Portal::start().await?;
    let browser = Browser::start(Engine::Chromium).await?;
    browser.client.goto(&portal.page("bare")).await?;
    let attributes = json!({
        "link": portal.scripted.link("conference=telehealth.1&role=guest"),
        "hospital": "St Mary's Hospital",
        "device-check": "offer",
        "language": "fr",
    });
    let put = "put(arguments[0])";
    browser.client.execute(put, vec![attributes]).await?;
    portal.screen(&browser, "name").await?;
    browser.client.execute(&axe, vec![]).await?;
    let look = "const done = arguments[arguments.length - 1];
        axe.run(document, {resultTypes: ['violations']}).then(
          (found) => done(JSON.stringify(found.violations)),
          (error) => done(String(error)))";
    let found = browser.client.execute_async(look, vec![]).await?;
    ensure!(found == "[]", "{found}");

    let click = "inside('[data-screen=name] [data-action=check-devices]').click()";
    browser.client.execute(click, vec![]).await?;
    let start = "[data-step=camera] [data-check=start]";
    let script = format!("return !!inside('{start}')");
    browser.until("the device check", &script).await?;
    let texts: Value = serde_json::from_str(FRENCH_DEVICES)?;
    let heading = browser
        .client
        .execute("return inside('.device-check h1').textContent", vec![])
        .await?;
    ensure!(heading == texts["devices.title"], "{heading}");
    let found = browser.client.execute_async(look, vec![]).await?;
    ensure!(found == "[]", "{found}");
    // Neither the module nor its style sheet is against the page's policy.
    let told = portal.told(&browser).await?;
    ensure!(told.is_empty(), "{told:?}");
    let script = "return inside('link[href*=device-check]').sheet.cssRules.length > 0";
    let styled = browser.client.execute(script, vec![]).await?;
    ensure!(styled == true, "{styled}");
    browser.close().await?;
    Ok(())
}
