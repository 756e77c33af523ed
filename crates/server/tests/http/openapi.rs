//! The OpenAPI document: up to date, of every route and no other, in the words of the wire
//! types, and kept by a real server, as schemathesis sees it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead as _, BufReader},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use vestibule_landing_page::PagePath;
use vestibule_launch::{
    DeviceTest, ErrorName, LaunchEvent, RequestId, Role, TestResult,
    client_api::RequestTokenBody,
    launch_api::{
        ErrorPage, ErrorReport, EventReport, Problem, RedeemRequest, RedeemedLaunch, ResumeRequest,
    },
};
use vestibule_python_judge::Judge;
use vestibule_server::{config::Config, openapi, readiness, server::Server};

use crate::support::{
    ADMIN_CONFIG, Admin, CONFIG, Ehr, TestServer, UUID, profile, write_profile, write_www,
};

const FILE: &str = "../../docs/reference/openapi.json";

pub(crate) const PEXIP: &str = "[pexip]\npolicy_username = \"pexip\"\npolicy_password = \"pexip-password\"\n\
    event_sink_username = \"pexip\"\nevent_sink_password = \"pexip-password\"\n";

/// Sends what the document allows, and what it does not, and looks at the answers.
const SCHEMATHESIS: Judge<'static> = Judge {
    program: concat!(env!("CARGO_MANIFEST_DIR"), "/tests/http/openapi_judge.py"),
    packages: &["schemathesis==4.32.5"],
    environments: env!("CARGO_TARGET_TMPDIR"),
};

#[test]
fn the_document_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let text = openapi::json().unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &text).unwrap();
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == text,
        "docs/reference/openapi.json is out of date; renew it by \
         `UPDATE_DOCS=1 cargo test -p vestibule-server --test http the_document_is_up_to_date`"
    );
}

/// The paths that a router has, from what it says of itself.
pub(crate) fn paths(router: &axum::Router) -> BTreeSet<String> {
    let told = format!("{router:?}");
    let path = Regex::new(r#"RouteId\(\d+\): "([^"]+)""#).unwrap();
    let paths = path.captures_iter(&told).map(|found| found[1].to_owned());
    let paths: BTreeSet<_> = paths.collect();
    assert!(
        !paths.is_empty(),
        "a router that says nothing of its paths: {told}"
    );
    paths
}

/// The paths of all listeners, but for the landing page's, which are configured, the admin
/// pages', which are for people and not for programs, and what takes in everything below a
/// path that nobody knows.
async fn routed() -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    let ehr = Ehr::start().await;
    write_profile(folder.path(), &profile(&ehr, ""));
    let file = folder.path().join("vestibule.toml");
    fs::write(&file, format!("{CONFIG}{ADMIN_CONFIG}{PEXIP}")).unwrap();
    write_www(&folder.path().join("www"));
    let config = Config::read(&file).unwrap();
    let server = Server::bind(&config).await.unwrap();
    let (browsers, admin) = server.routers();
    let landing_page: Vec<_> = config
        .landing_page
        .paths
        .iter()
        .map(PagePath::as_str)
        .collect();
    assert!(!landing_page.is_empty());
    let is_landing_page = |path: &str| {
        let path = path.split('{').next().unwrap_or(path);
        let path = format!("{}/", path.trim_end_matches('/'));
        landing_page.contains(&path.as_str())
    };
    let all = paths(browsers).into_iter().chain(paths(admin.unwrap()));
    // "/" is what answers where there is no page.
    let all = all.filter(|path| path != "/" && !is_landing_page(path) && !path.contains("{*"));
    let is_admin_page = |path: &str| path == "/admin" || path.starts_with("/admin/");
    let all = all.filter(|path| !is_admin_page(path));
    all.map(|path| without_slash(&path)).collect()
}

fn without_slash(path: &str) -> String {
    path.trim_end_matches('/').to_owned()
}

fn document() -> Value {
    serde_json::from_str(&openapi::json().unwrap()).unwrap()
}

/// The methods of each path in the document.
fn described() -> BTreeMap<String, BTreeSet<String>> {
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    let methods = |item: &Value| {
        let item = item.as_object().unwrap();
        item.keys().map(|method| method.to_uppercase()).collect()
    };
    let described = paths.iter();
    described
        .map(|(path, item)| (without_slash(path), methods(item)))
        .collect()
}

#[tokio::test]
async fn every_route_is_described_and_nothing_is_described_that_is_no_route() {
    let described: BTreeSet<_> = described().into_keys().collect();
    assert_eq!(described, routed().await);
}

/// An axum router says in `Allow` which methods a path has (RFC 9110 section 10.2.1).
#[tokio::test]
async fn every_method_of_a_route_is_described() {
    let server = TestServer::with("", &format!("{ADMIN_CONFIG}{PEXIP}")).await;
    let admin = Admin { server };
    let segment = Regex::new(r"\{[^}]*\}").unwrap();
    for (path, described) in described() {
        let address = segment.replace_all(&path, "1").into_owned();
        let is_admin = path.starts_with("/api/admin") || path == openapi::PATH;
        let (address, user, password) = if is_admin {
            (admin.url(&address), "admin", "correct horse battery")
        } else {
            (
                format!("{}{address}", admin.server.url),
                "pexip",
                "pexip-password",
            )
        };
        let request = admin.server.client.request("ODD".parse().unwrap(), address);
        let response = request
            .basic_auth(user, Some(password))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 405, "{path}");
        // Routers that answer 405 in words of their own leave it out.
        let Some(allow) = response.headers().get("allow") else {
            assert!(is_admin || path.starts_with("/api/client"), "{path}");
            continue;
        };
        let allowed = allow.to_str().unwrap().split(',').map(str::trim);
        let allowed: BTreeSet<_> = allowed
            .filter(|method| *method != "HEAD")
            .map(str::to_owned)
            .collect();
        assert_eq!(allowed, described, "{path}");
    }
}

#[tokio::test]
async fn administrators_get_the_document_and_browsers_do_not() {
    let admin = Admin::start().await;
    let answer = admin.get(openapi::PATH).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), document());
    let anonymous = admin.server.client.get(admin.url(openapi::PATH));
    assert_eq!(anonymous.send().await.unwrap().status(), 401);
    assert_eq!(admin.server.get(openapi::PATH).await.status(), 404);
}

/// The schema of this name has the fields of a value of the type, with all of them set.
#[track_caller]
fn has_the_fields_of(name: &str, value: &impl Serialize) {
    let document = document();
    let schema = &document["components"]["schemas"][name];
    let keys = |value: &Value| -> BTreeSet<String> {
        let object = value.as_object().unwrap();
        object.keys().cloned().collect()
    };
    let value = serde_json::to_value(value).unwrap();
    assert_eq!(keys(&schema["properties"]), keys(&value), "{name}");
}

#[test]
fn schemas_have_the_fields_of_the_wire_types() {
    let text = || "x".to_owned();
    let telehealth_request_id = RequestId::from_bytes([1; 16]);
    let error_name = ErrorName::NodeUnavailable;
    let test = DeviceTest {
        camera: TestResult::Passed,
        microphone: TestResult::Passed,
        speaker: TestResult::Passed,
        connection: TestResult::Passed,
    };
    has_the_fields_of("DeviceTest", &test);
    let redeem = RedeemRequest {
        ticket: text(),
        browser: text(),
    };
    has_the_fields_of("RedeemRequest", &redeem);
    has_the_fields_of("ResumeRequest", &ResumeRequest { browser: text() });
    let redeemed = RedeemedLaunch {
        telehealth_request_id,
        conference: text(),
        display_name: text(),
        role: Role::Host,
        pin: Some(text()),
        node: text(),
        token: text(),
        expires_at: text(),
        language: Some(text()),
    };
    has_the_fields_of("RedeemedLaunch", &redeemed);
    let readiness = readiness::Report {
        ready: false,
        problems: vec!["x"],
    };
    has_the_fields_of("Readiness", &readiness);
    let event = EventReport {
        event: LaunchEvent::Joined,
        utc_time: Some(text()),
        error_name: Some(error_name),
        device_test: Some(test),
    };
    has_the_fields_of("EventReport", &event);
    let report = ErrorReport {
        error_name,
        telehealth_request_id: Some(telehealth_request_id),
        conference: Some(text()),
    };
    has_the_fields_of("ErrorReport", &report);
    let page = ErrorPage {
        error_name,
        telehealth_request_id,
        utc_time: text(),
        detailed_debug_information: Some(text()),
        template: text(),
    };
    has_the_fields_of("ErrorPage", &page);
    let problem = Problem {
        status: 400,
        title: text(),
        error_name,
        telehealth_request_id,
        utc_time: text(),
    };
    has_the_fields_of("Problem", &problem);
    let token = RequestTokenBody {
        display_name: text(),
        chosen_idp: Some(text()),
        direct_media: Some(false),
        sso_token: Some(text()),
        node: Some(text()),
        conference_extension: Some(text()),
        call_tag: Some(text()),
    };
    has_the_fields_of("RequestTokenBody", &token);
}

/// The program itself, until it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let id = Pid::from_raw(self.0.id().try_into().unwrap());
        let _ = kill(id, Signal::SIGKILL);
        let _ = self.0.wait();
    }
}

/// An address that this machine hands out to nobody else for a while: the end of a
/// connection to it is remembered (TIME-WAIT), and listening on it is possible all the same.
fn reserved() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let client = TcpStream::connect(address).unwrap();
    let (accepted, _) = listener.accept().unwrap();
    drop(accepted);
    drop(client);
    address
}

#[derive(Deserialize)]
struct Seen {
    failures: Vec<String>,
    operations: usize,
    requests: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_keeps_to_its_document_whatever_it_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let ehr = Ehr::start().await;
    write_profile(folder.path(), &profile(&ehr, ""));
    let admin = reserved();
    let config = format!(
        "{CONFIG}{}{PEXIP}[limits]\nlaunches_per_minute = 0\n",
        ADMIN_CONFIG.replace("127.0.0.1:0", &admin.to_string())
    );
    fs::write(folder.path().join("vestibule.toml"), config).unwrap();
    write_www(&folder.path().join("www"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_vestibule"))
        .args(["serve", "--config"])
        .arg(folder.path().join("vestibule.toml"))
        .env("RUST_LOG", "error")
        .stdout(Stdio::piped())
        .stderr(vestibule_test_log::stderr("vestibule", Stdio::inherit()))
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let _running = Running(child);
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let browsers = line
        .strip_prefix("listening on ")
        .unwrap()
        .trim_end()
        .to_owned();
    let case = json!({
        "document": document(),
        "browsers": browsers,
        "admin": format!("http://{admin}"),
        "credentials": {
            "admin": ["admin", "correct horse battery"],
            "pexip": ["pexip", "pexip-password"],
        },
        "uuid": UUID,
        "examples": 4,
    });
    let seen: Seen = tokio::task::spawn_blocking(move || SCHEMATHESIS.judge(&case))
        .await
        .unwrap();
    assert!(seen.failures.is_empty(), "{}", seen.failures.join("\n\n"));
    assert!(seen.operations > 30, "{}", seen.operations);
    assert!(seen.requests > 500, "{}", seen.requests);
}
