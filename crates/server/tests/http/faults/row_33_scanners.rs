//! Row 33: mail filters, previews and proxies open links before their user does.

use crate::support::{Browser, Launch, TestServer, launch_path, parameter, return_path};

#[tokio::test]
async fn row_33_a_launch_url_that_was_opened_before_still_leads_into_the_visit() {
    let server = TestServer::start().await;
    let parameters = server.parameters(Launch::PATIENT);
    let path = format!("{}?{parameters}", launch_path("patient"));
    for _ in 0..3 {
        assert_eq!(server.get(&path).await.status(), 303);
        assert_eq!(server.head(&path).await.status(), 405);
    }
    Browser::new(&server).launch(&path).await;
}

#[tokio::test]
async fn row_33_a_look_at_the_way_back_does_not_take_it() {
    let server = TestServer::start().await;
    let browser = Browser::new(&server);
    let parameters = server.parameters(Launch::PATIENT);
    let state = browser
        .begin(&format!("{}?{parameters}", launch_path("patient")))
        .await;
    let back = format!(
        "{}?code=code-of-the-ehr&state={state}",
        return_path("patient")
    );
    assert_eq!(server.head(&back).await.status(), 405);
    assert_eq!(server.ehr.script(|ehr| ehr.token_requests.len()), 0);
    assert_eq!(browser.get(&back).await.status(), 303);
}

#[tokio::test]
async fn row_33_a_join_link_with_a_ticket_is_not_used_up_by_opening_it() {
    let template = "patient_web_join_link_template = 'https://visit.example.org/webapp/#/?ticket={{launch_ticket}}'";
    let server = TestServer::with_profile(template).await;
    let ticket = parameter(&server.launch(Launch::PATIENT).await, "ticket");
    // A server sees no fragment; a proxy may make a query of it.
    for path in ["/webapp/".to_owned(), format!("/webapp/?ticket={ticket}")] {
        for _ in 0..3 {
            assert_eq!(server.get(&path).await.status(), 200);
            assert_eq!(server.head(&path).await.status(), 200);
        }
    }
    let redeem = serde_json::json!({
        "ticket": ticket,
        "browser": "00112233445566778899aabbccddeeff",
    });
    let response = server
        .post_json("/api/telehealth/v1/launch/redeem", &redeem)
        .await;
    assert_eq!(response.status(), 200);
}
