//! Sign-in by OpenID Connect, with npm's oidc-provider as the judge.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
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
    start_beside(&provider.issuer, more, "").await
}

/// The same with these lines behind the table.
async fn start_beside(issuer: &str, more: &str, rest: &str) -> Admin {
    let config = format!(
        "[admin]\nlisten = \"127.0.0.1:0\"\n[admin.oidc]\nissuer = \"{issuer}\"\n\
         client_id = \"vestibule\"\nclient_secret = \"{SECRET}\"\n\
         redirect_uri = \"{REDIRECT_URI}\"\n{more}\
         [admin.oidc.roles]\nlookers = \"view\"\noperators = \"operate\"\n{rest}"
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
    let identity = format!("ada at {}", provider.issuer);
    assert_eq!(entries[0].identity.as_deref(), Some(identity.as_str()));
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
    let failed = audit(&admin, AuditAction::SignInFailed).await;
    let [entry] = failed.as_slice() else {
        panic!("one entry: {failed:?}");
    };
    assert_eq!(entry.administrator.as_deref(), Some("eve"));
    let identity = format!("eve at {}", provider.issuer);
    assert_eq!(entry.identity.as_deref(), Some(identity.as_str()));
}

#[tokio::test]
async fn nobody_comes_from_the_provider_by_the_name_of_an_administrator_here() {
    let provider = Provider::start();
    let hash = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$wZeUqErRQM9fr7+3IJVQyFsb5QPhYeqkXwNGZgBH/L4";
    let users = format!(
        "[[admin.users]]\nname = \"Ada\"\nrole = \"configure\"\npassword_hash = \"{hash}\"\n"
    );
    let admin = start_beside(&provider.issuer, "", &users).await;
    let mut browser = Browser::of(&admin);
    let authorize = browser.leave("/admin").await;
    let back = browser.sign_in_as("ada", &authorize).await;
    let response = browser.get(&back).await;
    assert_eq!(response.status(), 403);
    assert!(browser.cookies.is_empty(), "{:?}", browser.cookies);
    assert!(audit(&admin, AuditAction::SignedIn).await.is_empty());
    let failed = audit(&admin, AuditAction::SignInFailed).await;
    assert_eq!(failed.len(), 1);
    assert!(failed[0].identity.is_some(), "{failed:?}");
}

#[tokio::test]
async fn a_new_sign_in_ends_the_session_from_before() {
    const SESSION: &str = "__Host-vestibule-admin";
    let provider = Provider::start();
    let admin = start(&provider, "").await;
    let mut browser = Browser::of(&admin);
    let authorize = browser.leave("/admin").await;
    let back = browser.sign_in_as("ada", &authorize).await;
    assert_eq!(browser.get(&back).await.status(), 200);
    let before = browser.cookies.clone();
    let authorize = browser.leave("/admin").await;
    let back = browser.sign_in_as("ada", &authorize).await;
    assert_eq!(browser.get("/admin/profiles").await.status(), 200);
    // Browsers send a strict cookie along with no request from another site.
    browser.cookies.remove(SESSION);
    assert_eq!(browser.get(&back).await.status(), 200);
    assert_eq!(browser.get("/admin/profiles").await.status(), 200);
    browser.cookies = before;
    assert_eq!(browser.get("/admin/profiles").await.status(), 303);
}

#[tokio::test]
async fn made_up_codes_are_few_and_fill_no_log() {
    const USUAL: usize = 10;
    let provider = Provider::start();
    let admin = start(&provider, "").await;
    let mut browser = Browser::of(&admin);
    let guess = async |browser: &mut Browser<'_>| {
        let authorize = Url::parse(&browser.leave("/admin").await).unwrap();
        let mut pairs = authorize.query_pairs();
        let (_, state) = pairs.find(|(name, _)| name == "state").unwrap();
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("code", "made-up");
        query.append_pair("state", &state);
        query.append_pair("iss", &provider.issuer);
        let path = format!("/admin/oidc/callback?{}", query.finish());
        browser.get(&path).await
    };
    for _ in 0..USUAL {
        assert_eq!(guess(&mut browser).await.status(), 400);
    }
    let failed = audit(&admin, AuditAction::SignInFailed).await;
    assert_eq!(failed.len(), USUAL);
    assert!(failed.iter().all(|it| it.administrator.is_none()));
    // One goes through each second.
    assert_eq!(browser.get("/admin/oidc").await.status(), 303);
    for path in ["/admin/oidc", "/admin/oidc/callback?code=a&state=b"] {
        let refused = browser.get(path).await;
        assert_eq!(refused.status(), 429, "{path}");
        assert!(refused.headers().contains_key("retry-after"), "{path}");
    }
    let failed = audit(&admin, AuditAction::SignInFailed).await;
    assert_eq!(failed.len(), USUAL);
    admin.server.clock.advance(Duration::from_secs(5 * 60));
    assert_eq!(browser.get("/admin/oidc").await.status(), 303);
}

#[tokio::test]
async fn a_provider_that_is_away_is_asked_now_and_then_only() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let away = tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            drop(connection);
        }
    });
    let admin = start_beside(&issuer, "", "").await;
    let mut browser = Browser::of(&admin);
    assert_eq!(browser.get("/admin/oidc").await.status(), 502);
    let once = asked.load(Ordering::SeqCst);
    assert!(once > 0);
    for _ in 0..5 {
        assert_eq!(browser.get("/admin/oidc").await.status(), 502);
    }
    assert_eq!(asked.load(Ordering::SeqCst), once);
    admin.server.clock.advance(Duration::from_secs(5));
    assert_eq!(browser.get("/admin/oidc").await.status(), 502);
    assert!(asked.load(Ordering::SeqCst) > once);
    away.abort();
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
    assert_eq!(browser.get(&back).await.status(), 400, "the state was used");
    assert!(browser.cookies.is_empty());
    let failed = audit(&admin, AuditAction::SignInFailed).await;
    assert!(failed.is_empty(), "no code was tried: {failed:?}");
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
