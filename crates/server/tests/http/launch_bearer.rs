//! A launch that is taken up again, and what its landing page tells of it, under the
//! launch's bearer token.

use std::time::Duration;

use serde_json::{Value, json};
use vestibule_launch::{DeviceTest, ErrorName, RequestId, TestResult};
use vestibule_store::{LaunchState, Reported};

use crate::support::{Launch, TestServer, UUID, log, parameter};

pub(crate) const LINKS: &str = r#"
language = "es"
provider_web_join_link_template = "{{telehealth_integration.infinity_webapp_server_base_url}}/webapp/#/?ticket={{launch_ticket}}"
patient_web_join_link_template = "{{telehealth_integration.infinity_webapp_server_base_url}}/webapp/#/?ticket={{launch_ticket}}"
"#;

const BROWSER: &str = "00112233445566778899aabbccddeeff";
const OTHER_BROWSER: &str = "ffeeddccbbaa99887766554433221100";

/// The longest that a page waits for what it did to be known to the visit.
const LOOKS: u32 = 6_000;

/// A launch whose ticket was redeemed.
pub(crate) struct Redeemed {
    pub(crate) answer: Value,
    pub(crate) id: String,
    bearer: String,
}

impl TestServer {
    pub(crate) async fn redeemed(&self, launch: Launch<'_>) -> Redeemed {
        let ticket = parameter(&self.launch(launch).await, "ticket");
        let answer = self.redeem(&ticket).await;
        Redeemed {
            id: answer["telehealth_request_id"].as_str().unwrap().to_owned(),
            bearer: answer["token"].as_str().unwrap().to_owned(),
            answer,
        }
    }

    async fn redeem(&self, ticket: &str) -> Value {
        let body = json!({"ticket": ticket, "browser": BROWSER});
        let response = self
            .post_json("/api/telehealth/v1/launch/redeem", &body)
            .await;
        assert_eq!(response.status(), 200);
        serde_json::from_str(&response.text().await.unwrap()).unwrap()
    }

    /// Sends something under a bearer token; gives status and body, which must be a
    /// problem where it is a refusal.
    async fn send(&self, id: &str, what: &str, bearer: &str, body: String) -> (u16, Value) {
        let response = self
            .client
            .post(format!("{}/api/telehealth/v1/launch/{id}/{what}", self.url))
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {bearer}"))
            .body(body)
            .send()
            .await
            .unwrap();
        let status = response.status().as_u16();
        assert_eq!(response.headers()["cache-control"], "no-store");
        if status >= 400 {
            let kind = &response.headers()["content-type"];
            assert_eq!(kind, "application/problem+json");
        }
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        (status, body)
    }

    async fn resume(&self, launch: &Redeemed, browser: &str) -> (u16, Value) {
        let body = json!({"browser": browser}).to_string();
        self.send(&launch.id, "resume", &launch.bearer, body).await
    }

    pub(crate) async fn report(&self, launch: &Redeemed, body: &Value) -> u16 {
        let body = body.to_string();
        self.send(&launch.id, "events", &launch.bearer, body)
            .await
            .0
    }

    async fn events(&self, launch: &Redeemed) -> Vec<Reported> {
        let id: RequestId = launch.id.parse().unwrap();
        let records = self.tools().await.store.events_of(id).await.unwrap();
        records.iter().map(|record| record.event).collect()
    }

    async fn until_visits_run(&self, expected: u64) {
        let store = self.tools().await.store;
        for _ in 0..LOOKS {
            let running = store.running_visits(UUID.parse().unwrap()).await.unwrap();
            if running == expected {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not {expected} visits in a minute");
    }

    async fn join(&self, launch: &Redeemed) -> String {
        let alias = launch.answer["conference"].as_str().unwrap();
        let pin = launch.answer["pin"].as_str().unwrap_or("none");
        let response = self.request_token(alias, pin).await;
        assert_eq!(response.status(), 200);
        let answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        answer["result"]["token"].as_str().unwrap().to_owned()
    }

    async fn leave(&self, launch: &Redeemed, token: &str) {
        let alias = launch.answer["conference"].as_str().unwrap();
        let url = format!(
            "{}/api/client/v2/conferences/{alias}/release_token",
            self.url
        );
        let request = self.client.post(url).header("token", token);
        let request = request
            .header("content-type", "application/json")
            .body("{}");
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn a_host_and_a_guest_get_the_same_answer_again_until_the_alias_expires() {
    let server = TestServer::with_profile(LINKS).await;
    for launch in [Launch::PROVIDER, Launch::PATIENT] {
        let redeemed = server.redeemed(launch).await;
        assert_eq!(redeemed.bearer.len(), 43, "256 bits in base64url");
        assert_eq!(redeemed.answer["language"], "es");
        let has_pin = redeemed.answer.get("pin").is_some();
        assert_eq!(has_pin, launch.role == "provider");
        let again = server.resume(&redeemed, BROWSER).await;
        assert_eq!(again, (200, redeemed.answer));
    }
    let redeemed = server.redeemed(Launch::PROVIDER).await;
    assert_eq!(redeemed.answer["expires_at"], "2027-01-15T09:00:00Z");
    server.clock.advance(Duration::from_secs(60 * 60 - 1));
    assert_eq!(server.resume(&redeemed, BROWSER).await.0, 200);
    server.clock.advance(Duration::from_secs(1));
    let (status, problem) = server.resume(&redeemed, BROWSER).await;
    assert_eq!(status, 410);
    assert_eq!(problem["error_name"], "launch_used");
    let joined = json!({"event": "joined"});
    assert_eq!(server.report(&redeemed, &joined).await, 410);
}

#[tokio::test]
async fn a_second_tab_of_the_browser_gets_a_bearer_that_works() {
    let server = TestServer::with_profile(LINKS).await;
    let ticket = parameter(&server.launch(Launch::PROVIDER).await, "ticket");
    let first = server.redeem(&ticket).await;
    let second = server.redeem(&ticket).await;
    for answer in [first, second] {
        let tab = Redeemed {
            id: answer["telehealth_request_id"].as_str().unwrap().to_owned(),
            bearer: answer["token"].as_str().unwrap().to_owned(),
            answer,
        };
        assert_eq!(server.resume(&tab, BROWSER).await.0, 200);
        assert_eq!(server.report(&tab, &json!({"event": "joined"})).await, 204);
    }
}

#[tokio::test]
async fn two_tabs_that_resume_at_once_get_the_same() {
    let server = TestServer::with_profile(LINKS).await;
    let redeemed = server.redeemed(Launch::PROVIDER).await;
    let (one, other) = tokio::join!(
        server.resume(&redeemed, BROWSER),
        server.resume(&redeemed, BROWSER)
    );
    assert_eq!(one, (200, redeemed.answer));
    assert_eq!(one, other);
}

#[tokio::test]
async fn whatever_is_not_the_launchs_own_gets_one_and_the_same_refusal() {
    let server = TestServer::with_profile(LINKS).await;
    let mine = server.redeemed(Launch::PROVIDER).await;
    let other = server.redeemed(Launch::PATIENT).await;
    let unknown = "3e0b8a55-8df1-4f0c-8f7f-3a3a3a3a3a3a";
    let unredeemed = server.begin_state(Launch::PATIENT).await;
    let unredeemed = server.request_id("patient", &unredeemed);
    let guessed = "A".repeat(43);
    let mut refusals = Vec::new();
    for (id, bearer) in [
        (mine.id.as_str(), other.bearer.as_str()),
        (&other.id, &mine.bearer),
        (&mine.id, &guessed),
        (&mine.id, ""),
        (&mine.id, "not a token"),
        (unknown, &mine.bearer),
        (&unredeemed, &mine.bearer),
        ("not-an-id", &mine.bearer),
    ] {
        for (what, body) in [
            ("resume", json!({"browser": BROWSER})),
            ("events", json!({"event": "joined"})),
        ] {
            refusals.push(server.send(id, what, bearer, body.to_string()).await);
        }
    }
    refusals.push(server.resume(&mine, OTHER_BROWSER).await);
    for (status, mut problem) in refusals {
        // Made for this refusal: the launch's own would say that there is one.
        let id = problem["telehealth_request_id"].take();
        assert_ne!(id, mine.id.as_str());
        assert_eq!(status, 410);
        assert_eq!(
            problem,
            json!({
                "status": 410,
                "title": "the launch is over, or belongs to another browser; \
                          open the visit from the appointment again",
                "error_name": "launch_used",
                "telehealth_request_id": null,
                "utc_time": "2027-01-15T08:00:00Z",
            })
        );
    }
    assert!(server.events(&mine).await.is_empty());
    assert!(server.events(&other).await.is_empty());
    let path = format!("/api/telehealth/v1/launch/{}/resume", mine.id);
    let bare = server.post_json(&path, &json!({"browser": BROWSER})).await;
    assert_eq!(bare.status(), 410, "no token at all");
}

#[tokio::test]
async fn a_visit_that_is_over_is_not_taken_up_again_but_for_a_reload() {
    let server = TestServer::with_profile(LINKS).await;
    let patient = server.redeemed(Launch::PATIENT).await;
    let token = server.join(&patient).await;
    server.until_visits_run(1).await;
    server.leave(&patient, &token).await;
    server.until_visits_run(0).await;
    server.clock.advance(Duration::from_secs(5 * 60));
    let (status, _) = server.resume(&patient, BROWSER).await;
    assert_eq!(status, 200, "who waited in vain may wait again");

    let provider = server.redeemed(Launch::PROVIDER).await;
    let token = server.join(&provider).await;
    server.until_visits_run(1).await;
    server.clock.advance(Duration::from_secs(60));
    assert_eq!(server.resume(&provider, BROWSER).await.0, 200, "it runs");
    server.leave(&provider, &token).await;
    server.until_visits_run(0).await;
    server.clock.advance(Duration::from_secs(59));
    assert_eq!(server.resume(&provider, BROWSER).await.0, 200, "a reload");
    server.clock.advance(Duration::from_secs(1));
    for launch in [&provider, &patient] {
        let (status, problem) = server.resume(launch, BROWSER).await;
        assert_eq!(status, 410);
        assert_eq!(problem["error_name"], "launch_used");
    }
    let next = server.redeemed(Launch::PROVIDER).await;
    assert_eq!(
        server.resume(&next, BROWSER).await.0,
        200,
        "the next visit of the appointment"
    );
}

#[tokio::test]
async fn who_resumes_too_often_is_told_when_to_come_back() {
    let server = TestServer::with(LINKS, "[limits]\nlaunches_per_minute = 3\n").await;
    let redeemed = server.redeemed(Launch::PROVIDER).await;
    for _ in 0..3 {
        assert_eq!(server.resume(&redeemed, BROWSER).await.0, 200);
    }
    let (status, problem) = server.resume(&redeemed, BROWSER).await;
    assert_eq!(status, 429);
    assert_eq!(problem["error_name"], "launch_rate_limited");
    // Events of its own launch are not launches; tries to guess a token are.
    let joined = json!({"event": "joined"});
    for _ in 0..5 {
        assert_eq!(server.report(&redeemed, &joined).await, 204);
    }
    let guess = "A".repeat(43);
    let (status, _) = server
        .send(&redeemed.id, "events", &guess, joined.to_string())
        .await;
    assert_eq!(status, 429);
}

#[tokio::test]
async fn a_page_tells_the_story_of_its_launch() {
    let server = TestServer::with_profile(LINKS).await;
    let redeemed = server.redeemed(Launch::PATIENT).await;
    let id: RequestId = redeemed.id.parse().unwrap();
    let test = |camera| json!({"camera": camera, "microphone": "denied", "speaker": "skipped", "connection": "missing"});
    for body in [
        json!({"event": "device_test", "device_test": test("failed")}),
        json!({"event": "connecting"}),
        json!({"event": "device_test", "device_test": test("passed"), "utc_time": "2027-01-15T07:59:59.5Z"}),
        json!({"event": "waiting", "utc_time": "2027-01-15T09:00:00+01:00"}),
        json!({"event": "joined"}),
        json!({"event": "left"}),
        json!({"event": "failed", "error_name": "session_lost"}),
        json!({"event": "failed", "error_name": "host_did_not_join"}),
    ] {
        assert_eq!(server.report(&redeemed, &body).await, 204, "{body}");
    }
    let tested = |camera| DeviceTest {
        camera,
        microphone: TestResult::Denied,
        speaker: TestResult::Skipped,
        connection: TestResult::Missing,
    };
    assert_eq!(
        server.events(&redeemed).await,
        [
            Reported::DeviceTest(tested(TestResult::Failed)),
            Reported::Connecting,
            Reported::DeviceTest(tested(TestResult::Passed)),
            Reported::Waiting,
            Reported::Joined,
            Reported::Left,
            Reported::Failed(ErrorName::SessionLost),
            Reported::Failed(ErrorName::HostDidNotJoin),
        ]
    );
    let store = server.tools().await.store;
    let newest = store.device_test_of(id).await.unwrap();
    assert_eq!(newest, Some(tested(TestResult::Passed)));
    let launch = store.find_launch(id).await.unwrap().unwrap();
    let LaunchState::Failed { error_name, .. } = launch.state else {
        panic!("{launch:?}")
    };
    assert_eq!(error_name, ErrorName::SessionLost, "the first one counts");
    let known = server
        .get(&format!("/api/telehealth/v1/launch/{id}/error"))
        .await;
    assert_eq!(known.status(), 200);
    let (status, _) = server.resume(&redeemed, BROWSER).await;
    assert_eq!(status, 200, "it may be tried again");
    let told = store.write_backs_of(id).await.unwrap();
    assert!(told.is_empty(), "the profile does not ask for it");
}

#[tokio::test]
async fn the_65th_event_of_a_launch_is_refused() {
    let server = TestServer::with_profile(LINKS).await;
    let redeemed = server.redeemed(Launch::PATIENT).await;
    let other = server.redeemed(Launch::PATIENT).await;
    let body = json!({"event": "waiting"});
    for _ in 0..64 {
        assert_eq!(server.report(&redeemed, &body).await, 204);
    }
    let body = body.to_string();
    let (status, problem) = server
        .send(&redeemed.id, "events", &redeemed.bearer, body.clone())
        .await;
    assert_eq!(status, 429);
    assert_eq!(problem["error_name"], "launch_rate_limited");
    assert_eq!(server.events(&redeemed).await.len(), 64);
    let (status, _) = server.send(&other.id, "events", &other.bearer, body).await;
    assert_eq!(status, 204);
}

#[tokio::test]
async fn what_is_no_event_is_refused_and_not_repeated() {
    let server = TestServer::with_profile(LINKS).await;
    let redeemed = server.redeemed(Launch::PATIENT).await;
    let whole = json!({"camera": "passed", "microphone": "passed", "speaker": "passed", "connection": "passed"});
    let mut lacking = whole.clone();
    lacking.as_object_mut().unwrap().remove("speaker");
    let mut more = whole.clone();
    more["colour"] = json!("passed");
    let mut unknown = whole.clone();
    unknown["camera"] = json!("hostile<script>");
    for body in [
        json!({}),
        json!([]),
        json!("joined"),
        json!({"event": "hostile<script>"}),
        json!({"event": "JOINED"}),
        json!({"event": ["joined"]}),
        json!({"event": "joined", "hostile<script>": 1}),
        json!({"event": "joined", "error_name": "session_lost"}),
        json!({"event": "joined", "device_test": whole}),
        json!({"event": "failed"}),
        json!({"event": "failed", "error_name": "hostile<script>"}),
        json!({"event": "failed", "error_name": "launch_used"}),
        json!({"event": "failed", "error_name": "session_lost", "device_test": whole}),
        json!({"event": "device_test"}),
        json!({"event": "device_test", "device_test": "passed"}),
        json!({"event": "device_test", "device_test": lacking}),
        json!({"event": "device_test", "device_test": more}),
        json!({"event": "device_test", "device_test": unknown}),
        json!({"event": "joined", "utc_time": "hostile<script>"}),
        json!({"event": "joined", "utc_time": "2027-01-15T08:00:00"}),
        json!({"event": "joined", "utc_time": 1_800_000_000}),
    ] {
        let text = body.to_string();
        let (status, problem) = server
            .send(&redeemed.id, "events", &redeemed.bearer, text)
            .await;
        assert_eq!(status, 400, "{body}");
        assert_eq!(problem["error_name"], "launch_request_invalid");
        let title = problem["title"].as_str().unwrap();
        assert!(title.contains("connecting, waiting, joined"), "{title}");
        assert!(!title.contains("hostile"), "{title}");
    }
    let long = format!(
        "{{\"event\": \"joined\", \"utc_time\": \"{}\"}}",
        "x".repeat(70_000)
    );
    for (body, expected) in [(long, 413), ("{\"event\":".to_owned(), 400)] {
        let (status, _) = server
            .send(&redeemed.id, "events", &redeemed.bearer, body)
            .await;
        assert_eq!(status, expected);
    }
    assert!(server.events(&redeemed).await.is_empty());
    for body in ["{}", "{\"browser\": \"x\"}", "{", "[]"] {
        let body = body.to_owned();
        let (status, problem) = server
            .send(&redeemed.id, "resume", &redeemed.bearer, body)
            .await;
        assert!(matches!(status, 400 | 422), "{status}");
        assert_eq!(problem["error_name"], "launch_request_invalid");
    }
}

#[tokio::test]
async fn neither_log_nor_database_has_the_bearer_in_the_clear() {
    let server = TestServer::with_profile(LINKS).await;
    let redeemed = server.redeemed(Launch::PROVIDER).await;
    server.resume(&redeemed, BROWSER).await;
    server.resume(&redeemed, OTHER_BROWSER).await;
    server.report(&redeemed, &json!({"event": "joined"})).await;
    server.report(&redeemed, &json!({"event": "x"})).await;
    let text = log::text();
    assert!(
        text.contains("the landing page tells of its launch"),
        "{text}"
    );
    let secrets = ["token", "pin", "display_name", "conference"];
    let secrets = secrets.map(|name| redeemed.answer[name].as_str().unwrap());
    for secret in secrets.into_iter().chain([BROWSER, OTHER_BROWSER]) {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let folder = server.end().await;
    for entry in std::fs::read_dir(folder.path().join("data")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for secret in [redeemed.bearer.as_bytes(), BROWSER.as_bytes()] {
            let found = bytes.windows(secret.len()).any(|part| part == secret);
            assert!(!found, "in the clear");
        }
    }
}

#[tokio::test]
async fn a_classic_join_link_has_no_bearer() {
    let server = TestServer::start().await;
    let state = server.begin_state(Launch::PROVIDER).await;
    let id = server.request_id("provider", &state);
    assert_eq!(server.return_with("provider", &state).await.status(), 303);
    let tools = server.tools().await;
    let bearer = tools.store.find_bearer(id.parse().unwrap(), tools.now());
    assert_eq!(bearer.await.unwrap(), None);
}
