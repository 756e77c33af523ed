//! Fault row 12: back, page cache and reload after a launch.

use anyhow::{Result, ensure};

use crate::{
    support::{
        browser::{Browser, engine::Engine},
        house::House,
    },
    visit::{CLINICIAN, TICKET_LINKS, launch, nothing_personal_is_left},
};

in_every_browser!(row_12_reload_and_back_rejoin_and_consume_nothing_twice);

async fn row_12_reload_and_back_rejoin_and_consume_nothing_twice(engine: Engine) -> Result<()> {
    let house = House::with_profile(TICKET_LINKS).await?;
    let browser = Browser::start(engine).await?;
    launch(&house, &browser, CLINICIAN).await?;
    browser.screen("joined").await?;
    let asked = house.count("/request_token");

    // The ticket is gone from the address, so the tab comes back by what it remembers.
    browser.client.refresh().await?;
    joined_again(&house, &browser, 1).await?;
    ensure!(
        house.count("/request_token") == 2 * asked,
        "a reload comes in as the launch did"
    );

    browser.client.goto(&format!("{}/", house.ehr)).await?;
    house.until_count("/release_token?token=", 2).await?;
    browser.client.back().await?;
    joined_again(&house, &browser, 2).await?;

    // What a page cache does, as every engine tells it: the page goes and comes.
    for event in ["pagehide", "pageshow"] {
        let script = "dispatchEvent(new PageTransitionEvent(arguments[0], {persisted: true}))";
        browser.client.execute(script, vec![event.into()]).await?;
    }
    joined_again(&house, &browser, 3).await?;

    browser.close().await?;
    Ok(())
}

/// In the visit, without a token that nobody uses: every one before was given back, the
/// launch was taken up again `times` times, and the ticket was redeemed once.
async fn joined_again(house: &House, browser: &Browser, times: usize) -> Result<()> {
    house.until_count("/resume", times).await?;
    house.until_count("/release_token?token=", times).await?;
    let joined = browser.screen("joined").await?.text().await?;
    ensure!(joined.contains("You have joined as host"), "{joined}");
    nothing_personal_is_left(house, browser).await?;
    ensure!(
        house.count("/launch/redeem") == 1,
        "the ticket is redeemed once"
    );
    ensure!(browser.client.current_url().await?.query().is_none());
    Ok(())
}
