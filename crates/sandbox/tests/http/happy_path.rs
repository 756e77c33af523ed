//! A launch from the button to the end of the visit, as an application sees it.

use base64ct::{Base64UrlUnpadded, Encoding};
use reqwest::{Method, StatusCode};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::support::{App, Ehr, PATIENT, PROVIDER, STATE, STATUS_PATH, form};

/// Discovers the endpoints and makes its own proof key.
async fn sign_in(ehr: &Ehr, app: &App, appointment: &str) -> serde_json::Value {
    let launch = ehr.launch(app, appointment).await;
    let iss = &launch["iss"];
    let path = iss.strip_prefix(&ehr.address).unwrap();
    let smart = ehr
        .get(&format!("{path}/.well-known/smart-configuration"))
        .await
        .json();
    let endpoint = |name: &str| {
        let url = smart[name].as_str().unwrap();
        url.strip_prefix(&ehr.address).unwrap().to_owned()
    };

    let verifier = format!("{}-{}", launch["launch"], launch["launch"]);
    let challenge = Base64UrlUnpadded::encode_string(&Sha256::digest(&verifier));
    let request = form(&[
        ("response_type", "code"),
        ("client_id", app.client_id),
        ("redirect_uri", app.redirect_uri),
        ("scope", "launch"),
        ("launch", &launch["launch"]),
        ("aud", iss),
        ("state", STATE),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]);
    let (to, parameters) = ehr
        .post(&endpoint("authorization_endpoint"), &request)
        .await
        .redirect();
    assert_eq!(to, app.redirect_uri);
    assert_eq!(parameters["state"], STATE);
    let mut names: Vec<_> = parameters.keys().collect();
    names.sort();
    assert_eq!(names, ["code", "state"], "no iss parameter, like Epic");

    let mut exchange = form(&[
        ("grant_type", "authorization_code"),
        ("code", &parameters["code"]),
        ("redirect_uri", app.redirect_uri),
        ("code_verifier", &verifier),
    ]);
    let mut headers = Vec::new();
    match app.basic {
        Some(basic) => headers.push(("authorization", basic)),
        None => exchange = exchange.with("client_id", app.client_id),
    }
    let answer = ehr
        .send(
            Method::POST,
            &endpoint("token_endpoint"),
            &headers,
            Some(exchange.encoded()),
        )
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("content-type"), "application/json");
    answer.json()
}

#[tokio::test]
async fn a_clinician_s_launch_ends_in_tokens_and_the_context_of_the_visit() {
    let ehr = Ehr::start().await;
    let mut answer = sign_in(&ehr, &PROVIDER, "1").await;
    let fields = answer.as_object_mut().unwrap();
    for token in ["access_token", "refresh_token"] {
        let token = fields.remove(token).unwrap();
        assert!(token.as_str().unwrap().len() >= 43);
    }
    assert_eq!(
        answer,
        json!({
            "token_type": "bearer",
            "expires_in": 3600,
            "scope": "launch",
            "patient": "eSpDnKq7TzW0mBv1fXh2AaQ3",
            "__epic.dstu2.patient": "TSpDnKq7TzW0mBv1fXh2AaB",
            "loginDepartment": "10501101",
            "encounter": "eNcA1mVx9LkRb2Zp3Gs4HyQ3",
            "location": "eRdLg4Yh8PsUo5Jc6Nw7EtQ3",
            "appointment": "eApA5qTf6WdJu7Co8Xi9KlQ3",
            "need_patient_banner": "false",
            "smart_style_url": format!("{}/smart-style.json", ehr.address),
            "state": STATE,
        })
    );
    let style = ehr.get("/smart-style.json").await;
    assert!(style.json()["color_background"].is_string());
}

#[tokio::test]
async fn a_public_client_gets_no_refresh_token_and_no_location_without_department() {
    let ehr = Ehr::start().await;
    let answer = sign_in(&ehr, &PATIENT, "2").await;
    assert_eq!(answer["patient"], "ePcKo2Bn3VmXe4Ry5Ud6LsQ3");
    assert!(answer.get("refresh_token").is_none());
    assert!(answer.get("location").is_none());
}

#[tokio::test]
async fn the_journal_tells_the_visit_from_button_to_end_without_secrets() {
    let ehr = Ehr::start().await;
    let tokens = sign_in(&ehr, &PROVIDER, "1").await;
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    ehr.wait(1200);
    let refresh = form(&[
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token),
    ]);
    let refreshed = ehr.token(&PROVIDER, &refresh).await.json();
    let bearer = format!("Bearer {}", refreshed["access_token"].as_str().unwrap());
    let path = format!(
        "{STATUS_PATH}?ConferenceID=c1&ExternalID=e1&ExternalIDType=2&VendorName=Vestibule&ConnectionStatus=1"
    );
    let told = ehr
        .send(Method::GET, &path, &[("authorization", &bearer)], None)
        .await;
    assert_eq!(told.status, StatusCode::OK);

    let before = "2023-11-14T22:13:20.000Z";
    let after = "2023-11-14T22:33:20.000Z";
    let journal = ehr.get("/status.json").await;
    assert_eq!(
        journal.json(),
        json!([
            {
                "at": before,
                "event": "launch_made",
                "role": "provider",
                "appointment": "1",
                "csn": "6ea6d1427f684721abd21c1634386f7b6",
            },
            { "at": before, "event": "authorization_granted", "role": "provider", "appointment": "1" },
            { "at": before, "event": "token_issued", "role": "provider", "appointment": "1" },
            { "at": after, "event": "token_refreshed", "role": "provider", "appointment": "1" },
            {
                "at": after,
                "event": "connection_status",
                "conference_id": "c1",
                "external_id": "e1",
                "external_id_type": "2",
                "vendor_name": "Vestibule",
                "connection_status": "1",
            },
        ])
    );
}
