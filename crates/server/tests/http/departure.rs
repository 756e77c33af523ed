//! Browsers that go away in the middle of a launch.

use std::{io::Write as _, net::TcpStream, sync::Arc, time::Duration};

use tokio::sync::Notify;
use vestibule_launch::ErrorName;
use vestibule_store::LaunchState;

use crate::support::{Launch, TestServer, TokenScript, return_path};

/// Returns from the sign-in, and is gone while the EHR still thinks about the code.
async fn leave_during_token_exchange(server: &TestServer, state: &str) {
    let asked = server.ehr.script(|ehr| ehr.token_requests.len());
    let address = server.url.strip_prefix("http://").unwrap();
    let mut browser = TcpStream::connect(address).unwrap();
    let path = format!(
        "{}?code=code-of-the-ehr&state={state}",
        return_path("patient")
    );
    write!(browser, "GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n").unwrap();
    while server.ehr.script(|ehr| ehr.token_requests.len()) == asked {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(browser);
    // A request on a connection made later is answered after the departure is noticed.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(server.get("/healthz").await.status(), 200);
}

async fn ended(server: &TestServer, state: &str) -> LaunchState {
    let store = server.tools().await.store;
    let id = server.request_id("patient", state).parse().unwrap();
    for _ in 0..6_000 {
        let launch = store.find_launch(id).await.unwrap().unwrap();
        if launch.state != LaunchState::Authorised {
            return launch.state;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the launch is stuck")
}

#[tokio::test]
async fn a_launch_comes_to_its_end_without_its_browser() {
    let server = TestServer::start().await;
    for refuses in [false, true] {
        let may_answer = Arc::new(Notify::new());
        let then = if refuses {
            TokenScript::Refuses
        } else {
            TokenScript::Gives(None)
        };
        let script = TokenScript::Waits(may_answer.clone(), Box::new(then));
        server.ehr.script(|ehr| ehr.token = script);
        let state = server.begin_state(Launch::PATIENT).await;
        leave_during_token_exchange(&server, &state).await;
        may_answer.notify_one();
        match ended(&server, &state).await {
            LaunchState::Completed => assert!(!refuses),
            LaunchState::Failed { error_name, .. } => {
                assert!(refuses);
                assert_eq!(error_name, ErrorName::LaunchUsed);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_server_that_ends_waits_for_a_launch_without_its_browser() {
    let server = TestServer::start().await;
    let may_answer = Arc::new(Notify::new());
    let script = TokenScript::Waits(may_answer.clone(), Box::new(TokenScript::Gives(None)));
    server.ehr.script(|ehr| ehr.token = script);
    let state = server.begin_state(Launch::PATIENT).await;
    let id = server.request_id("patient", &state).parse().unwrap();
    leave_during_token_exchange(&server, &state).await;
    tokio::spawn(async move {
        // Longer than a server without anything under way takes to end.
        tokio::time::sleep(Duration::from_secs(2)).await;
        may_answer.notify_one();
    });
    let store = server.tools().await.store;
    // What the server has sealed and stored stays until then.
    let _folder = server.end().await;
    let launch = store.find_launch(id).await.unwrap().unwrap();
    assert_eq!(launch.state, LaunchState::Completed);
}
