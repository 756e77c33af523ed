//! Whatever EHR and profile have agreed on, both users get into the visit.

use anyhow::{Result, ensure};

use crate::{
    support::{
        browser::{Browser, engine::Engine},
        house::{AES_128_PASSWORD, AES_256_KEY, Agreement, House},
    },
    visit::{CLINICIAN, PATIENT, TICKET_LINKS, launch, nothing_personal_is_left},
};

#[tokio::test]
async fn aes_128_with_a_password_by_get() -> Result<()> {
    let agreement = Agreement {
        key: AES_128_PASSWORD,
        ..Agreement::default()
    };
    both_get_in(&agreement, "").await
}

#[tokio::test]
async fn aes_128_with_a_password_by_post_and_redirect_urls_with_a_slash() -> Result<()> {
    let agreement = Agreement {
        key: AES_128_PASSWORD,
        method: "POST",
        slash: "/",
    };
    both_get_in(&agreement, "").await
}

#[tokio::test]
async fn aes_256_with_a_key_by_post() -> Result<()> {
    let agreement = Agreement {
        key: AES_256_KEY,
        method: "POST",
        slash: "",
    };
    both_get_in(&agreement, "").await
}

#[tokio::test]
async fn aes_256_with_a_key_and_tickets_by_post_and_redirect_urls_with_a_slash() -> Result<()> {
    let agreement = Agreement {
        key: AES_256_KEY,
        method: "POST",
        slash: "/",
    };
    both_get_in(&agreement, TICKET_LINKS).await
}

/// The patient waits, the clinician comes, the patient is let in.
async fn both_get_in(agreement: &Agreement, lines: &str) -> Result<()> {
    let house = House::with(agreement, lines).await?;
    let patient = Browser::start(Engine::Chromium).await?;
    launch(&house, &patient, PATIENT).await?;
    hand_over(agreement, &patient).await?;
    patient.screen("waiting").await?;
    let clinician = Browser::start(Engine::Chromium).await?;
    launch(&house, &clinician, CLINICIAN).await?;
    hand_over(agreement, &clinician).await?;
    clinician.screen("joined").await?;
    patient.screen("joined").await?;

    let method = format!("{} /api/telehealth/v1/", agreement.method);
    let launches = house.tap.requests();
    let launches = launches
        .iter()
        .filter(|request| request.line.starts_with(&method))
        .filter(|request| request.line.contains("/oauth2smartlaunch/"));
    ensure!(launches.count() == 2, "both have come by {method}");
    let came_back = format!("{}?", agreement.slash);
    for request in house.tap.requests() {
        if let Some((_, rest)) = request.line.split_once("/oauth2authorized/") {
            ensure!(rest[36..].starts_with(&came_back), "{}", request.line);
        }
    }
    nothing_personal_is_left(&house, &patient).await?;
    nothing_personal_is_left(&house, &clinician).await?;
    patient.close().await?;
    clinician.close().await?;
    Ok(())
}

/// An EHR that launches by POST has a form on a page of its own, which the simulated
/// one leaves to the user to send.
async fn hand_over(agreement: &Agreement, browser: &Browser) -> Result<()> {
    if agreement.method == "POST" {
        browser.shown("#continue").await?.click().await?;
    }
    Ok(())
}
