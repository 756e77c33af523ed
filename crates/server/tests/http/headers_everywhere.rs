//! Security headers of every answer of every route, whatever is asked: success, refusal,
//! redirect, and what a router answers by itself.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use reqwest::{
    Method, Response,
    header::{HeaderMap, SET_COOKIE},
};
use vestibule_server::{config::Config, server::Server};

use crate::{
    metrics::METRICS,
    openapi::{PEXIP, paths},
    support::{ADMIN_CONFIG, Admin, Launch, TestServer, UUID, launch_path, parameter, return_path},
};

const METHODS: [&str; 8] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "ODD",
];

/// A server with all of its routes.
async fn start() -> Admin {
    let server = TestServer::with("", &format!("{ADMIN_CONFIG}{PEXIP}{METRICS}")).await;
    Admin { server }
}

/// The addresses of the routes of browsers, of administrators and of metrics.
async fn addresses(admin: &Admin) -> [BTreeSet<String>; 3] {
    let file = admin.server.folder.path().join("vestibule.toml");
    let config = Config::read(&file).unwrap();
    let server = Server::bind_with_clock(&config, admin.server.clock.clone());
    let server = server.await.unwrap();
    let (browsers, administrators) = server.routers();
    let rest = Regex::new(r"\{\*[^}]*\}").unwrap();
    let segment = Regex::new(r"\{[^}]*\}").unwrap();
    let metrics = server.metrics_router().unwrap();
    [browsers, administrators.unwrap(), metrics].map(|router| {
        let mut addresses = BTreeSet::new();
        for path in paths(router) {
            let path = rest.replace(&path, "some/where").into_owned();
            let path = path.replace("{uuid}", UUID);
            addresses.insert(segment.replace_all(&path, "1").into_owned());
        }
        addresses
    })
}

fn is_landing_page(path: &str) -> bool {
    path.starts_with("/webapp")
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let mut values = headers.get_all(name).iter();
    let value = values.next().map(|value| value.to_str().unwrap());
    assert!(values.next().is_none(), "{name} twice");
    value.unwrap_or("")
}

/// What every answer has, and what none has.
pub(crate) fn faults(path: &str, headers: &HeaderMap) -> Vec<String> {
    let mut faults = Vec::new();
    let mut check = |is_good: bool, fault: String| {
        if !is_good {
            faults.push(fault);
        }
    };
    let kind = header(headers, "x-content-type-options");
    check(kind == "nosniff", format!("nosniff: {kind:?}"));
    let referrer = header(headers, "referrer-policy");
    check(
        ["no-referrer", "same-origin"].contains(&referrer),
        format!("referrer: {referrer:?}"),
    );
    let policy = header(headers, "content-security-policy");
    check(
        policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors "),
        format!("policy: {policy:?}"),
    );
    check(
        !policy.contains("unsafe-eval'") || policy.contains("'wasm-unsafe-eval'"),
        format!("policy: {policy:?}"),
    );
    let kept = header(headers, "cache-control");
    let may_be_kept = match path {
        path if is_landing_page(path) => kept.starts_with("no-cache") || kept == "no-store",
        // Public keys.
        path if path.contains("jwks") => kept == "no-store" || kept.contains("max-age="),
        _ => kept == "no-store",
    };
    check(may_be_kept, format!("cache: {kept:?}"));
    for name in ["server", "x-powered-by", "via", "x-aspnet-version"] {
        check(!headers.contains_key(name), format!("tells {name}"));
    }
    // Pages of other sites read nothing. The node's own API is for apps of other sites.
    let is_node = path.starts_with("/api/client");
    check(
        is_node || !headers.contains_key("access-control-allow-origin"),
        "lets other sites read".to_owned(),
    );
    for cookie in headers.get_all(SET_COOKIE) {
        let cookie = cookie.to_str().unwrap();
        check(
            cookie.contains("; HttpOnly") && cookie.contains("; SameSite="),
            "a cookie that scripts or other sites have".to_owned(),
        );
    }
    faults
}

#[derive(Default)]
struct Seen {
    faults: BTreeSet<String>,
    statuses: BTreeMap<u16, usize>,
}

impl Seen {
    fn look(&mut self, what: &str, path: &str, response: &Response) {
        let status = response.status().as_u16();
        *self.statuses.entry(status).or_default() += 1;
        for fault in faults(path, response.headers()) {
            self.faults
                .insert(format!("{what} {path} {status}: {fault}"));
        }
    }

    fn count(&self, class: u16) -> usize {
        let found = self
            .statuses
            .iter()
            .filter(|(status, _)| **status / 100 == class);
        found.map(|(_, count)| count).sum()
    }

    fn assert_good(&self) {
        let faults: Vec<_> = self.faults.iter().map(String::as_str).collect();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}

async fn sign_in(admin: &Admin) -> Response {
    let request = admin.server.client.post(admin.url("/admin/sign-in"));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let request = request.header("sec-fetch-site", "same-origin");
    let request = request.body("name=admin&password=correct+horse+battery");
    request.send().await.unwrap()
}

#[tokio::test]
async fn every_answer_of_every_route_has_the_headers_that_protect_it() {
    let admin = start().await;
    let [browsers, administrators, metrics] = addresses(&admin).await;
    assert!(browsers.len() > 30 && administrators.len() > 25 && metrics.contains("/metrics"));
    let signed_in = sign_in(&admin).await;
    let mut seen = Seen::default();
    seen.look("sign-in", "/admin/sign-in", &signed_in);
    assert_eq!(signed_in.status(), 303);
    let cookie = signed_in.headers()[SET_COOKIE].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let client = &admin.server.client;
    let metrics_url = admin.server.metrics_url.as_ref().unwrap();
    let metrics_url = metrics_url.trim_end_matches("/metrics");
    let site = [
        (&*admin.server.url, browsers, ("pexip", "pexip-password")),
        (
            admin.server.admin_url.as_ref().unwrap(),
            administrators,
            ("admin", "correct horse battery"),
        ),
        // Whoever asks is told.
        (metrics_url, metrics, ("", "")),
    ];
    for (url, addresses, (user, password)) in site {
        for path in &addresses {
            for method in METHODS {
                let request = |method: &str| {
                    let method: Method = method.parse().unwrap();
                    client.request(method, format!("{url}{path}"))
                };
                let anonymous = request(method).send().await.unwrap();
                seen.look(method, path, &anonymous);
                // Live pages have no end; their beginning is all that is looked at.
                let known = request(method)
                    .basic_auth(user, Some(password))
                    .header("cookie", &cookie);
                // Signing out would end what the rest needs.
                if !path.contains("sign-out") {
                    let what = format!("{method} by one who may");
                    seen.look(&what, path, &known.send().await.unwrap());
                }
            }
        }
        let nowhere = client.get(format!("{url}/no/where")).send().await.unwrap();
        seen.look("GET", "/no/where", &nowhere);
    }
    seen.assert_good();
    for (class, least) in [(2, 40), (3, 20), (4, 200)] {
        assert!(seen.count(class) >= least, "{class}xx: {:?}", seen.statuses);
    }
    assert_eq!(seen.count(5), 0, "{:?}", seen.statuses);
}

/// Steps that a route alone does not show.
#[tokio::test]
async fn every_step_of_a_launch_has_them_too() {
    let admin = start().await;
    let server = &admin.server;
    let mut seen = Seen::default();
    let begun = server.begin(Launch::PROVIDER).await;
    seen.look("begin", &launch_path("provider"), &begun);
    assert_eq!(begun.status(), 303);
    assert!(begun.headers().contains_key(SET_COOKIE));
    let state = parameter(crate::support::location(&begun), "state");
    for (what, status) in [("return", 303), ("return again", 410)] {
        let back = server.return_with("provider", &state).await;
        assert_eq!(back.status(), status);
        seen.look(what, &return_path("provider"), &back);
    }
    let path = launch_path("provider");
    for (what, length, status) in [("nothing", 0, 400), ("too much", 70_000, 413)] {
        let answer = server.post_form(&path, "a".repeat(length)).await;
        assert_eq!(answer.status(), status);
        seen.look(what, &path, &answer);
    }
    seen.assert_good();
    // What is no request yet is answered without a word.
    let long = server
        .get_with("/healthz", "x-long", &"a".repeat(70_000))
        .await;
    assert_eq!(long.status(), 431);
    assert!(!long.headers().contains_key("server"));
    assert_eq!(long.text().await.unwrap(), "");
}

/// Where browsers reach the server by its name, and so by TLS.
#[tokio::test]
async fn every_cookie_is_for_tls_and_for_this_host_alone() {
    let admin = start().await;
    let server = &admin.server;
    let begun = server.begin(Launch::PATIENT).await;
    let client = &server.client;
    let form = |url: String, body: &'static str| {
        let request = client.post(url).header("host", "visit.example.org");
        let request = request.header("sec-fetch-site", "same-origin");
        let form = "application/x-www-form-urlencoded";
        request.header("content-type", form).body(body)
    };
    let signed_in = form(
        admin.url("/admin/sign-in"),
        "name=admin&password=correct+horse+battery",
    );
    let signed_in = signed_in.send().await.unwrap();
    for (response, name, scope) in [
        (
            begun,
            "__Host-vestibule-launch-",
            "Path=/; Max-Age=900; HttpOnly; Secure; SameSite=None; Partitioned",
        ),
        (
            signed_in,
            "__Host-vestibule-admin=",
            "Path=/; HttpOnly; SameSite=Strict; Secure",
        ),
    ] {
        assert_eq!(response.status(), 303);
        let cookies: Vec<_> = response.headers().get_all(SET_COOKIE).iter().collect();
        assert_eq!(cookies.len(), 1);
        let (pair, attributes) = cookies[0].to_str().unwrap().split_once("; ").unwrap();
        assert!(pair.starts_with(name), "{name}");
        assert_eq!(attributes, scope, "{name}");
    }
}
