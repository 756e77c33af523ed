//! Two tabs of one browser: a visit is in one of them.

use anyhow::{Result, ensure};
use fantoccini::wd::WindowHandle;

use crate::{
    support::{
        browser::{Browser, engine::Engine},
        house::House,
        launcher::join_link,
        scripted::{Script, Scripted, granted},
    },
    visit::TICKET_LINKS,
};

in_every_browser!(
    the_same_ticket_in_a_second_tab_is_said_and_the_visit_moves_there_when_asked,
    a_duplicated_tab_does_not_join_a_second_time,
    after_the_first_tab_was_closed_the_link_opens_in_another,
);

in_chromium!(two_tabs_with_two_visits_do_not_disturb_each_other,);

async fn the_same_ticket_in_a_second_tab_is_said_and_the_visit_moves_there_when_asked(
    engine: Engine,
) -> Result<()> {
    let house = House::with_profile(TICKET_LINKS).await?;
    let link = join_link(&house, "clinician").await?;
    let browser = Browser::start(engine).await?;
    browser.follow(&link).await?;
    browser.screen("joined").await?;
    let first = browser.client.window().await?;

    let second = new_tab(&browser).await?;
    browser.client.goto(&link).await?;
    let text = browser.screen("elsewhere").await?.text().await?;
    ensure!(text.contains("open in another tab"), "{text}");
    house.until_count("/release_token", 0).await?;
    browser.client.switch_to_window(first.clone()).await?;
    browser.screen("joined").await?;

    browser.client.switch_to_window(second).await?;
    browser
        .shown("[data-action=take-over]")
        .await?
        .click()
        .await?;
    browser.screen("joined").await?;
    house.until_count("/release_token", 1).await?;
    browser.client.switch_to_window(first).await?;
    browser.screen("left").await?;
    browser.close().await?;
    Ok(())
}

async fn a_duplicated_tab_does_not_join_a_second_time(engine: Engine) -> Result<()> {
    let house = House::with_profile(TICKET_LINKS).await?;
    let link = join_link(&house, "clinician").await?;
    let browser = Browser::start(engine).await?;
    browser.follow(&link).await?;
    browser.screen("joined").await?;
    let asked = house.count("/request_token");

    // A tab that a page opens gets a copy of what it remembers, as a duplicate does.
    let script = "const link = document.createElement('a');\
         Object.assign(link, {id: 'duplicate', href: location.href, target: '_blank', rel: 'opener'});\
         document.body.append(link);\
         link.textContent = 'Duplicate'";
    browser.client.execute(script, vec![]).await?;
    browser.click_to_new_tab("#duplicate").await?;
    browser.screen("elsewhere").await?;
    ensure!(house.count("/request_token") == asked);
    ensure!(house.count("/launch/redeem") == 1);
    browser.close().await?;
    Ok(())
}

async fn two_tabs_with_two_visits_do_not_disturb_each_other(engine: Engine) -> Result<()> {
    let page = Scripted::start("").await?;
    page.play(Script::visit([granted("GUEST"), granted("GUEST")]));
    let browser = Browser::start(engine).await?;
    let link = |alias| page.link(&format!("conference={alias}&name=Kim&role=guest"));
    browser.client.goto(&link("telehealth.1")).await?;
    browser.screen("joined").await?;
    let first = browser.client.window().await?;
    new_tab(&browser).await?;
    browser.client.goto(&link("telehealth.2")).await?;
    browser.screen("joined").await?;
    browser.client.switch_to_window(first).await?;
    browser.screen("joined").await?;
    page.until_received("release_token", 0).await?;
    browser.close().await?;
    Ok(())
}

async fn after_the_first_tab_was_closed_the_link_opens_in_another(engine: Engine) -> Result<()> {
    let page = Scripted::start("").await?;
    page.play(Script::visit([granted("GUEST"), granted("GUEST")]));
    let browser = Browser::start(engine).await?;
    let link = page.link("conference=telehealth.1&name=Kim&role=guest");
    browser.client.goto(&link).await?;
    browser.screen("joined").await?;
    let first = browser.client.window().await?;
    let second = new_tab(&browser).await?;
    browser.client.switch_to_window(first).await?;
    browser.client.close_window().await?;
    browser.client.switch_to_window(second).await?;
    // A tab that Firefox's driver closes sends nothing any more: its token ends by its time.
    if engine != Engine::Firefox {
        page.until_received("release_token", 1).await?;
    }
    browser.client.goto(&link).await?;
    browser.screen("joined").await?;
    page.until_received("request_token", 2).await?;
    browser.close().await?;
    Ok(())
}

async fn new_tab(browser: &Browser) -> Result<WindowHandle> {
    let tab = browser.client.new_window(true).await?.handle;
    browser.client.switch_to_window(tab.clone()).await?;
    Ok(tab)
}
