//! Launches that fail before the store has anything of them, and what is kept of those
//! that fail later.

use std::time::Duration;

use reqwest::Response;
use vestibule_launch::{ErrorName, RequestId};
use vestibule_store::{LaunchRow, LaunchState, LaunchStep, Store};

use crate::support::{Launch, TestServer, encrypt, launch_path, location, parameter, return_path};

const CONFIG: &str = "trusted_proxies = [\"127.0.0.0/8\"]\n[metrics]\nlisten = \"127.0.0.1:0\"\n";

const TAKES: &str = "vestibule_database_operation_duration_seconds_count{operation=\"take\"}";

/// Comes back from the EHR without an answer, and gives the request id of the page.
async fn come_back_with_nothing(server: &TestServer, source: &str) -> RequestId {
    let path = return_path("patient");
    let response = server.get_with(&path, "x-forwarded-for", source).await;
    assert_eq!(response.status(), 400);
    request_id(response).await
}

/// The one request id on a page.
async fn request_id(response: Response) -> RequestId {
    let text = response.text().await.unwrap();
    let is_id = |character: char| character.is_ascii_hexdigit() || character == '-';
    let mut ids = text
        .split(|character: char| !is_id(character))
        .filter_map(|word| (word.len() == 36).then(|| word.parse().ok())?);
    ids.next().expect("a request id on the page")
}

/// The launch, as soon as it is stored: the error page does not wait for it.
async fn stored(store: &dyn Store, id: RequestId) -> LaunchRow {
    for _ in 0..6_000 {
        if let Some(row) = store.launch_row(id).await.unwrap() {
            return row;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it is not stored")
}

/// How often the database was asked whether there is room.
async fn takes(server: &TestServer) -> u32 {
    let metrics = server.metrics().await;
    let line = metrics.lines().find_map(|line| line.strip_prefix(TAKES));
    line.map_or(0, |count| count.trim().parse().unwrap())
}

async fn until_takes(server: &TestServer, expected: u32) {
    for _ in 0..6_000 {
        if takes(server).await == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the database was asked {} times", takes(server).await)
}

#[tokio::test]
async fn the_database_is_not_asked_again_before_it_can_say_yes() {
    let server = TestServer::with("", CONFIG).await;
    let store = server.tools().await.store;
    for _ in 0..3 {
        let id = come_back_with_nothing(&server, "198.51.100.7").await;
        stored(&*store, id).await;
    }
    until_takes(&server, 6).await;
    come_back_with_nothing(&server, "198.51.100.7").await;
    until_takes(&server, 7).await;
    let mut left_out = Vec::new();
    for _ in 0..10 {
        left_out.push(come_back_with_nothing(&server, "198.51.100.7").await);
    }
    server.clock.advance(Duration::from_secs(20));
    let id = come_back_with_nothing(&server, "198.51.100.7").await;
    stored(&*store, id).await;
    until_takes(&server, 9).await;
    for id in left_out {
        assert_eq!(store.launch_row(id).await.unwrap(), None);
    }
}

#[tokio::test]
async fn what_is_wrong_beyond_the_limit_is_not_asked_about_again() {
    let config = format!("{CONFIG}[limits]\nlaunches_per_minute = 3\n");
    let server = TestServer::with("", &config).await;
    let come_back_with_a_wrong_state = async || {
        let response = server.return_with("patient", "of-no-launch").await;
        assert!(response.status().is_client_error(), "{response:?}");
    };
    for _ in 0..4 {
        come_back_with_a_wrong_state().await;
    }
    // Each counts once, and the failures of which three are stored count twice.
    until_takes(&server, 4 + 7).await;
    for _ in 0..20 {
        come_back_with_a_wrong_state().await;
    }
    let refused = server.begin(Launch::PATIENT).await;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["retry-after"], "20");
    assert_eq!(takes(&server).await, 11);
    server.clock.advance(Duration::from_secs(20));
    come_back_with_a_wrong_state().await;
    until_takes(&server, 11 + 3).await;
    assert_eq!(server.begin(Launch::PATIENT).await.status(), 429);
    assert_eq!(takes(&server).await, 15);
}

#[tokio::test]
async fn one_address_does_not_use_up_what_is_stored_of_a_profile() {
    let server = TestServer::with("", CONFIG).await;
    let store = server.tools().await.store;
    for _ in 0..3 {
        let id = come_back_with_nothing(&server, "198.51.100.7").await;
        stored(&*store, id).await;
    }
    for _ in 0..12 {
        come_back_with_nothing(&server, "198.51.100.7").await;
        until_takes(&server, 7).await;
    }
    // Seven are left for everybody else.
    for host in 10..17 {
        let id = come_back_with_nothing(&server, &format!("198.51.100.{host}")).await;
        let row = stored(&*store, id).await;
        let failed = matches!(row.launch.state, LaunchState::Failed { .. });
        assert!(failed, "{:?}", row.launch.state);
    }
    until_takes(&server, 21).await;
    let eleventh = come_back_with_nothing(&server, "198.51.100.17").await;
    until_takes(&server, 23).await;
    assert_eq!(store.launch_row(eleventh).await.unwrap(), None);
    // Now no address is asked about either.
    for host in 20..30 {
        come_back_with_nothing(&server, &format!("198.51.100.{host}")).await;
    }
    server.clock.advance(Duration::from_secs(6));
    let id = come_back_with_nothing(&server, "198.51.100.30").await;
    stored(&*store, id).await;
    until_takes(&server, 25).await;
}

#[tokio::test]
async fn coming_back_without_an_answer_does_not_count_as_a_launch() {
    let server = TestServer::with("", "[limits]\nlaunches_per_minute = 2\n").await;
    for _ in 0..5 {
        let response = server.get(&return_path("patient")).await;
        assert_eq!(response.status(), 400);
    }
    server.launch(Launch::PATIENT).await;
}

#[tokio::test]
async fn a_completion_that_is_refused_keeps_what_was_done_until_then() {
    let server = TestServer::start().await;
    let store = server.tools().await.store;
    let path = format!(
        "{}?{}",
        launch_path("patient"),
        server.parameters(Launch::PATIENT)
    );
    let mut states = Vec::new();
    for _ in 0..2 {
        let begun = server.get(&path).await;
        assert_eq!(begun.status(), 303);
        states.push(parameter(location(&begun), "state"));
    }
    let [first, second] = [&states[0], &states[1]];
    assert_eq!(server.return_with("patient", first).await.status(), 303);
    let refused = server.return_with("patient", second).await;
    assert_eq!(refused.status(), 410);
    let steps = |row: &LaunchRow| -> Vec<_> {
        let steps = row.steps.iter();
        steps.map(|taken| (taken.step, taken.ok)).collect()
    };
    let expected = [
        (LaunchStep::Metadata, true),
        (LaunchStep::Token, true),
        (LaunchStep::Decrypt, true),
        (LaunchStep::Templates, true),
        (LaunchStep::Templates, true),
    ];
    for state in [first, second] {
        let id = server.request_id("patient", state).parse().unwrap();
        let row = store.launch_row(id).await.unwrap().unwrap();
        assert_eq!(steps(&row), expected, "each step once");
        assert_eq!(row.department.as_deref(), Some("Radiology"));
        let completed = row.launch.state == LaunchState::Completed;
        assert_eq!(completed, state == first, "{:?}", row.launch.state);
    }
}

#[tokio::test]
async fn a_launch_that_was_used_keeps_the_step_before_it_was_known() {
    let server = TestServer::start().await;
    let store = server.tools().await.store;
    let path = format!(
        "{}?{}",
        launch_path("patient"),
        server.parameters(Launch::PATIENT)
    );
    let state = parameter(location(&server.get(&path).await), "state");
    assert_eq!(server.return_with("patient", &state).await.status(), 303);
    // In another browser.
    let used = server.get(&path).await;
    assert_eq!(used.status(), 410);
    let row = stored(&*store, request_id(used).await).await;
    let LaunchState::Failed { error_name, .. } = row.launch.state else {
        panic!("{:?}", row.launch.state);
    };
    assert_eq!(error_name, ErrorName::LaunchUsed);
    let steps: Vec<_> = row.steps.iter().map(|taken| taken.step).collect();
    assert_eq!(steps, [LaunchStep::Metadata]);
}

#[tokio::test]
async fn a_server_that_ends_stores_the_failures_that_it_has_told_of() {
    let server = TestServer::start().await;
    let store = server.tools().await.store;
    let data = encrypt("csn=1");
    let mut told = Vec::new();
    for path in [
        return_path("patient"),
        format!("{}?data={data}", launch_path("patient")),
    ] {
        let response = server.get(&path).await;
        assert_eq!(response.status(), 400);
        told.push(request_id(response).await);
    }
    let _folder = server.end().await;
    for id in told {
        assert!(store.launch_row(id).await.unwrap().is_some());
    }
}
