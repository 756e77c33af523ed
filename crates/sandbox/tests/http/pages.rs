//! The EHR's own pages.

use reqwest::{Method, StatusCode};

use crate::support::{Ehr, PROVIDER, STATUS_PATH};

#[tokio::test]
async fn every_page_says_that_the_ehr_is_simulated_and_runs_no_script() {
    let ehr = Ehr::start().await;
    ehr.launch(&PROVIDER, "1").await;
    for path in [
        "/",
        "/clinician",
        "/patient",
        "/status",
        "/oauth2/authorize",
    ] {
        let answer = ehr.get(path).await;
        let page = &answer.body;
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert!(page.contains("Simulated EHR — no real patients"), "{path}");
        assert!(page.contains(r#"<html lang="en-GB">"#), "{path}");
        assert!(page.contains("width=device-width"), "{path}");
        assert_eq!(page.matches("<h1>").count(), 1, "{path}");
        for inline in ["<script", "<style", "style=", "onclick"] {
            assert!(!page.contains(inline), "{path}: {inline}");
        }
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'self';"));
        assert!(policy.contains("frame-ancestors 'none'"));
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn a_clinician_sees_the_schedule_with_a_button_for_each_visit() {
    let ehr = Ehr::start().await;
    let page = ehr.get("/clinician").await.body;
    let positions: Vec<_> = [
        "Beverley P Spinder</h2>",
        "Video visit, Radiology",
        r#"id="launch-provider-1""#,
        "Kai Oosman Picardo</h2>",
        "<p>Video visit</p>",
        r#"id="launch-provider-2""#,
        "Zoë Marchetti-Ångström</h2>",
        "Heart &amp; Circulation",
        r#"id="launch-provider-3""#,
        "Ines Tavares and Tom A Okafor</h2>",
        "<p>Group visit, Pain Clinic</p>",
        r#"id="launch-provider-4""#,
        "<h2>Other days</h2>",
        "15:30",
        "<p>Yesterday, video visit</p>",
        ">Over</p>",
        "<p>Next Tuesday, video visit, Radiology</p>",
        ">Not open yet</p>",
    ]
    .iter()
    .map(|text| {
        page.find(text)
            .unwrap_or_else(|| panic!("no {text} in {page}"))
    })
    .collect();
    assert!(positions.is_sorted(), "{positions:?}");
    assert!(page.contains(
        r#"<form method="post" action="/clinician/launch" target="_blank" rel="noopener">"#
    ));
    assert_eq!(page.matches("Start video visit</button>").count(), 4);
    for id in 1..=4 {
        assert!(page.contains(&format!(
            r#"data-launch="provider" data-appointment="{id}""#
        )));
    }
}

#[tokio::test]
async fn a_patient_chooses_who_they_are_by_the_button_of_their_visit() {
    let ehr = Ehr::start().await;
    let page = ehr.get("/patient").await.body;
    assert!(page.contains("<h1>Who are you?</h1>"));
    assert_eq!(page.matches("Join video visit</button>").count(), 5);
    for id in ["1", "2", "3", "4", "4-2"] {
        assert!(page.contains(&format!(r#"id="launch-patient-{id}""#)));
    }
    assert!(page.contains(r#"name="patient" value="2""#));
}

#[tokio::test]
async fn the_status_page_shows_what_was_told_and_escapes_it() {
    let ehr = Ehr::start().await;
    assert!(ehr.get("/status").await.body.contains("Nothing yet."));
    let path = format!(
        "{STATUS_PATH}?ConferenceID=1&ExternalID=2&ExternalIDType=3&VendorName=%3Cb%3E&ConnectionStatus=4"
    );
    let told = ehr.send(Method::GET, &path, &[], None).await;
    assert_eq!(told.status, StatusCode::OK);
    let page = ehr.get("/status").await.body;
    assert!(
        page.contains("&lt;b&gt; says: connection status 4 for 2 (type 3) in conference 1."),
        "{page}"
    );
}

#[tokio::test]
async fn the_style_sheet_and_the_icon_are_served() {
    let ehr = Ehr::start().await;
    let style = ehr.get("/style.css").await;
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    let icon = ehr.get("/icon.svg").await;
    assert_eq!(icon.header("content-type"), "image/svg+xml");
}
