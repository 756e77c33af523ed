//! What a launch holds of the EHR while its visit may run.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tokio::sync::Notify;
use vestibule_launch::RequestId;
use vestibule_server::{profile::Profile, session, tools::Tools};

use crate::support::{Launch, TestServer, TokenScript, log, parameter, profile};

/// Only against hanging.
const PATIENCE: Duration = Duration::from_secs(60);

/// Gives a refresh token too.
fn gives(access_token: &str, refresh_token: &str) -> TokenScript {
    TokenScript::GivesAlso(json!({
        "access_token": access_token,
        "refresh_token": refresh_token,
    }))
}

/// A launch with these tokens; gives its request id.
async fn launch(server: &TestServer, role: &str) -> RequestId {
    let launch = Launch {
        role,
        ..Launch::PROVIDER
    };
    let state = server.begin_state(launch).await;
    assert_eq!(server.return_with(role, &state).await.status(), 303);
    server.request_id(role, &state).parse().unwrap()
}

/// What was sent to the token endpoint, by grant type.
fn sent(server: &TestServer, grant_type: &str) -> Vec<String> {
    server.ehr.script(|ehr| {
        let requests = ehr.token_requests.iter();
        requests
            .filter(|request| parameter(&request.body, "grant_type") == grant_type)
            .map(|request| request.body.clone())
            .collect()
    })
}

/// Waits until so many refreshes were sent.
async fn refreshed(server: &TestServer, times: usize) {
    let begun = Instant::now();
    while sent(server, "refresh_token").len() < times {
        assert!(begun.elapsed() < PATIENCE, "no refresh came");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Nobody sends another one.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(sent(server, "refresh_token").len(), times);
}

/// Waits until the server has said this so often: what it was about is known then, by the
/// clock of before.
async fn logged(text: &str, times: usize) {
    let begun = Instant::now();
    while log::text().matches(text).count() < times {
        assert!(begun.elapsed() < PATIENCE, "{text} in {}", log::text());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn token(tools: &Tools, profile: &Profile, id: RequestId) -> Option<String> {
    let token = session::access_token(tools, profile, id).await.unwrap();
    token.map(|token| token.expose_secret().to_owned())
}

fn its_profile(server: &TestServer) -> Profile {
    let path = std::path::Path::new("profile.toml");
    Profile::parse(path, &profile(&server.ehr, "")).unwrap()
}

#[tokio::test]
async fn a_launch_keeps_its_tokens_and_who_launched() {
    let map = "token_response_map = { external_id = \"user\", fname = \"first\", \
               unique_encounter_id = \"csn\" }";
    let server = TestServer::with_profile(map).await;
    let more = json!({
        "user": "user-of-the-ehr", "first": "Ada", "csn": "encounter-4711",
        "refresh_token": null,
    });
    server
        .ehr
        .script(|ehr| ehr.token = TokenScript::GivesAlso(more));
    let id = launch(&server, "provider").await;
    let (tools, profile) = (server.tools().await, its_profile(&server));
    let held = session::held(&tools, id).await.unwrap().unwrap();
    assert_eq!(held.unique_encounter_id, "encounter-4711");
    assert_eq!(held.external_id.as_deref(), Some("user-of-the-ehr"));
    assert_eq!(
        token(&tools, &profile, id).await.unwrap(),
        "access-token-of-the-ehr"
    );
    server.clock.advance(Duration::from_secs(3600));
    assert_eq!(token(&tools, &profile, id).await, None, "nothing renews it");

    let other = json!({"csn": "encounter-4712"});
    server
        .ehr
        .script(|ehr| ehr.token = TokenScript::GivesAlso(other));
    let state = server.begin_state(Launch::PROVIDER).await;
    let response = server.return_with("provider", &state).await;
    assert_eq!(response.status(), 400, "a ciphertext of another launch");
    assert!(
        response
            .text()
            .await
            .unwrap()
            .contains("launch_params_invalid")
    );
}

#[tokio::test]
async fn tokens_are_renewed_while_the_visit_may_run() {
    let server = TestServer::start().await;
    server
        .ehr
        .script(|ehr| ehr.token = gives("first", "refresh-1"));
    let id = launch(&server, "provider").await;
    let (tools, profile) = (server.tools().await, its_profile(&server));
    server
        .ehr
        .script(|ehr| ehr.token = gives("second", "refresh-2"));
    server.clock.advance(Duration::from_secs(3000));
    refreshed(&server, 1).await;
    logged("the EHR's tokens are renewed", 1).await;
    let refresh = &sent(&server, "refresh_token")[0];
    assert_eq!(parameter(refresh, "refresh_token"), "refresh-1");
    assert_eq!(token(&tools, &profile, id).await.unwrap(), "second");
    // The alias is good for an hour, and nobody is in the visit.
    server.clock.advance(Duration::from_secs(7200));
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(sent(&server, "refresh_token").len(), 1);
}

#[tokio::test]
async fn a_server_that_ends_stores_the_refresh_token_that_is_on_its_way() {
    let server = TestServer::start().await;
    let first = gives("first", "refresh-1");
    server.ehr.script(|ehr| ehr.token = first);
    let id = launch(&server, "provider").await;
    let (tools, profile) = (server.tools().await, its_profile(&server));
    let may_answer = Arc::new(Notify::new());
    let second = Box::new(gives("second", "refresh-2"));
    let waits = TokenScript::Waits(may_answer.clone(), second);
    server.ehr.script(|ehr| ehr.token = waits);
    server.clock.advance(Duration::from_secs(3000));
    refreshed(&server, 1).await;
    tokio::spawn(async move {
        // Longer than a server without anything under way takes to end.
        tokio::time::sleep(Duration::from_secs(2)).await;
        may_answer.notify_one();
    });
    let _folder = server.end().await;
    assert_eq!(token(&tools, &profile, id).await.unwrap(), "second");
}

#[tokio::test]
async fn row_21_a_rotated_refresh_token_is_stored_before_it_is_used() {
    let server = TestServer::start().await;
    server
        .ehr
        .script(|ehr| ehr.token = gives("a1", "refresh-1"));
    let id = launch(&server, "provider").await;
    let (tools, profile) = (server.tools().await, its_profile(&server));
    for number in 2..5 {
        let (access, refresh) = (format!("a{number}"), format!("refresh-{number}"));
        server
            .ehr
            .script(|ehr| ehr.token = gives(&access, &refresh));
        let refused = token(&tools, &profile, id).await.unwrap();
        let refused = SecretString::from(refused);
        // Five at once: one asks the EHR, the others get what it got.
        let asked = (0..5).map(|_| session::another_access_token(&tools, &profile, id, &refused));
        for other in futures_util::future::join_all(asked).await {
            assert_eq!(other.unwrap().unwrap().expose_secret(), access);
        }
    }
    let used: Vec<_> = sent(&server, "refresh_token")
        .iter()
        .map(|body| parameter(body, "refresh_token"))
        .collect();
    assert_eq!(used, ["refresh-1", "refresh-2", "refresh-3"]);
}

#[tokio::test]
async fn row_22_a_renewal_that_fails_is_tried_again_until_the_token_ends() {
    let server = TestServer::start().await;
    server
        .ehr
        .script(|ehr| ehr.token = gives("first", "refresh-1"));
    let id = launch(&server, "provider").await;
    let (tools, profile) = (server.tools().await, its_profile(&server));
    server
        .ehr
        .script(|ehr| ehr.token = TokenScript::Answers(500, ""));
    server.clock.advance(Duration::from_secs(3000));
    refreshed(&server, 1).await;
    logged("the EHR's tokens are not renewed; it is tried again", 1).await;
    assert_eq!(
        token(&tools, &profile, id).await.unwrap(),
        "first",
        "still good"
    );
    server.clock.advance(Duration::from_secs(590));
    refreshed(&server, 2).await;
    logged("the EHR's tokens are not renewed", 2).await;
    server.clock.advance(Duration::from_secs(10));
    assert_eq!(token(&tools, &profile, id).await, None);
    logged("degraded=true", 1).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    let log = log::text();
    assert_eq!(log.matches("degraded=true").count(), 1, "{log}");
    assert!(!log.contains("refresh-1"), "{log}");
}

#[tokio::test]
async fn row_22_a_refused_renewal_is_the_last_one() {
    let server = TestServer::start().await;
    server
        .ehr
        .script(|ehr| ehr.token = gives("first", "refresh-1"));
    launch(&server, "patient").await;
    server.ehr.script(|ehr| ehr.token = TokenScript::Refuses);
    server.clock.advance(Duration::from_secs(3000));
    refreshed(&server, 1).await;
    logged("degraded=true", 1).await;
    server.clock.advance(Duration::from_secs(300));
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(sent(&server, "refresh_token").len(), 1);
}
