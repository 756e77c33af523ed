//! Figures: what they lead to, and whether they are true.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;
use vestibule_launch::ErrorName;
use vestibule_sandbox::{Endpoint, Fault, FaultAnswer};
use vestibule_server::error_reference;

use super::{SETUP, between, location, newest_launch};
use crate::house::{House, Joined};

impl House {
    /// The landing page of who has this alias says that something failed.
    async fn tell_of_a_failure(&self, error_name: ErrorName, joined: &Joined) {
        let request = self.post("/api/telehealth/v1/launch/error");
        let body = json!({"error_name": error_name, "conference": joined.alias});
        let request = request
            .header("content-type", "application/json")
            .body(body.to_string());
        assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn figures_and_names_lead_to_what_they_count() {
    let house = House::open(SETUP).await;
    let fault = FaultAnswer::status(StatusCode::BAD_REQUEST);
    house.ehr.fault(Endpoint::Token, Fault::once(fault));
    assert_eq!(house.try_launch("clinician").await.status(), 502);
    house.visit().await;
    let signed = house.sign_in("vic").await;
    // One who was there, and whose page fails then, has failed.
    let patient = house.patient().await;
    let token = house.come(&patient).await;
    house.leave(&patient, &token).await;
    house.over().await;
    house
        .tell_of_a_failure(ErrorName::SessionLost, &patient)
        .await;
    let profile = "12daaebc-ea75-43c1-a6c7-c044be66a36e";
    for time in ["", "day"] {
        let overview = format!("/admin?time={time}&profile={profile}");
        let page = signed.text(&overview).await;
        let links = between(&page, "href=\"", "\"");
        let link = |part: &str| {
            let found = links.iter().find(|link| link.contains(part));
            *found.unwrap_or_else(|| panic!("no {part} in {links:?}"))
        };
        for part in [
            "state=joined",
            "error=",
            "&state=failed",
            "department=Radiology",
            "state=active",
        ] {
            let link = link(part);
            assert!(link.contains(&format!("profile={profile}")), "{link}");
        }
        for (part, figure) in [("state=joined", 2), ("&state=failed", 2)] {
            let shown = format!("<strong>{figure}</strong><a href=\"{}\"", link(part));
            assert!(page.contains(&shown), "{shown} in {page}");
        }
        for (part, count) in [
            ("state=joined", 2),
            ("&state=failed", 2),
            ("error=", 1),
            ("department=Radiology", 3),
        ] {
            let list = signed.text(link(part)).await;
            assert!(!list.contains("role=\"alert\""), "{list}");
            let rows = list.matches("<th scope=\"row\">").count();
            assert_eq!(rows, count, "{part}: {list}");
        }
        // The last step of time is now.
        let steps = links.iter().filter(|link| link.contains("&to="));
        let steps: Vec<_> = steps
            .filter(|link| link.starts_with("/admin/launches?"))
            .collect();
        let list = signed.text(steps.last().unwrap()).await;
        assert!(!list.contains("role=\"alert\""), "{list}");
    }
    let other = "/admin?profile=00000000-0000-0000-0000-000000000000&department=Radiology";
    let page = signed.text(other).await;
    assert!(page.contains("<strong>0</strong><a"), "{page}");
    assert!(
        page.contains("write-backs unsent (all departments)"),
        "{page}"
    );
    house.end().await;
}

#[tokio::test]
async fn times_are_told_as_they_were() {
    let house = House::open(SETUP).await;
    let patient = house.patient().await;
    house.clock.advance(Duration::from_secs(3));
    let theirs = house.come(&patient).await;
    house.clock.advance(Duration::from_secs(40));
    let theirs = house.refresh(&patient, &theirs).await;
    let provider = house.provider().await;
    let token = house.come(&provider).await;
    house.clock.advance(Duration::from_secs(60));
    house.leave(&patient, &theirs).await;
    house.leave(&provider, &token).await;
    house.over().await;
    let signed = house.sign_in("vic").await;
    // Of two, the median by the nearest rank is the lower one.
    for (chart, told, figures) in [
        (
            "joined",
            "median 0.0 s, 95th percentile 3.0 s, of 2",
            ",2,0,3",
        ),
        (
            "waited",
            "median 40 s, 95th percentile 40 s, of 1",
            ",1,40,40",
        ),
        (
            "length",
            "median 1 min 40 s, 95th percentile 1 min 40 s, of 1",
            ",1,100,100",
        ),
    ] {
        let page = signed.text("/admin").await;
        assert!(page.contains(told), "{told} in {page}");
        let table = signed
            .text(&format!("/admin/charts/{chart}-table.csv"))
            .await;
        assert!(table.ends_with(&format!("{figures}\r\n")), "{table}");
        assert_eq!(table.lines().count(), 8, "a head and seven days: {table}");
    }
    let joined = signed.text("/admin/charts/joined.csv").await;
    assert!(joined.contains(",patient,Radiology,3,40\r\n"), "{joined}");
    assert!(joined.contains(",provider,Radiology,0,\r\n"), "{joined}");
    let length = signed.text("/admin/charts/length.csv").await;
    assert!(length.ends_with(",100\r\n"), "{length}");
    house.end().await;
}

#[tokio::test]
async fn a_launch_that_fails_at_the_button_is_found_by_the_id_on_the_page_and_counted() {
    let house = House::open(SETUP).await;
    let fault = FaultAnswer::status(StatusCode::SERVICE_UNAVAILABLE);
    house.ehr.fault(Endpoint::Metadata, Fault::times(20, fault));
    let failed = house.try_launch("clinician").await;
    assert_eq!(failed.status(), 502);
    let page = failed.text().await.unwrap();
    let signed = house.sign_in("vic").await;
    let error_name = ErrorName::MetadataFetch;
    // The error page does not wait for it to be stored.
    let failures = "/admin/launches?state=failed";
    signed.until(failures, error_name.as_str()).await;
    let launch = newest_launch(&signed).await;
    assert!(page.contains(&launch), "{launch} in {page}");
    let found = signed
        .post("/admin/search", &format!("text={launch}"))
        .await;
    assert_eq!(location(&found), format!("/admin/launches/{launch}"));
    let story = signed.text(&location(&found)).await;
    assert!(
        story.contains("Fetching the EHR's metadata failed"),
        "{story}"
    );
    let advice = error_reference::entry(error_name).advice;
    assert_eq!(story.matches(&advice[..40]).count(), 1, "{story}");
    let csv = signed.text("/admin/charts/errors.csv").await;
    assert!(csv.ends_with(&format!(",{error_name},1\r\n")), "{csv}");
    let overview = signed.text("/admin").await;
    assert!(overview.contains("1 launch, 1 failed"), "{overview}");
    house.end().await;
}

#[tokio::test]
async fn the_figures_of_a_visit_are_on_the_page_and_in_the_files() {
    let house = House::open(SETUP).await;
    house.visit().await;
    let signed = house.sign_in("vic").await;
    let overview = signed.text("/admin").await;
    for part in [
        "Time from button to joined: median 0.0 s",
        "Waiting time of patients: median 40 s, 95th percentile 40 s, of 1",
        "Visit length: median 1 min 40 s, 95th percentile 1 min 40 s, of 1",
        ">Radiology</a></th>",
    ] {
        assert!(overview.contains(part), "{part} in {overview}");
    }
    assert!(!overview.contains("90 days"), "nothing is kept so long");
    for (chart, end) in [
        ("waited", ",Radiology,0,40\r\n"),
        ("length", "Z,100\r\n"),
        ("departments-table", "\r\nRadiology,2,0,0,40,100\r\n"),
    ] {
        let csv = signed.text(&format!("/admin/charts/{chart}.csv")).await;
        assert!(csv.contains(end), "{end} in {csv}");
    }
    house.end().await;
}
