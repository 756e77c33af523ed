//! Fault row 32: a guest never sees a PIN field and never gets a host's PIN, a host link
//! without PIN asks for it, and PINs cannot be tried without end.

use anyhow::{Context, Result, ensure};
use fantoccini::key::Key;

use crate::support::{
    browser::{Browser, engine::Engine},
    house::House,
    launcher::{join_link, pin_of},
};

/// Wrong PINs that a link takes.
const LIMIT: usize = 5;

/// A link for patients that holds nothing but a one-time ticket; clinicians keep theirs.
const PATIENT_TICKET: &str = "
patient_web_join_link_template = \"{{telehealth_integration.infinity_webapp_server_base_url}}/webapp/#/?ticket={{launch_ticket}}\"
";

/// Keeps the names of the screens that are shown from now on, and of the one that is.
const NOTE_SCREENS: &str = "window.screens = [document.querySelector('[data-screen]:not([hidden])').dataset.screen];\
     addEventListener('vestibule-screen', (event) => screens.push(event.detail.screen))";

in_every_browser!(
    row_32_a_guest_is_never_asked_for_a_pin_and_never_gets_one,
    row_32_a_host_link_without_a_pin_asks_for_it,
    row_32_wrong_pins_are_limited_and_the_lock_says_what_to_do,
);

async fn row_32_a_guest_is_never_asked_for_a_pin_and_never_gets_one(engine: Engine) -> Result<()> {
    let house = House::with_profile(PATIENT_TICKET).await?;
    // The host of the same visit has a PIN.
    let pin = pin_of(&join_link(&house, "clinician").await?)?;
    let link = join_link(&house, "patient").await?;
    let before = house.tap.received();
    let browser = Browser::start(engine).await?;
    browser.client.goto(&link).await?;
    browser.client.execute(NOTE_SCREENS, vec![]).await?;
    browser.screen("waiting").await?;
    let shown = browser.client.execute("return screens", vec![]).await?;
    ensure!(!shown.to_string().contains("pin"), "{shown}");
    for request in house.tap.requests() {
        let pin = request.header("pin").unwrap_or("none");
        ensure!(pin == "none", "{}", request.line);
    }
    let received = house.tap.received();
    let received = received.strip_prefix(&before).context("it only grows")?;
    ensure!(received.contains(r#""role":"guest""#), "{received}");
    // What the node says of its PINs is that they are wanted, or that there are none.
    let mut said = received.split(r#""pin":""#).skip(1);
    ensure!(
        !said.any(|value| value.starts_with(char::is_numeric)),
        "a PIN came"
    );
    ensure!(!received.contains(&pin), "the host's PIN came");
    browser.close().await?;
    Ok(())
}

async fn row_32_a_host_link_without_a_pin_asks_for_it(engine: Engine) -> Result<()> {
    let house = House::start().await?;
    let link = join_link(&house, "clinician").await?;
    let pin = pin_of(&link)?;
    let browser = Browser::start(engine).await?;
    browser
        .follow(&link.replace(&format!("pin={pin}"), "role=host"))
        .await?;
    let text = browser.screen("pin").await?.text().await?;
    ensure!(text.contains("Host PIN"), "{text}");
    send_pin(&browser, &pin).await?;
    let joined = browser.screen("joined").await?.text().await?;
    ensure!(joined.contains("You have joined as host"), "{joined}");
    browser.close().await?;
    Ok(())
}

async fn row_32_wrong_pins_are_limited_and_the_lock_says_what_to_do(engine: Engine) -> Result<()> {
    let house = House::start().await?;
    let link = join_link(&house, "clinician").await?;
    let right = pin_of(&link)?;
    let browser = Browser::start(engine).await?;
    browser
        .follow(&link.replace(&format!("pin={right}"), "role=host"))
        .await?;
    let wrong = if right.starts_with('1') {
        "22222222"
    } else {
        "11111111"
    };
    for tried in 0..LIMIT {
        // The page leaves the form while the node is asked.
        send_pin(&browser, wrong).await?;
        browser.shown("#pin-fault").await?;
        let requests = house.tap.requests();
        let sent = requests
            .iter()
            .filter(|request| request.header("pin") == Some(wrong));
        ensure!(sent.count() == tried + 1);
    }
    // Now even the right one is not looked at.
    send_pin(&browser, &right).await?;
    browser.screen("failed").await?;
    let text = browser.framed_text("main").await?;
    ensure!(text.contains("pin_attempts_exceeded"), "{text}");
    ensure!(text.contains("please wait five minutes"), "{text}");
    browser.close().await?;
    Ok(())
}

async fn send_pin(browser: &Browser, pin: &str) -> Result<()> {
    let enter = char::from(Key::Enter);
    let field = browser.shown("#pin").await?;
    Ok(field.send_keys(&format!("{pin}{enter}")).await?)
}
