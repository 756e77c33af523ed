//! A PIN is gone from the module's memory as soon as it was used. Chromium's developer
//! tools only: no other driver lets a test see the module's memory.

use anyhow::{Result, ensure};
use fantoccini::key::Key;
use serde_json::json;

use crate::support::{
    browser::{Browser, engine::Engine},
    scripted::{Script, Scripted, granted, pin_wanted},
};

/// Keeps the memory of every module that is started, before the page's own scripts run.
const KEEP_MEMORY: &str = "window.memories = [];\
     for (const name of ['instantiate', 'instantiateStreaming']) {\
       const original = WebAssembly[name];\
       WebAssembly[name] = async (...given) => {\
         const result = await original(...given);\
         const exports = Object.values((result.instance || result).exports);\
         memories.push(...exports.filter((it) => it instanceof WebAssembly.Memory));\
         return result;\
       };\
     }";

/// How often the bytes of a text stand in the memory.
const SEARCH: &str = "const text = new TextEncoder().encode(arguments[0]);\
     let found = 0;\
     for (const memory of memories) {\
       const bytes = new Uint8Array(memory.buffer);\
       for (let at = bytes.indexOf(text[0]); at >= 0; at = bytes.indexOf(text[0], at + 1)) {\
         if (text.every((byte, index) => bytes[at + index] === byte)) found += 1;\
       }\
     }\
     return found";

/// Neither a date nor a part of any number that the page knows.
const PIN: &str = "7350918264";
const WRONG: &str = "5082736419";

const WITHOUT_PIN: &str = "conference=telehealth.1&name=Dr+Julian+Bashir&role=host";

/// A page whose module's memory is kept.
async fn opened(fragment: &str, page: &Scripted) -> Result<Browser> {
    let browser = Browser::start(Engine::Chromium).await?;
    browser.before_every_page(KEEP_MEMORY).await?;
    browser.client.goto(&page.link(fragment)).await?;
    Ok(browser)
}

/// How often this stands in the memory of the module.
async fn found(browser: &Browser, text: &str) -> Result<u64> {
    let count = browser.client.execute(SEARCH, vec![text.into()]).await?;
    count.as_u64().ok_or_else(|| anyhow::anyhow!("{count}"))
}

#[tokio::test]
async fn a_pin_from_the_link_is_gone_from_memory_when_the_host_is_in() -> Result<()> {
    let page = Scripted::start("").await?;
    let mut script = Script::visit([pin_wanted()]);
    page.play(script.clone());
    let link = format!("conference=telehealth.1&name=Dr+Julian+Bashir&pin={PIN}");
    let browser = opened(&link, &page).await?;
    page.until_received("request_token", 2).await?;
    ensure!(
        page.received()
            .last()
            .and_then(|it| it.pin.clone())
            .as_deref()
            == Some(PIN)
    );
    ensure!(
        found(&browser, PIN).await? > 0,
        "while the node is asked, the search finds it"
    );
    script.tokens.clear();
    page.answer_late(granted("HOST"));
    browser.screen("joined").await?;
    ensure!(
        found(&browser, "telehealth.1").await? > 0,
        "it is the memory"
    );
    let left = found(&browser, PIN).await?;
    ensure!(left == 0, "the PIN stands {left} times in memory");
    browser.close().await?;
    Ok(())
}

#[tokio::test]
async fn a_pin_that_was_typed_is_gone_from_memory_and_so_is_a_wrong_one() -> Result<()> {
    let page = Scripted::start("").await?;
    page.play(Script::visit([pin_wanted()]));
    let browser = opened(WITHOUT_PIN, &page).await?;
    for (count, pin, answer) in [
        (2, WRONG, (403, json!("Invalid PIN"))),
        (3, PIN, granted("HOST")),
    ] {
        let line = format!("{pin}{}", char::from(Key::Enter));
        browser.shown("#pin").await?.send_keys(&line).await?;
        page.until_received("request_token", count).await?;
        ensure!(found(&browser, pin).await? > 0, "it is used");
        page.answer_late(answer);
        if pin == WRONG {
            browser.shown("#pin-fault").await?;
        } else {
            browser.screen("joined").await?;
        }
        let left = found(&browser, pin).await?;
        ensure!(left == 0, "{pin} stands {left} times in memory");
    }
    ensure!(
        found(&browser, "telehealth.1").await? > 0,
        "it is the memory"
    );
    browser.close().await?;
    Ok(())
}
