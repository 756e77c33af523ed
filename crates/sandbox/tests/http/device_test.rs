//! The call that says how a device check went.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Answer, CONFIG, Ehr, PROVIDER};

const PATH: &str = "/interconnect/api/telehealth/device-test";
const JSON: (&str, &str) = ("content-type", "application/json");

async fn post(ehr: &Ehr, headers: &[(&str, &str)], body: &str) -> Answer {
    ehr.send(Method::POST, PATH, headers, Some(body.to_owned()))
        .await
}

#[tokio::test]
async fn what_is_told_by_post_or_get_stands_in_the_journal() {
    let ehr = Ehr::start().await;
    let again = ("idempotency-key", "7f3a");
    let answer = post(&ehr, &[JSON, again], r#"{"csn":"c1","camera":"passed"}"#).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let told = ehr.get(&format!("{PATH}?csn=c1&camera=failed")).await;
    assert_eq!(told.status, StatusCode::NO_CONTENT);
    let journal = json!(ehr.journal().await);
    assert_eq!(journal[0]["event"], "device_tested");
    assert_eq!(
        journal[0]["fields"],
        json!({ "csn": "c1", "camera": "passed" })
    );
    assert_eq!(journal[0]["idempotency_key"], "7f3a");
    assert_eq!(journal[1]["method"], "GET");
    assert_eq!(
        journal[1]["fields"],
        json!({ "csn": "c1", "camera": "failed" })
    );
    let page = ehr.get("/status").await.body;
    assert!(page.contains("Devices were tested (POST, fields: 2)."));
}

#[tokio::test]
async fn what_is_no_object_and_a_token_that_is_not_good_are_refused() {
    let ehr = Ehr::start().await;
    let form = ehr.token_form(&PROVIDER).await;
    let tokens = ehr.token(&PROVIDER, &form).await.json();
    let good = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    for (authorization, body, status) in [
        (good.as_str(), "{}", StatusCode::NO_CONTENT),
        (&good, "[]", StatusCode::BAD_REQUEST),
        ("Bearer made-up", "{}", StatusCode::UNAUTHORIZED),
    ] {
        let headers = [JSON, ("authorization", authorization)];
        assert_eq!(post(&ehr, &headers, body).await.status, status);
    }
    assert_eq!(ehr.last_event().await["event"], "device_test_refused");
}

#[tokio::test]
#[should_panic(expected = "end_of_call.path")]
async fn the_end_of_a_call_has_another_path() {
    Ehr::start_with(&format!("{CONFIG}[end_of_call]\npath = \"{PATH}\"\n")).await;
}
