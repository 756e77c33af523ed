//! Failures that the landing page reports.

use std::time::Duration;

use serde_json::{Value, json};

use vestibule_launch::ErrorName;

use crate::support::{Launch, TestServer, parameter};

const REPORT: &str = "/api/telehealth/v1/launch/error";

async fn report(server: &TestServer, body: &Value) -> Value {
    let response = server.post_json(REPORT, body).await;
    assert_eq!(response.status(), 200);
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

#[tokio::test]
async fn an_alias_that_has_expired_still_names_its_launch() {
    let server = TestServer::start().await;
    let alias = parameter(&server.launch(Launch::PATIENT).await, "conference");
    assert_eq!(server.request_token(&alias, "none").await.status(), 200);
    server.clock.advance(Duration::from_secs(60 * 60));
    assert_eq!(server.request_token(&alias, "none").await.status(), 404);

    let body = json!({"error_name": "conference_not_found", "conference": alias});
    let page = report(&server, &body).await;
    assert_eq!(
        page["error_name"], "BorvoGetTelehealthDirectLaunchTokenError",
        "to the user it is an old link"
    );
    assert_eq!(page["utc_time"], "2027-01-15T09:00:00Z");
    assert!(
        page["template"]
            .as_str()
            .unwrap()
            .contains("telehealth_request_id")
    );
    assert!(page.get("detailed_debug_information").is_none());

    let id = page["telehealth_request_id"].as_str().unwrap();
    server.clock.advance(Duration::from_secs(60));
    let known = server
        .get(&format!("/api/telehealth/v1/launch/{id}/error"))
        .await;
    let known: Value = serde_json::from_str(&known.text().await.unwrap()).unwrap();
    assert_eq!(known, page, "as it was reported");

    let body = json!({"error_name": "session_lost", "telehealth_request_id": id});
    let second = report(&server, &body).await;
    assert_eq!(second["telehealth_request_id"], id);
    assert_eq!(second["error_name"], "session_lost");
    let known = server
        .get(&format!("/api/telehealth/v1/launch/{id}/error"))
        .await;
    let known: Value = serde_json::from_str(&known.text().await.unwrap()).unwrap();
    assert_eq!(known, page, "the first report counts");
}

#[tokio::test]
async fn a_browser_reports_only_what_can_happen_to_it() {
    let server = TestServer::start().await;
    for name in ErrorName::ALL {
        let response = server.post_json(REPORT, &json!({"error_name": name})).await;
        let expected = if name.from_browser() { 200 } else { 422 };
        assert_eq!(response.status(), expected, "{name}");
    }
    let alias = parameter(&server.launch(Launch::PATIENT).await, "conference");
    let body = json!({"error_name": "launch_used", "conference": alias});
    assert_eq!(server.post_json(REPORT, &body).await.status(), 422);
    let body = json!({"error_name": "host_did_not_join", "conference": alias});
    let page = report(&server, &body).await;
    let id = page["telehealth_request_id"].as_str().unwrap();
    let known = server
        .get(&format!("/api/telehealth/v1/launch/{id}/error"))
        .await;
    let known: Value = serde_json::from_str(&known.text().await.unwrap()).unwrap();
    assert_eq!(known["error_name"], "host_did_not_join");
}

#[tokio::test]
async fn a_reloaded_page_without_its_link_has_a_link_that_is_not_valid() {
    let server = TestServer::start().await;
    let page = report(&server, &json!({"error_name": "join_link_invalid"})).await;
    assert_eq!(
        page["error_name"],
        "BorvoGetTelehealthDirectLaunchTokenError"
    );
}

#[tokio::test]
async fn a_report_of_nothing_known_gets_a_request_id() {
    let server = TestServer::with_profile("show_debug_information = true").await;
    let unknown = "3e0b8a55-8df1-4f0c-8f7f-3a3a3a3a3a3a";
    let body = json!({
        "error_name": "join_link_invalid",
        "telehealth_request_id": unknown,
        "conference": "telehealth.unknown@example.org",
    });
    let page = report(&server, &body).await;
    let id = page["telehealth_request_id"].as_str().unwrap();
    assert_ne!(id, unknown, "ids are made here only");
    let answer = server
        .get(&format!("/api/telehealth/v1/launch/{id}/error"))
        .await;
    assert_eq!(answer.status(), 404);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
}

#[tokio::test]
async fn a_report_does_not_stop_a_launch_under_way() {
    let server = TestServer::start().await;
    let state = server.begin_state(Launch::PATIENT).await;
    // Whoever has seen the request id of a launch cannot end it.
    let id = server.request_id("patient", &state);
    let body = json!({"error_name": "session_lost", "telehealth_request_id": id});
    assert_eq!(
        report(&server, &body).await["telehealth_request_id"],
        id.as_str()
    );
    let known = server
        .get(&format!("/api/telehealth/v1/launch/{id}/error"))
        .await;
    assert_eq!(known.status(), 404, "not failed");
    assert_eq!(server.return_with("patient", &state).await.status(), 303);
}

#[tokio::test]
async fn bodies_that_are_no_report_get_a_problem() {
    let server = TestServer::start().await;
    for (body, status) in [
        ("{}", 422),
        ("", 400),
        ("{\"error_name\": \"no such name\"}", 422),
    ] {
        let response = server
            .post(REPORT, "application/json", body.to_owned())
            .await;
        assert_eq!(response.status(), status);
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json"
        );
    }
}

#[tokio::test]
async fn launches_that_have_not_failed_have_no_error() {
    let server = TestServer::with_profile("show_debug_information = true").await;
    let alias = parameter(&server.launch(Launch::PROVIDER).await, "conference");
    for id in ["x", "3e0b8a55-8df1-4f0c-8f7f-3a3a3a3a3a3a"] {
        let response = server
            .get(&format!("/api/telehealth/v1/launch/{id}/error"))
            .await;
        assert_eq!(response.status(), 404);
    }
    let body = json!({"error_name": "host_did_not_join", "conference": alias.to_uppercase()});
    let page = report(&server, &body).await;
    let shown = page["detailed_debug_information"].as_str().unwrap();
    assert_eq!(shown, "provider launch of 2027-01-15T08:00:00Z");
}
