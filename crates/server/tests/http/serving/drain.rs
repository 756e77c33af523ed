//! The end of a server: whoever is in the middle of a launch comes to the end of it.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use nix::sys::signal::Signal;
use tokio::sync::Notify;

use crate::support::{ADMIN_CONFIG, Launch, Process, TestServer, TokenScript, return_path};

/// Until the EHR is asked for so many tokens.
async fn asked_for_tokens(ehr: &crate::support::Ehr, count: usize) {
    while ehr.script(|ehr| ehr.token_requests.len()) < count {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn row_34_fifty_launches_under_way_are_finished_and_nobody_else_is_let_in() {
    let mut server = Process::start("").await;
    let may_answer = Arc::new(Notify::new());
    let waits = TokenScript::Waits(may_answer.clone(), Box::new(TokenScript::Gives(None)));
    server.ehr.script(|ehr| ehr.token = waits);
    // All have begun before the first asks for tokens, which has a deadline.
    let mut urls = Vec::new();
    for number in 0..50 {
        urls.push(format!(
            "{}{}",
            server.url,
            server.begin_return(number).await
        ));
    }
    let mut returns = tokio::task::JoinSet::new();
    for url in urls {
        let client = server.client.clone();
        returns.spawn(async move { client.get(url).send().await.unwrap().status() });
    }
    asked_for_tokens(&server.ehr, 50).await;
    server.signal(Signal::SIGTERM);
    while TcpStream::connect(server.address()).is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    may_answer.notify_waiters();
    let statuses = returns.join_all().await;
    assert_eq!(statuses, [303; 50]);
    assert!(server.ended().await.success());
    assert!(!server.log().contains("cut off"), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_34_a_request_that_had_begun_to_come_in_has_its_time_too() {
    let mut server = Process::start("[connections]\nheader_seconds = 60\n").await;
    let may_answer = Arc::new(Notify::new());
    let waits = TokenScript::Waits(may_answer.clone(), Box::new(TokenScript::Gives(None)));
    server.ehr.script(|ehr| ehr.token = waits);
    let path = server.begin_return(0).await;
    let mut browser = server.connect();
    write!(browser, "GET {path} HTTP/1.1\r\nhost: x\r\n").unwrap();
    server.get("/healthz").await;
    server.signal(Signal::SIGTERM);
    while TcpStream::connect(server.address()).is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Longer than connections are waited for that are about nothing.
    let pause = Duration::from_millis(1_500);
    tokio::time::sleep(pause).await;
    browser.write_all(b"\r\n").unwrap();
    asked_for_tokens(&server.ehr, 1).await;
    tokio::time::sleep(pause).await;
    may_answer.notify_one();
    let mut answer = String::new();
    browser.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
    assert!(server.ended().await.success());
    let log = server.log();
    assert!(!log.contains("launches under way are cut off"), "{log}");
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let mut server = Process::start("").await;
    let never = TokenScript::Waits(Arc::default(), Box::new(TokenScript::Hangs));
    server.ehr.script(|ehr| ehr.token = never);
    let url = format!("{}{}", server.url, server.begin_return(0).await);
    let client = server.client.clone();
    let under_way = tokio::spawn(async move { client.get(url).send().await });
    asked_for_tokens(&server.ehr, 1).await;
    server.signal(Signal::SIGTERM);
    while !server.log().contains("a second signal ends at once") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.signal(Signal::SIGTERM);
    assert_eq!(server.ended().await.code(), Some(1));
    assert!(under_way.await.unwrap().is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_ends_says_so_and_asks_for_no_more_on_its_connections() {
    let server = TestServer::with("", ADMIN_CONFIG).await;
    let may_answer = Arc::new(Notify::new());
    let waits = TokenScript::Waits(may_answer.clone(), Box::new(TokenScript::Gives(None)));
    server.ehr.script(|ehr| ehr.token = waits);
    let state = server.begin_state(Launch::PATIENT).await;
    let path = format!("{}?code=c&state={state}", return_path("patient"));
    let (url, client) = (format!("{}{path}", server.url), server.client.clone());
    let under_way = tokio::spawn(async move { client.get(url).send().await.unwrap() });
    asked_for_tokens(&server.ehr, 1).await;

    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    let mut half = TcpStream::connect(&address).unwrap();
    half.write_all(b"GET /readyz HTTP/1.1\r\n").unwrap();
    let unread = TcpStream::connect(&address).unwrap();
    let ready = format!("{}/readyz", server.admin_url.as_ref().unwrap());
    let client = server.client.clone();
    let response = client.get(&ready).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let ending = tokio::spawn(server.end());
    let text = loop {
        let response = client.get(&ready).send().await.unwrap();
        if response.status() == 503 {
            assert_eq!(response.headers()["retry-after"], "5");
            break response.text().await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert!(text.contains("the server is ending"), "{text}");
    // Whoever had connected is answered, once.
    let rest = &b"host: x\r\n\r\n"[..];
    let whole = &b"GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n"[..];
    for (mut stream, request, had_begun) in [(half, rest, true), (unread, whole, false)] {
        stream.write_all(request).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(
            !had_begun || answer.contains("connection: close"),
            "{answer}"
        );
    }
    while TcpStream::connect(&address).is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    may_answer.notify_one();
    assert_eq!(under_way.await.unwrap().status(), 303);
    ending.await.unwrap();
}
