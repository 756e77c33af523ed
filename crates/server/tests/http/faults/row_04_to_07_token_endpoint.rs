//! Rows 4 to 7: the token endpoint is slow, down, refuses, or says something odd.

use vestibule_launch::ErrorName;

use super::assert_invariants;
use crate::support::{Launch, TestServer, TokenScript, log};

/// Launches while the token endpoint does this; the page must be that of `name`. Gives
/// how often the code was sent.
async fn fails(server: &TestServer, script: TokenScript, status: u16, name: ErrorName) -> usize {
    server.ehr.script(|ehr| ehr.token = script);
    let state = server.begin_state(Launch::PROVIDER).await;
    let before = server.ehr.script(|ehr| ehr.token_requests.len());
    let response = server.return_with("provider", &state).await;
    let request_id = assert_invariants(response, status, name).await;
    assert_eq!(
        request_id.to_string(),
        server.request_id("provider", &state)
    );
    let sent = server.ehr.script(|ehr| ehr.token_requests.len()) - before;
    // Whatever it was, the user can try again.
    server
        .ehr
        .script(|ehr| ehr.token = TokenScript::Gives(None));
    server.launch(Launch::PROVIDER).await;
    sent
}

#[tokio::test]
async fn row_04_a_slow_token_endpoint_is_given_up_and_the_code_is_not_sent_again() {
    let both = tokio::join!(slow(TokenScript::Hangs), slow(TokenScript::Drips));
    assert_eq!(both, (1, 1));
}

async fn slow(script: TokenScript) -> usize {
    let server = TestServer::start().await;
    let sent = fails(&server, script, 504, ErrorName::EhrTimeout).await;
    // By its own clock.
    let log = log::text();
    let told: Vec<_> = log.split("token endpoint: no answer within ").collect();
    assert!(told.len() > 1, "{log}");
    for told in &told[1..] {
        let waited: u64 = told.split(' ').next().unwrap().parse().unwrap();
        assert!(waited <= 8000, "{waited} ms");
    }
    sent
}

#[tokio::test]
async fn row_04_an_answer_that_breaks_off_is_not_asked_for_again() {
    let server = TestServer::start().await;
    let script = TokenScript::BreaksOff;
    let sent = fails(&server, script, 502, ErrorName::EhrUnreachable).await;
    assert_eq!(sent, 1, "the EHR may have used the code up");
}

#[tokio::test]
async fn row_05_a_token_endpoint_that_fails_is_asked_once() {
    let server = TestServer::start().await;
    for status in [500, 502, 504] {
        let script = TokenScript::Answers(status, "<h1>Oops</h1>");
        assert_eq!(
            fails(&server, script, 502, ErrorName::TokenExchange).await,
            1
        );
    }
}

#[tokio::test]
async fn row_05_a_token_endpoint_that_is_unavailable_is_asked_once_more() {
    let server = TestServer::start().await;
    let gives = TokenScript::Gives(None);
    for unavailable in [TokenScript::Answers(503, ""), TokenScript::RetryAfter(1)] {
        let script = TokenScript::Then(Box::new(unavailable.clone()), Box::new(gives.clone()));
        server.ehr.script(|ehr| ehr.token = script);
        server.launch(Launch::PROVIDER).await;
        assert_eq!(
            fails(&server, unavailable, 502, ErrorName::TokenExchange).await,
            2
        );
    }
    // Who asks for a longer wait gets it: from the user.
    let script = TokenScript::RetryAfter(60);
    assert_eq!(
        fails(&server, script, 502, ErrorName::TokenExchange).await,
        1
    );
}

#[tokio::test]
async fn row_05_a_token_endpoint_where_nobody_listens_is_told() {
    let server = TestServer::start().await;
    server.ehr.lose_token_endpoint();
    let state = server.begin_state(Launch::PATIENT).await;
    let response = server.return_with("patient", &state).await;
    assert_invariants(response, 502, ErrorName::EhrUnreachable).await;
}

#[tokio::test]
async fn row_06_a_code_that_was_used_or_has_expired_is_a_launch_that_was_used() {
    let server = TestServer::start().await;
    let sent = fails(&server, TokenScript::Refuses, 410, ErrorName::LaunchUsed).await;
    assert_eq!(sent, 1);
    // The page says what that means, and not that something broke.
    let script = TokenScript::Refuses;
    server.ehr.script(|ehr| ehr.token = script);
    let state = server.begin_state(Launch::PATIENT).await;
    let page = server.return_with("patient", &state).await;
    let page = page.text().await.unwrap();
    assert!(page.contains("This link has been used already."), "{page}");
    assert!(!page.contains("Something failed"), "{page}");
}

#[tokio::test]
async fn row_06_another_refusal_is_for_the_administrators() {
    let server = TestServer::start().await;
    let script = TokenScript::Answers(400, r#"{"error": "unauthorized_client"}"#);
    assert_eq!(
        fails(&server, script, 502, ErrorName::TokenExchange).await,
        1
    );
}

#[tokio::test]
async fn row_07_odd_answers_are_told_as_such() {
    let server = TestServer::start().await;
    let long: &'static str = "a".repeat(5_000_000).leak();
    for body in [
        "",
        "<h1>Sign in</h1>",
        r#"{"access_token": "access-token-of-the-ehr"#,
        r#"["access-token-of-the-ehr"]"#,
        r#"{"token_type": "bearer"}"#,
        r#"{"access_token": "a b"}"#,
        r#"{"access_token": "a", "token_type": "mac"}"#,
        long,
    ] {
        let script = TokenScript::Answers(200, body);
        let name = ErrorName::TokenResponseMalformed;
        assert_eq!(fails(&server, script, 502, name).await, 1, "{body:.40}");
    }
}

#[tokio::test]
async fn row_07_a_wrong_content_type_does_no_harm() {
    let server = TestServer::start().await;
    // The scripted EHR says that this is HTML.
    let body = r#"{"access_token": "access-token-of-the-ehr", "token_type": "Bearer"}"#;
    server
        .ehr
        .script(|ehr| ehr.token = TokenScript::Answers(200, body));
    server.launch(Launch::PROVIDER).await;
}
