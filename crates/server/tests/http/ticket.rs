//! Join links with a one-time ticket.

use std::time::Duration;

use serde_json::{Value, json};
use vestibule_launch::JoinLink;

use crate::support::{Launch, TestServer, parameter, parameters};

const LINKS: &str = r#"
provider_web_join_link_template = "{{telehealth_integration.infinity_webapp_server_base_url}}/webapp/#/?ticket={{launch_ticket}}"
patient_web_join_link_template = "{{telehealth_integration.infinity_webapp_server_base_url}}/webapp/#/?ticket={{launch_ticket}}"
"#;

const TAB: &str = "00112233445566778899aabbccddeeff";
const OTHER_TAB: &str = "ffeeddccbbaa99887766554433221100";

async fn redeem(server: &TestServer, ticket: &str, browser: &str) -> (u16, Value) {
    let body = json!({"ticket": ticket, "browser": browser});
    let response = server
        .post_json("/api/telehealth/v1/launch/redeem", &body)
        .await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    let status = response.status().as_u16();
    let kind = if status == 200 {
        "application/json"
    } else {
        "application/problem+json"
    };
    assert_eq!(response.headers()["content-type"], kind);
    (
        status,
        serde_json::from_str(&response.text().await.unwrap()).unwrap(),
    )
}

async fn ticket(server: &TestServer, launch: Launch<'_>) -> String {
    let link = server.launch(launch).await;
    let names: Vec<_> = parameters(&link)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["ticket"], "neither name nor PIN nor alias");
    assert!(matches!(JoinLink::parse(&link), Ok(JoinLink::Ticket(_))));
    parameter(&link, "ticket")
}

#[tokio::test]
async fn a_ticket_is_redeemed_once_and_again_by_the_same_tab() {
    let server = TestServer::with_profile(LINKS).await;
    let ticket = ticket(&server, Launch::PROVIDER).await;
    let (status, first) = redeem(&server, &ticket, TAB).await;
    assert_eq!(status, 200);
    assert_eq!(first["display_name"], "Healthcare Org");
    assert_eq!(first["role"], "host");
    let pin = first["pin"].as_str().unwrap();
    let alias = first["conference"].as_str().unwrap();
    assert_eq!(server.request_token(alias, pin).await.status(), 200);

    assert_eq!(redeem(&server, &ticket, TAB).await, (200, first));
    let (status, problem) = redeem(&server, &ticket, OTHER_TAB).await;
    assert_eq!(status, 410);
    assert_eq!(problem["error_name"], "launch_ticket_invalid");
    assert_eq!(problem["status"], 410);
    assert_eq!(problem["utc_time"], "2027-01-15T08:00:00Z");
    server.clock.advance(Duration::from_secs(60));
    assert_eq!(redeem(&server, &ticket, TAB).await.0, 410);
}

#[tokio::test]
async fn a_guests_ticket_has_no_pin() {
    let server = TestServer::with_profile(LINKS).await;
    let ticket = ticket(&server, Launch::PATIENT).await;
    let (status, redeemed) = redeem(&server, &ticket, TAB).await;
    assert_eq!(status, 200);
    assert_eq!(redeemed["role"], "guest");
    assert_eq!(redeemed["display_name"], "Beverley P Spinder");
    assert!(redeemed.get("pin").is_none());
}

#[tokio::test]
async fn a_ticket_waits_for_ten_minutes() {
    let server = TestServer::with_profile(LINKS).await;
    let ticket = ticket(&server, Launch::PATIENT).await;
    server.clock.advance(Duration::from_secs(10 * 60));
    assert_eq!(redeem(&server, &ticket, TAB).await.0, 410);
}

#[tokio::test]
async fn what_is_no_ticket_is_refused() {
    let server = TestServer::with_profile(LINKS).await;
    let ticket = ticket(&server, Launch::PATIENT).await;
    for wrong in ["", "x", &ticket[1..], &"A".repeat(ticket.len())] {
        assert_eq!(redeem(&server, wrong, TAB).await.0, 410);
    }
    for wrong in ["", "tab", &TAB[1..]] {
        assert_eq!(redeem(&server, &ticket, wrong).await.0, 400);
    }
    for (kind, body, status) in [
        ("application/json", "{}".to_owned(), 422),
        ("application/json", "{".to_owned(), 400),
        ("text/plain", "{}".to_owned(), 415),
        ("application/json", "a".repeat(70_000), 413),
    ] {
        let response = server
            .post("/api/telehealth/v1/launch/redeem", kind, body)
            .await;
        assert_eq!(response.status(), status);
        let problem: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(problem["error_name"], "launch_ticket_invalid");
    }
    assert_eq!(
        redeem(&server, &ticket, TAB).await.0,
        200,
        "none of it did harm"
    );
}
