//! Applications that authenticate by a signed assertion.

use std::sync::{Arc, Mutex};

use reqwest::StatusCode;
use serde_json::Value;

use crate::{
    assertion::{Key, backend, backend_with, jwks, serve},
    support::{Answer, CONFIG, Ehr, PATIENT, PROVIDER, form},
};

fn assert_invalid_client(answer: &Answer, detail: &str) {
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.body);
    assert_eq!(answer.json()["error"], "invalid_client");
    assert_eq!(answer.json()["error_description"], detail);
}

#[tokio::test]
async fn a_backend_gets_an_access_token_and_nothing_else() {
    let key = Key::generate("k1");
    let ehr = Ehr::start_with(&format!("{CONFIG}{}", backend_with(&key))).await;
    let request = key.backend_form(&ehr, "backend-app", "j1");
    let answer = ehr.token_as(None, &request).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(ehr.last_event().await["event"], "backend_token_issued");
    let mut answer = answer.json();
    let fields = answer.as_object_mut().unwrap();
    assert!(fields.remove("access_token").unwrap().is_string());
    assert_eq!(fields["token_type"], "bearer");
    assert_eq!(fields["expires_in"], 3600);
    assert_eq!(fields["scope"], "system/Appointment.read");
    assert_eq!(fields.len(), 3, "{fields:?}");

    let scoped = key
        .backend_form(&ehr, "backend-app", "j2")
        .with("scope", "system/Patient.rs");
    assert_eq!(
        ehr.token_as(None, &scoped).await.json()["scope"],
        "system/Patient.rs"
    );
    let wrong = key
        .backend_form(&ehr, "backend-app", "j3")
        .with("scope", "system/Patient.rs launch");
    assert_eq!(
        ehr.token_as(None, &wrong).await.json()["error"],
        "invalid_scope"
    );
}

#[tokio::test]
async fn a_backend_has_no_other_grant() {
    let key = Key::generate("k1");
    let ehr = Ehr::start_with(&format!("{CONFIG}{}", backend_with(&key))).await;
    let code = ehr.token_form(&PROVIDER).await;
    let request = key
        .backend_form(&ehr, "backend-app", "j1")
        .with("grant_type", "authorization_code")
        .with("code", code.value("code"));
    let answer = ehr.token_as(None, &request).await;
    assert_eq!(answer.json()["error"], "unauthorized_client");
    assert_eq!(ehr.last_event().await["role"], "backend");
    let request = form(&[("client_id", "backend-app")]);
    let answer = ehr.authorize(&request).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "it has no redirect");
}

#[tokio::test]
async fn an_assertion_is_good_once() {
    let key = Key::generate("k1");
    let ehr = Ehr::start_with(&format!("{CONFIG}{}", backend_with(&key))).await;
    let request = key.backend_form(&ehr, "backend-app", "j1");
    assert_eq!(ehr.token_as(None, &request).await.status, StatusCode::OK);
    let detail = "the jti of client_assertion was used before";
    assert_invalid_client(&ehr.token_as(None, &request).await, detail);
    let same_jti = key.backend_form(&ehr, "backend-app", "j1");
    assert_invalid_client(&ehr.token_as(None, &same_jti).await, detail);
    ehr.wait(240);
    let detail = "client_assertion has expired";
    assert_invalid_client(&ehr.token_as(None, &request).await, detail);
    let same_jti = key.backend_form(&ehr, "backend-app", "j1");
    assert_eq!(
        ehr.token_as(None, &same_jti).await.status,
        StatusCode::OK,
        "a jti is remembered until its assertion expires"
    );
}

#[tokio::test]
async fn an_assertion_needs_its_key_and_its_audience() {
    let (key, other) = (Key::generate("k1"), Key::generate("k1"));
    let ehr = Ehr::start_with(&format!("{CONFIG}{}", backend_with(&key))).await;
    let request = other.backend_form(&ehr, "backend-app", "j1");
    let detail = "the signature of client_assertion is wrong";
    assert_invalid_client(&ehr.token_as(None, &request).await, detail);
    let request = Key::generate("k2").backend_form(&ehr, "backend-app", "j1");
    let detail = "no registered key has the kid of client_assertion";
    assert_invalid_client(&ehr.token_as(None, &request).await, detail);
    let elsewhere = Ehr::start().await;
    let request = key.backend_form(&elsewhere, "backend-app", "j1");
    let detail = "aud of client_assertion must be the address of the token endpoint, as a string";
    assert_invalid_client(&ehr.token_as(None, &request).await, detail);
    let request = key.backend_form(&ehr, "nobody", "j1");
    assert_invalid_client(&ehr.token_as(None, &request).await, "the client is unknown");
}

#[tokio::test]
async fn a_key_counts_from_when_it_is_published_to_when_it_is_withdrawn() {
    let (old, new) = (Key::generate("old"), Key::generate("new"));
    let published = Arc::new(Mutex::new(jwks(&[&old])));
    let shown = published.clone();
    let url = serve(move || (StatusCode::OK, shown.lock().unwrap().clone())).await;
    let ehr = Ehr::start_with(&format!("{CONFIG}{}", backend(&url))).await;
    let mut number = 0;
    let mut is_good = async |key: &Key| {
        number += 1;
        let request = key.backend_form(&ehr, "backend-app", &number.to_string());
        ehr.token_as(None, &request).await.status == StatusCode::OK
    };
    assert!(is_good(&old).await);
    assert!(!is_good(&new).await);
    *published.lock().unwrap() = jwks(&[&old, &new]);
    assert!(is_good(&old).await);
    assert!(is_good(&new).await);
    *published.lock().unwrap() = jwks(&[&new]);
    assert!(!is_good(&old).await);
    assert!(is_good(&new).await);
}

#[tokio::test]
async fn keys_that_cannot_be_had_are_told_apart() {
    let key = Key::generate("k1");
    let refused = async |url: &str| {
        let ehr = Ehr::start_with(&format!("{CONFIG}{}", backend(url))).await;
        let request = key.backend_form(&ehr, "backend-app", "j1");
        let answer = ehr.token_as(None, &request).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        answer.json()["error_description"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let down = refused("http://127.0.0.1:1/jwks").await;
    assert_eq!(
        down,
        "the JWKS URL of the client cannot be reached or breaks off"
    );
    for (status, body, detail) in [
        (
            StatusCode::NOT_FOUND,
            jwks(&[&key]),
            "the JWKS URL of the client does not answer with status 200",
        ),
        (
            StatusCode::OK,
            "<html>".to_owned(),
            "the JWK set is not a JSON object with an array keys",
        ),
        (
            StatusCode::OK,
            " ".repeat(64 * 1024 + 1),
            "the JWK set is longer than 65536 bytes or has more than 32 keys",
        ),
    ] {
        let url = serve(move || (status, body.clone())).await;
        assert_eq!(refused(&url).await, detail);
    }
}

#[tokio::test]
async fn an_application_of_a_launch_signs_in_with_a_key() {
    let key = Key::generate("k1");
    let config = CONFIG.replace(
        "client_secret = \"this-is-the-secret-2/7\"",
        &format!("jwks = '{}'", jwks(&[&key])),
    );
    let ehr = Ehr::start_with(&config).await;
    let good = ehr.token_form(&PROVIDER).await;
    let named = good.clone().with("client_id", PROVIDER.client_id);
    let detail = "the client authenticates by a signed client_assertion (private_key_jwt)";
    assert_invalid_client(&ehr.token_as(None, &named).await, detail);
    assert_invalid_client(&ehr.token(&PROVIDER, &good).await, detail);

    let signed = |form: crate::support::Form, jti: &str| {
        form.with(
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        )
        .with(
            "client_assertion",
            &key.assertion(&ehr, PROVIDER.client_id, jti),
        )
    };
    let other = signed(good.clone(), "j0").with("client_id", PATIENT.client_id);
    let detail = "client_id names another client than the client authentication";
    assert_invalid_client(&ehr.token_as(None, &other).await, detail);
    let answer = ehr.token_as(None, &signed(good, "j1")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let tokens: Value = answer.json();
    let refresh = form(&[
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
    ]);
    let answer = ehr.token_as(None, &signed(refresh, "j2")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
}
