//! The fault script over real HTTP.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use vestibule_sandbox::{Endpoint, Fault, FaultAnswer};

use crate::support::{CONFIG, Ehr, PROVIDER, STATUS_PATH, form};

const METADATA: &str = "/api/FHIR/R4/.well-known/smart-configuration";

#[tokio::test]
async fn an_endpoint_fails_as_often_as_it_is_told_and_then_answers() {
    let faults = "[[faults]]\nendpoint = \"metadata\"\nrequests = 2\nanswer = \"status\"\nstatus = 503\nretry_after = 7\n";
    let ehr = Ehr::start_with(&format!("{CONFIG}{faults}")).await;
    for _ in 0..2 {
        let answer = ehr.get(METADATA).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.header("retry-after"), "7");
        let event = ehr.last_event().await;
        assert_eq!(event["event"], "fault_played");
        assert_eq!(event["endpoint"], "smart_configuration");
        assert_eq!(event["fault"], "status 503");
    }
    assert_eq!(ehr.get(METADATA).await.status, StatusCode::OK);
    assert_eq!(ehr.controls().requests(Endpoint::Metadata), 3);
}

#[tokio::test]
async fn an_answer_is_late_or_comes_byte_by_byte_and_is_whole() {
    let ehr = Ehr::start().await;
    let whole = ehr.get(METADATA).await.body;
    let pause = Duration::from_millis(2);
    for (answer, delay, least) in [
        (FaultAnswer::Usual, pause * 100, pause * 100),
        (
            FaultAnswer::Drip { interval: pause },
            Duration::ZERO,
            pause * u32::try_from(whole.len()).unwrap(),
        ),
    ] {
        let fault = Fault::once(answer).after(delay);
        ehr.controls().fault(Endpoint::Metadata, fault);
        let start = Instant::now();
        let answer = ehr.get(METADATA).await;
        assert!(start.elapsed() >= least);
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.body, whole);
    }
}

#[tokio::test]
async fn an_answer_is_html_or_half_or_far_too_long() {
    let ehr = Ehr::start().await;
    let whole = ehr.get(METADATA).await.body;
    let mut played = Vec::new();
    for answer in [
        FaultAnswer::Html,
        FaultAnswer::Truncated,
        FaultAnswer::Oversized { bytes: 3_000_000 },
    ] {
        ehr.controls()
            .fault(Endpoint::Metadata, Fault::once(answer));
        let answer = ehr.get(METADATA).await;
        assert_eq!(answer.status, StatusCode::OK);
        played.push(answer);
    }
    assert_eq!(played[0].header("content-type"), "text/html; charset=utf-8");
    assert!(played[0].body.starts_with("<!doctype html>"));
    assert_eq!(played[1].header("content-type"), "application/json");
    assert_eq!(played[1].body, whole[..whole.len() / 2]);
    assert_eq!(played[2].body.len(), 3_000_000);
    assert!(played[2].json()["padding"].is_string());
}

#[tokio::test]
async fn a_connection_ends_before_or_in_the_middle_of_the_answer() {
    let ehr = Ehr::start().await;
    for answer in [FaultAnswer::Drop, FaultAnswer::LoseAnswer] {
        ehr.controls()
            .fault(Endpoint::Metadata, Fault::once(answer));
        let error = ehr.try_get(METADATA).await.unwrap_err();
        assert!(error.is_request(), "no answer begins: {error:?}");
    }
    ehr.controls()
        .fault(Endpoint::Metadata, Fault::once(FaultAnswer::BrokenOff));
    let answer = ehr.try_get(METADATA).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.text().await.is_err(), "the body is not whole");
}

#[tokio::test]
async fn what_is_dropped_was_not_done_and_what_is_lost_was() {
    let ehr = Ehr::start().await;
    let path = format!(
        "{STATUS_PATH}?ConferenceID=1&ExternalID=1&ExternalIDType=1&VendorName=V&ConnectionStatus=1"
    );
    for (answer, told) in [(FaultAnswer::Drop, 0), (FaultAnswer::LoseAnswer, 1)] {
        ehr.controls().fault(Endpoint::Status, Fault::once(answer));
        assert!(ehr.try_get(&path).await.is_err());
        let events = ehr.controls().journal();
        let count = events
            .iter()
            .filter(|event| event["event"] == "connection_status")
            .count();
        assert_eq!(count, told);
    }
}

#[tokio::test]
async fn the_token_endpoint_refuses_a_good_request_when_it_is_told_to() {
    let ehr = Ehr::start().await;
    let form = ehr.token_form(&PROVIDER).await;
    for (answer, status, error) in [
        (
            FaultAnswer::InvalidGrant,
            StatusCode::BAD_REQUEST,
            "invalid_grant",
        ),
        (
            FaultAnswer::InvalidClient,
            StatusCode::UNAUTHORIZED,
            "invalid_client",
        ),
    ] {
        ehr.controls().fault(Endpoint::Token, Fault::once(answer));
        let answer = ehr.token(&PROVIDER, &form).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.json()["error"], error);
    }
    let answer = ehr.token(&PROVIDER, &form).await;
    assert_eq!(answer.status, StatusCode::OK, "the code was not touched");
}

#[tokio::test]
async fn a_script_can_be_cleared_and_pages_are_never_spoilt() {
    let ehr = Ehr::start().await;
    ehr.controls()
        .fault(Endpoint::Authorize, Fault::always(FaultAnswer::Drop));
    assert!(ehr.try_get("/oauth2/authorize").await.is_err());
    let answer = ehr
        .post("/clinician/launch", &form(&[("appointment", "1")]))
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    ehr.controls().clear_faults();
    let answer = ehr.send(Method::GET, "/oauth2/authorize", &[], None).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}
