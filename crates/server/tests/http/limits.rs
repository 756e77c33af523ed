//! How many launches may come from one place.

use std::time::Duration;

use crate::support::{Launch, TestServer, launch_path, log};

#[tokio::test]
async fn who_launches_too_often_is_told_when_to_come_back() {
    let server = TestServer::with("", "[limits]\nlaunches_per_minute = 3\n").await;
    for _ in 0..3 {
        server.launch(Launch::PATIENT).await;
    }
    let response = server.begin(Launch::PATIENT).await;
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "20");
    let text = response.text().await.unwrap();
    assert!(text.contains("launch_rate_limited"), "{text}");
    server.clock.advance(Duration::from_secs(20));
    server.launch(Launch::PATIENT).await;
    assert_eq!(server.begin(Launch::PATIENT).await.status(), 429);
}

#[tokio::test]
async fn a_launch_under_way_is_not_held_up() {
    let server = TestServer::with("", "[limits]\nlaunches_per_minute = 1\n").await;
    let state = server.begin_state(Launch::PATIENT).await;
    assert_eq!(server.begin(Launch::PATIENT).await.status(), 429);
    assert_eq!(server.return_with("patient", &state).await.status(), 303);
}

#[tokio::test]
async fn a_trusted_proxy_says_whom_it_speaks_for() {
    for (trusted, expected) in [("", 429), ("trusted_proxies = [\"127.0.0.0/8\"]\n", 303)] {
        let config = format!("{trusted}[limits]\nlaunches_per_minute = 1\n");
        let server = TestServer::with("", &config).await;
        let mut statuses = Vec::new();
        for source in ["198.51.100.7", "198.51.100.8"] {
            let parameters = server.parameters(Launch::PATIENT);
            let path = format!("{}?{parameters}", launch_path("patient"));
            let response = server.get_with(&path, "x-forwarded-for", source).await;
            statuses.push(response.status().as_u16());
        }
        assert_eq!(statuses, [303, expected]);
    }
}

#[tokio::test]
async fn who_reports_failures_too_often_is_told_when_to_come_back() {
    let server = TestServer::with("", "[limits]\nlaunches_per_minute = 3\n").await;
    let report = serde_json::json!({"error_name": "session_lost"});
    let send = || server.post_json("/api/telehealth/v1/launch/error", &report);
    for _ in 0..3 {
        assert_eq!(send().await.status(), 200);
    }
    let response = send().await;
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "20");
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    // Launches are not held up by it.
    server.launch(Launch::PATIENT).await;
    server.clock.advance(Duration::from_secs(20));
    assert_eq!(send().await.status(), 200);
}

#[tokio::test]
async fn a_proxy_that_is_not_trusted_is_told_of_once() {
    let times = || log::text().matches("sends X-Forwarded-For").count();
    for (trusted, told) in [("trusted_proxies = [\"127.0.0.1\"]\n", 0), ("", 1)] {
        let server = TestServer::with("", trusted).await;
        server.launch(Launch::PATIENT).await;
        for _ in 0..3 {
            let path = launch_path("patient");
            server
                .get_with(&path, "x-forwarded-for", "198.51.100.7")
                .await;
        }
        assert_eq!(times(), told, "{trusted}");
    }
}
