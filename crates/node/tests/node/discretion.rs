//! What the log says of a visit, and what it does not.

use serde_json::json;

use crate::house::{HOST_PIN, House, VISIT, WRONG_PIN};

#[tokio::test]
async fn the_log_tells_outcomes_but_no_pin_name_alias_or_token() {
    let house = House::open().await;
    let name = "Beverley Spinder";
    house.request_token(VISIT, Some(WRONG_PIN), name).await;
    let body = json!({ "display_name": name, "call_tag": "secret-call-tag" }).to_string();
    let guest = house
        .request_token_with(VISIT, Some("none"), body, "application/json")
        .await;
    let host = house.request_token(VISIT, Some(HOST_PIN), "Dr Alban").await;
    let refreshed = house.post(VISIT, "refresh_token", &host.token()).await;
    house.post(VISIT, "release_token", &refreshed.token()).await;
    house.events(VISIT, &guest.token()).await.take(4).await;
    house.pass(500);
    house.policy.fail();
    house.request_token(VISIT, Some(HOST_PIN), name).await;

    let log = vestibule_test_log::text();
    for said in ["tag-visit", "Invalid PIN", "policy is not available"] {
        assert!(log.contains(said), "{said} is missing in\n{log}");
    }
    for secret in [
        HOST_PIN,
        WRONG_PIN,
        "Beverley",
        "Alban",
        VISIT,
        "secret-call-tag",
        &guest.token(),
        &host.token(),
        &refreshed.token(),
    ] {
        assert!(!log.contains(secret), "{secret} stands in\n{log}");
    }
}

#[tokio::test]
async fn debug_of_an_event_shows_no_name_and_no_alias() {
    let house = House::open().await;
    house.request_token(VISIT, Some(HOST_PIN), "Dr Alban").await;
    let shown = format!("{:?}", house.reports());
    assert!(shown.contains("tag-visit"));
    for secret in ["Alban", "Beverley", VISIT, HOST_PIN] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
