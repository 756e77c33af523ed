//! A server with the sandbox as its EHR, which is as strict as a real one; both on one
//! clock.

use std::{
    fs,
    sync::{Arc, OnceLock},
};

use axum::{
    Router,
    extract::{OriginalUri, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::Value;
use vestibule_sandbox::{Config as SandboxConfig, Controls, Sandbox};
use vestibule_server::{backend::jwks_path, config::Config, random, server::Server};
use vestibule_smart::AssertionKey;

use super::{CONFIG, TestClock, UUID, write_profile, write_www};
use crate::epic::{self, SITE};

pub(crate) struct Sandboxed {
    pub(crate) url: String,
    pub(crate) ehr: Controls,
    pub(crate) clock: Arc<TestClock>,
    ehr_url: String,
    browser: reqwest::Client,
    _folder: tempfile::TempDir,
}

/// A page or document as it arrived.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Sandboxed {
    /// `profile` gives the whole profile, from the EHR's address; `sandbox` is the
    /// sandbox's configuration after `[launch]` and the two applications, in which
    /// `{server}` stands for an address that leads to the server.
    pub(crate) async fn start(profile: impl FnOnce(&str) -> String, sandbox: &str) -> Self {
        super::log::keep();
        let clock = Arc::new(TestClock::new());
        let (relay, server_url) = relay().await;
        let sandbox = sandbox.replace("{server}", &relay);
        let config =
            SandboxConfig::parse(&format!("{}{sandbox}", epic::sandbox(SITE, ""))).unwrap();
        let ehr = Sandbox::bind(config, clock.clone(), random::system())
            .await
            .unwrap();
        let (ehr_url, controls) = (ehr.address().to_owned(), ehr.controls());
        tokio::spawn(ehr.serve(std::future::pending()));

        let folder = tempfile::tempdir().unwrap();
        write_profile(folder.path(), &profile(&ehr_url));
        let database = super::database::configuration();
        fs::write(
            folder.path().join("vestibule.toml"),
            format!("{CONFIG}{database}"),
        )
        .unwrap();
        write_www(&folder.path().join("www"));
        let config = Config::read(&folder.path().join("vestibule.toml")).unwrap();
        let server = Server::bind_with_clock(&config, clock.clone())
            .await
            .unwrap();
        let url = format!("http://{}", server.address());
        server_url.set(url.clone()).unwrap();
        tokio::spawn(server.run(std::future::pending()));
        Self {
            url,
            ehr: controls,
            clock,
            ehr_url,
            browser: browser(),
            _folder: folder,
        }
    }

    /// Sends a request of the test's browser.
    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Page {
        let response = request.send().await.unwrap();
        Page {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.text().await.unwrap(),
        }
    }

    /// A request to the server, wherever it believes to be.
    pub(crate) fn request(&self, method: &str, url: &str) -> reqwest::RequestBuilder {
        let path = url.strip_prefix(SITE).unwrap_or(url);
        let url = format!("{}{path}", self.url);
        self.browser.request(method.parse().unwrap(), url)
    }

    pub(crate) async fn get(&self, url: &str) -> Page {
        self.send(self.request("GET", url)).await
    }

    pub(crate) async fn post_form(&self, url: &str, form: &[(String, String)]) -> Page {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let request = self
            .request("POST", url)
            .body(body)
            .header("content-type", "application/x-www-form-urlencoded");
        self.send(request).await
    }

    /// Presses the button of the first appointment on `page`, `clinician` or `patient`,
    /// and goes where that leads.
    pub(crate) async fn launch(&self, page: &str) -> Page {
        let button = self.browser.post(format!("{}/{page}/launch", self.ehr_url));
        let button = button
            .header("content-type", "application/x-www-form-urlencoded")
            .body("appointment=1");
        let mut answer = self.send(button).await;
        while !answer.header("location").contains("/webapp/#/") {
            assert_eq!(answer.status, 303, "{}", answer.body);
            let next = answer.header("location").replace(SITE, &self.url);
            answer = self.send(self.browser.get(next)).await;
        }
        answer
    }

    /// A link of the EHR's schedule: `kind` is `direct` or `zoom`.
    pub(crate) async fn link(&self, appointment: &str, role: &str, kind: &str) -> String {
        let links = self.browser.get(format!("{}/links.json", self.ehr_url));
        let links: Value = serde_json::from_str(&self.send(links).await.body).unwrap();
        let mut links = links.as_array().unwrap().iter();
        let link = links
            .find(|link| link["appointment"] == appointment && link["role"] == role)
            .unwrap();
        link[kind].as_str().unwrap().to_owned()
    }

    /// Asks the node for a token; gives its answer's `result`.
    pub(crate) async fn request_token(&self, alias: &str, pin: &str) -> Value {
        let path = format!("/api/client/v2/conferences/{alias}/request_token");
        let request = self
            .request("POST", &path)
            .header("pin", pin)
            .header("content-type", "application/json")
            .body(r#"{"display_name": "Somebody"}"#);
        let answer = self.send(request).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        body["result"].clone()
    }

    /// The entries of the EHR's journal of this kind, once there are so many.
    pub(crate) async fn journal(&self, event: &str, count: usize) -> Vec<Value> {
        for _ in 0..200 {
            let mut journal = self.ehr.journal();
            journal.retain(|entry| entry["event"] == event);
            if journal.len() >= count {
                return journal;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("no {count} x {event} in {:?}", self.ehr.journal());
    }
}

impl Page {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The join link that a launch ended in.
    pub(crate) fn join_link(&self) -> &str {
        assert_eq!(self.status, 303, "{}", self.body);
        let link = self.header("location");
        assert!(link.starts_with(&format!("{SITE}/webapp/#/?")), "{link}");
        link
    }
}

/// The profile of an organisation whose launches are Epic's.
pub(crate) fn epic_profile(ehr: &str, more: &str) -> String {
    format!("{}{more}", epic::profile(SITE, ehr))
}

/// The fields of the backend application, for [`epic_profile`]'s `more`; `{ehr}` is the
/// EHR's address.
pub(crate) fn backend_fields(key: &AssertionKey) -> String {
    format!(
        r#"
epic_backend_oauth2_app_client_id = "backend-app"
epic_backend_oauth2_app_token_endpoint_url = "{{ehr}}/oauth2/token"
epic_backend_oauth2_app_private_key = '''{}'''
"#,
        *key.to_pem()
    )
}

/// The backend application in the sandbox's configuration.
pub(crate) fn backend_client() -> String {
    let keys = jwks_path(UUID.parse().unwrap());
    format!(
        r#"
[[clients]]
role = "backend"
client_id = "backend-app"
jwks_url = "{{server}}{keys}"
"#
    )
}

/// An address that hands GET requests on to a server that is told later.
async fn relay() -> (String, Arc<OnceLock<String>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let server = Arc::new(OnceLock::new());
    let router = Router::new().fallback(hand_on).with_state(server.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, server)
}

async fn hand_on(
    State(server): State<Arc<OnceLock<String>>>,
    OriginalUri(uri): OriginalUri,
) -> Response {
    let url = format!("{}{uri}", server.get().unwrap());
    let answer = browser().get(url).send().await.unwrap();
    let status = StatusCode::from_u16(answer.status().as_u16()).unwrap();
    let kind = answer.headers()["content-type"].clone();
    let body = answer.bytes().await.unwrap();
    (status, [("content-type", kind)], body).into_response()
}

fn browser() -> reqwest::Client {
    #[expect(
        clippy::disallowed_methods,
        reason = "a browser, not the server's client"
    )]
    let builder = reqwest::Client::builder();
    builder
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap()
}
