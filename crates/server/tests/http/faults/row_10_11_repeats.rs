//! Rows 10 and 11: a launch link opened again, a double click, two tabs.

use std::time::Duration;

use vestibule_launch::ErrorName;
use vestibule_store::LaunchState;

use super::assert_invariants;
use crate::support::{Browser, Launch, TestServer, TokenScript, launch_path, location, parameter};

fn path(server: &TestServer) -> String {
    let parameters = server.parameters(Launch::PATIENT);
    format!("{}?{parameters}", launch_path("patient"))
}

#[tokio::test]
async fn row_10_the_same_browser_gets_the_same_link_for_a_minute() {
    let server = TestServer::start().await;
    let browser = Browser::new(&server);
    let path = path(&server);
    let link = browser.launch(&path).await;
    server.clock.advance(Duration::from_secs(59));
    let again = browser.get(&path).await;
    assert_eq!(again.status(), 303);
    assert_eq!(location(&again), link);
    server.clock.advance(Duration::from_secs(1));
    let response = browser.get(&path).await;
    assert_invariants(response, 410, ErrorName::LaunchUsed).await;
}

#[tokio::test]
async fn row_10_another_browser_gets_nothing() {
    let server = TestServer::start().await;
    let path = path(&server);
    Browser::new(&server).launch(&path).await;
    for response in [
        server.get(&path).await,
        Browser::new(&server).get(&path).await,
    ] {
        assert_invariants(response, 410, ErrorName::LaunchUsed).await;
    }
    // Nor one that has launched something else, or makes up a cookie.
    let other = Browser::new(&server);
    other.launch(&self::path(&server)).await;
    let response = other.get(&path).await;
    assert_invariants(response, 410, ErrorName::LaunchUsed).await;
}

#[tokio::test]
async fn row_10_a_browser_without_cookies_uses_its_link_once() {
    let server = TestServer::start().await;
    let path = path(&server);
    let state = parameter(location(&server.get(&path).await), "state");
    assert_eq!(server.return_with("patient", &state).await.status(), 303);
    let response = server.get(&path).await;
    assert_invariants(response, 410, ErrorName::LaunchUsed).await;
    let response = server.return_with("patient", &state).await;
    assert_invariants(response, 410, ErrorName::LaunchUsed).await;
}

#[tokio::test]
async fn row_11_a_double_click_on_the_way_back_gives_one_launch_and_one_link() {
    let server = TestServer::start().await;
    let browser = Browser::new(&server);
    let state = browser.begin(&path(&server)).await;
    let returns = (0..5).map(|_| browser.return_with("patient", &state));
    let responses = futures_util::future::join_all(returns).await;
    for response in &responses {
        assert_eq!(response.status(), 303);
        assert_eq!(location(response), location(&responses[0]));
    }
    assert_eq!(server.ehr.script(|ehr| ehr.token_requests.len()), 1);
    server.clock.advance(Duration::from_secs(60));
    let response = browser.return_with("patient", &state).await;
    assert_invariants(response, 410, ErrorName::LaunchUsed).await;
}

#[tokio::test]
async fn row_11_two_tabs_with_the_same_launch_get_the_same_link() {
    let server = TestServer::start().await;
    let browser = Browser::new(&server);
    let path = path(&server);
    let states = [browser.begin(&path).await, browser.begin(&path).await];
    let [first, second] = &states;
    let (first, second) = tokio::join!(
        browser.return_with("patient", first),
        browser.return_with("patient", second)
    );
    assert_eq!(
        (first.status().as_u16(), second.status().as_u16()),
        (303, 303)
    );
    assert_eq!(location(&first), location(&second));
    // One of the launches has led there; the other one is over, and waits for nobody.
    let store = server.tools().await.store;
    let mut completed = 0;
    for state in &states {
        let id = server.request_id("patient", state).parse().unwrap();
        let launch = store.find_launch(id).await.unwrap().unwrap();
        match launch.state {
            LaunchState::Completed => completed += 1,
            LaunchState::Failed { error_name, .. } => {
                assert_eq!(error_name, ErrorName::LaunchUsed);
            }
            waiting => panic!("{waiting:?}"),
        }
    }
    assert_eq!(completed, 1);
    // Who reloads the other tab is told so at once.
    let mut statuses = Vec::new();
    for state in &states {
        statuses.push(
            browser
                .return_with("patient", state)
                .await
                .status()
                .as_u16(),
        );
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 410]);
}

#[tokio::test]
async fn row_11_a_click_after_a_failure_is_safe() {
    let server = TestServer::start().await;
    let browser = Browser::new(&server);
    let path = path(&server);
    server
        .ehr
        .script(|ehr| ehr.token = TokenScript::Answers(500, ""));
    let state = browser.begin(&path).await;
    let response = browser.return_with("patient", &state).await;
    assert_invariants(response, 502, ErrorName::TokenExchange).await;
    let response = browser.return_with("patient", &state).await;
    assert_invariants(response, 410, ErrorName::LaunchUsed).await;
    server
        .ehr
        .script(|ehr| ehr.token = TokenScript::Gives(None));
    browser.launch(&path).await;
}
