//! What the program writes to its log, and what its status page shows.

use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::json;
use url::Url;

use crate::{
    assertion::{Key, backend_with},
    program::Program,
    support::{CONFIG, Ehr, KEY, PROVIDER, STATE, VERIFIER, form},
};

#[tokio::test]
async fn names_secrets_and_tokens_are_neither_logged_nor_shown_as_status() {
    let key = Key::generate("k1");
    let direct = "[launch]\nguest_direct_url = \"http://127.0.0.1:7080/guest\"";
    let config = CONFIG.replace("[launch]", direct) + &backend_with(&key);
    let program = Program::start(&config, "trace");
    let ehr = Ehr::at(program.address.clone());
    let button = ehr.launch(&PROVIDER, "1").await;
    let authorize = ehr.authorize_form(&PROVIDER).await;
    let spoilt = authorize.clone().with("aud", "http://elsewhere.example");
    ehr.authorize(&spoilt).await;
    let exchange = ehr.token_form(&PROVIDER).await;
    let tokens = ehr.token(&PROVIDER, &exchange).await.json();
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    let refresh = form(&[
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token),
    ]);
    let refreshed = ehr.token(&PROVIDER, &refresh).await.json();
    ehr.token(&PROVIDER, &exchange).await;
    let backend = key.backend_form(&ehr, "backend-app", "j1");
    let backend_tokens = ehr.token_as(None, &backend).await.json();
    let bearer = format!(
        "Bearer {}",
        backend_tokens["access_token"].as_str().unwrap()
    );
    let link = ehr.get("/links.json").await.json()[1]["direct"]
        .as_str()
        .unwrap()
        .to_owned();
    let data = Url::parse(&link)
        .unwrap()
        .query_pairs()
        .next()
        .unwrap()
        .1
        .into_owned();
    let headers = [
        ("authorization", &*bearer),
        ("content-type", "application/json"),
    ];
    let body = json!({ "link": data }).to_string();
    let launch_token = ehr
        .send(
            Method::POST,
            "/api/telehealth/direct-launch-token",
            &headers,
            Some(body),
        )
        .await
        .json();
    ehr.get("/clinician").await;
    ehr.get("/nowhere/Spinder").await;

    let status = ehr.get("/status").await.body + &ehr.get("/status.json").await.body;

    let log = program.end(Signal::SIGTERM).log;
    for expected in [
        "launch made",
        "authorization granted",
        "tokens issued",
        "access token refreshed",
        "the code was used before",
        "direct launch token issued",
        "/oauth2/authorize",
        "404",
    ] {
        assert!(log.contains(expected), "{expected} is not in\n{log}");
    }
    for secret in [
        "Spinder",
        "Beverley",
        "Picardo",
        "this-is-the-secret",
        "elsewhere.example",
        KEY,
        STATE,
        VERIFIER,
        &button["launch"],
        &button["data"],
        authorize.value("launch"),
        exchange.value("code"),
        refresh_token,
        tokens["access_token"].as_str().unwrap(),
        refreshed["access_token"].as_str().unwrap(),
        backend.value("client_assertion"),
        &bearer["Bearer ".len()..],
        &data,
        launch_token["launch_token"].as_str().unwrap(),
    ] {
        assert!(!log.contains(secret), "{secret} is in\n{log}");
        assert!(!status.contains(secret), "{secret} is in\n{status}");
    }
}
