//! The call that says a visit has ended.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Answer, CONFIG, Ehr, PROVIDER};

const PATH: &str = "/interconnect/api/telehealth/end-of-call";
const JSON: (&str, &str) = ("content-type", "application/json");

async fn post(ehr: &Ehr, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    ehr.send(Method::POST, path, headers, Some(body.to_owned()))
        .await
}

#[tokio::test]
async fn what_is_told_by_post_or_get_stands_in_the_journal() {
    let ehr = Ehr::start().await;
    let again = ("idempotency-key", "7f3a");
    let answer = post(&ehr, PATH, &[JSON, again], r#"{"csn":"c1","minutes":12}"#).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let told = ehr.get(&format!("{PATH}?csn=c1&reason=all+left")).await;
    assert_eq!(told.status, StatusCode::NO_CONTENT);
    let at = "2023-11-14T22:13:20.000Z";
    assert_eq!(
        json!(ehr.journal().await),
        json!([
            {
                "at": at,
                "event": "call_ended",
                "method": "POST",
                "fields": { "csn": "c1", "minutes": 12 },
                "idempotency_key": "7f3a",
            },
            {
                "at": at,
                "event": "call_ended",
                "method": "GET",
                "fields": { "csn": "c1", "reason": "all left" },
            },
        ])
    );
    let page = ehr.get("/status").await.body;
    assert!(page.contains("A call has ended (POST, fields: 2)."));
}

#[tokio::test]
async fn what_is_no_json_object_is_refused() {
    let ehr = Ehr::start().await;
    for (headers, body) in [
        (&[JSON][..], "[]"),
        (&[JSON], "csn=1"),
        (&[], "csn=1"),
        (&[("content-type", "text/plain")], "{}"),
    ] {
        let answer = post(&ehr, PATH, headers, body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(ehr.last_event().await["event"], "call_ended_refused");
    }
}

#[tokio::test]
async fn path_and_credentials_can_be_configured() {
    let path = "/interconnect/api/2021/EndCall";
    let table = format!(
        "[end_of_call]\npath = \"{path}\"\nusername = \"emp$username\"\npassword = \"Pa$$w0rd1\"\n"
    );
    let ehr = Ehr::start_with(&format!("{CONFIG}{table}")).await;
    let unknown = post(&ehr, PATH, &[JSON], "{}").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    let basic = "Basic ZW1wJHVzZXJuYW1lOlBhJCR3MHJkMQ==";
    let form = ehr.token_form(&PROVIDER).await;
    let tokens = ehr.token(&PROVIDER, &form).await.json();
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    for (authorization, status) in [
        ("", StatusCode::UNAUTHORIZED),
        ("Basic QTpC", StatusCode::UNAUTHORIZED),
        ("Bearer made-up", StatusCode::UNAUTHORIZED),
        (basic, StatusCode::NO_CONTENT),
        (&bearer, StatusCode::NO_CONTENT),
    ] {
        let headers = [JSON, ("authorization", authorization)];
        let answer = post(&ehr, path, &headers, "{}").await;
        assert_eq!(answer.status, status, "{authorization}");
    }
}
