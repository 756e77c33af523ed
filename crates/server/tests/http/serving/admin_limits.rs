//! What is too slow, too big or too much where administrators come in.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use crate::support::{ADMIN_CONFIG, Admin, PATH, TestServer};

const BASIC: &str = "authorization: Basic YWRtaW46Y29ycmVjdCBob3JzZSBiYXR0ZXJ5\r\n";

const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n\
    sec-fetch-site: same-origin\r\n";

/// Limits at their least.
async fn start(limits: &str) -> Admin {
    let config = format!("{ADMIN_CONFIG}[connections]\n{limits}\n");
    Admin {
        server: TestServer::with("", &config).await,
    }
}

/// All that is answered to these bytes until the server closes.
fn answer(admin: &Admin, bytes: &str) -> String {
    let url = admin.url("");
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    let patience = Some(Duration::from_secs(60));
    stream.set_read_timeout(patience).unwrap();
    stream.write_all(bytes.as_bytes()).unwrap();
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => String::from_utf8(answer).unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_who_sends_headers_or_a_body_too_slowly_is_cut_off() {
    // On a busy machine who comes at once may take a moment too.
    let admin = start("header_seconds = 3\nbody_seconds = 3").await;
    assert_eq!(
        answer(&admin, "GET /admin HTTP/1.1\r\nhost: x\r\nx-slow: "),
        ""
    );
    for (request, headers) in [
        (
            "POST /admin/sign-in HTTP/1.1\r\n".to_owned(),
            FORM.to_owned(),
        ),
        (
            format!("POST {PATH} HTTP/1.1\r\n"),
            format!("{BASIC}content-type: application/json\r\n"),
        ),
    ] {
        for length in [
            "content-length: 100\r\n\r\n{",
            "transfer-encoding: chunked\r\n\r\n5\r\nab",
        ] {
            let told = answer(&admin, &format!("{request}host: x\r\n{headers}{length}"));
            let status = told.split(' ').nth(1).unwrap_or("none");
            assert!(
                ["400", "408"].contains(&status),
                "{request}{length}: {told}"
            );
            assert!(
                told.contains("\r\nx-content-type-options: nosniff\r\n"),
                "{told}"
            );
        }
    }
    assert_eq!(admin.get(PATH).await.status, 200, "others come in");
}

#[tokio::test]
async fn what_is_too_big_for_the_admin_pages_and_their_api_is_refused() {
    let admin = start("most_headers = 20\nheader_bytes = 8192").await;
    let client = &admin.server.client;
    let long = "a".repeat(9000);
    for path in ["/admin", "/admin/sign-in", PATH] {
        let request = client.get(admin.url(path)).header("x-long", &long);
        assert_eq!(request.send().await.unwrap().status(), 431, "{path}");
        let mut request = client.get(admin.url(path));
        for number in 0..30 {
            request = request.header(format!("x-{number}"), "a");
        }
        assert_eq!(request.send().await.unwrap().status(), 431, "{path}");
        let request = client.get(admin.url(&format!("{path}?next={long}")));
        let status = request.send().await.unwrap().status().as_u16();
        assert!([414, 431].contains(&status), "{path}: {status}");
    }
    // Forms are short; what the API takes is longer, and ends too.
    for (path, kind, length) in [
        (
            "/admin/sign-in",
            "application/x-www-form-urlencoded",
            17 * 1024,
        ),
        (
            "/admin/search",
            "application/x-www-form-urlencoded",
            17 * 1024,
        ),
        (PATH, "application/json", 257 * 1024),
    ] {
        let request = client.post(admin.url(path)).header("content-type", kind);
        let request = request.basic_auth("admin", Some("correct horse battery"));
        let request = request.header("sec-fetch-site", "same-origin");
        let response = request.body("a".repeat(length)).send().await.unwrap();
        assert!(
            response.status().is_client_error() || response.status() == 303,
            "{path}"
        );
        assert!(!response.headers().contains_key("set-cookie"), "{path}");
    }
    assert_eq!(admin.get(PATH).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_gets_its_share_of_connections_of_the_admin_pages_too() {
    let admin = start("most_per_address = 2").await;
    let url = admin.url("");
    let connect = || TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    let taken = [connect(), connect()];
    for mut stream in &taken {
        // Until it is answered nobody knows whether it was taken in.
        stream
            .write_all(b"GET /admin/style.css HTTP/1.1\r\nhost: x\r\n\r\n")
            .unwrap();
        let mut begin = [0; 12];
        stream.read_exact(&mut begin).unwrap();
        assert_eq!(&begin, b"HTTP/1.1 200");
    }
    let told = answer(&admin, "GET /admin/style.css HTTP/1.1\r\nhost: x\r\n\r\n");
    assert!(told.starts_with("HTTP/1.1 503 "), "{told}");
    assert_eq!(admin.server.get("/healthz").await.status(), 200);
    drop(taken);
}
