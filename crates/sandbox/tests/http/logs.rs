//! What the program writes to its log, and what its status page shows.

use nix::sys::signal::Signal;

use crate::{
    program::Program,
    support::{CONFIG, Ehr, KEY, PROVIDER, STATE, VERIFIER, form},
};

#[tokio::test]
async fn names_secrets_and_tokens_are_neither_logged_nor_shown_as_status() {
    let program = Program::start(CONFIG, "trace");
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
    ] {
        assert!(!log.contains(secret), "{secret} is in\n{log}");
        assert!(!status.contains(secret), "{secret} is in\n{status}");
    }
}
