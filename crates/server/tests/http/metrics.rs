//! What `/metrics` tells, and the alert rules and the dashboard made for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::Duration,
};

use serde::Deserialize;
use serde_json::json;
use vestibule_launch::RequestId;
use vestibule_python_judge::Judge;
use vestibule_store::{NewLaunchEvent, NewWriteBack, Reported, WriteBackKind};

use crate::{
    headers_everywhere::faults,
    launch_bearer::LINKS,
    support::{Launch, MetadataScript, TestServer, UUID, launch_path},
};

/// Prometheus' own reader of its format, and readers of rules.
const JUDGE: Judge<'static> = Judge {
    program: concat!(env!("CARGO_MANIFEST_DIR"), "/tests/http/metrics_judge.py"),
    packages: &[
        "prometheus-client==0.26.0",
        "pyyaml==6.0.3",
        "promql-parser==0.12.0",
    ],
    environments: env!("CARGO_TARGET_TMPDIR"),
};

pub(crate) const METRICS: &str = "[metrics]\nlisten = \"127.0.0.1:0\"\n";

#[derive(Deserialize)]
struct Judged {
    samples: Vec<Sample>,
    alerts: Vec<String>,
    named: Vec<Named>,
}

#[derive(Deserialize)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

/// An expression, and the series in it.
#[derive(Deserialize)]
struct Named {
    place: Place,
    expression: String,
    series: Vec<String>,
}

/// Where an expression stands.
#[derive(PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Place {
    Alert,
    Panel,
}

impl Named {
    /// Whether a metric is in it, all of whose series begin with its name.
    fn shows(&self, metric: &str) -> bool {
        self.series.iter().any(|series| family(series) == metric)
    }
}

impl TestServer {
    /// A server that tells its metrics.
    pub(crate) async fn watched(more: &str) -> Self {
        Self::with(more, METRICS).await
    }

    /// All of them, as they are now.
    pub(crate) async fn metrics(&self) -> String {
        let response = self.client.get(self.metrics_url.as_ref().unwrap());
        let response = response.send().await.unwrap();
        assert_eq!(response.status(), 200);
        let kind = response.headers()["content-type"].to_str().unwrap();
        assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
        response.text().await.unwrap()
    }

    /// The value of a series, given as it stands in the text.
    pub(crate) async fn metric(&self, series: &str) -> Option<f64> {
        value(&self.metrics().await, series)
    }
}

fn value(text: &str, series: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| {
        let rest = line.strip_prefix(series)?;
        rest.strip_prefix(' ')
    })?;
    Some(line.parse().unwrap())
}

fn doc(name: &str) -> String {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/samples");
    fs::read_to_string(samples.join(name)).unwrap()
}

fn judge(metrics: &str) -> Judged {
    JUDGE.judge(&json!({
        "metrics": metrics,
        "alerts": doc("prometheus-alerts.yml"),
        "dashboard": doc("grafana-dashboard.json"),
    }))
}

/// The metric that a series is of.
fn family(series: &str) -> &str {
    ["_bucket", "_count", "_sum"]
        .iter()
        .find_map(|end| series.strip_suffix(end))
        .unwrap_or(series)
}

/// The metrics that the docs have a line for.
fn documented(monitoring: &str) -> Vec<&str> {
    let lines = monitoring.lines();
    let names = lines.filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    names
        .filter(|name| name.starts_with("vestibule_"))
        .collect()
}

fn of_profile(series: &str) -> String {
    format!("{series}{{profile=\"{UUID}\",role=\"provider\",dialect=\"epic\"}}")
}

#[tokio::test]
async fn launches_and_what_becomes_of_them_are_counted() {
    let server = TestServer::watched(LINKS).await;
    let begun = of_profile("vestibule_launches_begun_total");
    let completed = of_profile("vestibule_launches_completed_total");
    assert_eq!(server.metric(&begun).await, None);
    let launch = server.redeemed(Launch::PROVIDER).await;
    server.begin_state(Launch::PROVIDER).await;
    let text = server.metrics().await;
    assert_eq!(value(&text, &begun), Some(2.0));
    assert_eq!(value(&text, &completed), Some(1.0));
    for (step, times) in [
        ("begin", 2.0),
        ("complete", 1.0),
        ("metadata", 2.0),
        ("token", 1.0),
    ] {
        let series = format!("vestibule_launch_step_duration_seconds_count{{step=\"{step}\"}}");
        assert_eq!(value(&text, &series), Some(times), "{step}");
    }
    let stored = "vestibule_database_operation_duration_seconds_count{operation=\"begin_launch\"}";
    assert_eq!(value(&text, stored), Some(2.0));
    let asked = "vestibule_metadata_fetches_total{outcome=\"told\"}";
    assert_eq!(value(&text, asked), Some(1.0), "asked once, remembered");

    server.clock.advance(Duration::from_secs(42));
    for _ in 0..2 {
        let joined = json!({"event": "joined"});
        assert_eq!(server.report(&launch, &joined).await, 204);
    }
    let text = server.metrics().await;
    let labels = format!("{{profile=\"{UUID}\",role=\"provider\"}}");
    let joined = |what| {
        value(
            &text,
            &format!("vestibule_button_to_joined_seconds_{what}{labels}"),
        )
    };
    assert_eq!(joined("count"), Some(1.0), "who reloads has joined before");
    assert_eq!(joined("sum"), Some(42.0));
}

#[tokio::test]
async fn failures_are_counted_by_the_name_that_the_user_saw() {
    let server = TestServer::watched("").await;
    let failed = |source: &str, name: &str| {
        format!("vestibule_launches_failed_total{{source=\"{source}\",error_name=\"{name}\"}}")
    };
    let state = failed("server", "oauth2_state_invalid");
    let node = failed("browser", "conferencing_node_unavailable");
    let text = server.metrics().await;
    assert_eq!(value(&text, &state), Some(0.0), "known before it happens");
    assert_eq!(value(&text, &node), Some(0.0));
    server.return_with("patient", "forged").await;
    let report = json!({"error_name": "conferencing_node_unavailable"});
    let answer = server.post_json("/api/telehealth/v1/launch/error", &report);
    assert_eq!(answer.await.status(), 200);
    let text = server.metrics().await;
    assert_eq!(value(&text, &state), Some(1.0));
    assert_eq!(value(&text, &node), Some(1.0));
}

#[tokio::test]
async fn row_01_metadata_that_is_used_beyond_its_time_is_counted() {
    let server = TestServer::watched("").await;
    server.launch(Launch::PATIENT).await;
    let down = MetadataScript::Answers(500);
    server.ehr.script(|ehr| ehr.metadata = down);
    let stale = "vestibule_metadata_stale_uses_total";
    let failed = "vestibule_metadata_fetches_total{outcome=\"failed\"}";
    server.clock.advance(Duration::from_secs(60 * 60));
    server.launch(Launch::PATIENT).await;
    // The EHR is asked behind the back of the launch.
    while server.metric(failed).await != Some(1.0) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(server.metric(stale).await, Some(0.0), "nobody knew yet");
    server.clock.advance(Duration::from_secs(60 * 60));
    server.launch(Launch::PATIENT).await;
    assert_eq!(server.metric(stale).await, Some(1.0));
}

#[tokio::test]
async fn no_label_tells_a_name_an_alias_an_address_or_whatever_else_a_browser_sends() {
    let server = TestServer::watched("").await;
    let link = server.launch(Launch::PATIENT).await;
    let alias = crate::support::parameter(&link, "conference");
    server.request_token(&alias, "none").await;
    server.get("/canary-path?canary-query").await;
    let request = server
        .client
        .request("CANARY".parse().unwrap(), &server.url);
    request.send().await.unwrap();
    server.get(&launch_path("canary")).await;
    let text = server.metrics().await;
    // A figure may look like anything.
    let lines = text
        .lines()
        .map(|line| line.rsplit_once(' ').map_or(line, |(label, _)| label));
    let labels = lines.collect::<Vec<_>>().join("\n");
    let listener = server.url.trim_start_matches("http://");
    for canary in [
        "Beverley", "Spinder", "4711", "canary", "CANARY", &alias, listener,
    ] {
        assert!(!labels.contains(canary), "{canary} in {text}");
    }
    let other = "vestibule_http_requests_total{listener=\"launches\",method=\"other\"";
    assert!(text.contains(other), "{text}");
    let route = "route=\"/api/client/v2/conferences/{alias}/request_token\"";
    assert!(text.contains(route), "{text}");
}

#[tokio::test]
async fn metrics_are_told_on_their_own_address_alone() {
    let server = TestServer::watched("").await;
    assert_eq!(server.get("/metrics").await.status(), 404);
    let own = server.metrics_url.as_ref().unwrap();
    let elsewhere = own.replace("/metrics", "/healthz");
    let answer = server.client.get(elsewhere).send().await.unwrap();
    assert_eq!(answer.status(), 404);
    let without = TestServer::start().await;
    assert_eq!(without.metrics_url, None, "off by default");
}

#[tokio::test]
async fn who_has_not_the_token_is_told_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    fs::write(&token, "canary-token-of-prometheus\n").unwrap();
    let config = format!("{METRICS}token_file = {:?}\n", token.to_str().unwrap());
    let server = TestServer::with("", &config).await;
    let ask = async |authorization: &str| {
        let request = server.client.get(server.metrics_url.as_ref().unwrap());
        let request = request.header("authorization", authorization);
        let response = request.send().await.unwrap();
        assert_eq!(faults("/metrics", response.headers()), [""; 0]);
        (response.status().as_u16(), response.text().await.unwrap())
    };
    for wrong in [
        "",
        "Bearer",
        "Bearer canary-token-of-prometheu",
        "Basic canary-token-of-prometheus",
    ] {
        let (status, text) = ask(wrong).await;
        assert_eq!(status, 401, "{wrong}");
        assert!(!text.contains("vestibule_"), "{text}");
    }
    let (status, text) = ask("Bearer canary-token-of-prometheus").await;
    assert_eq!(status, 200);
    assert!(text.contains("vestibule_build_info"), "{text}");
    assert!(!crate::support::log::text().contains("canary-token"));
}

#[tokio::test]
async fn what_the_ehr_has_still_to_be_told_is_counted_with_its_age() {
    let server = TestServer::watched(LINKS).await;
    let launch = server.redeemed(Launch::PROVIDER).await;
    let request_id: RequestId = launch.id.parse().unwrap();
    let tools = server.tools().await;
    let unsent = "vestibule_write_backs_unsent";
    let age = "vestibule_write_backs_oldest_unsent_age_seconds";
    assert_eq!(server.metric(unsent).await, Some(0.0));
    assert_eq!(server.metric(age).await, Some(0.0));
    assert_eq!(server.metric("vestibule_database_up").await, Some(1.0));
    let write_back = NewWriteBack {
        dedupe: [1; 32],
        profile: UUID.parse().unwrap(),
        request_id,
        kind: WriteBackKind::EndOfCall,
        sealed: vec![1],
        due_at: tools.now() + Duration::from_secs(3600),
    };
    let event = NewLaunchEvent {
        request_id,
        event: Reported::Waiting,
        browser_time: None,
    };
    let recorded = tools
        .store
        .record_event(event, vec![write_back], 64, tools.now());
    recorded.await.unwrap();
    assert_eq!(
        server.metric(unsent).await,
        Some(0.0),
        "not asked each time"
    );
    server.clock.advance(Duration::from_secs(20));
    assert_eq!(server.metric(unsent).await, Some(1.0));
    assert_eq!(server.metric(age).await, Some(20.0));
}

#[tokio::test]
async fn prometheus_reads_them_and_rules_and_dashboard_name_none_that_is_not_there() {
    let server = TestServer::watched(LINKS).await;
    let launch = server.redeemed(Launch::PROVIDER).await;
    let joined = json!({"event": "joined"});
    assert_eq!(server.report(&launch, &joined).await, 204);
    let judged = judge(&server.metrics().await);
    let begun = judged.samples.iter().find(|sample| {
        sample.name == "vestibule_launches_begun_total" && sample.labels["role"] == "provider"
    });
    assert_eq!(begun.map(|sample| sample.value), Some(1.0));
    let mut named = 0;
    for Named {
        expression, series, ..
    } in &judged.named
    {
        assert!(!series.is_empty(), "{expression}");
        // Prometheus' own, and one that only a server with a certificate tells.
        let others = ["up", "vestibule_certificate_end_timestamp_seconds"];
        for series in series.iter().filter(|series| !others.contains(&&***series)) {
            let is_there = judged.samples.iter().any(|sample| sample.name == *series);
            assert!(is_there, "{series} of {expression} is not in /metrics");
            named += 1;
        }
    }
    assert!(named > 30, "{named}");
    let monitoring = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/topics/monitoring.md");
    let monitoring = fs::read_to_string(monitoring).unwrap();
    for alert in &judged.alerts {
        assert!(
            monitoring.contains(alert),
            "{alert} is not in monitoring.md"
        );
    }
    let documented = documented(&monitoring);
    let told = judged.samples.iter().map(|sample| family(&sample.name));
    let told: BTreeSet<_> = told.collect();
    for metric in told
        .iter()
        .filter(|metric| metric.starts_with("vestibule_"))
    {
        assert!(
            documented.contains(metric),
            "{metric} is not in monitoring.md"
        );
    }
    // One that the docs alone know is told by a server with a certificate.
    for metric in told.iter().chain(&documented) {
        assert!(
            judged
                .named
                .iter()
                .any(|named| named.place == Place::Panel && named.shows(metric)),
            "{metric} is on no panel of grafana-dashboard.json"
        );
    }
}
