//! Faults of the server itself.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, Response, StatusCode},
    routing::get,
};
use tokio::time::Instant;
use tower::ServiceExt as _;
use vestibule_landing_page::Configuration;
use vestibule_server::{
    conferencing::PexipConfig,
    http_client::{HttpClient, Transport, TransportError},
    in_flight::InFlight,
    landing_page::LandingPage,
    profile::{Profile, ProfileSet, Profiles},
    random::{self, Random},
    routes,
    sealing::{self, Sealer},
    security_headers::Policies,
    state::AppState,
    tools::Tools,
};
use vestibule_smart::{AssertionKey, KeyKind};
use vestibule_store::{SqliteStore, Store as _};

use crate::support::{
    Ehr, TestClock, backend_fields, encrypt, launch_path, parameter, profile, return_path,
    write_www,
};

/// The routes, and what they stand on.
pub(super) struct Parts {
    router: Router,
    pub(super) clock: Arc<TestClock>,
    pub(super) tools: Tools,
    store: SqliteStore,
    sealer: Arc<Sealer>,
    ehr: Ehr,
    _folder: tempfile::TempDir,
}

impl Parts {
    pub(super) async fn with(transport: Arc<dyn Transport>) -> Self {
        Self::with_fields(transport, "").await
    }

    /// With these fields in the profile, too.
    async fn with_fields(transport: Arc<dyn Transport>, fields: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut rng = random::system();
        let key = sealing::read_or_create(&folder.path().join("state.key"), &mut *rng).unwrap();
        let sealer = Arc::new(Sealer::new(&key));
        let store = SqliteStore::open(&folder.path().join("vestibule.db"))
            .await
            .unwrap();
        let ehr = Ehr::start().await;
        let mut profiles = ProfileSet::default();
        let path = Path::new("profile.toml");
        profiles
            .add(Profile::parse(path, &profile(&ehr, fields)).unwrap())
            .unwrap();
        let clock = Arc::new(TestClock::new());
        let tools = Tools {
            store: Arc::new(store.clone()),
            clock: clock.clone(),
            random: Arc::new(Random::new(rng)),
            transport,
            sealer: Arc::clone(&sealer),
            routing: Arc::default(),
            metadata: Arc::default(),
            repeats: Arc::default(),
            turned_away: Default::default(),
            telemetry: Arc::default(),
        };
        let state = AppState {
            tools: tools.clone(),
            profiles: Arc::new(Profiles::new(profiles)),
            launch_rules: Arc::default(),
        };
        let other = Router::new().route("/panics", get(panics));
        let in_flight = InFlight::default();
        write_www(&folder.path().join("www"));
        let landing_page =
            LandingPage::read(folder.path().join("www"), &Configuration::default()).unwrap();
        let router = routes::router(
            &state,
            other,
            &landing_page,
            &PexipConfig::default(),
            Policies::new(&[]),
            &in_flight,
        );
        Self {
            router,
            clock,
            tools,
            store,
            sealer,
            ehr,
            _folder: folder,
        }
    }

    pub(super) async fn get(&self, path: &str) -> (StatusCode, HeaderMap, String) {
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    async fn send(&self, request: Request<Body>) -> (StatusCode, HeaderMap, String) {
        let (parts, body) = self
            .router
            .clone()
            .oneshot(request)
            .await
            .unwrap()
            .into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        (
            parts.status,
            parts.headers,
            String::from_utf8(body.to_vec()).unwrap(),
        )
    }

    pub(super) fn launch_path(&self) -> String {
        format!("{}?iss={}&launch=l", launch_path("patient"), self.ehr.iss())
    }
}

async fn panics() {
    panic!("on purpose");
}

/// Brings the metadata; never comes back from the token endpoint, whatever the deadline.
struct Lost;

#[async_trait]
impl Transport for Lost {
    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        _: Duration,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        if request.uri().path() == "/token" {
            // Not before: the database works on threads of its own, in real time.
            tokio::time::pause();
            std::future::pending::<()>().await;
        }
        let metadata = r#"{"authorization_endpoint": "https://ehr.example.org/authorize",
            "token_endpoint": "https://ehr.example.org/token",
            "code_challenge_methods_supported": ["S256"]}"#;
        Ok(Response::new(metadata.into()))
    }
}

/// Takes its time for the first answer, and never gives a second one, whatever the deadline.
pub(super) struct Slow {
    after: Duration,
    first: fn() -> Response<Vec<u8>>,
    asked_at: Mutex<Option<Instant>>,
    given_up_after: Mutex<Option<Duration>>,
}

/// Whoever waits for the second answer.
struct Waiting<'a>(&'a Slow);

impl Slow {
    pub(super) fn new(after: Duration, first: fn() -> Response<Vec<u8>>) -> Arc<Self> {
        Arc::new(Self {
            after,
            first,
            asked_at: Mutex::default(),
            given_up_after: Mutex::default(),
        })
    }

    /// From the first question until nobody waited any more for what the second comes to.
    pub(super) fn given_up_after(&self) -> Duration {
        self.given_up_after.lock().unwrap().unwrap()
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let asked_at = self.0.asked_at.lock().unwrap().unwrap();
        *self.0.given_up_after.lock().unwrap() = Some(asked_at.elapsed());
        // What follows is for the database.
        tokio::time::resume();
    }
}

#[async_trait]
impl Transport for Slow {
    async fn send(
        &self,
        _: http::Request<Vec<u8>>,
        _: Duration,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        if self.asked_at.lock().unwrap().is_some() {
            let _waiting = Waiting(self);
            return std::future::pending().await;
        }
        tokio::time::pause();
        *self.asked_at.lock().unwrap() = Some(Instant::now());
        tokio::time::sleep(self.after).await;
        Ok((self.first)())
    }
}

fn tokens() -> Response<Vec<u8>> {
    let tokens = r#"{"access_token": "a", "token_type": "bearer", "expires_in": 300}"#;
    let answer = Response::builder().header("content-type", "application/json");
    answer.body(tokens.into()).unwrap()
}

#[tokio::test]
async fn a_panic_gives_an_error_page() {
    let parts = Parts::with(Arc::new(HttpClient::new().unwrap())).await;
    let (status, headers, text) = parts.get("/panics").await;
    assert_eq!(status, 500);
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.ends_with("frame-ancestors 'none'"), "{policy}");
    assert!(text.contains("<main") && text.contains("2027-01-15T08:00:00Z"));
    assert!(!text.contains("on purpose"));
}

#[tokio::test]
async fn without_a_database_every_route_says_so_and_when_to_come_back() {
    let parts = Parts::with(Arc::new(HttpClient::new().unwrap())).await;
    parts.store.close().await;
    let uuid = crate::support::UUID.parse().unwrap();
    let mut rng = random::system();
    let request_id = vestibule_launch::RequestId::generate(&mut *rng);
    let role = vestibule_launch::EhrRole::Patient;
    let state = parts.sealer.seal_state(request_id, uuid, role, &mut *rng);
    for path in [
        parts.launch_path(),
        format!("{}?code=c&state={state}", return_path("patient")),
        format!("/api/telehealth/v1/launch/{request_id}/error"),
    ] {
        let (status, headers, text) = parts.get(&path).await;
        assert_eq!(status, 503, "{path}");
        assert_eq!(headers["retry-after"], "5");
        assert!(
            !text.contains("pool"),
            "the driver's words are for the log: {text}"
        );
    }
    assert_eq!(parts.get("/healthz").await.0, 200);
}

#[tokio::test]
async fn a_step_of_a_launch_ends_after_ten_seconds_whatever_happens() {
    let parts = Parts::with(Arc::new(Lost)).await;
    let (status, headers, _) = parts.get(&parts.launch_path()).await;
    assert_eq!(status, 303);
    let state = parameter(headers["location"].to_str().unwrap(), "state");
    let path = format!("{}?code=c&state={state}", return_path("patient"));
    let begun = Instant::now();
    let (status, _, text) = parts.get(&path).await;
    assert_eq!(status, 503);
    assert!(text.contains("<main"));
    let uuid = crate::support::UUID.parse().unwrap();
    let role = vestibule_launch::EhrRole::Patient;
    let request_id = parts.sealer.open_state(&state, uuid, role).unwrap();
    assert!(text.contains(&request_id.to_string()), "the launch's own");
    assert_eq!(begun.elapsed().as_secs(), 10);
}

#[tokio::test]
async fn all_that_the_ehr_is_asked_about_a_direct_link_ends_before_the_launch_does() {
    let key = AssertionKey::generate(KeyKind::P384).unwrap();
    let fields = backend_fields(&key).replace("{ehr}/oauth2", "https://ehr.example.org");
    let slow = Slow::new(Duration::from_secs(6), tokens);
    let parts = Parts::with_fields(slow.clone(), &fields).await;
    let data = encrypt("csn=6ea6d1427f684721abd21c1634386f7b6");
    let data: String = url::form_urlencoded::byte_serialize(data.as_bytes()).collect();
    let path = format!(
        "/api/telehealth/v1/patient/directlaunch/{}",
        crate::support::UUID
    );
    let request = Request::post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(format!("data={data}")));
    let (status, _, text) = parts.send(request.unwrap()).await;
    assert_eq!(status, 504, "{text}");
    assert!(text.contains("ehr_timeout"), "{text}");
    let given_up_after = slow.given_up_after();
    assert!(
        given_up_after < Duration::from_millis(8_500),
        "{given_up_after:?}"
    );
}
