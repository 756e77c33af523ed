//! Row 35: the EHR's client secret is replaced while launches run. Keys of launch
//! parameters are tested with the admin API and the profile files.

use std::time::Duration;

use vestibule_launch::ErrorName;

use super::assert_invariants;
use crate::support::{Launch, TestServer, TokenScript};

/// The current one of every test profile is `client-secret-of-the-ehr`.
const PREVIOUS: &str = "[previous]\n\
    epic_provider_app_client_secret = \"old-secret-of-the-ehr\"\n\
    valid_until = 2027-01-15T09:00:00Z\n";

#[tokio::test]
async fn row_35_the_old_client_secret_is_tried_until_its_time_is_over() {
    let server = TestServer::with_profile(PREVIOUS).await;
    let asked = || server.ehr.script(|ehr| ehr.token_requests.len());
    server.launch(Launch::PROVIDER).await;
    assert_eq!(asked(), 1, "the new one is good");

    let wants = TokenScript::Wants("old-secret-of-the-ehr");
    server.ehr.script(|ehr| ehr.token = wants);
    server.launch(Launch::PROVIDER).await;
    assert_eq!(asked(), 3, "the EHR does not know the new one yet");

    server.clock.advance(Duration::from_secs(60 * 60));
    let state = server.begin_state(Launch::PROVIDER).await;
    let response = server.return_with("provider", &state).await;
    assert_invariants(response, 502, ErrorName::TokenExchange).await;
    assert_eq!(asked(), 4);
    server
        .ehr
        .script(|ehr| ehr.token = TokenScript::Wants("client-secret-of-the-ehr"));
    server.launch(Launch::PROVIDER).await;
}
