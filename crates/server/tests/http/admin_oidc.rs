//! Sign-in by OpenID Connect, with npm's oidc-provider as the judge.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
};

use reqwest::{
    Response,
    header::{LOCATION, SET_COOKIE},
};
use serde_json::json;
use url::Url;
use vestibule_launch::Clock as _;
use vestibule_store::{AuditAction, AuditFilter, NewAuditEntry, Page};

use crate::{
    clock::TestClock,
    support::{Admin, TestServer},
};

const SERVER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/http/admin_oidc/server.mjs"
);

/// Node.js as npm brings it, where it does.
const NPMS_NODE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../node_modules/.bin/node");

const ADVICE: &str =
    "oidc-provider did not start; run `cargo xtask test`, which installs Node.js and its packages";

/// The host under which browsers know the admin pages.
const HOST: &str = "admin.example.org";

const REDIRECT_URI: &str = "https://admin.example.org/admin/oidc/callback";

/// What must be encoded in a Basic header, and more.
const SECRET: &str = "s/e:c%r e+t&=?";

const MOST_REDIRECTS: usize = 10;

/// A running oidc-provider; it ends with its input.
struct Provider {
    issuer: String,
    _process: (Child, ChildStdin),
}

impl Provider {
    fn start() -> Self {
        let is_there = Path::new(NPMS_NODE).exists();
        let child = Command::new(if is_there { NPMS_NODE } else { "node" })
            .arg(SERVER)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{ADVICE}: {error}"));
        let mut stdin = child.stdin.take().unwrap();
        let stdout = child.stdout.take().unwrap();
        let started = json!({
            "clients": [{
                "client_id": "vestibule",
                "client_secret": SECRET,
                "token_endpoint_auth_method": "client_secret_basic",
                "redirect_uris": [REDIRECT_URI],
            }],
            "accounts": {
                "ada": { "preferred_username": "ada", "groups": ["lookers", "operators"] },
                "eve": { "preferred_username": "eve", "groups": ["others"] },
            },
            "now": TestClock::new().now().as_millis(),
        });
        // A server that has ended already says why below.
        let _ = writeln!(stdin, "{started}");
        let mut issuer = String::new();
        BufReader::new(stdout).read_line(&mut issuer).unwrap();
        assert!(!issuer.is_empty(), "{ADVICE}");
        Self {
            issuer: issuer.trim().to_owned(),
            _process: (child, stdin),
        }
    }
}

async fn start(provider: &Provider, more: &str) -> Admin {
    let issuer = &provider.issuer;
    let config = format!(
        "[admin]\nlisten = \"127.0.0.1:0\"\n[admin.oidc]\nissuer = \"{issuer}\"\n\
         client_id = \"vestibule\"\nclient_secret = \"{SECRET}\"\n\
         redirect_uri = \"{REDIRECT_URI}\"\n{more}\
         [admin.oidc.roles]\nlookers = \"view\"\noperators = \"operate\"\n"
    );
    Admin {
        server: TestServer::with("", &config).await,
    }
}

/// A browser that knows the admin pages as [`HOST`].
struct Browser<'a> {
    admin: &'a Admin,
    cookies: BTreeMap<String, String>,
}

impl<'a> Browser<'a> {
    fn of(admin: &'a Admin) -> Self {
        Self {
            admin,
            cookies: BTreeMap::new(),
        }
    }

    async fn get(&mut self, path: &str) -> Response {
        let request = self.admin.server.client.get(self.admin.url(path));
        let request = request.header("host", HOST);
        let response = request.header("cookie", header(&self.cookies)).send().await;
        let response = response.unwrap();
        keep(&mut self.cookies, &response);
        response
    }

    /// Begins to sign in; gives where the provider wants the browser.
    async fn leave(&mut self, next: &str) -> String {
        let left = self.get(&format!("/admin/oidc?next={next}")).await;
        assert_eq!(left.status(), 303);
        left.headers()[LOCATION].to_str().unwrap().to_owned()
    }

    /// Signs in at the provider; gives path and query of the return.
    async fn sign_in_as(&self, account: &str, authorize: &str) -> String {
        let mut cookies = BTreeMap::from([("account".to_owned(), account.to_owned())]);
        let mut url = Url::parse(authorize).unwrap();
        for _ in 0..MOST_REDIRECTS {
            let request = self.admin.server.client.get(url.clone());
            let request = request.header("cookie", header(&cookies));
            let response = request.send().await.unwrap();
            keep(&mut cookies, &response);
            let location = response.headers().get(LOCATION);
            let location = location.unwrap_or_else(|| panic!("{url} does not redirect"));
            url = url.join(location.to_str().unwrap()).unwrap();
            if url.host_str() == Some(HOST) {
                return url[url::Position::BeforePath..].to_owned();
            }
        }
        panic!("more than {MOST_REDIRECTS} redirects");
    }
}

fn header(cookies: &BTreeMap<String, String>) -> String {
    let pairs: Vec<_> = cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("; ")
}

fn keep(cookies: &mut BTreeMap<String, String>, response: &Response) {
    for cookie in response.headers().get_all(SET_COOKIE) {
        let pair = cookie.to_str().unwrap().split(';').next().unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        if value.is_empty() {
            cookies.remove(name);
        } else {
            cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

async fn audit(admin: &Admin, action: AuditAction) -> Vec<NewAuditEntry> {
    let filter = AuditFilter {
        action: Some(action),
        ..AuditFilter::default()
    };
    let page = Page {
        after: None,
        limit: 100,
    };
    let store = admin.server.tools().await.store;
    let entries = store.list_audit(&filter, page).await.unwrap();
    entries.into_iter().map(|entry| entry.entry).collect()
}

#[tokio::test]
async fn who_has_a_role_at_the_provider_has_it_here() {
    let provider = Provider::start();
    let admin = start(&provider, "names = [\"lookers\"]\n").await;
    let mut browser = Browser::of(&admin);
    let page = browser.get("/admin/sign-in").await.text().await.unwrap();
    assert!(page.contains("&#x2f;admin&#x2f;oidc?next="), "{page}");
    let authorize = browser.leave("/admin/profiles").await;
    let back = browser.sign_in_as("ada", &authorize).await;
    let response = browser.get(&back).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["refresh"], "0; url=/admin/profiles");
    let names: Vec<_> = browser.cookies.keys().map(String::as_str).collect();
    assert_eq!(names, ["__Host-vestibule-admin"]);
    let page = browser.get("/admin/profiles").await;
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    assert!(page.contains("ada (operate)"), "{page}");
    assert_eq!(browser.get("/admin/audit").await.status(), 403);
    let entries = audit(&admin, AuditAction::SignedIn).await;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].administrator.as_deref(), Some("ada"));
    assert_eq!(entries[0].role.as_deref(), Some("operate"));
}

#[tokio::test]
async fn who_has_no_role_gets_no_session() {
    let provider = Provider::start();
    let admin = start(&provider, "").await;
    let mut browser = Browser::of(&admin);
    let authorize = browser.leave("/admin").await;
    let back = browser.sign_in_as("eve", &authorize).await;
    let response = browser.get(&back).await;
    assert_eq!(response.status(), 403);
    assert!(browser.cookies.is_empty(), "{:?}", browser.cookies);
    assert_eq!(browser.get("/admin/profiles").await.status(), 303);
    assert_eq!(audit(&admin, AuditAction::SignInFailed).await.len(), 1);
}

#[tokio::test]
async fn a_return_is_for_the_browser_that_left_and_for_once() {
    let provider = Provider::start();
    let admin = start(&provider, "").await;
    let mut browser = Browser::of(&admin);
    let authorize = browser.leave("/admin").await;
    let back = browser.sign_in_as("ada", &authorize).await;
    let mut other = Browser::of(&admin);
    assert_eq!(other.get(&back).await.status(), 400, "it has not left");
    other.leave("/admin").await;
    assert_eq!(other.get(&back).await.status(), 400, "it left otherwise");
    assert!(other.cookies.is_empty());
    assert_eq!(browser.get(&format!("{back}0")).await.status(), 400);
    let authorize = browser.leave("/admin").await;
    let back = browser.sign_in_as("ada", &authorize).await;
    let left = browser.cookies.clone();
    assert_eq!(browser.get(&back).await.status(), 200);
    browser.cookies = left;
    assert_eq!(browser.get(&back).await.status(), 400, "the code was used");
    assert!(browser.cookies.is_empty());
}

#[tokio::test]
async fn a_provider_that_is_another_one_is_not_believed() {
    let provider = Provider::start();
    let admin = start(&provider, "").await;
    let mut browser = Browser::of(&admin);
    let page = browser.get("/admin/oidc/callback?code=a&state=b").await;
    assert_eq!(page.status(), 400);
    let elsewhere = Provider {
        issuer: format!("{}/other", provider.issuer),
        _process: provider._process,
    };
    let admin = start(&elsewhere, "").await;
    let mut browser = Browser::of(&admin);
    assert_eq!(browser.get("/admin/oidc").await.status(), 502);
    let admin = Admin::start().await;
    let mut browser = Browser::of(&admin);
    assert_eq!(browser.get("/admin/oidc").await.status(), 404);
}
