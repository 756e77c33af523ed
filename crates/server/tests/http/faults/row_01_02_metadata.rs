//! Rows 1 and 2: the EHR's metadata is down, or is where old EHRs have it.

use std::time::{Duration, Instant};

use axum::http::Response;
use vestibule_launch::ErrorName;

use super::{
    assert_invariants,
    server_itself::{Parts, Slow},
};
use crate::support::{Launch, MetadataScript, TestServer, log};

const MINUTE: Duration = Duration::from_secs(60);

/// Only against hanging, and shorter than the scripted EHR hangs.
const GENEROUS: Duration = Duration::from_secs(40);

/// For how long an EHR is waited for.
const LONGEST: f64 = 2.0;

/// For how many seconds launches have waited for metadata, all together.
async fn waited(server: &TestServer) -> f64 {
    let text = server.metrics().await;
    let series = "vestibule_launch_step_duration_seconds_sum{step=\"metadata\"} ";
    let mut lines = text.lines();
    let seconds = lines.find_map(|line| line.strip_prefix(series));
    seconds.unwrap().parse().unwrap()
}

fn requests(server: &TestServer) -> usize {
    server.ehr.script(|ehr| ehr.metadata_requests)
}

/// Waits until it is known what came of asking the EHR so often, which happens behind the
/// launch's back.
async fn asked(server: &TestServer, times: u32) {
    let begun = Instant::now();
    while outcomes(server).await < f64::from(times) {
        assert!(begun.elapsed() < GENEROUS, "the EHR is not asked");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Nobody asks more often.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(u32::try_from(requests(server)), Ok(times));
}

/// How often the EHR has told its metadata, or has failed to.
async fn outcomes(server: &TestServer) -> f64 {
    let text = server.metrics().await;
    let lines = text.lines();
    let counts = lines.filter(|line| line.starts_with("vestibule_metadata_fetches_total{"));
    counts
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap())
        .sum()
}

fn script(server: &TestServer, metadata: MetadataScript) {
    server.ehr.script(|ehr| ehr.metadata = metadata);
}

#[tokio::test]
async fn row_01_metadata_that_was_good_is_used_for_a_day_while_the_ehr_is_down() {
    let server = TestServer::watched("").await;
    server.launch(Launch::PATIENT).await;
    asked(&server, 1).await;
    script(&server, MetadataScript::Answers(500));
    server.clock.advance(11 * MINUTE);
    server.launch(Launch::PATIENT).await;
    asked(&server, 2).await;
    assert!(!log::text().contains("stale=true"), "nobody knew yet");
    server.clock.advance(23 * 60 * MINUTE);
    server.launch(Launch::PATIENT).await;
    let log = log::text();
    assert!(log.contains("age_seconds=83460 stale=true"), "{log}");
    server.clock.advance(60 * MINUTE);
    let response = server.begin(Launch::PATIENT).await;
    assert_invariants(response, 502, ErrorName::MetadataFetch).await;
    script(&server, MetadataScript::Works);
    server.clock.advance(MINUTE);
    server.launch(Launch::PATIENT).await;
}

#[tokio::test]
async fn row_01_metadata_is_renewed_behind_the_back_of_a_launch() {
    let server = TestServer::watched("").await;
    for _ in 0..3 {
        server.launch(Launch::PATIENT).await;
    }
    asked(&server, 1).await;
    server.clock.advance(10 * MINUTE);
    script(&server, MetadataScript::Hangs);
    let before = waited(&server).await;
    server.launch(Launch::PATIENT).await;
    server.launch(Launch::PATIENT).await;
    let meanwhile = waited(&server).await - before;
    assert!(meanwhile < LONGEST, "nobody waits for it: {meanwhile} s");
    asked(&server, 2).await;
}

#[tokio::test]
async fn row_01_metadata_is_fresh_for_as_long_as_the_ehr_says_up_to_an_hour() {
    for (cache_control, fresh) in [
        ("public, max-age=120", 2 * MINUTE),
        ("Max-Age=\"86400\"", 60 * MINUTE),
        ("max-age=soon", 10 * MINUTE),
    ] {
        let server = TestServer::watched("").await;
        server
            .ehr
            .script(|ehr| ehr.cache_control = Some(cache_control));
        server.launch(Launch::PATIENT).await;
        server.clock.advance(fresh - Duration::from_secs(1));
        server.launch(Launch::PATIENT).await;
        asked(&server, 1).await;
        server.clock.advance(Duration::from_secs(1));
        server.launch(Launch::PATIENT).await;
        asked(&server, 2).await;
    }
}

#[tokio::test]
async fn row_01_a_hundred_launches_ask_once() {
    let server = TestServer::with("", "[limits]\nlaunches_per_minute = 0\n").await;
    let launches = (0..100).map(|_| server.begin(Launch::PATIENT));
    for response in futures_util::future::join_all(launches).await {
        assert_eq!(response.status(), 303);
    }
    assert_eq!(requests(&server), 1);
    // The same holds of a failure: nobody is the second to wait for it.
    script(&server, MetadataScript::Answers(500));
    let launches = (0..100).map(|_| server.begin(Launch::PROVIDER));
    for response in futures_util::future::join_all(launches).await {
        assert_eq!(response.status(), 502);
    }
    assert!(requests(&server) <= 4, "{}", requests(&server));
}

#[tokio::test]
async fn row_01_an_ehr_that_is_down_is_left_in_peace_for_half_a_minute() {
    let server = TestServer::start().await;
    script(&server, MetadataScript::Answers(503));
    for times in 1..=3 {
        let response = server.begin(Launch::PATIENT).await;
        assert_invariants(response, 502, ErrorName::MetadataFetch).await;
        assert_eq!(requests(&server), times);
    }
    script(&server, MetadataScript::Works);
    server.clock.advance(Duration::from_secs(29));
    let response = server.begin(Launch::PATIENT).await;
    assert_invariants(response, 502, ErrorName::MetadataFetch).await;
    assert_eq!(requests(&server), 3);
    server.clock.advance(Duration::from_secs(1));
    server.launch(Launch::PATIENT).await;
}

#[tokio::test]
async fn row_02_an_old_ehr_says_it_in_its_capability_statement() {
    for missing in [
        MetadataScript::Answers(404),
        MetadataScript::Answers(410),
        MetadataScript::Says("<html>Sign in</html>"),
    ] {
        for base in ["oauth/fhir", "oauth"] {
            let server = TestServer::start().await;
            script(&server, missing);
            server
                .ehr
                .script(|ehr| ehr.capability_statement = Some(base));
            // Both answers have to come within two seconds.
            server.launch(Launch::PATIENT).await;
        }
    }
}

#[tokio::test]
async fn row_02_an_ehr_that_is_down_or_too_weak_is_not_asked_elsewhere() {
    for refused in [
        MetadataScript::Answers(500),
        MetadataScript::Answers(401),
        MetadataScript::Says(
            r#"{"authorization_endpoint": "https://e.example/a", "token_endpoint": "https://e.example/t",
                "code_challenge_methods_supported": ["plain"]}"#,
        ),
        MetadataScript::Says(
            r#"{"authorization_endpoint": "http://e.example/a", "token_endpoint": "https://e.example/t"}"#,
        ),
    ] {
        let server = TestServer::start().await;
        script(&server, refused);
        server
            .ehr
            .script(|ehr| ehr.capability_statement = Some("oauth/fhir"));
        let response = server.begin(Launch::PATIENT).await;
        assert_invariants(response, 502, ErrorName::MetadataFetch).await;
    }
}

#[tokio::test]
async fn row_02_an_ehr_that_hangs_is_given_up_after_two_seconds() {
    let server = TestServer::start().await;
    script(&server, MetadataScript::Hangs);
    let begun = Instant::now();
    let response = server.begin(Launch::PATIENT).await;
    assert_invariants(response, 502, ErrorName::MetadataFetch).await;
    assert!(begun.elapsed() < GENEROUS);
    let log = log::text();
    assert!(log.contains("no answer within 2000 ms"), "{log}");
}

#[tokio::test]
async fn row_02_an_ehr_that_hangs_elsewhere_is_given_up_as_soon() {
    let server = TestServer::start().await;
    script(&server, MetadataScript::Answers(404));
    server
        .ehr
        .script(|ehr| ehr.capability_statement_hangs = true);
    let begun = Instant::now();
    let response = server.begin(Launch::PATIENT).await;
    assert_invariants(response, 502, ErrorName::MetadataFetch).await;
    assert!(begun.elapsed() < GENEROUS);
    let log = log::text();
    assert!(log.contains("404"), "why it was looked elsewhere: {log}");
}

fn missing() -> Response<Vec<u8>> {
    let answer = Response::builder().status(404);
    answer.body(Vec::new()).unwrap()
}

#[tokio::test]
async fn row_02_an_ehr_has_two_seconds_for_all_places_together() {
    let slow = Slow::new(Duration::from_millis(1_500), missing);
    let parts = Parts::with(slow.clone()).await;
    let (status, _, text) = parts.get(&parts.launch_path()).await;
    assert_eq!(status, 502, "{text}");
    assert!(text.contains(ErrorName::MetadataFetch.as_str()), "{text}");
    let given_up_after = slow.given_up_after();
    assert!(
        given_up_after < Duration::from_millis(2_100),
        "{given_up_after:?}"
    );
}
