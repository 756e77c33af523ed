//! `SetExternalConnectionStatus`.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Answer, CONFIG, Ehr, PROVIDER, STATUS_PATH};

const QUERY: &str =
    "ConferenceID=1853&ExternalID=19&ExternalIDType=2&VendorName=Vestibule&ConnectionStatus=1";
/// Epic's example: `emp$username:Pa$$w0rd1`.
const BASIC: &str = "Basic ZW1wJHVzZXJuYW1lOlBhJCR3MHJkMQ==";

async fn tell(ehr: &Ehr, authorization: Option<&str>, query: &str) -> Answer {
    let headers: Vec<_> = authorization
        .map(|value| ("authorization", value))
        .into_iter()
        .collect();
    let path = format!("{STATUS_PATH}?{query}");
    ehr.send(Method::GET, &path, &headers, None).await
}

async fn ehr_with_credentials() -> Ehr {
    let status = "[status]\nusername = \"emp$username\"\npassword = \"Pa$$w0rd1\"\n";
    Ehr::start_with(&format!("{CONFIG}{status}")).await
}

#[tokio::test]
async fn what_is_told_stands_in_the_journal_as_it_came() {
    let ehr = Ehr::start().await;
    let answer = tell(&ehr, None, QUERY).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        ehr.last_event().await,
        json!({
            "at": "2023-11-14T22:13:20.000Z",
            "event": "connection_status",
            "conference_id": "1853",
            "external_id": "19",
            "external_id_type": "2",
            "vendor_name": "Vestibule",
            "connection_status": "1",
        })
    );
}

#[tokio::test]
async fn where_credentials_are_configured_they_are_asked_for() {
    let ehr = ehr_with_credentials().await;
    // emp$username:wrong
    let wrong = "Basic ZW1wJHVzZXJuYW1lOndyb25n";
    for authorization in [None, Some(wrong), Some("Basic"), Some("Bearer x")] {
        let answer = tell(&ehr, authorization, QUERY).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(answer.header("www-authenticate").starts_with("Basic"));
        assert_eq!(ehr.last_event().await["event"], "connection_status_refused");
    }
    let answer = tell(&ehr, Some(BASIC), QUERY).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn where_a_client_id_is_configured_it_is_asked_for_beside_the_password() {
    let status = "[status]\nusername = \"emp$username\"\npassword = \"Pa$$w0rd1\"\nclient_id = \"status-app\"\n";
    let ehr = Ehr::start_with(&format!("{CONFIG}{status}")).await;
    let path = format!("/interconnect{STATUS_PATH}?{QUERY}");
    for (client_id, status) in [
        (None, StatusCode::FORBIDDEN),
        (Some("other"), StatusCode::FORBIDDEN),
        (Some("status-app"), StatusCode::OK),
    ] {
        let mut headers = vec![("authorization", BASIC), ("idempotency-key", "k7")];
        headers.extend(client_id.map(|id| ("Epic-Client-ID", id)));
        let answer = ehr.send(Method::GET, &path, &headers, None).await;
        assert_eq!(answer.status, status, "{client_id:?}");
    }
    assert_eq!(ehr.last_event().await["idempotency_key"], "k7");

    let form = ehr.token_form(&PROVIDER).await;
    let tokens = ehr.token(&PROVIDER, &form).await.json();
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let answer = tell(&ehr, Some(&bearer), QUERY).await;
    assert_eq!(answer.status, StatusCode::OK, "a token is of a client");
}

#[tokio::test]
async fn an_access_token_that_is_not_good_is_refused_even_where_none_is_needed() {
    let ehr = Ehr::start().await;
    let answer = tell(&ehr, Some("Bearer made-up"), QUERY).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_missing_repeated_or_overlong_value_is_refused_by_name() {
    let ehr = Ehr::start().await;
    for (query, detail) in [
        (
            QUERY.replace("VendorName=Vestibule", "VendorName="),
            "VendorName is missing",
        ),
        (
            format!("{QUERY}&ExternalID=20"),
            "ExternalID is given more than once",
        ),
        (
            QUERY.replace("1853", &"1".repeat(256)),
            "ConferenceID is longer than 255 bytes",
        ),
    ] {
        let answer = tell(&ehr, None, &query).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.body, detail);
        assert_eq!(ehr.last_event().await["reason"], detail);
    }
}
