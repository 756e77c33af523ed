//! The page speaks the person's language, whole, and nothing waits for it.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{
    states::{self, Deployments, single_tab},
    support::{
        browser::{
            Browser,
            engine::{Engine, Setting},
        },
        house::House,
        scripted::{Locales, Script, Scripted, granted},
    },
    visit::{PATIENT, TICKET_LINKS, launch},
};

/// The languages besides English.
const OTHERS: [&str; 7] = ["es", "fr", "de", "zh", "vi", "tl", "ar"];

const GUEST: &str = "conference=telehealth.1&name=Kim&role=guest";

in_every_browser!(
    the_link_counts_more_than_an_earlier_choice_and_that_more_than_the_configuration,
    a_join_waits_for_no_language_and_english_stays_where_none_comes,
    the_language_of_a_link_outlives_a_reload_and_not_the_next_link,
    a_language_whose_script_did_not_come_can_be_chosen_again,
);

async fn the_link_counts_more_than_an_earlier_choice_and_that_more_than_the_configuration(
    engine: Engine,
) -> Result<()> {
    let deployment = Scripted::start("[landing_page]\nlanguage = \"fr\"\n").await?;
    deployment.play(waiting());
    let link = deployment.link(GUEST);

    // The configuration counts for those whose language the page does not speak.
    let browser = speaking(engine, "it").await?;
    browser.client.goto(&link).await?;
    if engine == Engine::WebKit {
        // It cannot be told to speak another language than English.
        speaks(&browser, "en").await?;
    } else {
        speaks(&browser, "fr").await?;
    }
    browser.screen("waiting").await?;

    // What is chosen on the page is kept, for other links as well.
    choose(&browser, "de").await?;
    speaks(&browser, "de").await?;
    for link in [&link, &format!("{link}&lang=it")] {
        browser.client.goto("about:blank").await?;
        deployment.play(waiting());
        browser.client.goto(link).await?;
        speaks(&browser, "de").await?;
    }

    browser.client.goto("about:blank").await?;
    deployment.play(waiting());
    browser.client.goto(&format!("{link}&lang=ar")).await?;
    speaks(&browser, "ar").await?;
    let waiting = browser.screen("waiting").await?;
    let text = text(&texts("www/locales", "ar")?, "waiting.title")?;
    ensure!(waiting.text().await?.contains(&text));
    ensure!(browser.client.title().await?.starts_with(&text));
    let start =
        "return getComputedStyle(document.querySelector('[data-screen=waiting] p')).direction";
    let direction = browser.client.execute(start, vec![]).await?;
    ensure!(direction == "rtl", "{direction}");

    // A choice on the page counts more than the link that was followed to it.
    choose(&browser, "vi").await?;
    speaks(&browser, "vi").await?;
    browser.client.refresh().await?;
    speaks(&browser, "vi").await?;
    browser.close().await?;
    Ok(())
}

#[tokio::test]
async fn the_browser_counts_more_than_the_configuration() -> Result<()> {
    let deployment = Scripted::start("[landing_page]\nlanguage = \"fr\"\n").await?;
    for (tags, language) in [("it,vi,es", "vi"), ("fil-PH,en", "tl"), ("zh-TW,en", "zh")] {
        deployment.play(waiting());
        let browser = speaking(Engine::Chromium, tags).await?;
        browser.client.goto(&deployment.link(GUEST)).await?;
        speaks(&browser, language).await?;
        browser.close().await?;
    }
    Ok(())
}

async fn a_join_waits_for_no_language_and_english_stays_where_none_comes(
    engine: Engine,
) -> Result<()> {
    let deployment = Scripted::start("").await?;
    let browser = Browser::start(engine).await?;
    let link = format!("{}&lang=de", deployment.link(GUEST));
    for (then, language) in [(Locales::Missing, "en"), (Locales::Served, "de")] {
        deployment.locales(Locales::HeldBack);
        deployment.play(waiting());
        browser.client.goto("about:blank").await?;
        // The load of the page is over before the text of a language is there.
        browser.client.goto(&link).await?;
        let screen = browser.screen("waiting").await?;
        ensure!(screen.text().await?.contains("Waiting for the host"));
        speaks(&browser, "en").await?;
        deployment.locales(then);
        speaks(&browser, language).await?;
        let text = text(&texts("www/locales", language)?, "waiting.title")?;
        ensure!(
            browser
                .screen("waiting")
                .await?
                .text()
                .await?
                .contains(&text)
        );
    }
    ensure!(deployment.count("request_token") == 2);
    browser.close().await?;
    Ok(())
}

async fn the_language_of_a_link_outlives_a_reload_and_not_the_next_link(
    engine: Engine,
) -> Result<()> {
    let deployment = Scripted::start("[landing_page]\nlanguage = \"fr\"\n").await?;
    deployment.play(waiting());
    let browser = speaking(engine, "it").await?;
    let link = deployment.link(GUEST);
    browser.client.goto(&format!("{link}&lang=es")).await?;
    browser.screen("waiting").await?;
    for _ in 0..2 {
        speaks(&browser, "es").await?;
        let address = browser.client.current_url().await?;
        ensure!(!address.as_str().contains("lang"), "{address}");
        browser.client.refresh().await?;
    }
    speaks(&browser, "es").await?;

    browser.client.goto("about:blank").await?;
    deployment.play(waiting());
    browser.client.goto(&link).await?;
    browser.screen("waiting").await?;
    if engine != Engine::WebKit {
        // Which language WebKit's own is depends on the machine.
        speaks(&browser, "fr").await?;
    }
    browser.close().await?;
    Ok(())
}

async fn a_language_whose_script_did_not_come_can_be_chosen_again(engine: Engine) -> Result<()> {
    let deployment = Scripted::start("").await?;
    deployment.locales(Locales::Unreachable);
    deployment.play(waiting());
    let browser = Browser::start(engine).await?;
    browser.client.goto(&deployment.link(GUEST)).await?;
    browser.screen("waiting").await?;
    choose(&browser, "de").await?;
    speaks(&browser, "en").await?;
    deployment.locales(Locales::Served);
    // Another one: of the same WebKit's driver tells the page nothing.
    choose(&browser, "es").await?;
    speaks(&browser, "es").await?;
    browser.close().await?;
    Ok(())
}

#[tokio::test]
async fn in_no_state_of_any_language_is_english_left() -> Result<()> {
    let browser = Browser::start(Engine::Chromium).await?;
    let mut deployments = Deployments::default();
    let english: BTreeMap<_, _> = texts("www/locales", "en")?
        .into_iter()
        .chain(texts_of("crates/device-check/texts.json")?)
        .collect();
    let mut left = Vec::new();
    for state in states::all() {
        deployments.reach(&browser, &state, Some("es")).await?;
        for language in OTHERS {
            choose(&browser, language).await?;
            speaks(&browser, language).await?;
            let mut other = texts("www/locales", language)?;
            other.extend(texts("www/locales/devices", language)?);
            if state.screen == "devices" {
                // They come by themselves, after the page's.
                let title = text(&other, "devices.title")?;
                let script = format!(
                    "return document.querySelector('[data-screen=devices] h1:not([hidden])').textContent === {}",
                    json!(title)
                );
                browser
                    .until("the check speaks it as well", &script)
                    .await?;
            }
            let found = browser.client.execute(TEXTS, vec![json!(other)]).await?;
            for found in found.as_array().context("a list")? {
                let found = found.as_str().unwrap_or_default();
                // Some words are the same in both languages.
                let same = other.values().any(|known| known == found);
                if found.starts_with("not ") || english.values().any(|it| it == found) && !same {
                    left.push(format!("{}, {language}: {found}", state.name));
                }
            }
        }
        single_tab(&browser).await?;
    }
    ensure!(left.is_empty(), "{left:#?}");
    browser.close().await?;
    Ok(())
}

/// Every text that can be seen, but not what was said before; and what differs from the texts of the
/// language, the first argument, where an element says which of them it has.
const TEXTS: &str = "
    const [texts] = arguments;
    const found = [];
    for (const [attribute, read] of [
      ['data-text', (element) => element.textContent],
      ['data-text-label', (element) => element.getAttribute('aria-label')],
      ['data-text-title', (element) => element.title],
    ]) {
      for (const element of document.querySelectorAll(`[${attribute}]`)) {
        const text = texts[element.getAttribute(attribute)];
        if (text !== undefined && read(element) !== text) found.push(`not ${text}: ${read(element)}`);
        if (text === undefined) found.push(`not there: ${element.getAttribute(attribute)}`);
      }
    }
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const within = walker.currentNode.parentElement;
      const text = walker.currentNode.textContent.trim();
      if (text && !within.closest('bdi, option, script, #announcement') && within.checkVisibility()) found.push(text);
    }
    return found";

#[tokio::test]
async fn a_failed_visit_is_explained_and_dated_as_its_language_does() -> Result<()> {
    let browser = Browser::start(Engine::Chromium).await?;
    let deployment = Scripted::start("").await?;
    let page = json!({
        "error_name": "ConferenceNotFound",
        "telehealth_request_id": "8d8ac610-566d-4ef0-9c22-186b2a5ed793",
        "utc_time": "2026-03-14T09:26:53Z",
        "template": include_str!("../../crates/template/src/default_error_page.html"),
    });
    for language in OTHERS {
        deployment.play(Script {
            error_page: Some(page.clone()),
            ..Script::visit([(404, json!("Neither conference nor gateway found"))])
        });
        browser.client.goto("about:blank").await?;
        let link = format!("{}&lang={language}", deployment.link(GUEST));
        browser.client.goto(&link).await?;
        speaks(&browser, language).await?;
        explained(&browser, language).await?;
        // The page's own words stand by, should the frame not come.
        let own = "return document.querySelector('time[data-fill=local_time]').textContent";
        let own = browser.client.execute(own, vec![]).await?;
        let script = "return new Date('2026-03-14T09:26:53Z').toLocaleString(arguments[0], {timeZoneName: 'short'})";
        let expected = browser
            .client
            .execute(script, vec![json!(language)])
            .await?;
        ensure!(own == expected, "{language}: {own}, not {expected}");
    }
    // The last was Arabic; another language can be chosen there too.
    choose(&browser, "fr").await?;
    explained(&browser, "fr").await?;
    choose(&browser, "en").await?;
    explained(&browser, "en").await?;
    browser.close().await?;
    Ok(())
}

/// Waits until the error page in the frame is in this language.
async fn explained(browser: &Browser, language: &str) -> Result<()> {
    browser.shown("#failure-frame").await?;
    let script = format!(
        "const inner = document.querySelector('#failure-frame').contentDocument;
         return !!inner && inner.querySelectorAll('h1').length === 1 &&
           inner.documentElement.querySelector('main') !== null &&
           inner.documentElement.lang.startsWith('{language}')"
    );
    let what = format!("the error page is in {language}");
    browser.until(&what, &script).await
}

#[tokio::test]
async fn the_language_of_the_profile_counts_where_the_page_speaks_none_of_the_browser_s()
-> Result<()> {
    let house = House::with_profile(&format!("{TICKET_LINKS}language = \"es\"\n")).await?;
    for (own, spoken) in [("it", "es"), ("it,vi", "vi")] {
        let browser = speaking(Engine::Chromium, own).await?;
        launch(&house, &browser, PATIENT).await?;
        browser.screen("waiting").await?;
        speaks(&browser, spoken).await?;
        // A resumed launch has it as well.
        browser.client.refresh().await?;
        browser.screen("waiting").await?;
        speaks(&browser, spoken).await?;
        browser.close().await?;
    }
    Ok(())
}

/// A browser of somebody who speaks these languages.
async fn speaking(engine: Engine, language: &'static str) -> Result<Browser> {
    let setting = Setting {
        language,
        ..Setting::default()
    };
    Browser::with(engine, setting).await
}

/// Waits until the page is in this language.
pub(crate) async fn speaks(browser: &Browser, language: &str) -> Result<()> {
    let direction = if language == "ar" { "rtl" } else { "ltr" };
    let script = format!(
        "const page = document.documentElement;
         return page.lang === '{language}' && (page.dir || 'ltr') === '{direction}' &&
           document.querySelector('[data-language]').value === '{language}'"
    );
    let Err(error) = browser
        .until(&format!("the page is in {language}"), &script)
        .await
    else {
        return Ok(());
    };
    let found = "const page = document.documentElement;
        return [page.lang, page.dir, document.querySelector('[data-language]').value]";
    let found = browser.client.execute(found, vec![]).await?;
    Err(error.context(found))
}

/// Chooses the language on the page.
pub(crate) async fn choose(browser: &Browser, language: &str) -> Result<()> {
    let choice = browser.shown("[data-language]").await?;
    choice.select_by_value(language).await?;
    Ok(())
}

/// A guest who waits for the host.
fn waiting() -> Script {
    Script {
        events: vec![("conference_update", json!({"started": false}))],
        ..Script::visit([granted("GUEST")])
    }
}

fn text(texts: &BTreeMap<String, String>, key: &str) -> Result<String> {
    texts.get(key).cloned().with_context(|| key.to_owned())
}

fn texts(folder: &str, language: &str) -> Result<BTreeMap<String, String>> {
    texts_of(&format!("{folder}/{language}.json"))
}

fn texts_of(file: &str) -> Result<BTreeMap<String, String>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let texts: BTreeMap<String, Value> = serde_json::from_str(&fs::read_to_string(file)?)?;
    let texts = texts.into_iter();
    Ok(texts
        .filter_map(|(key, text)| Some((key, text.as_str()?.to_owned())))
        .collect())
}
