//! Addresses that a link brings along: none of them is where a browser is sent, or where
//! this server asks.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use regex::Regex;
use reqwest::{
    Response,
    header::{LOCATION, SET_COOKIE},
};
use tokio::net::TcpListener;
use url::Url;
use vestibule_server::{config::Config, server::Server};

use crate::{
    openapi::{PEXIP, paths},
    support::{ADMIN_CONFIG, Admin, Launch, TestServer, UUID, encrypt, location, return_path},
};

/// Names under which programs like this one take addresses.
const NAMES: [&str; 20] = [
    "RelayState",
    "aud",
    "base",
    "callback",
    "continue",
    "error_uri",
    "goto",
    "iss",
    "launch_url",
    "link",
    "next",
    "node",
    "redirect",
    "redirect_uri",
    "redirect_url",
    "return_to",
    "returnUrl",
    "target",
    "telehealth_integration_base_url",
    "url",
];

/// A host that nobody knows.
const EVIL: &str = "evil.example.org";

/// A listener that nobody asks, and how often it is asked.
struct Elsewhere {
    address: String,
    asked: Arc<AtomicUsize>,
}

impl Elsewhere {
    async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { address, asked }
    }

    /// Addresses that lead elsewhere, or run a script.
    fn addresses(&self) -> Vec<String> {
        let mut addresses = vec![self.address.clone()];
        for form in [
            "https://evil.example.org/",
            "//evil.example.org",
            "/\\evil.example.org",
            "\\\\evil.example.org",
            "/\t/evil.example.org",
            "https:evil.example.org",
            "https://visit.example.org@evil.example.org/",
            "https://evil.example.org\\@visit.example.org/",
            "/admin/../..//evil.example.org",
            "javascript:alert('evil.example.org')",
            "data:text/html,evil.example.org",
            "%2F%2Fevil.example.org",
            "/admin\r\nLocation: https://evil.example.org",
        ] {
            addresses.push(form.to_owned());
        }
        addresses
    }

    /// Whether an address, as a browser on `here` reads it, leads elsewhere.
    fn is_led_to(&self, here: &str, address: &str) -> bool {
        let Ok(url) = Url::parse(here).unwrap().join(address) else {
            return true;
        };
        let is_elsewhere = url.as_str().starts_with(&self.address);
        let is_evil = url.host_str().is_some_and(|host| host.contains("evil"));
        is_elsewhere || is_evil || !matches!(url.scheme(), "http" | "https")
    }

    /// The faults of an answer: that it leads elsewhere by a header or by a page.
    async fn faults(&self, response: Response) -> Vec<String> {
        let here = response.url().to_string();
        let mut faults = Vec::new();
        let headers = response.headers();
        let mut addresses: BTreeSet<String> = BTreeSet::new();
        for name in [LOCATION.as_str(), "content-location", "link"] {
            let values = headers.get_all(name).iter();
            addresses.extend(values.map(|value| value.to_str().unwrap().to_owned()));
        }
        if let Some(refresh) = headers.get("refresh") {
            let refresh = refresh.to_str().unwrap();
            let (_, address) = refresh.split_once("url=").unwrap();
            addresses.insert(address.to_owned());
        }
        let is_page = headers
            .get("content-type")
            .is_some_and(|kind| kind.to_str().unwrap().starts_with("text/html"));
        let text = response.text().await.unwrap();
        if is_page {
            let led = Regex::new(r#"(?:href|action|src|formaction)="([^"]*)""#).unwrap();
            addresses.extend(led.captures_iter(&text).map(|found| unescape(&found[1])));
        }
        for address in addresses {
            if self.is_led_to(&here, &address) {
                faults.push(format!("{here} leads to {address}"));
            }
        }
        faults
    }
}

/// Character references, as the pages write them.
fn unescape(text: &str) -> String {
    let mut text = text.to_owned();
    for (reference, character) in [
        ("&#x2f;", "/"),
        ("&#x27;", "'"),
        ("&#34;", "\""),
        ("&quot;", "\""),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ] {
        text = text.replace(reference, character);
    }
    text
}

async fn start() -> Admin {
    // Each launch is to be looked at, however many there are.
    let limits = "[limits]\nlaunches_per_minute = 0\n";
    let server = TestServer::with("", &format!("{ADMIN_CONFIG}{PEXIP}{limits}")).await;
    Admin { server }
}

#[tokio::test]
async fn no_route_leads_or_goes_where_a_parameter_says() {
    let admin = start().await;
    let elsewhere = Elsewhere::listen().await;
    let file = admin.server.folder.path().join("vestibule.toml");
    let config = Config::read(&file).unwrap();
    let routes = Server::bind_with_clock(&config, admin.server.clock.clone());
    let routes = routes.await.unwrap();
    let (browsers, administrators) = routes.routers();
    let segment = Regex::new(r"\{[^}]*\}").unwrap();
    let client = &admin.server.client;
    let mut faults = Vec::new();
    let mut answers = 0;
    for (url, router) in [
        (&admin.server.url, browsers),
        (
            admin.server.admin_url.as_ref().unwrap(),
            administrators.unwrap(),
        ),
    ] {
        for path in paths(router) {
            let path = path.replace("{uuid}", UUID);
            let path = segment.replace_all(&path, "1").into_owned();
            for address in elsewhere.addresses() {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                for name in NAMES {
                    form.append_pair(name, &address);
                }
                // What makes a launch whole otherwise.
                form.append_pair("launch", "launch-token-of-elsewhere");
                form.append_pair("data", &encrypt(Launch::PATIENT.plaintext.unwrap()));
                let form = form.finish();
                let asked = client.get(format!("{url}{path}?{form}"));
                let kind = "application/x-www-form-urlencoded";
                let posted = client.post(format!("{url}{path}")).body(form);
                let posted = posted.header("content-type", kind);
                let posted = posted.header("sec-fetch-site", "same-origin");
                for request in [asked, posted] {
                    // Where requests come to the server is no address that it was told.
                    let request = request.header("x-forwarded-host", EVIL);
                    let request = request.header("forwarded", format!("host={EVIL}"));
                    faults.extend(elsewhere.faults(request.send().await.unwrap()).await);
                    answers += 1;
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(answers > 1_000, "{answers}");
    assert_eq!(elsewhere.asked.load(Ordering::SeqCst), 0, "it is asked");
}

/// The way back from the EHR leads to the profile's own web app, whatever came with it.
#[tokio::test]
async fn a_launch_ends_where_its_profile_says() {
    let server = TestServer::start().await;
    let elsewhere = Elsewhere::listen().await;
    for address in elsewhere.addresses() {
        let mut more = url::form_urlencoded::Serializer::new(String::new());
        // The issuer is checked by itself: RFC 9207.
        for name in NAMES.into_iter().filter(|name| *name != "iss") {
            more.append_pair(name, &address);
        }
        let more = more.finish();
        let path = crate::support::launch_path("provider");
        let parameters = server.parameters(Launch::PROVIDER);
        let begun = server.get(&format!("{path}?{parameters}&{more}")).await;
        assert_eq!(begun.status(), 303, "{address}");
        let sign_in = Url::parse(location(&begun)).unwrap();
        let ehr = server.ehr.address.to_string();
        assert_eq!(sign_in.authority(), ehr, "{address}");
        let state = crate::support::parameter(sign_in.as_str(), "state");
        let back = format!(
            "{}?code=code-of-the-ehr&state={state}&{more}",
            return_path("provider")
        );
        let back = server.get(&back).await;
        assert_eq!(back.status(), 303, "{address}");
        let base = "https://visit.example.org/webapp/#/?";
        assert!(location(&back).starts_with(base), "{address}");
        assert!(!location(&back).contains("evil"), "{address}");
    }
    assert_eq!(elsewhere.asked.load(Ordering::SeqCst), 0, "it is asked");
}

#[tokio::test]
async fn who_signs_in_goes_on_to_no_address_of_another_site() {
    let admin = start().await;
    let elsewhere = Elsewhere::listen().await;
    for next in elsewhere.addresses() {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("name", "admin"), ("password", "correct horse battery")])
            .append_pair("next", &next)
            .finish();
        let request = admin.server.client.post(admin.url("/admin/sign-in"));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let request = request.header("sec-fetch-site", "same-origin").body(body);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 303, "{next}");
        assert!(response.headers().contains_key(SET_COOKIE));
        assert!(location(&response).starts_with("/admin"), "{next}");
        let faults = elsewhere.faults(response).await;
        assert!(faults.is_empty(), "{faults:?}");
    }
}

/// Paths themselves: a redirect that repeats two slashes leads to another host.
#[tokio::test]
async fn no_path_becomes_another_host() {
    let admin = start().await;
    let elsewhere = Elsewhere::listen().await;
    let mut redirects = 0;
    for url in [&admin.server.url, admin.server.admin_url.as_ref().unwrap()] {
        for path in [
            "//evil.example.org",
            "//evil.example.org/webapp",
            "/webapp//evil.example.org/",
            "/webapp/%2F%2Fevil.example.org/..",
            "/webapp?next=//evil.example.org",
            "/admin//evil.example.org",
            "/admin/",
            "/admin/?next=//evil.example.org",
            "//evil.example.org/admin",
            "/admin/%5Cevil.example.org",
        ] {
            let response = admin.server.client.get(format!("{url}{path}")).send().await;
            let response = response.unwrap();
            redirects += usize::from(response.status().is_redirection());
            let faults = elsewhere.faults(response).await;
            assert!(faults.is_empty(), "{path}: {faults:?}");
        }
    }
    assert!(redirects > 3, "{redirects}");
}
