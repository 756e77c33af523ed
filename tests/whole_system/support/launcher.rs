//! Launches without a browser: what a test needs to hold a join link in hand.

use anyhow::{Context, Result};

use super::house::House;

/// The join link that a launch of the first appointment ends with. `who` is
/// `clinician` or `patient`.
pub(crate) async fn join_link(house: &House, who: &str) -> Result<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the client of the tests, which stops at the join link"
    )]
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    let mut answer = client
        .post(format!("{}/{who}/launch", house.ehr))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("appointment=1")
        .send()
        .await?;
    loop {
        let location = answer
            .headers()
            .get("location")
            .with_context(|| format!("{} redirects no further", answer.status()))?
            .to_str()?
            .to_owned();
        if location.contains('#') {
            return Ok(location);
        }
        answer = client.get(location).send().await?;
    }
}

/// The PIN in a join link of the classic form.
pub(crate) fn pin_of(link: &str) -> Result<String> {
    let (_, rest) = link.split_once("pin=").context("the link has a PIN")?;
    Ok(rest.split('&').next().unwrap_or_default().to_owned())
}
