//! Fault row 30: engines that are too old for the shim. They get the sentence that names
//! a browser, a link that opens it where the system has one, and a form that goes on
//! without.
//!
//! Chromium plays them, since its user agent can be changed: it is given the page as they
//! read it, without what they lack.

use anyhow::{Context, Result, ensure};

use crate::{
    row_30::{VISIT, is_in_the_plain_visit, with_page},
    support::{
        browser::{Browser, engine::Engine},
        house::House,
        launcher::join_link,
    },
    visit::TICKET_LINKS,
};

in_chromium!(
    row_30_an_old_engine_is_told_to_open_the_link_in_another_browser,
    row_30_an_old_engine_can_go_on_in_plain_html,
);

/// What old engines lack, before any script of the page runs. Whatever is not in this list
/// and newer than they are is refused by the build: scripts for them are lowered to ES5.
const LACKING: &str = "\
    delete HTMLScriptElement.prototype.noModule;\
    for (const name of ['WebAssembly', 'fetch', 'BroadcastChannel']) delete window[name]";

const INTERNET_EXPLORER: &str =
    "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko";

/// User agents, and where the link that is offered leads, of `{link}` and of the same
/// without its scheme; nowhere where the system has no such address.
const ELSEWHERE: [(&str, Option<&str>); 6] = [
    (INTERNET_EXPLORER, Some("microsoft-edge:{link}")),
    // The control that programs for Windows show pages with, such as an EHR's.
    (
        "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0; .NET4.0E)",
        Some("microsoft-edge:{link}"),
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 10_3 like Mac OS X) AppleWebKit/603.1.30 \
         (KHTML, like Gecko) Version/10.0 Mobile/14E277 Safari/602.1",
        Some("googlechromes:{rest}"),
    ),
    (
        "Mozilla/5.0 (iPad; CPU OS 9_3 like Mac OS X) AppleWebKit/601.1.46 \
         (KHTML, like Gecko) Version/9.0 Mobile/13E188a Safari/601.1",
        Some("googlechromes:{rest}"),
    ),
    (
        "Mozilla/5.0 (Linux; U; Android 4.4.2; en-us; SM-T530NU) AppleWebKit/534.30 \
         (KHTML, like Gecko) Version/4.0 Safari/534.30",
        Some("intent:{rest}#Intent;scheme=https;package=com.android.chrome;end"),
    ),
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9) AppleWebKit/537.71 \
         (KHTML, like Gecko) Version/7.0 Safari/537.71",
        None,
    ),
];

async fn row_30_an_old_engine_is_told_to_open_the_link_in_another_browser(
    engine: Engine,
) -> Result<()> {
    let house = House::with_profile(TICKET_LINKS).await?;
    let browser = old(engine, &house).await?;
    for (agent, expected) in ELSEWHERE {
        browser.user_agent(agent).await?;
        let link = join_link(&house, "patient").await?;
        browser.client.goto("about:blank").await?;
        browser.follow(&link).await?;
        let screen = browser.screen("unsupported").await?;
        let text = screen.text().await?;
        ensure!(text.contains("open it in Chrome"), "{agent}: {text}");
        let offered = "[data-screen=unsupported] [data-action=open-elsewhere]";
        if let Some(expected) = expected {
            let (_, rest) = link.split_once(':').context("an address")?;
            let expected = expected.replace("{link}", &link).replace("{rest}", rest);
            let address = browser.shown(offered).await?.attr("href").await?;
            ensure!(address.as_deref() == Some(&*expected), "{address:?}");
        } else {
            let hidden = format!("return !document.querySelector('{offered}').offsetParent");
            ensure!(browser.client.execute(&hidden, vec![]).await? == true);
        }
        // The link is kept for the other browser: nothing of it was used.
        ensure!(house.count("/launch/") == 0, "{agent}");
        ensure!(browser.client.current_url().await?.as_str() == link);
    }
    browser.close().await?;
    Ok(())
}

async fn row_30_an_old_engine_can_go_on_in_plain_html(engine: Engine) -> Result<()> {
    let house = House::with_profile(TICKET_LINKS).await?;
    let browser = old(engine, &house).await?;
    browser.user_agent(INTERNET_EXPLORER).await?;
    let link = join_link(&house, "patient").await?;
    browser.follow(&link).await?;
    browser.screen("unsupported").await?;
    browser.shown("#plain button").await?.click().await?;
    is_in_the_plain_visit(&house, &browser).await?;
    house.until_count("/launch/plain ", 1).await?;

    // Without a link it asks for one.
    let page = format!("{}/webapp/", house.tap.address);
    browser.client.goto(&page).await?;
    let field = browser.shown("#plain input[name=link]").await?;
    field
        .send_keys(&join_link(&house, "patient").await?)
        .await?;
    browser.shown("#plain button").await?.click().await?;
    browser.shown(&format!("form[action=\"{VISIT}\"]")).await?;
    house.until_count("/launch/plain ", 2).await?;
    browser.close().await?;
    Ok(())
}

/// A browser that knows no modules, and the page as it reads it.
async fn old(engine: Engine, house: &House) -> Result<Browser> {
    with_page(house, |page, policy| {
        let (before, rest) = page
            .split_once("<script type=\"module\"")
            .unwrap_or_default();
        let (_, after) = rest.split_once("</script>").unwrap_or_default();
        let old = after.replace("<script nomodule ", "<script ");
        (format!("{before}{old}"), policy)
    })
    .await?;
    let browser = Browser::start(engine).await?;
    browser.before_every_page(LACKING).await?;
    Ok(browser)
}
