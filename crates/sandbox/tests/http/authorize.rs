//! What the authorize endpoint refuses, and how.

use reqwest::{Method, StatusCode};

use crate::support::{App, CHALLENGE, Ehr, Form, PATIENT, PROVIDER, STATE};

/// The user is shown a page and sent nowhere.
async fn assert_page(ehr: &Ehr, form: &Form, detail: &str) {
    let answer = ehr.authorize(form).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(!answer.headers.contains_key("location"));
    assert!(
        answer
            .body
            .contains("Something went wrong trying to authorize the client."),
        "{}",
        answer.body
    );
    assert!(answer.body.contains(detail), "{}", answer.body);
    let event = ehr.last_event().await;
    assert_eq!(event["event"], "authorization_refused");
    assert_eq!(event["reason"], detail);
}

/// The user goes back to the application with an error and the state.
async fn assert_error(ehr: &Ehr, app: &App, form: &Form, error: &str, detail: &str) {
    let (to, parameters) = ehr.authorize(form).await.redirect();
    assert_eq!(to, app.redirect_uri);
    assert_eq!(parameters["error"], error);
    assert_eq!(parameters["error_description"], detail);
    assert!(!parameters.contains_key("code"));
    assert_eq!(ehr.last_event().await["reason"], detail);
}

#[tokio::test]
async fn a_client_that_is_not_registered_gets_a_page() {
    let ehr = Ehr::start().await;
    let good = ehr.authorize_form(&PROVIDER).await;
    let form = good.clone().with("client_id", "somebody-else");
    assert_page(&ehr, &form, "client_id is not registered").await;
    let form = good.without("client_id");
    assert_page(&ehr, &form, "client_id is missing").await;
}

#[tokio::test]
async fn a_redirect_uri_that_is_not_exactly_the_registered_one_gets_a_page() {
    let ehr = Ehr::start().await;
    let good = ehr.authorize_form(&PROVIDER).await;
    for spoilt in [
        format!("{}/", PROVIDER.redirect_uri),
        format!("{}?a=b", PROVIDER.redirect_uri),
        PROVIDER.redirect_uri.replace("http:", "HTTP:"),
        PROVIDER.redirect_uri.to_uppercase(),
        PATIENT.redirect_uri.to_owned(),
    ] {
        let form = good.clone().with("redirect_uri", &spoilt);
        assert_page(
            &ehr,
            &form,
            "redirect_uri is not exactly the registered one",
        )
        .await;
    }
    let form = good.without("redirect_uri");
    assert_page(&ehr, &form, "redirect_uri is missing").await;
}

#[tokio::test]
async fn a_repeated_client_or_redirect_uri_gets_a_page() {
    let ehr = Ehr::start().await;
    let good = ehr.authorize_form(&PROVIDER).await;
    let form = good.clone().with_another("client_id", PROVIDER.client_id);
    assert_page(&ehr, &form, "client_id is given more than once").await;
    let form = good.with_another("redirect_uri", PROVIDER.redirect_uri);
    assert_page(&ehr, &form, "redirect_uri is given more than once").await;
}

#[tokio::test]
async fn a_request_that_is_too_long_gets_a_page() {
    let ehr = Ehr::start().await;
    let good = ehr.authorize_form(&PROVIDER).await;
    let form = good.with("padding", &"a".repeat(16 * 1024));
    assert_page(&ehr, &form, "the request is too long").await;
}

#[tokio::test]
async fn a_missing_parameter_goes_back_as_an_error_with_the_state() {
    let ehr = Ehr::start().await;
    let good = ehr.authorize_form(&PROVIDER).await;
    for name in [
        "response_type",
        "scope",
        "launch",
        "aud",
        "code_challenge",
        "code_challenge_method",
    ] {
        let form = good.clone().without(name);
        let detail = format!("{name} is missing");
        assert_error(&ehr, &PROVIDER, &form, "invalid_request", &detail).await;
        let (_, parameters) = ehr.authorize(&form).await.redirect();
        assert_eq!(parameters["state"], STATE);
    }
}

#[tokio::test]
async fn a_state_is_needed_and_has_at_least_22_characters() {
    let ehr = Ehr::start().await;
    let good = ehr.authorize_form(&PROVIDER).await;
    let form = good.clone().without("state");
    assert_error(
        &ehr,
        &PROVIDER,
        &form,
        "invalid_request",
        "state is missing",
    )
    .await;
    let form = good.clone().with("state", &"a".repeat(21));
    let detail = "state must have at least 22 characters (122 bits)";
    assert_error(&ehr, &PROVIDER, &form, "invalid_request", detail).await;
    let form = good.clone().with("state", &"a".repeat(1025));
    let detail = "state must have at most 1024 characters";
    assert_error(&ehr, &PROVIDER, &form, "invalid_request", detail).await;

    let form = good.with("state", &"a".repeat(22));
    let (_, parameters) = ehr.authorize(&form).await.redirect();
    assert!(parameters.contains_key("code"));
}

#[tokio::test]
async fn only_the_response_type_code_is_known() {
    let ehr = Ehr::start().await;
    let good = ehr.authorize_form(&PROVIDER).await;
    for spoilt in ["token", "code token", "CODE"] {
        let form = good.clone().with("response_type", spoilt);
        let detail = "response_type must be code";
        assert_error(&ehr, &PROVIDER, &form, "unsupported_response_type", detail).await;
    }
}

#[tokio::test]
async fn a_challenge_must_be_well_formed_and_of_method_s256() {
    let ehr = Ehr::start().await;
    let good = ehr.authorize_form(&PROVIDER).await;
    for spoilt in [&CHALLENGE[1..], &format!("{CHALLENGE}=")] {
        let form = good.clone().with("code_challenge", spoilt);
        let detail = "code_challenge is not 43 to 128 characters of A-Z a-z 0-9 - . _ ~";
        assert_error(&ehr, &PROVIDER, &form, "invalid_request", detail).await;
    }
    for spoilt in ["plain", "s256"] {
        let form = good.clone().with("code_challenge_method", spoilt);
        let detail = "code_challenge_method must be S256";
        assert_error(&ehr, &PROVIDER, &form, "invalid_request", detail).await;
    }
}

#[tokio::test]
async fn the_audience_must_be_the_iss_of_the_launch() {
    let ehr = Ehr::start().await;
    let good = ehr.authorize_form(&PROVIDER).await;
    for spoilt in [format!("{}/", ehr.iss()), ehr.address.clone()] {
        let form = good.clone().with("aud", &spoilt);
        let detail = "aud must be the FHIR base address of this EHR, the iss of the launch";
        assert_error(&ehr, &PROVIDER, &form, "invalid_request", detail).await;
    }
}

#[tokio::test]
async fn the_scope_must_contain_launch() {
    let ehr = Ehr::start().await;
    let good = ehr.authorize_form(&PROVIDER).await;
    for spoilt in ["openid", "launch/patient", "relaunch"] {
        let form = good.clone().with("scope", spoilt);
        let detail = "scope must contain launch";
        assert_error(&ehr, &PROVIDER, &form, "invalid_scope", detail).await;
    }
}

#[tokio::test]
async fn a_launch_token_that_was_never_issued_is_refused() {
    let ehr = Ehr::start().await;
    let good = ehr.authorize_form(&PROVIDER).await;
    let form = good.with("launch", "xyz123");
    let detail = "this EHR has not issued the launch token";
    assert_error(&ehr, &PROVIDER, &form, "invalid_launch_token", detail).await;
}

#[tokio::test]
async fn a_launch_token_works_once() {
    let ehr = Ehr::start().await;
    let good = ehr.authorize_form(&PROVIDER).await;
    let (_, parameters) = ehr.authorize(&good).await.redirect();
    assert!(parameters.contains_key("code"));
    let detail = "the launch token was used before";
    assert_error(&ehr, &PROVIDER, &good, "invalid_launch_token", detail).await;
}

#[tokio::test]
async fn a_launch_token_is_not_used_up_by_a_request_that_is_wrong_otherwise() {
    let ehr = Ehr::start().await;
    let good = ehr.authorize_form(&PROVIDER).await;
    let (_, parameters) = ehr
        .authorize(&good.clone().with("scope", "openid"))
        .await
        .redirect();
    assert_eq!(parameters["error"], "invalid_scope");
    let (_, parameters) = ehr.authorize(&good).await.redirect();
    assert!(parameters.contains_key("code"));
}

#[tokio::test]
async fn a_launch_token_expires_after_five_minutes() {
    let ehr = Ehr::start().await;
    let in_time = ehr.authorize_form(&PROVIDER).await;
    let late = ehr.authorize_form(&PROVIDER).await;
    ehr.wait(299);
    let (_, parameters) = ehr.authorize(&in_time).await.redirect();
    assert!(parameters.contains_key("code"));
    ehr.wait(1);
    let detail = "the launch token has expired";
    assert_error(&ehr, &PROVIDER, &late, "invalid_launch_token", detail).await;
}

#[tokio::test]
async fn a_patient_s_launch_token_is_refused_to_the_provider_s_client() {
    let ehr = Ehr::start().await;
    let patients = ehr.authorize_form(&PATIENT).await;
    let form = ehr
        .authorize_form(&PROVIDER)
        .await
        .with("launch", patients.value("launch"));
    let detail = "the launch token was issued to another client";
    assert_error(&ehr, &PROVIDER, &form, "invalid_launch_token", detail).await;

    let (_, parameters) = ehr.authorize(&patients).await.redirect();
    assert!(parameters.contains_key("code"), "it is still the patient's");
}

#[tokio::test]
async fn a_repeated_parameter_goes_back_as_an_error() {
    let ehr = Ehr::start().await;
    let good = ehr.authorize_form(&PROVIDER).await;
    let form = good.with_another("scope", "launch");
    let detail = "scope is given more than once";
    assert_error(&ehr, &PROVIDER, &form, "invalid_request", detail).await;
}

#[tokio::test]
async fn a_body_that_is_no_form_is_not_read() {
    let ehr = Ehr::start().await;
    let good = ehr.authorize_form(&PROVIDER).await.encoded();
    let answer = ehr
        .send(
            Method::POST,
            "/oauth2/authorize",
            &[("content-type", "text/plain")],
            Some(good.clone()),
        )
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let answer = ehr
        .send(Method::POST, "/oauth2/authorize", &[], Some(good))
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
}
