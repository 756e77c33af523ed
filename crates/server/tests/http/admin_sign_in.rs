//! Who signs in on the admin pages, and for how long.

use std::time::Duration;

use reqwest::{
    Method, Response,
    header::{LOCATION, SET_COOKIE},
};
use serde_json::json;
use vestibule_server::{config::Config, server::Server};
use vestibule_store::{AuditAction, AuditFilter, NewAuditEntry, Page, Store};
use vestibule_test_log::Class;

use crate::support::{Admin, PATH, TestServer, answer};

const PASSWORD: &str = "correct horse battery";

const MINUTE: Duration = Duration::from_secs(60);

/// The password is the same for all.
const USERS: [(&str, &str); 3] = [("vic", "view"), ("olga", "operate"), ("cora", "configure")];

async fn start() -> Admin {
    let hash = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$wZeUqErRQM9fr7+3IJVQyFsb5QPhYeqkXwNGZgBH/L4";
    let mut config = "[admin]\nlisten = \"127.0.0.1:0\"\n".to_owned();
    for (name, role) in USERS {
        config.push_str(&format!(
            "[[admin.users]]\nname = \"{name}\"\nrole = \"{role}\"\npassword_hash = \"{hash}\"\n"
        ));
    }
    Admin {
        server: TestServer::with("", &config).await,
    }
}

/// A form as a browser sends it from a page of the same origin.
fn form(admin: &Admin, path: &str, fields: &[(&str, &str)]) -> reqwest::RequestBuilder {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let request = admin.server.client.post(admin.url(path));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.header("sec-fetch-site", "same-origin").body(body)
}

async fn try_sign_in(admin: &Admin, name: &str, password: &str) -> Response {
    let fields = [("name", name), ("password", password)];
    form(admin, "/admin/sign-in", &fields).send().await.unwrap()
}

/// The cookie of a new session.
async fn sign_in(admin: &Admin, name: &str) -> String {
    let response = try_sign_in(admin, name, PASSWORD).await;
    assert_eq!(response.status(), 303);
    cookie_of(&response)
}

fn cookie_of(response: &Response) -> String {
    let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
    let pair = cookie.split(';').next().unwrap();
    let (_, id) = pair.split_once('=').unwrap();
    vestibule_test_log::secret(Class::Token, id);
    pair.to_owned()
}

async fn get(admin: &Admin, path: &str, cookie: &str) -> Response {
    let request = admin.server.client.get(admin.url(path));
    request.header("cookie", cookie).send().await.unwrap()
}

async fn is_in(admin: &Admin, cookie: &str) -> bool {
    get(admin, "/admin/profiles", cookie).await.status() == 200
}

/// The token in the forms of this session's pages.
async fn token(admin: &Admin, cookie: &str) -> String {
    let page = get(admin, "/admin/profiles", cookie).await;
    let page = page.text().await.unwrap();
    let (_, rest) = page.split_once("name=\"csrf\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

async fn audit(admin: &Admin, action: AuditAction) -> Vec<NewAuditEntry> {
    let store = admin.server.tools().await.store;
    let filter = AuditFilter {
        action: Some(action),
        ..AuditFilter::default()
    };
    let page = Page {
        after: None,
        limit: 100,
    };
    let store: &dyn Store = &*store;
    let entries = store.list_audit(&filter, page).await.unwrap();
    entries.into_iter().map(|entry| entry.entry).collect()
}

#[tokio::test]
async fn nobody_sees_a_page_without_signing_in() {
    let admin = start().await;
    for (path, next) in [
        ("/admin", "%2Fadmin"),
        (
            "/admin/launches?role=patient",
            "%2Fadmin%2Flaunches%3Frole%3Dpatient",
        ),
        ("/admin/audit.csv", "%2Fadmin%2Faudit.csv"),
    ] {
        for cookie in [
            "",
            "vestibule-admin=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ] {
            let response = get(&admin, path, cookie).await;
            assert_eq!(response.status(), 303);
            let expected = format!("/admin/sign-in?next={next}");
            assert_eq!(response.headers()[LOCATION], expected.as_str());
            assert_eq!(response.text().await.unwrap(), "");
        }
    }
    let basic = admin.server.client.get(admin.url("/admin"));
    let basic = answer(basic.basic_auth("cora", Some(PASSWORD))).await;
    assert_eq!(basic.status, 303, "a password alone opens no page");
    let nowhere = get(&admin, "/admin/nowhere", "").await;
    assert_eq!(nowhere.status(), 303);
    let cookie = sign_in(&admin, "vic").await;
    assert_eq!(get(&admin, "/admin/nowhere", &cookie).await.status(), 404);
    let page = get(&admin, "/admin/sign-in?next=/admin/launches", "").await;
    assert_eq!(page.status(), 200);
    assert_eq!(page.headers()["cache-control"], "no-store");
    let text = page.text().await.unwrap();
    let next = "value=\"&#x2f;admin&#x2f;launches\"";
    assert!(text.contains(next), "{text}");
}

#[tokio::test]
async fn who_signs_in_goes_on_to_the_page_that_was_asked_for() {
    let admin = start().await;
    for (next, goes_to) in [
        (
            "/admin/launches?role=patient",
            "/admin/launches?role=patient",
        ),
        ("//evil.example.org", "/admin"),
        ("https://evil.example.org/admin", "/admin"),
    ] {
        let fields = [("name", "vic"), ("password", PASSWORD), ("next", next)];
        let response = form(&admin, "/admin/sign-in", &fields)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 303);
        assert_eq!(response.headers()[LOCATION], goes_to);
        assert!(is_in(&admin, &cookie_of(&response)).await);
    }
    let [entry, ..] = audit(&admin, AuditAction::SignedIn)
        .await
        .try_into()
        .unwrap_or_else(|all: Vec<_>| -> [NewAuditEntry; 3] { panic!("three sign-ins: {all:?}") });
    assert_eq!(entry.administrator.as_deref(), Some("vic"));
    assert_eq!(entry.role.as_deref(), Some("view"));
    assert_eq!(entry.source, "127.0.0.1");
}

#[tokio::test]
async fn an_id_that_somebody_else_chose_is_never_a_session() {
    let admin = start().await;
    let planted = "vestibule-admin=BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";
    let fields = [("name", "cora"), ("password", PASSWORD)];
    let request = form(&admin, "/admin/sign-in", &fields).header("cookie", planted);
    let first = cookie_of(&request.send().await.unwrap());
    assert_ne!(first, planted);
    assert!(!is_in(&admin, planted).await);
    assert!(is_in(&admin, &first).await);
    let request = form(&admin, "/admin/sign-in", &fields).header("cookie", &first);
    let second = cookie_of(&request.send().await.unwrap());
    assert_ne!(first, second);
    assert!(
        !is_in(&admin, &first).await,
        "the session from before is over"
    );
    assert!(is_in(&admin, &second).await);
}

#[tokio::test]
async fn the_cookie_is_for_this_host_over_tls_and_for_no_script() {
    let admin = start().await;
    let fields = [("name", "cora"), ("password", PASSWORD)];
    let sign_in = form(&admin, "/admin/sign-in", &fields).header("host", "admin.example.org");
    let response = sign_in.send().await.unwrap();
    let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert!(pair.starts_with("__Host-vestibule-admin="), "{cookie}");
    assert_eq!(attributes, "Path=/; HttpOnly; SameSite=Strict; Secure");
    let response = try_sign_in(&admin, "cora", PASSWORD).await;
    let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("vestibule-admin="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"));
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used_and_after_half_a_day() {
    let admin = start().await;
    let (idle, busy) = (sign_in(&admin, "vic").await, sign_in(&admin, "vic").await);
    for _ in 0..35 {
        admin.server.clock.advance(20 * MINUTE);
        assert!(is_in(&admin, &busy).await, "it is used");
    }
    assert!(!is_in(&admin, &idle).await, "it is not");
    admin.server.clock.advance(20 * MINUTE);
    assert!(!is_in(&admin, &busy).await, "half a day is over");
}

#[tokio::test]
async fn a_session_goes_with_the_password_and_the_role_counts_as_it_is_now() {
    let admin = start().await;
    let (vic, olga) = (sign_in(&admin, "vic").await, sign_in(&admin, "olga").await);
    let gone = sign_in(&admin, "cora").await;
    let clock = admin.server.clock.clone();
    let client = admin.server.client.clone();
    let folder = admin.server.end().await;
    let path = folder.path().join("vestibule.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    let config = config.replacen("c29tZXNhbHRzb21lc2FsdA", "b3RoZXJzYWx0b3RoZXI", 1);
    let config = config.replace("role = \"operate\"", "role = \"view\"");
    let config = config.replace("name = \"cora\"", "name = \"carol\"");
    std::fs::write(&path, config).unwrap();
    let config = Config::read(&path).unwrap();
    let server = Server::bind_with_clock(&config, clock).await.unwrap();
    let url = format!("http://{}", server.admin_address().unwrap());
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async { drop(ended.await) }));
    let page = async |cookie: &str| {
        let request = client.get(format!("{url}/admin/profiles"));
        request.header("cookie", cookie).send().await.unwrap()
    };
    assert_eq!(page(&vic).await.status(), 303, "another password");
    assert_eq!(page(&gone).await.status(), 303, "nobody of that name");
    let page = page(&olga).await;
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains("olga (view)"));
    drop(end);
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stolen_cookie_is_worth_nothing_once_its_owner_has_signed_out() {
    let admin = start().await;
    let cookie = sign_in(&admin, "olga").await;
    let token = token(&admin, &cookie).await;
    let other = sign_in(&admin, "olga").await;
    let request = form(&admin, "/admin/sign-out", &[("csrf", &token)]);
    let response = request.header("cookie", &cookie).send().await.unwrap();
    assert_eq!(response.status(), 303);
    assert_eq!(response.headers()[LOCATION], "/admin/sign-in");
    let forgotten = response.headers()[SET_COOKIE].to_str().unwrap();
    assert!(forgotten.starts_with("vestibule-admin=; "), "{forgotten}");
    assert!(forgotten.contains("Max-Age=0"), "{forgotten}");
    assert!(!is_in(&admin, &cookie).await);
    assert!(is_in(&admin, &other).await, "another browser's goes on");
    assert_eq!(audit(&admin, AuditAction::SignedOut).await.len(), 1);
}

#[tokio::test]
async fn forms_of_other_sites_and_other_sessions_do_nothing() {
    let admin = start().await;
    let cookie = sign_in(&admin, "cora").await;
    let other = sign_in(&admin, "cora").await;
    let (own, others) = (token(&admin, &cookie).await, token(&admin, &other).await);
    assert_ne!(own, others);
    for csrf in ["", "abc", &others, &own[1..]] {
        for fields in [
            &[("csrf", csrf)][..],
            &[("csrf", csrf), ("csrf", &own)],
            &[],
        ] {
            let request = form(&admin, "/admin/sign-out", fields).header("cookie", &cookie);
            assert_eq!(request.send().await.unwrap().status(), 403, "{csrf}");
        }
    }
    let send = async |path: &str, headers: &[(&'static str, &str)]| {
        let fields = [
            ("csrf", own.as_str()),
            ("name", "cora"),
            ("password", PASSWORD),
        ];
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let mut request = admin.server.client.post(admin.url(path));
        request = request.header("content-type", "application/x-www-form-urlencoded");
        request = request.header("cookie", &cookie).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap().status().as_u16()
    };
    for path in ["/admin/sign-out", "/admin/sign-in"] {
        for headers in [
            &[][..],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "none")],
            &[("origin", "null")],
            &[("origin", "https://evil.example.org")],
        ] {
            assert_eq!(send(path, headers).await, 403, "{path} {headers:?}");
        }
    }
    assert!(is_in(&admin, &cookie).await, "nothing was done");
    let origin = admin.url("");
    let own_origin = [("origin", origin.as_str())];
    assert_eq!(send("/admin/sign-out", &own_origin).await, 303);
    assert!(!is_in(&admin, &cookie).await);
}

#[tokio::test]
async fn wrong_passwords_are_few_and_on_record_without_what_was_typed() {
    let admin = start().await;
    for (name, password) in [
        ("vic", "wrong"),
        ("nobody-knows-me", PASSWORD),
        ("correct horse battery", ""),
        ("Vic", PASSWORD),
    ] {
        let response = try_sign_in(&admin, name, password).await;
        assert_eq!(response.status(), 401, "{name}");
        assert!(!response.headers().contains_key(SET_COOKIE));
        let text = response.text().await.unwrap();
        assert!(text.contains("Name or password is wrong."), "{text}");
        assert!(!text.contains("nobody-knows-me"), "{text}");
    }
    let failed = audit(&admin, AuditAction::SignInFailed).await;
    let names: Vec<_> = failed
        .iter()
        .map(|it| it.administrator.as_deref())
        .collect();
    assert_eq!(names, [None, None, None, Some("vic")]);
    for _ in 0..6 {
        assert_eq!(try_sign_in(&admin, "vic", "wrong").await.status(), 401);
    }
    for guess in ["wrong", PASSWORD] {
        let refused = try_sign_in(&admin, "vic", guess).await;
        assert_eq!(refused.status(), 429, "whether or not it is right");
        assert_eq!(refused.headers()["retry-after"], "300");
    }
    let basic = admin.server.client.get(admin.url(PATH));
    let basic = answer(basic.basic_auth("vic", Some(PASSWORD))).await;
    assert_eq!(basic.status, 429, "the same for the API");
    admin.server.clock.advance(5 * MINUTE);
    assert_eq!(try_sign_in(&admin, "vic", PASSWORD).await.status(), 303);
}

#[tokio::test]
async fn a_form_that_is_none_signs_nobody_in() {
    let admin = start().await;
    for fields in [&[][..], &[("name", "vic")], &[("password", PASSWORD)]] {
        let request = form(&admin, "/admin/sign-in", fields);
        assert_eq!(request.send().await.unwrap().status(), 400);
    }
    let long = "a".repeat(20_000);
    let fields = [("name", "vic"), ("password", long.as_str())];
    let request = form(&admin, "/admin/sign-in", &fields);
    assert_eq!(request.send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn the_api_takes_changes_of_those_who_configure_and_of_no_others() {
    let admin = start().await;
    let uuid = "5a0e0d4a-4c3f-4a0e-9a57-3f1d6c1d2b3a";
    let profile = admin.profile(uuid);
    let send = async |user: &str, method: Method, path: &str, body: Option<String>| {
        let request = admin.server.client.request(method, admin.url(path));
        let mut request = request.basic_auth(user, Some(PASSWORD));
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body);
        }
        answer(request).await
    };
    for user in ["vic", "olga"] {
        assert_eq!(send(user, Method::GET, PATH, None).await.status, 200);
        let created = send(user, Method::POST, PATH, Some(profile.to_string())).await;
        assert_eq!(created.status, 403);
        assert!(created.text.contains("configure"), "{}", created.text);
    }
    let refused = audit(&admin, AuditAction::Refused).await;
    let names: Vec<_> = refused
        .iter()
        .map(|it| it.administrator.as_deref())
        .collect();
    assert_eq!(names, [Some("olga"), Some("vic")]);
    let created = send("cora", Method::POST, PATH, Some(profile.to_string())).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let path = created.headers["location"].to_str().unwrap();
    let change = json!({ "description": "Beverley's clinic" }).to_string();
    assert_eq!(
        send("cora", Method::PATCH, path, Some(change)).await.status,
        200
    );
    assert_eq!(send("cora", Method::DELETE, path, None).await.status, 204);
    for (action, details) in [
        (AuditAction::ProfileCreated, "epic_encryption_key"),
        (AuditAction::ProfileChanged, "description"),
        (AuditAction::ProfileRemoved, ""),
    ] {
        let entries = audit(&admin, action).await;
        let [entry] = entries.as_slice() else {
            panic!("one entry of {action:?}: {entries:?}");
        };
        assert_eq!(entry.administrator.as_deref(), Some("cora"));
        assert_eq!(entry.role.as_deref(), Some("configure"));
        assert_eq!(entry.subject.as_ref().map(|it| it.id.as_str()), Some(uuid));
        assert!(entry.details.contains(details), "{entry:?}");
        assert!(!entry.details.contains("Beverley"), "{entry:?}");
    }
}
