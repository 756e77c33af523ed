//! What the admin pages refuse, end and protect.

use std::time::Duration;

use reqwest::{
    Method, Response,
    header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, SET_COOKIE},
};

use crate::support::{ADMIN_CONFIG, Admin, TestServer};

/// Longest wait for a stream to end.
const PATIENCE: Duration = Duration::from_secs(60);

async fn sign_in(admin: &Admin, host: Option<&str>) -> String {
    let mut request = admin.server.client.post(admin.url("/admin/sign-in"));
    if let Some(host) = host {
        request = request.header("host", host);
    }
    let response = request
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .body("name=admin&password=correct+horse+battery")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 303);
    let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
    cookie.to_owned()
}

async fn send(admin: &Admin, method: Method, path: &str, cookie: &str) -> Response {
    let request = admin.server.client.request(method, admin.url(path));
    let pair = cookie.split(';').next().unwrap();
    request.header("cookie", pair).send().await.unwrap()
}

async fn sign_out(admin: &Admin, cookie: &str) {
    let page = send(admin, Method::GET, "/admin/profiles", cookie).await;
    let page = page.text().await.unwrap();
    let (_, rest) = page.split_once("name=\"csrf\" value=\"").unwrap();
    let csrf = rest.split('"').next().unwrap();
    let request = admin.server.client.post(admin.url("/admin/sign-out"));
    let response = request
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .header("cookie", cookie.split(';').next().unwrap())
        .body(format!("csrf={csrf}"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 303);
}

#[tokio::test]
async fn a_stream_ends_with_the_session_of_who_watches() {
    let admin = Admin::start().await;
    let cookie = sign_in(&admin, None).await;
    let path = "/admin/live?page=/admin/launches";
    let mut live = send(&admin, Method::GET, path, &cookie).await;
    assert_eq!(live.status(), 200);
    let first = tokio::time::timeout(PATIENCE, live.chunk()).await.unwrap();
    assert!(first.unwrap().is_some(), "it is watched");
    sign_out(&admin, &cookie).await;
    let rest = tokio::time::timeout(PATIENCE, live.text()).await;
    let rest = rest.expect("the stream ends").unwrap();
    assert!(!rest.contains("event: changed"), "{rest}");
    let again = send(&admin, Method::GET, path, &cookie).await;
    assert_eq!(again.status(), 303);
}

#[tokio::test]
async fn a_file_of_what_cannot_be_read_is_refused() {
    let admin = Admin::start().await;
    let cookie = sign_in(&admin, None).await;
    let long = format!("/admin/launches.csv?department={}", "x".repeat(201));
    for (path, told) in [
        ("/admin/appointments.csv?from=yesterday", "from: not a day"),
        ("/admin/launches.csv?state=bogus", "state: not a state"),
        (&long, "department: longer than 200 bytes"),
        ("/admin/write-backs.csv?profile=1", "profile: not a uuid"),
        ("/admin/audit.csv?what=nothing", "what: not an action"),
        ("/admin/charts/launches.csv?time=year", "time: not day"),
    ] {
        let refused = send(&admin, Method::GET, path, &cookie).await;
        assert_eq!(refused.status(), 400, "{path}");
        let page = refused.text().await.unwrap();
        assert!(page.contains(told), "{told} in {page}");
    }
    let good = send(
        &admin,
        Method::GET,
        "/admin/launches.csv?state=failed",
        &cookie,
    )
    .await;
    assert_eq!(good.status(), 200);
    let text = good.text().await.unwrap();
    assert!(text.starts_with("began,request_id,"), "{text}");
}

#[tokio::test]
async fn every_answer_of_the_pages_has_their_headers() {
    let admin = Admin::start().await;
    let cookie = sign_in(&admin, None).await;
    for (method, path, status) in [
        (Method::PUT, "/admin/launches", 405),
        (Method::DELETE, "/admin", 405),
        (Method::GET, "/admin/profiles/none", 400),
        (Method::GET, "/admin/nothing", 404),
        (Method::GET, "/admin/", 303),
    ] {
        let response = send(&admin, method.clone(), path, &cookie).await;
        assert_eq!(response.status(), status, "{method} {path}");
        let headers = response.headers();
        let policy = headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert_eq!(headers["cache-control"], "no-store", "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        if status == 405 {
            assert_eq!(headers[CONTENT_TYPE], "text/html; charset=utf-8");
        }
    }
}

#[tokio::test]
async fn behind_a_proxy_the_cookie_needs_tls_whatever_host_it_passes_on() {
    let config = format!("trusted_proxies = [\"127.0.0.1\"]\n{ADMIN_CONFIG}");
    let admin = Admin {
        server: TestServer::with("", &config).await,
    };
    for host in [None, Some("localhost"), Some("admin.example.org")] {
        let cookie = sign_in(&admin, host).await;
        assert!(cookie.starts_with("__Host-vestibule-admin="), "{cookie}");
        assert!(cookie.ends_with("; Secure"), "{cookie}");
        let page = send(&admin, Method::GET, "/admin/profiles", &cookie).await;
        assert_eq!(page.status(), 200, "{host:?}");
    }
}
