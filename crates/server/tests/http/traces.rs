//! Traces and log lines of launches, as the program itself sends and writes them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, common::v1::any_value::Value, trace::v1::Span,
};
use prost::Message as _;
use serde_json::Value as Json;

use crate::support::{
    CONFIG, Ehr, KEY, encrypt, launch_path, location, parameter, profile, return_path,
    write_profile, write_www,
};

/// A trace that a proxy began.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

const PATIENT: &str = "csn=canary-encounter&fname=Canarina&lname=Canarysson";

/// Takes OTLP over HTTP.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Bytes>>>);

impl Collector {
    /// Begins to take; gives the address too.
    async fn start() -> (Self, String) {
        let collector = Self::default();
        let taken = collector.clone();
        let router = Router::new().route(
            "/v1/traces",
            post(
                |State(collector): State<Self>, headers: HeaderMap, body: Bytes| async move {
                    assert_eq!(headers["content-type"], "application/x-protobuf");
                    collector.0.lock().unwrap().push(body);
                },
            ),
        );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = router.with_state(taken);
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (collector, format!("http://{address}/v1/traces"))
    }

    fn raw(&self) -> Vec<u8> {
        self.0.lock().unwrap().concat()
    }

    fn spans(&self) -> Vec<Span> {
        let messages = self.0.lock().unwrap();
        let messages = messages
            .iter()
            .map(|message| ExportTraceServiceRequest::decode(message.clone()).unwrap());
        let scopes = messages
            .flat_map(|message| message.resource_spans)
            .flat_map(|resource| resource.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }
}

fn attribute(span: &Span, key: &str) -> Option<String> {
    let attribute = span.attributes.iter().find(|it| it.key == key)?;
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        other => panic!("{key} is {other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The program, and where it listens.
struct Program {
    child: Child,
    url: String,
    ehr: Ehr,
    /// With the database, as long as the program runs.
    _folder: tempfile::TempDir,
}

impl Program {
    async fn start(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ehr = Ehr::start().await;
        write_profile(folder.path(), &profile(&ehr, ""));
        let file = folder.path().join("vestibule.toml");
        fs::write(&file, format!("{CONFIG}{config}")).unwrap();
        write_www(&folder.path().join("www"));
        let mut child = Command::new(env!("CARGO_BIN_EXE_vestibule"))
            .args(["serve", "--config"])
            .arg(file)
            .env_remove("RUST_LOG")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let url = line
            .strip_prefix("listening on ")
            .unwrap()
            .trim_end()
            .to_owned();
        Self {
            child,
            url,
            ehr,
            _folder: folder,
        }
    }

    async fn get(&self, path: &str, traceparent: Option<&str>) -> reqwest::Response {
        #[expect(
            clippy::disallowed_methods,
            reason = "a browser, not the server's client"
        )]
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        let mut request = client.get(format!("{}{path}", self.url));
        if let Some(traceparent) = traceparent {
            request = request.header("traceparent", traceparent);
        }
        request.send().await.unwrap()
    }

    /// The `traceparent` with which the EHR was last asked for tokens.
    fn heard_by_ehr(&self) -> Option<String> {
        self.ehr.script(|script| {
            let last = script.token_requests.last();
            last.and_then(|request| request.traceparent.clone())
        })
    }

    /// A whole launch; gives the alias.
    async fn launch(&self, traceparent: Option<&str>) -> String {
        self.launch_of("canary-launch-token", traceparent).await
    }

    /// The same with this launch token of the EHR's.
    async fn launch_of(&self, token: &str, traceparent: Option<&str>) -> String {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("iss", &self.ehr.iss());
        form.append_pair("launch", token);
        form.append_pair("data", &encrypt(PATIENT));
        let path = format!("{}?{}", launch_path("provider"), form.finish());
        let response = self.get(&path, traceparent).await;
        assert_eq!(response.status(), 303);
        let state = parameter(location(&response), "state");
        let back = format!("{}?code=canary-code&state={state}", return_path("provider"));
        let response = self.get(&back, traceparent).await;
        assert_eq!(response.status(), 303);
        parameter(location(&response), "conference")
    }

    /// Ends it in good order; gives its log.
    async fn end(mut self) -> String {
        let id = Pid::from_raw(self.child.id().try_into().unwrap());
        kill(id, Signal::SIGTERM).unwrap();
        let ended = tokio::task::spawn_blocking(move || {
            let mut log = String::new();
            let mut stderr = self.child.stderr.take().unwrap();
            stderr.read_to_string(&mut log).unwrap();
            vestibule_test_log::record("vestibule", log.as_bytes());
            assert!(self.child.wait().unwrap().success(), "{log}");
            log
        });
        ended.await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_request_of_a_launch_is_a_trace_with_its_steps_and_its_id_and_nobodys_name() {
    let (collector, endpoint) = Collector::start().await;
    let config = format!("[traces]\nendpoint = \"{endpoint}\"\n");
    let program = Program::start(&config).await;
    // Nobody trusts this browser to say which trace it is of.
    let traceparent = format!("00-{TRACE}-b7ad6b7169203331-01");
    let alias = program.launch(Some(&traceparent)).await;
    assert_eq!(program.heard_by_ehr(), None);
    let log = program.end().await;
    let spans = collector.spans();
    let launches: Vec<_> = spans.iter().filter(|span| span.name == "launch").collect();
    assert_eq!(launches.len(), 2, "{log}");
    let ids: Vec<_> = launches
        .iter()
        .map(|span| attribute(span, "telehealth_request_id").unwrap())
        .collect();
    assert_eq!(ids[0], ids[1], "one launch in two requests");
    assert!(log.contains(&ids[0]), "{log}");
    assert_ne!(launches[0].trace_id, launches[1].trace_id);
    let steps_of = |route: &str| -> BTreeMap<String, usize> {
        let launch = launches
            .iter()
            .find(|span| attribute(span, "http.route").unwrap().contains(route))
            .unwrap();
        assert!(launch.parent_span_id.is_empty());
        assert_ne!(hex(&launch.trace_id), TRACE);
        assert_eq!(
            attribute(launch, "http.response.status_code").unwrap(),
            "303"
        );
        let mut steps = BTreeMap::new();
        for span in spans.iter().filter(|span| span.trace_id == launch.trace_id) {
            assert!(span.end_time_unix_nano >= span.start_time_unix_nano);
            assert!(span.start_time_unix_nano >= launch.start_time_unix_nano);
            *steps.entry(span.name.clone()).or_default() += 1;
        }
        steps
    };
    let begun = steps_of("oauth2smartlaunch");
    let begun: Vec<_> = begun.keys().map(String::as_str).collect();
    assert_eq!(begun, ["begin", "launch", "metadata", "store"]);
    let completed = steps_of("oauth2authorized");
    let steps: Vec<_> = completed.keys().map(String::as_str).collect();
    assert_eq!(
        steps,
        [
            "complete",
            "decrypt",
            "launch",
            "store",
            "templates",
            "token"
        ]
    );
    assert!(completed["store"] >= 3, "{completed:?}");
    let asked: BTreeSet<_> = spans
        .iter()
        .filter_map(|span| attribute(span, "operation"))
        .collect();
    for operation in ["take", "begin_launch", "consume_state", "complete_launch"] {
        assert!(asked.contains(operation), "{operation} is not in {asked:?}");
    }
    let sent = String::from_utf8_lossy(&collector.raw()).into_owned();
    for secret in [
        "Canarina",
        "Canarysson",
        "canary",
        KEY,
        &alias,
        "client-secret",
        "state=",
    ] {
        assert!(!sent.contains(secret), "{secret} was sent");
    }
    let allowed = [
        "telehealth_request_id",
        "http.route",
        "http.response.status_code",
        "operation",
    ];
    for span in &spans {
        assert!(span.events.is_empty(), "no log line is sent: {span:?}");
        let keys: BTreeSet<_> = span.attributes.iter().map(|it| &*it.key).collect();
        assert_eq!(keys.len(), span.attributes.len(), "each once: {span:?}");
        for attribute in &span.attributes {
            assert!(allowed.contains(&&*attribute.key), "{attribute:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_says_which_trace_a_launch_is_of_and_the_ehr_hears_it_if_it_is_to() {
    let (collector, endpoint) = Collector::start().await;
    let config = format!(
        "trusted_proxies = [\"127.0.0.1\"]\n[traces]\nendpoint = \"{endpoint}\"\ntell_ehr = true\n"
    );
    let program = Program::start(&config).await;
    let traceparent = format!("00-{TRACE}-b7ad6b7169203331-01");
    program.launch(Some(&traceparent)).await;
    let heard = program.heard_by_ehr();
    let heard = heard.expect("the EHR hears of the trace");
    assert!(heard.starts_with(&format!("00-{TRACE}-")), "{heard}");
    assert_ne!(heard, traceparent, "the step is the parent");
    program.end().await;
    let spans = collector.spans();
    let launches: Vec<_> = spans.iter().filter(|span| span.name == "launch").collect();
    assert_eq!(launches.len(), 2);
    for launch in launches {
        assert_eq!(hex(&launch.trace_id), TRACE);
        assert_eq!(hex(&launch.parent_span_id), "b7ad6b7169203331");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_down_or_never_answers_disturbs_no_launch() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = listener.local_addr().unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let down = closed.local_addr().unwrap();
    drop(closed);
    for (address, is_told) in [(silent, false), (down, true)] {
        let config = format!("[traces]\nendpoint = \"http://{address}/v1/traces\"\n");
        let program = Program::start(&config).await;
        program.launch(None).await;
        if is_told {
            // Longer than spans wait to be sent: those of this launch and of the next one
            // are two batches.
            tokio::time::sleep(Duration::from_secs(4)).await;
            program.launch_of("another-launch-token", None).await;
        }
        let ended = tokio::time::timeout(Duration::from_secs(60), program.end());
        let log = ended.await.expect("it ends all the same");
        assert!(!log.contains("launch failed"), "{log}");
        let told = log.matches("traces are lost").count();
        assert!(!is_told || told == 1, "once, and not for each batch: {log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_of_a_launch_in_json_has_its_request_id() {
    let program = Program::start("log = \"json\"\n").await;
    let wrong = format!(
        "{}?iss=https://other.example&launch=x",
        launch_path("patient")
    );
    assert_eq!(program.get(&wrong, None).await.status(), 400);
    let log = program.end().await;
    let lines: Vec<Json> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let failed = lines
        .iter()
        .find(|line| line["fields"]["message"] == "launch failed")
        .unwrap_or_else(|| panic!("no failure in {log}"));
    let id = failed["fields"]["request_id"].as_str().unwrap();
    assert_eq!(failed["span"]["telehealth_request_id"], id, "{failed}");
    let request = lines
        .iter()
        .find(|line| line["fields"]["message"] == "request")
        .unwrap();
    assert_eq!(request["fields"]["request_id"], id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_leaves_out_the_lines_below_it() {
    let program = Program::start("log_level = \"warn\"\n").await;
    assert_eq!(program.get("/healthz", None).await.status(), 200);
    let wrong = format!("{}?launch=x", launch_path("patient"));
    assert_eq!(program.get(&wrong, None).await.status(), 400);
    let log = program.end().await;
    assert!(log.contains("launch failed"), "{log}");
    assert!(!log.contains(" INFO "), "{log}");
}
