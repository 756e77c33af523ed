//! What is too slow, too big or too much.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use vestibule_launch::ErrorName;

use crate::{
    openapi::PEXIP,
    support::{TestServer, launch_path},
};

/// Limits at their least.
async fn server(limits: &str) -> TestServer {
    TestServer::with("", &format!("[connections]\n{limits}\n")).await
}

fn connect(server: &TestServer) -> TcpStream {
    let stream = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap();
    let patience = Some(Duration::from_secs(60));
    stream.set_read_timeout(patience).unwrap();
    stream
}

/// All that is answered until the server closes.
fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => String::from_utf8(answer).unwrap(),
    }
}

/// One answer, to its end.
fn answer(stream: &mut TcpStream) -> String {
    let mut answer = String::new();
    let mut byte = [0; 1];
    while !answer.ends_with("\r\n\r\nok\n") {
        stream.read_exact(&mut byte).unwrap();
        answer.push(char::from(byte[0]));
    }
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_that_drip_do_not_hold_a_connection() {
    // On a busy machine one that comes at once may take its time too.
    let server = server("header_seconds = 3").await;
    let mut silent = connect(&server);
    let mut dripping = connect(&server);
    let mut writing = dripping.try_clone().unwrap();
    let drip = std::thread::spawn(move || {
        for byte in b"GET /healthz HTTP/1.1\r\nhost: "
            .iter()
            .chain([b'x'; 10_000].iter())
        {
            if writing.write_all(&[*byte]).is_err() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    });
    assert_eq!(rest(&mut dripping), "");
    assert_eq!(rest(&mut silent), "");
    drop(dripping);
    assert!(drip.join().unwrap(), "it is not cut off");

    // Neither do those of a later request.
    let mut later = connect(&server);
    later
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    answer(&mut later);
    later.write_all(b"GET /hea").unwrap();
    assert_eq!(rest(&mut later), "");
    assert_eq!(server.get("/healthz").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_waits_for_its_next_request_for_a_while_only() {
    let server = server("idle_seconds = 5\nheader_seconds = 600").await;
    let mut stream = connect(&server);
    for _ in 0..2 {
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
            .unwrap();
        answer(&mut stream);
    }
    assert_eq!(rest(&mut stream), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_does_not_come_in_time_leads_to_an_error_page() {
    let server = server("body_seconds = 1").await;
    let mut stream = connect(&server);
    let path = launch_path("patient");
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\
         content-type: application/x-www-form-urlencoded\r\n\r\niss=http"
    )
    .unwrap();
    let page = rest(&mut stream);
    assert!(page.starts_with("HTTP/1.1 408 "), "{page}");
    let name = ErrorName::LaunchRequestInvalid.as_str();
    assert!(page.contains("<main") && page.contains(name), "{page}");

    let mut stream = connect(&server);
    stream
        .write_all(
            b"POST /api/telehealth/v1/launch/redeem HTTP/1.1\r\nhost: x\r\n\
              content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"tic",
        )
        .unwrap();
    let problem = rest(&mut stream);
    assert!(problem.starts_with("HTTP/1.1 408 "), "{problem}");
    assert!(problem.contains("application/problem+json"), "{problem}");
    assert!(problem.contains("\"status\":408"), "{problem}");

    let mut stream = without_its_body(&server);
    let refused = rest(&mut stream);
    assert!(refused.starts_with("HTTP/1.1 408 "), "{refused}");
}

/// A request of which all but the first byte of its body never comes.
fn without_its_body(server: &TestServer) -> TcpStream {
    let mut stream = connect(server);
    stream
        .write_all(
            b"POST /api/client/v2/conferences/x/request_token HTTP/1.1\r\nhost: x\r\n\
              content-type: application/json\r\ncontent-length: 100\r\n\r\n{",
        )
        .unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_not_answered_in_time_is_told_to_come_again() {
    // Its body never comes, and may take its time.
    let server = server("request_seconds = 1\nbody_seconds = 600").await;
    let mut stream = without_its_body(&server);
    let told = rest(&mut stream);
    assert!(told.starts_with("HTTP/1.1 503 "), "{told}");
    assert!(told.contains("\r\nretry-after: 5\r\n"), "{told}");
    assert!(told.contains("default-src 'none'"), "{told}");
    assert!(told.ends_with("The request took too long. Try again.\n"));
}

#[tokio::test]
async fn a_body_that_is_too_long_for_its_route_is_refused() {
    let server = TestServer::with("", PEXIP).await;
    for (path, limit) in [
        (&*launch_path("patient"), 64 * 1024),
        ("/api/telehealth/v1/launch/redeem", 64 * 1024),
        ("/api/telehealth/v1/event_sink", 1024 * 1024),
    ] {
        for (length, is_refused) in [(limit, false), (limit + 1, true)] {
            let request = server.client.post(format!("{}{path}", server.url));
            let request = request.header("content-type", "application/json");
            let request = request.basic_auth("pexip", Some("pexip-password"));
            let response = request.body("a".repeat(length)).send().await.unwrap();
            let status = response.status().as_u16();
            assert!((400..=413).contains(&status), "{path}: {status}");
            assert_eq!(status == 413, is_refused, "{path}: {status}");
        }
    }
    // The node refuses in words of its own, which Pexip's clients understand.
    let path = "/api/client/v2/conferences/x/request_token";
    let body = "a".repeat(16 * 1024 + 1);
    let response = server.post(path, "application/json", body).await;
    assert_eq!(response.status(), 403);
    let told = response.text().await.unwrap();
    assert!(told.contains("too large"), "{told}");
}

#[tokio::test]
async fn headers_that_are_too_many_or_too_long_are_answered_with_431() {
    let server = server("most_headers = 20\nheader_bytes = 8192").await;
    let long = "a".repeat(5000);
    assert_eq!(
        server.get_with("/healthz", "x-long", &long).await.status(),
        200
    );
    let longer = "a".repeat(9000);
    assert_eq!(
        server
            .get_with("/healthz", "x-long", &longer)
            .await
            .status(),
        431
    );
    for (count, status) in [(10, 200), (30, 431)] {
        let mut request = server.client.get(format!("{}/healthz", server.url));
        for number in 0..count {
            request = request.header(format!("x-{number}"), "a");
        }
        assert_eq!(request.send().await.unwrap().status(), status, "{count}");
    }
    assert_eq!(server.get("/healthz").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_gets_its_share_of_connections_and_is_told_so() {
    let server = server("most_per_address = 2").await;
    let mut taken = [connect(&server), connect(&server)];
    for stream in &mut taken {
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
            .unwrap();
        answer(stream);
    }
    let mut refused = connect(&server);
    refused
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    let told = rest(&mut refused);
    assert!(told.starts_with("HTTP/1.1 503 "), "{told}");
    assert!(told.contains("\r\nretry-after: 5\r\n"), "{told}");
    assert!(told.contains("default-src 'none'"), "{told}");

    let [first, _second] = taken;
    drop(first);
    // As soon as the server has noticed.
    for _ in 0..1_000 {
        let mut stream = connect(&server);
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .unwrap();
        if rest(&mut stream).starts_with("HTTP/1.1 200 ") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the connection that has ended still counts");
}
