//! The whole way with the keyboard alone.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use fantoccini::{
    actions::{InputSource as _, KeyAction, KeyActions},
    key::Key,
};
use serde_json::{Value, json};

use crate::{
    states::{self, Deployments, single_tab},
    support::{
        browser::{Browser, engine::Engine},
        scripted::{Script, Scripted, granted, pin_wanted},
    },
};

const CONFIGURATION: &str = "[landing_page]\ndevice_check = \"offer\"\n";

/// More stops than there are on any screen.
const MANY: usize = 24;

/// Where the focus is: what it is called, whether a ring shows it, and whether anything
/// lies over it (WCAG 2.2, 2.4.7 and 2.4.11).
const FOCUS: &str = "
    let element = document.activeElement;
    let ring = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    // In the middle of what is in sight of it.
    const middle = (from, to, end) => (Math.max(from, 0) + Math.min(to, end)) / 2;
    const at = document.elementFromPoint(
      middle(box.left, box.right, innerWidth), middle(box.top, box.bottom, innerHeight));
    const inner = element.contentDocument && element.contentDocument.activeElement;
    const framed = inner && inner !== element.contentDocument.body &&
      inner !== element.contentDocument.documentElement;
    if (framed) ring = element.contentDocument.defaultView.getComputedStyle(inner);
    const name = (it) => it.id || it.dataset.action || it.dataset.link || it.dataset.check ||
      ('language' in it.dataset ? 'language' : it.dataset.text) || it.localName;
    return {
      name: framed ? name(inner) : name(element),
      // `auto` is the browser's own ring, as wide as it likes.
      ring: ring.outlineStyle === 'auto' ||
        (ring.outlineStyle !== 'none' && parseFloat(ring.outlineWidth) >= 2),
      free: !!at && element.contains(at),
    }";

in_every_browser!(
    a_visit_needs_nothing_but_the_keyboard,
    a_failed_visit_is_read_and_tried_again_with_the_keyboard,
);

in_chromium!(a_pin_can_be_pasted_and_is_offered_out_of_a_message);

async fn a_visit_needs_nothing_but_the_keyboard(engine: Engine) -> Result<()> {
    let deployment = Scripted::start(CONFIGURATION).await?;
    let browser = Browser::start(engine).await?;
    let refused = (403, json!("Invalid PIN"));
    deployment.play(Script::visit([
        pin_wanted(),
        refused,
        granted("HOST"),
        pin_wanted(),
        granted("HOST"),
    ]));
    let link = deployment.link("conference=telehealth.1");
    browser.client.goto(&link).await?;

    // The language, and back to the name.
    browser.screen("name").await?;
    focused(&browser, "name").await?;
    tab_to(&browser, "language").await?;
    press(&browser, Key::Down).await?;
    browser.until("it is Spanish", &language("es")).await?;
    press(&browser, Key::Up).await?;
    browser.until("it is English", &language("en")).await?;
    back_to(&browser, "name").await?;
    press(&browser, Key::Enter).await?;
    browser.shown("#name-fault").await?;
    focused(&browser, "name").await?;
    enter(&browser, "Kim").await?;

    // The role, which can be thought over, and the PIN.
    browser.screen("role").await?;
    tab_to(&browser, "host").await?;
    press(&browser, Key::Space).await?;
    browser.screen("pin").await?;
    focused(&browser, "pin").await?;
    tab_to(&browser, "back").await?;
    press(&browser, Key::Enter).await?;
    browser.screen("role").await?;
    tab_to(&browser, "host").await?;
    press(&browser, Key::Enter).await?;
    browser.screen("pin").await?;
    enter(&browser, "22222222").await?;
    browser.shown("#pin-fault").await?;
    focused(&browser, "pin").await?;
    enter(&browser, "11111111").await?;
    browser.screen("joined").await?;

    // Out, and in again.
    tab_to(&browser, "leave").await?;
    press(&browser, Key::Space).await?;
    browser.screen("left").await?;
    tab_to(&browser, "rejoin").await?;
    press(&browser, Key::Enter).await?;
    browser.screen("pin").await?;
    focused(&browser, "pin").await?;
    enter(&browser, "11111111").await?;
    browser.screen("joined").await?;

    // The wait, which goes over into the visit where the focus is not lost.
    deployment.play(Script {
        events: vec![("conference_update", json!({"started": false}))],
        ..Script::visit([granted("GUEST")])
    });
    browser.client.goto("about:blank").await?;
    let link = deployment.link("conference=telehealth.1&name=Kim&role=guest");
    browser.client.goto(&link).await?;
    browser.screen("waiting").await?;
    tab_to(&browser, "check-devices").await?;
    tab_to(&browser, "leave").await?;
    deployment.happen("conference_update", json!({"started": true}));
    browser.screen("joined").await?;
    tab_to(&browser, "leave").await?;
    press(&browser, Key::Enter).await?;
    browser.screen("left").await?;
    browser.close().await?;
    Ok(())
}

async fn a_pin_can_be_pasted_and_is_offered_out_of_a_message(engine: Engine) -> Result<()> {
    let deployment = Scripted::start("").await?;
    deployment.play(Script::visit([pin_wanted(), granted("HOST")]));
    let browser = Browser::start(engine).await?;
    let link = deployment.link("conference=telehealth.1&name=Kim&role=host");
    browser.client.goto(&link).await?;
    let field = browser.shown("#pin").await?;
    // WCAG 2.2, 3.3.8; and what a telephone has found in a text message is offered.
    let offered = field.attr("autocomplete").await?;
    ensure!(offered.as_deref() == Some("one-time-code"), "{offered:?}");
    let value = "return document.querySelector('#pin').value";
    let is = |text| format!("{value} === '{text}'");
    strike(&browser, &['1', '2', '3', '4', '5', '6']).await?;
    hold_control(&browser, &['a', 'x']).await?;
    browser.until("the PIN is cut out", &is("")).await?;
    hold_control(&browser, &['v']).await?;
    browser.until("the PIN is pasted", &is("123456")).await?;
    press(&browser, Key::Enter).await?;
    browser.screen("joined").await?;
    let received = deployment.received();
    ensure!(
        received
            .iter()
            .any(|it| it.pin.as_deref() == Some("123456"))
    );
    browser.close().await?;
    Ok(())
}

async fn a_failed_visit_is_read_and_tried_again_with_the_keyboard(engine: Engine) -> Result<()> {
    let deployment = Scripted::start(CONFIGURATION).await?;
    let browser = Browser::start(engine).await?;
    deployment.play(Script {
        error_page: Some(json!({
            "error_name": "ConferenceNotFound",
            "telehealth_request_id": "8d8ac610-566d-4ef0-9c22-186b2a5ed793",
            "utc_time": "2026-03-14T09:26:53Z",
            "template": "<!doctype html><title>Failed</title><h1>Failed</h1>\
                <p><a id='help' href='https://help.example.org/'>Help</a></p>",
        })),
        ..Script::visit([(503, json!("Out of order"))])
    });
    let link = deployment.link("conference=telehealth.1&name=Kim&role=guest");
    browser.client.goto(&link).await?;
    browser.shown("#failure-frame").await?;
    tab_to(&browser, "help").await?;
    tab_to(&browser, "retry").await?;
    deployment.play(Script::visit([granted("GUEST")]));
    press(&browser, Key::Enter).await?;
    browser.screen("joined").await?;
    browser.close().await?;
    Ok(())
}

#[tokio::test]
async fn every_control_of_every_state_is_reached_and_seen_and_holds_nobody() -> Result<()> {
    let browser = Browser::start(Engine::Chromium).await?;
    // As little room as there is: 1280 by 1024 at 400 %.
    browser.view(320, 256).await?;
    let mut deployments = Deployments::default();
    for state in states::all() {
        deployments.reach(&browser, &state, None).await?;
        let controls = controls(&browser).await?;
        let mut seen = BTreeSet::new();
        for _ in 0..MANY {
            press(&browser, Key::Tab).await?;
            seen.insert(stop(&browser).await.context(state.name)?);
            if controls.is_subset(&seen) {
                break;
            }
        }
        let missing: Vec<_> = controls.difference(&seen).collect();
        ensure!(missing.is_empty(), "{}: {missing:?}", state.name);
        single_tab(&browser).await?;
    }
    browser.close().await?;
    Ok(())
}

/// Everything on the page that can be used now.
async fn controls(browser: &Browser) -> Result<BTreeSet<String>> {
    let script = "
        const all = document.querySelectorAll('button:enabled, a[href], input, select');
        const shown = Array.from(all).filter((it) => it.checkVisibility({visibilityProperty: true}));
        return shown.map((it) => it.id || it.dataset.action || it.dataset.link || it.dataset.check ||
          ('language' in it.dataset ? 'language' : it.dataset.text) || it.localName)";
    let found = browser.client.execute(script, vec![]).await?;
    let found = found.as_array().context("a list")?;
    let names = found.iter().filter_map(Value::as_str).map(str::to_owned);
    Ok(names.collect())
}

fn language(tag: &str) -> String {
    format!("return document.documentElement.lang === '{tag}'")
}

/// Tells what has the focus, after making sure that it can be seen.
async fn stop(browser: &Browser) -> Result<String> {
    let focus = browser.client.execute(FOCUS, vec![]).await?;
    let name = focus["name"].as_str().context("a name")?.to_owned();
    // Between the last control and the first there is the browser itself.
    if name != "body" && name != "html" {
        ensure!(focus["free"] == true, "something lies over {name}");
        // A frame has no ring of its own; what is in it has.
        ensure!(
            focus["ring"] == true || name == "failure-frame",
            "no ring round {name}"
        );
    }
    Ok(name)
}

async fn focused(browser: &Browser, name: &str) -> Result<()> {
    let found = stop(browser).await?;
    ensure!(found == name, "the focus is on {found}, not on {name}");
    Ok(())
}

/// Goes on with the Tab key until the control with this name has the focus.
async fn tab_to(browser: &Browser, name: &str) -> Result<()> {
    let mut passed = Vec::new();
    while passed.len() < MANY {
        press(browser, Key::Tab).await?;
        passed.push(stop(browser).await?);
        if passed.last().is_some_and(|last| last == name) {
            return Ok(());
        }
    }
    anyhow::bail!("Tab does not lead to {name}, but to {passed:?}")
}

/// Goes back with Shift and Tab until the control with this name has the focus.
async fn back_to(browser: &Browser, name: &str) -> Result<()> {
    let mut passed = Vec::new();
    while passed.len() < MANY {
        let (shift, tab) = (char::from(Key::Shift), char::from(Key::Tab));
        let keys = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: shift })
            .then(KeyAction::Down { value: tab })
            .then(KeyAction::Up { value: tab })
            .then(KeyAction::Up { value: shift });
        browser.client.perform_actions(keys).await?;
        passed.push(stop(browser).await?);
        if passed.last().is_some_and(|last| last == name) {
            return Ok(());
        }
    }
    anyhow::bail!("Shift and Tab do not lead to {name}, but to {passed:?}")
}

async fn press(browser: &Browser, key: Key) -> Result<()> {
    strike(browser, &[char::from(key)]).await
}

/// Types a line into what has the focus, and sends it.
async fn enter(browser: &Browser, text: &str) -> Result<()> {
    let mut keys: Vec<_> = text.chars().collect();
    keys.push(char::from(Key::Enter));
    strike(browser, &keys).await
}

async fn hold_control(browser: &Browser, keys: &[char]) -> Result<()> {
    let control = char::from(Key::Control);
    let mut actions = KeyActions::new("keyboard".to_owned());
    actions = actions.then(KeyAction::Down { value: control });
    for &value in keys {
        actions = actions
            .then(KeyAction::Down { value })
            .then(KeyAction::Up { value });
    }
    let actions = actions.then(KeyAction::Up { value: control });
    Ok(browser.client.perform_actions(actions).await?)
}

async fn strike(browser: &Browser, keys: &[char]) -> Result<()> {
    let mut actions = KeyActions::new("keyboard".to_owned());
    for &value in keys {
        actions = actions
            .then(KeyAction::Down { value })
            .then(KeyAction::Up { value });
    }
    browser.client.perform_actions(actions).await?;
    Ok(())
}
