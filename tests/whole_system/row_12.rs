//! Fault row 12: back, page cache and reload after a launch.

use anyhow::{Result, ensure};

use crate::{
    support::{browser::Browser, house::House},
    visit::{CLINICIAN, TICKET_LINKS, launch, nothing_personal_is_left},
};

#[tokio::test]
async fn row_12_reload_and_back_consume_nothing_twice_and_leave_no_blank_page() -> Result<()> {
    let house = House::with_profile(TICKET_LINKS).await?;
    let browser = Browser::start().await?;
    launch(&house, &browser, CLINICIAN).await?;
    browser.screen("joined").await?;
    let asked = count(&house, "/request_token");

    // The ticket is gone from the address, so there is nothing left to be used again.
    browser.client.refresh().await?;
    says_what_to_do(&browser).await?;
    nothing_personal_is_left(&house, &browser).await?;
    house
        .until_requested("POST /api/client/v2/conferences/", "/release_token?token=")
        .await?;

    browser.client.goto(&format!("{}/", house.ehr)).await?;
    browser.client.back().await?;
    says_what_to_do(&browser).await?;
    nothing_personal_is_left(&house, &browser).await?;

    ensure!(
        count(&house, "/launch/redeem") == 1,
        "the ticket is redeemed once"
    );
    ensure!(
        count(&house, "/request_token") == asked,
        "nothing joins the visit by itself"
    );
    browser.close().await?;
    Ok(())
}

/// How many requests there were for paths with this part.
fn count(house: &House, part: &str) -> usize {
    let requests = house.tap.requests();
    let requests = requests
        .iter()
        .filter(|request| request.line.contains(part));
    requests.count()
}

/// The page is not blank: it tells how to come back in.
async fn says_what_to_do(browser: &Browser) -> Result<()> {
    browser.screen("failed").await?;
    let text = browser.framed_text("main").await?;
    ensure!(text.contains("the link in the newest message"), "{text}");
    Ok(())
}
