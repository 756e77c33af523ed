//! Requests that another site makes a signed-in administrator's browser send: none of
//! them does anything, at whichever route.

use std::collections::BTreeSet;

use regex::Regex;
use reqwest::{RequestBuilder, header::SET_COOKIE};
use vestibule_store::{AuditFilter, Page};

use crate::{
    openapi::paths,
    support::{ADMIN_CONFIG, Admin, PATH},
};

const PASSWORD: &str = "correct horse battery";

/// Headers of a request that no page of this server has sent.
const ELSEWHERE: [&[(&str, &str)]; 7] = [
    &[],
    &[("sec-fetch-site", "cross-site")],
    &[("sec-fetch-site", "same-site")],
    &[("sec-fetch-site", "none")],
    &[("origin", "https://evil.example.org")],
    &[("origin", "null")],
    &[
        ("sec-fetch-site", "cross-site"),
        ("origin", "http://127.0.0.1"),
    ],
];

const SAME_ORIGIN: &[(&str, &str)] = &[("sec-fetch-site", "same-origin")];

struct Session {
    cookie: String,
    token: String,
}

fn form(admin: &Admin, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let request = admin.server.client.post(admin.url(path));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.body(body)
}

async fn sign_in(admin: &Admin) -> Session {
    let fields = [("name", "admin"), ("password", PASSWORD)];
    let request = form(admin, "/admin/sign-in", &fields);
    let request = request.header("sec-fetch-site", "same-origin");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 303);
    let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let page = admin.server.client.get(admin.url("/admin/profiles"));
    let page = page.header("cookie", &cookie).send().await.unwrap();
    let page = page.text().await.unwrap();
    let (_, rest) = page.split_once("name=\"csrf\" value=\"").unwrap();
    let token = rest.split('"').next().unwrap().to_owned();
    Session { cookie, token }
}

async fn is_in(admin: &Admin, session: &Session) -> bool {
    let request = admin.server.client.get(admin.url("/admin/profiles"));
    let request = request.header("cookie", &session.cookie);
    request.send().await.unwrap().status() == 200
}

/// Every page that takes a form: the routes below `/admin` that know POST.
async fn forms(admin: &Admin) -> BTreeSet<String> {
    let file = admin.server.folder.path().join("vestibule.toml");
    let config = vestibule_server::config::Config::read(&file).unwrap();
    let clock = admin.server.clock.clone();
    let server = vestibule_server::server::Server::bind_with_clock(&config, clock);
    let server = server.await.unwrap();
    let segment = Regex::new(r"\{[^}]*\}").unwrap();
    let mut forms = BTreeSet::new();
    for path in paths(server.routers().1.unwrap()) {
        if path != "/admin" && !path.starts_with("/admin/") {
            continue;
        }
        let path = segment.replace_all(&path, "1").into_owned();
        let response = form(admin, &path, &[]).send().await.unwrap();
        if response.status() != 405 {
            forms.insert(path);
        }
    }
    forms
}

/// Entries in the audit log, and write-backs that wait: what a form may change.
async fn done(admin: &Admin) -> usize {
    let page = Page {
        after: None,
        limit: 1000,
    };
    let store = admin.server.tools().await.store;
    let entries = store.list_audit(&AuditFilter::default(), page).await;
    entries.unwrap().len()
}

#[tokio::test]
async fn no_form_is_taken_from_another_site_or_with_the_token_of_another_session() {
    let admin = Admin::start().await;
    let (own, other) = (sign_in(&admin).await, sign_in(&admin).await);
    let forms = forms(&admin).await;
    for known in [
        "/admin/profiles/1/doctor",
        "/admin/search",
        "/admin/sign-in",
        "/admin/sign-out",
        "/admin/write-backs/1/send-again",
    ] {
        assert!(forms.contains(known), "{known} is not among {forms:?}");
    }
    let before = done(&admin).await;
    let send = async |path: &str, token: Option<&str>, headers: &[(&'static str, &'static str)]| {
        let mut fields = vec![("name", "admin"), ("password", PASSWORD), ("q", "4711")];
        fields.extend(token.map(|token| ("csrf", token)));
        let mut request = form(&admin, path, &fields).header("cookie", &own.cookie);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap().status().as_u16()
    };
    for path in &forms {
        for headers in ELSEWHERE {
            let status = send(path, Some(&own.token), headers).await;
            assert_eq!(status, 403, "{path} from {headers:?}");
        }
        // Whoever signs in has no token yet.
        if path == "/admin/sign-in" {
            continue;
        }
        for token in [None, Some(""), Some(other.token.as_str()), Some("AAAA")] {
            let status = send(path, token, SAME_ORIGIN).await;
            assert_eq!(status, 403, "{path} with a wrong token");
        }
    }
    assert_eq!(done(&admin).await, before, "nothing was done");
    assert!(is_in(&admin, &own).await && is_in(&admin, &other).await);
    // The same with the right token is taken, so it was the token that was missing.
    let doctor = send("/admin/profiles/1/doctor", Some(&own.token), SAME_ORIGIN).await;
    assert_ne!(doctor, 403);
    let out = send("/admin/sign-out", Some(&own.token), SAME_ORIGIN).await;
    assert_eq!(out, 303);
    assert!(!is_in(&admin, &own).await && is_in(&admin, &other).await);
}

/// Forms may be sent by GET too, by a picture or a link.
#[tokio::test]
async fn nothing_is_done_by_a_get() {
    let admin = Admin::start().await;
    let own = sign_in(&admin).await;
    let before = done(&admin).await;
    let forms = forms(&admin).await;
    for path in forms.iter().filter(|path| *path != "/admin/sign-in") {
        let query = format!("{path}?csrf={}&q=4711", own.token);
        let request = admin.server.client.get(admin.url(&query));
        let request = request.header("cookie", &own.cookie);
        let status = request.send().await.unwrap().status().as_u16();
        // It may lead to the page with the form.
        assert!([303, 404, 405].contains(&status), "{path}: {status}");
    }
    assert_eq!(done(&admin).await, before);
    assert!(is_in(&admin, &own).await);
}

/// Browsers send a cookie along, and a password that they were once told, with requests
/// that another site makes them send.
#[tokio::test]
async fn the_api_takes_no_cookie_and_nothing_that_a_form_can_send() {
    let admin = Admin::start().await;
    let own = sign_in(&admin).await;
    let client = &admin.server.client;
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let request = client.request(method.parse().unwrap(), admin.url(PATH));
        let request = request.header("cookie", &own.cookie);
        let response = request
            .header("content-type", "application/json")
            .body("{}");
        assert_eq!(response.send().await.unwrap().status(), 401, "{method}");
    }
    let uuid = "5a0e0d4a-4c3f-4a0e-9a57-3f1d6c1d2b3a";
    for kind in [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=a",
        "text/plain",
    ] {
        let request = client.post(admin.url(PATH)).header("content-type", kind);
        let request = request.basic_auth("admin", Some(PASSWORD));
        let response = request.body(admin.profile(uuid).to_string()).send().await;
        assert_eq!(response.unwrap().status(), 415, "{kind}");
    }
    // What a form cannot send a browser asks for first, and is not allowed.
    let asks = client.request("OPTIONS".parse().unwrap(), admin.url(PATH));
    let asks = asks.header("origin", "https://evil.example.org");
    let answer = asks
        .header("access-control-request-method", "DELETE")
        .send();
    let answer = answer.await.unwrap();
    assert!(!answer.headers().contains_key("access-control-allow-origin"));
    assert!(
        !answer
            .headers()
            .contains_key("access-control-allow-methods")
    );
    assert!(ADMIN_CONFIG.contains("username = \"admin\""));
}
