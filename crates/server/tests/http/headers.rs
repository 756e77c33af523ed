//! Security headers of every kind of response.

use base64ct::{Base64, Encoding as _};
use reqwest::{Response, header::HeaderMap};
use sha2::{Digest as _, Sha256};

use crate::support::{Launch, TestServer, launch_path};

const LANDING: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
    style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    frame-src 'self'; base-uri 'none'; form-action 'self'; require-trusted-types-for 'script'; \
    trusted-types vestibule; frame-ancestors https://portal.example.org";
const API: &str = "default-src 'none'; frame-ancestors 'none'";

fn check(response: &Response, policy: &str, cache: &str) {
    check_with_opener(response, policy, cache, "same-origin");
}

fn check_with_opener(response: &Response, policy: &str, cache: &str, opener: &str) {
    let url = response.url();
    for (name, value) in [
        ("content-security-policy", policy),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("permissions-policy", "camera=(), microphone=()"),
        ("cross-origin-opener-policy", opener),
        ("cache-control", cache),
    ] {
        let values: Vec<_> = response.headers().get_all(name).iter().collect();
        assert_eq!(values, [value], "{name} of {url}");
    }
}

#[tokio::test]
async fn the_landing_page_runs_its_own_scripts_and_nothing_else() {
    let server = TestServer::start().await;
    for (path, kind) in [
        ("/webapp/", "text/html"),
        ("/webapp/index.html", "text/html"),
        ("/webapp/?conference=1", "text/html"),
        ("/webapp/boot.js", "text/javascript"),
        ("/webapp/vestibule_bg.wasm", "application/wasm"),
    ] {
        let response = server.get(path).await;
        assert_eq!(response.status(), 200);
        assert!(
            response.headers()["content-type"]
                .to_str()
                .unwrap()
                .starts_with(kind)
        );
        check_with_opener(&response, LANDING, "no-cache", "same-origin-allow-popups");
    }
    for path in [
        "/webapp/nothing.js",
        "/webapp/../profiles/healthcare-org.toml",
        "/webapp/%2e%2e/profiles/healthcare-org.toml",
    ] {
        let response = server.get(path).await;
        assert_eq!(response.status(), 404);
    }
    let response = server.get("/webapp?conference=1").await;
    assert_eq!(response.status(), 308);
    assert_eq!(response.headers()["location"], "/webapp/?conference=1");
}

#[tokio::test]
async fn the_error_frame_runs_no_script_and_stands_in_the_landing_page_only() {
    let server = TestServer::start().await;
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
        form-action 'none'; frame-ancestors 'self' https://portal.example.org";
    check(
        &server.get("/webapp/error-frame.html").await,
        policy,
        "no-cache",
    );
}

#[tokio::test]
async fn error_pages_run_the_built_in_page_s_script_and_no_other() {
    let server = TestServer::start().await;
    let response = server.get(&launch_path("patient")).await;
    assert_eq!(response.status(), 400);
    let headers = check_later(&response);
    let script = inline(&response.text().await.unwrap(), "script");
    let policy = format!(
        "default-src 'none'; script-src {script}; style-src 'unsafe-inline'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors https://portal.example.org"
    );
    headers.check(&policy);
}

#[tokio::test]
async fn the_page_that_posts_to_the_sign_in_runs_its_own_script_and_no_other() {
    let server = TestServer::with_profile("authorize_by_post = true").await;
    server.ehr.script(|ehr| {
        let more = serde_json::json!({"capabilities": ["authorize-post"]});
        ehr.more_metadata = more.as_object().unwrap().clone();
    });
    let response = server.begin(Launch::PATIENT).await;
    assert_eq!(response.status(), 200);
    let headers = check_later(&response);
    let page = response.text().await.unwrap();
    let (script, style) = (inline(&page, "script"), inline(&page, "style"));
    let policy = format!(
        "default-src 'none'; script-src {script}; style-src {style}; base-uri 'none'; \
         form-action https: http://127.0.0.1:* http://localhost:*; \
         frame-ancestors https://portal.example.org"
    );
    headers.check(&policy);
}

/// The headers of a response whose body says what they must be.
struct Later(HeaderMap);

fn check_later(response: &Response) -> Later {
    Later(response.headers().clone())
}

impl Later {
    fn check(&self, policy: &str) {
        assert_eq!(self.0["content-security-policy"], policy);
        assert_eq!(self.0["referrer-policy"], "no-referrer");
        assert_eq!(self.0["cache-control"], "no-store");
    }
}

/// By what a policy allows the one element of this kind on a page.
fn inline(page: &str, element: &str) -> String {
    let (begin, end) = (format!("<{element}>"), format!("</{element}>"));
    let (_, text) = page.split_once(&begin).unwrap();
    let (text, rest) = text.split_once(&end).unwrap();
    assert!(!rest.contains(&begin));
    let hash = Base64::encode_string(&Sha256::digest(text));
    format!("'sha256-{hash}'")
}

#[tokio::test]
async fn answers_that_are_no_page_allow_nothing() {
    let server = TestServer::start().await;
    check(&server.begin(Launch::PATIENT).await, API, "no-store");
    for path in [
        "/",
        "/healthz",
        "/nothing",
        "/api/telehealth/v1/launch/x/error",
        "/api/telehealth/v1/launch/redeem",
        "/api/client/v2/status",
        "/api/client/v2/conferences/x/request_token",
    ] {
        check(&server.get(path).await, API, "no-store");
    }
}

#[tokio::test]
async fn files_are_sent_compressed_to_whom_can_read_it() {
    let server = TestServer::start().await;
    for (accept, encoding, body) in [
        ("br, gzip", Some("br"), "brotli"),
        ("gzip", Some("gzip"), "gzip"),
        ("identity", None, "\0asm"),
    ] {
        let response = server
            .get_encoded("/webapp/vestibule_bg.wasm", accept)
            .await;
        assert_eq!(response.headers()["content-type"], "application/wasm");
        let sent = response
            .headers()
            .get("content-encoding")
            .map(|value| value.to_str().unwrap());
        assert_eq!(sent, encoding);
        assert_eq!(response.text().await.unwrap(), body);
    }
}
