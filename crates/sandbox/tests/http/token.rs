//! What the token endpoint refuses, and how.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::support::{Answer, CONFIG, Ehr, Form, PATIENT, PROVIDER, STATUS_PATH, VERIFIER, form};

const ROLLING: &str = "[tokens]\nrolling_refresh = true\n";

fn assert_error(answer: &Answer, error: &str, detail: &str) {
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
    assert_eq!(answer.json()["error"], error);
    assert_eq!(answer.json()["error_description"], detail);
    assert_eq!(answer.header("cache-control"), "no-store");
}

fn assert_invalid_client(answer: &Answer, detail: &str) {
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.body);
    assert_eq!(answer.json()["error"], "invalid_client");
    assert_eq!(answer.json()["error_description"], detail);
    assert!(answer.header("www-authenticate").starts_with("Basic"));
}

async fn tokens(ehr: &Ehr) -> Value {
    let form = ehr.token_form(&PROVIDER).await;
    let answer = ehr.token(&PROVIDER, &form).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.json()
}

fn refresh_form(tokens: &Value) -> Form {
    form(&[
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
    ])
}

/// Whether the EHR takes the access token at its own endpoint.
async fn is_good(ehr: &Ehr, tokens: &Value) -> bool {
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let path = format!(
        "{STATUS_PATH}?ConferenceID=1&ExternalID=1&ExternalIDType=1&VendorName=V&ConnectionStatus=1"
    );
    let answer = ehr
        .send(Method::GET, &path, &[("authorization", &bearer)], None)
        .await;
    answer.status == StatusCode::OK
}

#[tokio::test]
async fn a_code_works_once_and_its_second_use_revokes_the_tokens() {
    let ehr = Ehr::start().await;
    let form = ehr.token_form(&PROVIDER).await;
    let tokens = ehr.token(&PROVIDER, &form).await.json();
    assert!(is_good(&ehr, &tokens).await);

    let again = ehr.token(&PROVIDER, &form).await;
    assert_error(&again, "invalid_grant", "the code was used before");
    assert!(!is_good(&ehr, &tokens).await);
    let refreshed = ehr.token(&PROVIDER, &refresh_form(&tokens)).await;
    let detail = "the refresh token is unknown, expired or revoked";
    assert_error(&refreshed, "invalid_grant", detail);
}

#[tokio::test]
async fn a_code_expires_after_a_minute() {
    let ehr = Ehr::start().await;
    let in_time = ehr.token_form(&PROVIDER).await;
    let late = ehr.token_form(&PROVIDER).await;
    ehr.wait(59);
    assert_eq!(ehr.token(&PROVIDER, &in_time).await.status, StatusCode::OK);
    ehr.wait(1);
    let answer = ehr.token(&PROVIDER, &late).await;
    assert_error(&answer, "invalid_grant", "the code has expired");
}

#[tokio::test]
async fn a_code_of_another_client_is_refused_and_stays_good() {
    let ehr = Ehr::start().await;
    let providers = ehr.token_form(&PROVIDER).await;
    let stolen = ehr
        .token_form(&PATIENT)
        .await
        .with("code", providers.value("code"));
    let answer = ehr.token(&PATIENT, &stolen).await;
    assert_error(
        &answer,
        "invalid_grant",
        "the code was issued to another client",
    );
    let answer = ehr.token(&PROVIDER, &providers).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn a_code_is_bound_to_its_redirect_uri() {
    let ehr = Ehr::start().await;
    let good = ehr.token_form(&PROVIDER).await;
    let form = good.with("redirect_uri", PATIENT.redirect_uri);
    let answer = ehr.token(&PROVIDER, &form).await;
    let detail = "redirect_uri is not the one the code was issued for";
    assert_error(&answer, "invalid_grant", detail);
}

#[tokio::test]
async fn a_code_is_bound_to_its_proof_key_and_good_for_one_attempt() {
    let ehr = Ehr::start().await;
    let good = ehr.token_form(&PROVIDER).await;
    let wrong = VERIFIER.replace('d', "e");
    let answer = ehr
        .token(&PROVIDER, &good.clone().with("code_verifier", &wrong))
        .await;
    let detail = "code_verifier does not match the code_challenge";
    assert_error(&answer, "invalid_grant", detail);
    let answer = ehr.token(&PROVIDER, &good).await;
    assert_error(&answer, "invalid_grant", "the code was used before");
}

#[tokio::test]
async fn a_code_that_was_never_issued_is_refused() {
    let ehr = Ehr::start().await;
    let good = ehr.token_form(&PROVIDER).await;
    let answer = ehr.token(&PROVIDER, &good.with("code", "guessed")).await;
    assert_error(&answer, "invalid_grant", "this EHR has not issued the code");
}

#[tokio::test]
async fn a_missing_parameter_is_named() {
    let ehr = Ehr::start().await;
    let good = ehr.token_form(&PROVIDER).await;
    for name in ["grant_type", "code", "redirect_uri", "code_verifier"] {
        let answer = ehr.token(&PROVIDER, &good.clone().without(name)).await;
        assert_error(&answer, "invalid_request", &format!("{name} is missing"));
    }
    let answer = ehr.token(&PROVIDER, &good).await;
    assert_eq!(answer.status, StatusCode::OK, "the code is still good");
}

#[tokio::test]
async fn a_repeated_parameter_is_refused() {
    let ehr = Ehr::start().await;
    let good = ehr.token_form(&PROVIDER).await;
    for name in ["grant_type", "code", "client_id"] {
        let form = good.clone().with_another(name, "x").with_another(name, "x");
        let answer = ehr.token(&PROVIDER, &form).await;
        let detail = format!("{name} is given more than once");
        assert_error(&answer, "invalid_request", &detail);
    }
}

#[tokio::test]
async fn other_grant_types_are_refused() {
    let ehr = Ehr::start().await;
    let good = ehr.token_form(&PROVIDER).await;
    let answer = ehr
        .token(&PROVIDER, &good.clone().with("grant_type", "password"))
        .await;
    let detail = "grant_type must be authorization_code, refresh_token or client_credentials";
    assert_error(&answer, "unsupported_grant_type", detail);
    let answer = ehr
        .token(&PROVIDER, &good.with("grant_type", "client_credentials"))
        .await;
    let detail = "an application that signs users in cannot use client_credentials, nor a backend anything else";
    assert_error(&answer, "unauthorized_client", detail);
}

#[tokio::test]
async fn a_body_that_is_no_form_is_refused() {
    let ehr = Ehr::start().await;
    let good = ehr.token_form(&PROVIDER).await;
    let headers = [
        ("content-type", "text/plain"),
        ("authorization", PROVIDER.basic.unwrap()),
    ];
    let answer = ehr
        .send(
            Method::POST,
            "/oauth2/token",
            &headers,
            Some(good.encoded()),
        )
        .await;
    let detail = "send the request as application/x-www-form-urlencoded";
    assert_error(&answer, "invalid_request", detail);
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused() {
    let ehr = Ehr::start().await;
    let good = ehr.token_form(&PROVIDER).await;
    let form = good.with("padding", &"a".repeat(16 * 1024));
    let answer = ehr.token(&PROVIDER, &form).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_confidential_client_needs_its_secret_by_http_basic() {
    let ehr = Ehr::start().await;
    let good = ehr.token_form(&PROVIDER).await;
    let named = good.clone().with("client_id", PROVIDER.client_id);

    let answer = ehr.token_as(None, &good).await;
    let detail = "send the client id and secret by HTTP Basic, or client_id for a public client";
    assert_invalid_client(&answer, detail);
    let answer = ehr.token_as(None, &named).await;
    assert_invalid_client(&answer, "a confidential client authenticates by HTTP Basic");
    let in_body = named.with("client_secret", "this-is-the-secret-2/7");
    let answer = ehr.token_as(None, &in_body).await;
    let detail = "client_secret is not accepted in the body: use HTTP Basic";
    assert_invalid_client(&answer, detail);
    // d45049c3-3441-40ef-ab4d-b9cd86a17225:wrong
    let wrong = "Basic ZDQ1MDQ5YzMtMzQ0MS00MGVmLWFiNGQtYjljZDg2YTE3MjI1Ondyb25n";
    let answer = ehr.token_as(Some(wrong), &good).await;
    assert_invalid_client(&answer, "the client secret is wrong");
    let answer = ehr.token_as(Some("Basic ?"), &good).await;
    assert_invalid_client(&answer, "the Authorization header is not well-formed Basic");
    let answer = ehr.token_as(Some("Bearer abc"), &good).await;
    assert_invalid_client(&answer, "the Authorization header is not well-formed Basic");

    let answer = ehr.token(&PROVIDER, &good).await;
    assert_eq!(answer.status, StatusCode::OK, "the code is still good");
}

#[tokio::test]
async fn a_public_client_sends_its_id_and_no_secret() {
    let ehr = Ehr::start().await;
    let good = ehr.token_form(&PATIENT).await;
    let unknown = good.clone().with("client_id", "somebody-else");
    let answer = ehr.token_as(None, &unknown).await;
    assert_invalid_client(&answer, "the client is unknown");
    // patient-app:secret
    let basic = "Basic cGF0aWVudC1hcHA6c2VjcmV0";
    let answer = ehr.token_as(Some(basic), &good).await;
    assert_invalid_client(&answer, "a public client sends client_id and no secret");

    let answer = ehr.token(&PATIENT, &good).await;
    assert_eq!(answer.status, StatusCode::OK, "the code is still good");
}

#[tokio::test]
async fn a_refresh_gives_another_access_token_and_no_new_refresh_token() {
    let ehr = Ehr::start().await;
    let tokens = tokens(&ehr).await;
    let first = ehr.token(&PROVIDER, &refresh_form(&tokens)).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.body);
    assert_eq!(first.header("cache-control"), "no-store");
    let first = first.json();
    assert_ne!(first["access_token"], tokens["access_token"]);
    assert_eq!(first["token_type"], "bearer");
    assert_eq!(first["encounter"], tokens["encounter"]);
    assert!(first.get("refresh_token").is_none());
    assert!(is_good(&ehr, &first).await);

    let second = ehr.token(&PROVIDER, &refresh_form(&tokens)).await;
    assert_eq!(second.status, StatusCode::OK, "it does not rotate");
}

#[tokio::test]
async fn an_access_token_expires_after_an_hour_and_can_be_refreshed() {
    let ehr = Ehr::start().await;
    let tokens = tokens(&ehr).await;
    ehr.wait(3599);
    assert!(is_good(&ehr, &tokens).await);
    ehr.wait(1);
    assert!(!is_good(&ehr, &tokens).await);
    let refreshed = ehr.token(&PROVIDER, &refresh_form(&tokens)).await.json();
    assert!(is_good(&ehr, &refreshed).await);
}

#[tokio::test]
async fn a_refresh_token_ends_after_twelve_hours() {
    let ehr = Ehr::start().await;
    let tokens = tokens(&ehr).await;
    ehr.wait(12 * 3600);
    let answer = ehr.token(&PROVIDER, &refresh_form(&tokens)).await;
    let detail = "the refresh token is unknown, expired or revoked";
    assert_error(&answer, "invalid_grant", detail);
}

#[tokio::test]
async fn a_refresh_token_is_bound_to_its_client() {
    let ehr = Ehr::start().await;
    let tokens = tokens(&ehr).await;
    let form = refresh_form(&tokens).with("client_id", PATIENT.client_id);
    let answer = ehr.token_as(None, &form).await;
    let detail = "the refresh token was issued to another client";
    assert_error(&answer, "invalid_grant", detail);
}

#[tokio::test]
async fn a_refresh_cannot_widen_the_scope() {
    let ehr = Ehr::start().await;
    let tokens = tokens(&ehr).await;
    let good = refresh_form(&tokens);
    let answer = ehr
        .token(&PROVIDER, &good.clone().with("scope", "launch profile"))
        .await;
    assert_error(&answer, "invalid_scope", "scope exceeds what was granted");
    let answer = ehr.token(&PROVIDER, &good.with("scope", "launch")).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn a_rolling_refresh_token_is_replaced_by_each_use() {
    let ehr = Ehr::start_with(&format!("{CONFIG}{ROLLING}")).await;
    let tokens = tokens(&ehr).await;
    let first = ehr.token(&PROVIDER, &refresh_form(&tokens)).await.json();
    assert_ne!(first["refresh_token"], tokens["refresh_token"]);
    let second = ehr.token(&PROVIDER, &refresh_form(&first)).await;
    assert_eq!(second.status, StatusCode::OK);
    assert!(
        is_good(&ehr, &first).await,
        "access tokens are not replaced"
    );
}

#[tokio::test]
async fn a_replaced_refresh_token_revokes_all_that_came_of_it() {
    let ehr = Ehr::start_with(&format!("{CONFIG}{ROLLING}")).await;
    let tokens = tokens(&ehr).await;
    let first = ehr.token(&PROVIDER, &refresh_form(&tokens)).await.json();
    let again = ehr.token(&PROVIDER, &refresh_form(&tokens)).await;
    let detail = "the refresh token was replaced before";
    assert_error(&again, "invalid_grant", detail);
    let newest = ehr.token(&PROVIDER, &refresh_form(&first)).await;
    let detail = "the refresh token is unknown, expired or revoked";
    assert_error(&newest, "invalid_grant", detail);
    assert!(!is_good(&ehr, &first).await);
}

#[tokio::test]
async fn a_rolling_refresh_token_keeps_its_first_end() {
    let ehr = Ehr::start_with(&format!("{CONFIG}{ROLLING}")).await;
    let mut tokens = tokens(&ehr).await;
    for _ in 0..3 {
        ehr.wait(4 * 3600 - 1);
        tokens = ehr.token(&PROVIDER, &refresh_form(&tokens)).await.json();
        assert!(tokens["refresh_token"].is_string(), "{tokens}");
    }
    ehr.wait(3);
    let answer = ehr.token(&PROVIDER, &refresh_form(&tokens)).await;
    let detail = "the refresh token is unknown, expired or revoked";
    assert_error(&answer, "invalid_grant", detail);
}

#[tokio::test]
async fn the_life_of_an_access_token_can_be_chosen() {
    let ehr = Ehr::start_with(&format!("{CONFIG}[tokens]\naccess_token_seconds = 20\n")).await;
    let tokens = tokens(&ehr).await;
    assert_eq!(tokens["expires_in"], 20);
    ehr.wait(19);
    assert!(is_good(&ehr, &tokens).await);
    ehr.wait(1);
    assert!(!is_good(&ehr, &tokens).await);
}

#[tokio::test]
async fn an_integration_record_adds_fields_to_the_answer() {
    let fields = "[launch.token_fields]\nencounter_csn = \"{csn}\"\nlevel = 3\n";
    let ehr = Ehr::start_with(&format!("{CONFIG}{fields}")).await;
    let tokens = tokens(&ehr).await;
    assert_eq!(tokens["encounter_csn"], "6ea6d1427f684721abd21c1634386f7b6");
    assert_eq!(tokens["level"], 3);
    let refreshed = ehr.token(&PROVIDER, &refresh_form(&tokens)).await.json();
    assert_eq!(refreshed["encounter_csn"], tokens["encounter_csn"]);
}

#[tokio::test]
async fn two_secrets_are_good_while_one_replaces_the_other() {
    let config = CONFIG.replace(
        "\"this-is-the-secret-2/7\"",
        "[\"the-new-one\", \"this-is-the-secret-2/7\"]",
    );
    let ehr = Ehr::start_with(&config).await;
    let old = ehr.token_form(&PROVIDER).await;
    let answer = ehr.token(&PROVIDER, &old).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    // d45049c3-3441-40ef-ab4d-b9cd86a17225:the-new-one
    let new = "Basic ZDQ1MDQ5YzMtMzQ0MS00MGVmLWFiNGQtYjljZDg2YTE3MjI1OnRoZS1uZXctb25l";
    let form = ehr.token_form(&PROVIDER).await;
    let answer = ehr.token_as(Some(new), &form).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
}

#[tokio::test]
async fn a_refusal_stands_in_the_journal() {
    let ehr = Ehr::start().await;
    let good = ehr.token_form(&PROVIDER).await;
    ehr.token(&PROVIDER, &good.clone().without("code")).await;
    let event = ehr.last_event().await;
    assert_eq!(event["event"], "token_refused");
    assert_eq!(event["role"], "provider");
    assert_eq!(event["reason"], "code is missing");
    ehr.token_as(None, &good).await;
    assert_eq!(ehr.last_event().await["role"], Value::Null);
}
