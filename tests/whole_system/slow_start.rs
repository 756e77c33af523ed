//! Fault row 30: the shim is late. What can be had without it stands beside the wait, and
//! goes when the shim is there.

use anyhow::{Result, ensure};

use crate::{
    row_30::{is_in_the_plain_visit, opened, waits_for_the_host},
    support::{
        browser::{
            Browser,
            engine::{Engine, Setting},
        },
        house::House,
    },
    visit::{TICKET_LINKS, nothing_personal_is_left},
};

in_every_browser!(
    row_30_a_late_module_is_waited_for_with_the_plain_form_beside_the_wait,
    row_30_who_does_not_wait_for_a_late_module_goes_on_in_plain_html,
);

/// The form that needs no script, and whether the styles let it be seen.
const OFFERED: &str =
    "return getComputedStyle(document.querySelector('#plain')).visibility === 'visible'";

/// After so long the styles show the form, in ms of the page's own clock.
const OFFER: &str = "return document.querySelector('#plain').getAnimations()\
     .map((animation) => animation.effect.getComputedTiming().delay)";

async fn row_30_a_late_module_is_waited_for_with_the_plain_form_beside_the_wait(
    engine: Engine,
) -> Result<()> {
    let (house, browser) = late(engine).await?;
    // There is none before the page is laid out, which takes a second at most.
    browser
        .until("the form will be offered", &format!("{OFFER}.length === 1"))
        .await?;
    let delay = browser.client.execute(OFFER, vec![]).await?;
    ensure!(
        delay[0].as_f64().is_some_and(|delay| delay <= 2000.0),
        "{delay}"
    );
    waits_beside_the_form(&browser).await?;
    // Nothing is sent by itself as long as the shim may come.
    ensure!(house.count("/launch/") == 0, "nothing is sent");

    house.tap.let_go();
    browser.screen("waiting").await?;
    let gone = "return !document.querySelector('#plain').getClientRects().length";
    browser.until("the form is gone", gone).await?;
    house.until_count("/launch/redeem", 1).await?;
    ensure!(house.count("/launch/plain") == 0, "one visit");
    nothing_personal_is_left(&house, &browser).await?;
    browser.close().await?;
    Ok(())
}

async fn row_30_who_does_not_wait_for_a_late_module_goes_on_in_plain_html(
    engine: Engine,
) -> Result<()> {
    let (house, browser) = late(engine).await?;
    waits_beside_the_form(&browser).await?;
    browser.shown("#plain button").await?.click().await?;
    is_in_the_plain_visit(&house, &browser).await?;
    house.tap.let_go();
    waits_for_the_host(&browser).await?;
    ensure!(house.count("/launch/redeem") == 0, "one visit");
    browser.close().await?;
    Ok(())
}

/// Somebody whose browser has all but the module.
async fn late(engine: Engine) -> Result<(House, Browser)> {
    let house = House::with_profile(TICKET_LINKS).await?;
    house.tap.hold(".wasm");
    let browser = opened(engine, &house, Setting::default()).await?;
    browser.screen("connecting").await?;
    Ok((house, browser))
}

async fn waits_beside_the_form(browser: &Browser) -> Result<()> {
    browser.until("the form is offered", OFFERED).await?;
    // Nor does the form hold what the shim would take out of the page.
    let known = "const { link, tab, browser } = document.querySelector('#plain').elements;
        return link.type === 'hidden' && link.value + tab.value + browser.value === ''";
    browser.until("nobody is asked for the link", known).await?;
    browser.screen("connecting").await?;
    let started = "return document.documentElement.hasAttribute('data-visit')";
    let started = browser.client.execute(started, vec![]).await?;
    ensure!(started == false, "the shim cannot run yet");
    Ok(())
}
