//! Every state of the page, for everybody: axe-core finds nothing in it, nothing is cut
//! off where it is enlarged, and who does not see it is told of it.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use fantoccini::Locator;
use serde_json::{Value, json};

use crate::{
    languages::{choose, speaks},
    states::{self, Deployments, State, single_tab},
    support::browser::{Browser, engine::Engine},
};

/// 1280 by 1024 at 400 % (WCAG 2.2, 1.4.10).
const ENLARGED: (u32, u32) = (320, 256);

#[tokio::test]
async fn every_state_is_announced_and_fits_when_enlarged_and_axe_finds_nothing() -> Result<()> {
    examine(None).await
}

#[tokio::test]
async fn every_state_fits_from_right_to_left_and_axe_finds_nothing() -> Result<()> {
    examine(Some("ar")).await
}

async fn examine(language: Option<&str>) -> Result<()> {
    let axe = axe()?;
    let browser = Browser::start(Engine::Chromium).await?;
    let mut deployments = Deployments::default();
    let mut findings = Vec::new();
    for state in states::all() {
        deployments.reach(&browser, &state, language).await?;
        match language {
            Some(language) => speaks(&browser, language).await?,
            None => is_announced(&browser, &state).await?,
        }
        let (width, height) = ENLARGED;
        browser.view(width, height).await?;
        fits(&browser, &state).await?;
        for theme in ["light", "dark"] {
            browser.theme(theme).await?;
            findings.extend(look(&browser, &axe, &state, theme).await?);
        }
        if language.is_none() {
            // The longest words.
            choose(&browser, "de").await?;
            speaks(&browser, "de").await?;
            fits(&browser, &state).await?;
            // What was chosen is not kept for the next state.
            choose(&browser, "en").await?;
            speaks(&browser, "en").await?;
        }
        single_tab(&browser).await?;
    }
    ensure!(findings.is_empty(), "{findings:#?}");
    browser.close().await?;
    Ok(())
}

/// The focus goes to the screen, and the one live region says which it is.
pub(crate) async fn is_announced(browser: &Browser, state: &State) -> Result<()> {
    // Nobody has been anywhere else before the first screen.
    if state.screen == "connecting" {
        return Ok(());
    }
    // The device check puts what it says together itself.
    let says = if state.screen == "devices" {
        "regions[0].textContent.trim() !== ''"
    } else {
        "Array.from(shown.querySelectorAll('*'), (part) => part.textContent)\
           .includes(regions[0].textContent)"
    };
    let script = format!(
        "const shown = document.querySelector('[data-screen]:not([hidden])');
        const regions = document.querySelectorAll('[aria-live], [role=status], [role=alert]');
        return shown.contains(document.activeElement) && regions.length === 1 &&
          regions[0].id === 'announcement' && {says}"
    );
    let what = format!("{} is announced", state.name);
    browser.until(&what, &script).await
}

/// Nothing is wider than the page, and the page alone is scrolled.
async fn fits(browser: &Browser, state: &State) -> Result<()> {
    let script = "const root = document.documentElement;
        const frame = document.querySelector('#failure-frame:not([hidden])');
        const inner = frame && frame.contentDocument.documentElement;
        return root.scrollWidth <= root.clientWidth && (!inner ||
          (inner.scrollWidth <= inner.clientWidth && inner.scrollHeight <= inner.clientHeight))";
    let fits = browser.client.execute(script, vec![]).await?;
    ensure!(fits == Value::Bool(true), "{} does not fit", state.name);
    Ok(())
}

/// What axe-core has to say of the page, and of the error page in its frame.
async fn look(browser: &Browser, axe: &str, state: &State, theme: &str) -> Result<Vec<String>> {
    let mut found = findings(browser, axe).await?;
    let frame = Locator::Css("iframe:not([hidden])");
    if let Ok(frame) = browser.client.find(frame).await {
        frame.enter_frame().await?;
        let html = "return document.documentElement.outerHTML";
        let html = browser.client.execute(html, vec![]).await?;
        browser.client.enter_parent_frame().await?;
        // axe cannot look into a frame that runs no script, so it gets a tab of its own.
        let tab = browser.client.new_window(true).await?.handle;
        let page = browser.client.window().await?;
        browser.client.switch_to_window(tab).await?;
        browser.theme(theme).await?;
        let write = "document.open(); document.write(arguments[0]); document.close()";
        browser.client.execute(write, vec![html]).await?;
        found.extend(findings(browser, axe).await?);
        browser.client.close_window().await?;
        browser.client.switch_to_window(page).await?;
    }
    let place = |finding| format!("{}, {theme}: {finding}", state.name);
    Ok(found.into_iter().map(place).collect())
}

/// The script of axe-core.
pub(crate) fn axe() -> Result<String> {
    let axe = Path::new(env!("CARGO_MANIFEST_DIR")).join("node_modules/axe-core/axe.min.js");
    fs::read_to_string(axe).context("axe-core is needed: run `cargo xtask test`")
}

/// What axe-core has to say, without what it cannot decide.
pub(crate) async fn findings(browser: &Browser, axe: &str) -> Result<Vec<String>> {
    browser.client.execute(axe, vec![]).await?;
    let script = "const done = arguments[arguments.length - 1];
        axe.run(document, {resultTypes: ['violations']}).then(
          (found) => done(found.violations.map((rule) =>
            rule.id + ': ' + rule.nodes.map((node) => node.html + ' ' + node.failureSummary).join(' | '))),
          (error) => done(['axe failed: ' + error]));";
    let found = browser
        .client
        .execute_async(script, vec![json!(null)])
        .await?;
    let found = found.as_array().context("a list")?;
    let found = found.iter().filter_map(Value::as_str);
    Ok(found.map(str::to_owned).collect())
}
