//! A node on a free port, with services, a clock and an event sink for tests.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::pins::Pins;
use rand::{SeedableRng, rngs::ChaCha20Rng};
use reqwest::{Client, Response, header::HeaderMap};
use serde_json::{Value, json};
use vestibule_launch::{Clock, Pin, UnixTime};
use vestibule_node::{
    EventSink, Node, NodeEvent, NodeEventData, NodeSettings, PolicyUnavailable,
    ServiceConfiguration, ServicePolicy,
};
use vestibule_test_log::Class;

/// Guests enter without a PIN. [`VISIT_TOO`] leads into the same conference.
pub(crate) const VISIT: &str = "visit@example.org";
pub(crate) const VISIT_TOO: &str = "visit-too@example.org";
/// Of the same name as [`VISIT`], but another visit.
pub(crate) const NAMESAKE: &str = "namesake@example.org";
/// Guests have a PIN of their own.
pub(crate) const GROUP: &str = "group@example.org";
/// Everybody has the host PIN.
pub(crate) const STAFF: &str = "staff@example.org";
/// Nobody needs a PIN.
pub(crate) const OPEN: &str = "open@example.org";

/// Each of these before an alias makes another alias of the same service.
pub(crate) const AGAIN: &str = "again.";

pub(crate) const HOST_PIN: &str = "86420135";
pub(crate) const GUEST_PIN: &str = "97531024";
pub(crate) const WRONG_PIN: &str = "11112222";

/// Nothing here takes this long unless it is broken.
const DEADLINE: Duration = Duration::from_secs(10);

pub(crate) struct House {
    pub(crate) node: Node,
    pub(crate) address: String,
    pub(crate) policy: Arc<Policy>,
    pub(crate) pins: Arc<Pins>,
    clock: Arc<MovedClock>,
    sink: Arc<Sink>,
    client: Client,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// Null where there is no body.
    pub(crate) body: Value,
    /// The body as it was sent.
    pub(crate) sent: String,
}

impl Answer {
    pub(crate) fn result(&self) -> &Value {
        &self.body["result"]
    }

    pub(crate) fn text(&self, field: &str) -> String {
        self.result()[field].as_str().expect("a text").to_owned()
    }

    pub(crate) fn token(&self) -> String {
        assert_eq!(self.status, 200, "{:?}", self.body);
        self.text("token")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::with(NodeSettings::default()).await
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a test speaks to itself; its own deadline is set here"
    )]
    pub(crate) async fn with(settings: NodeSettings) -> Self {
        vestibule_test_log::keep(&["vestibule_node"]);
        for pin in [HOST_PIN, GUEST_PIN, WRONG_PIN] {
            vestibule_test_log::secret(Class::Pin, pin);
        }
        let clock = Arc::new(MovedClock(Mutex::new(UnixTime::from_millis(
            1_700_000_000_000,
        ))));
        let sink = Arc::new(Sink::default());
        let policy = Arc::new(Policy::new());
        let pins = Arc::new(Pins::default());
        let node = Node::new(
            settings,
            policy.clone(),
            pins.clone(),
            sink.clone(),
            clock.clone(),
            Box::new(ChaCha20Rng::from_seed([5; 32])),
        );
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = node.router();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            node,
            address,
            policy,
            pins,
            clock,
            sink,
            client: Client::builder().timeout(DEADLINE).build().unwrap(),
        }
    }

    /// Moves the clock, and has the node look at it.
    pub(crate) fn pass(&self, seconds: u64) {
        self.move_clock(seconds);
        self.node.sweep();
    }

    /// Moves the clock, and leaves it to the node to notice.
    pub(crate) fn move_clock(&self, seconds: u64) {
        let mut now = self.clock.0.lock().unwrap();
        *now = *now + Duration::from_secs(seconds);
    }

    /// `request_token` with the body of Pexip's own client.
    pub(crate) async fn request_token(
        &self,
        alias: &str,
        pin: Option<&str>,
        display_name: &str,
    ) -> Answer {
        let body = json!({
            "display_name": display_name, "chosen_idp": "none", "direct_media": true,
            "sso_token": "none", "node": "node.example.org", "supports_direct_chat": false,
        });
        self.request_token_with(alias, pin, body.to_string(), "application/json")
            .await
    }

    pub(crate) async fn request_token_with(
        &self,
        alias: &str,
        pin: Option<&str>,
        body: String,
        content_type: &str,
    ) -> Answer {
        let url = self.url(alias, "request_token");
        let mut request = self
            .client
            .post(url)
            .header("Content-Type", content_type)
            .body(body);
        if let Some(pin) = pin {
            request = request.header("pin", pin);
        }
        read(request.send().await.unwrap()).await
    }

    pub(crate) async fn host(&self, alias: &str) -> Answer {
        self.request_token(alias, Some(HOST_PIN), "Dr Host").await
    }

    pub(crate) async fn guest(&self, alias: &str) -> Answer {
        self.request_token(alias, Some("none"), "Guest").await
    }

    pub(crate) async fn post(&self, alias: &str, request: &str, token: &str) -> Answer {
        let request = self
            .client
            .post(self.url(alias, request))
            .header("token", token);
        read(request.send().await.unwrap()).await
    }

    pub(crate) async fn get(&self, alias: &str, request: &str, token: &str) -> Answer {
        let request = self
            .client
            .get(self.url(alias, request))
            .header("token", token);
        read(request.send().await.unwrap()).await
    }

    /// Any request, at `path` below the node's address.
    pub(crate) async fn ask(&self, method: &str, path: &str) -> Answer {
        let method = method.parse().unwrap();
        let request = self
            .client
            .request(method, format!("{}{path}", self.address));
        read(request.send().await.unwrap()).await
    }

    /// An event stream, opened as a browser does: token in the query, alias as it is.
    pub(crate) async fn events(&self, alias: &str, token: &str) -> Events {
        let url = format!(
            "{}/api/client/v2/conferences/{alias}/events?token={token}",
            self.address
        );
        Events::of(self.client.get(url).send().await.unwrap())
    }

    /// An event stream with the token in a header, as Pexip's Android client opens it.
    pub(crate) async fn events_by_header(&self, alias: &str, token: &str) -> Events {
        let request = self
            .client
            .get(self.url(alias, "events"))
            .header("token", token);
        Events::of(request.send().await.unwrap())
    }

    /// What the event sink has heard, since it was asked last.
    pub(crate) fn reports(&self) -> Vec<NodeEvent> {
        std::mem::take(&mut self.sink.0.lock().unwrap())
    }

    /// The names of what the event sink has heard, since it was asked last.
    pub(crate) fn reported(&self) -> Vec<&'static str> {
        self.reports()
            .iter()
            .map(|event| event.data.name())
            .collect()
    }

    /// Why participants have gone, since the event sink was asked last.
    pub(crate) fn departures(&self) -> Vec<&'static str> {
        let reasons = self
            .reports()
            .into_iter()
            .filter_map(|event| match event.data {
                NodeEventData::ParticipantDisconnected {
                    disconnect_reason, ..
                } => Some(disconnect_reason.as_str()),
                _ => None,
            });
        reasons.collect()
    }

    fn url(&self, alias: &str, request: &str) -> String {
        let alias = alias.replace('@', "%40");
        format!(
            "{}/api/client/v2/conferences/{alias}/{request}",
            self.address
        )
    }
}

/// An event stream as its reader sees it.
pub(crate) struct Events {
    response: Response,
    unread: String,
}

impl Events {
    fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self {
            response,
            unread: String::new(),
        }
    }

    /// The next event: its name and data. `None` where the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some(end) = self.unread.find("\n\n") {
                let event: String = self.unread.drain(..end + 2).collect();
                let field = |name| {
                    let mut lines = event.lines();
                    lines.find_map(|line| line.strip_prefix(name).map(str::to_owned))
                };
                if let (Some(name), Some(data)) = (field("event: "), field("data: ")) {
                    return Some((name, serde_json::from_str(&data).unwrap()));
                }
                continue; // a comment that keeps the connection alive
            }
            let chunk = tokio::time::timeout(DEADLINE, self.response.chunk());
            let chunk = chunk.await.expect("an event should have come").unwrap()?;
            self.unread.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// Whether a comment comes next, which keeps the connection alive.
    pub(crate) async fn comment(&mut self) -> bool {
        let chunk = tokio::time::timeout(DEADLINE, self.response.chunk());
        let chunk = chunk.await.expect("something should have come").unwrap();
        self.unread.is_empty() && chunk.is_some_and(|it| it.starts_with(b":"))
    }

    /// The next `count` events.
    pub(crate) async fn take(&mut self, count: usize) -> Vec<(String, Value)> {
        let mut events = Vec::new();
        while events.len() < count {
            events.push(self.next().await.expect("the stream should go on"));
        }
        events
    }

    /// The names of the next `count` events.
    pub(crate) async fn names(&mut self, count: usize) -> Vec<String> {
        self.take(count)
            .await
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    }
}

pub(crate) struct Policy {
    services: HashMap<&'static str, ServiceConfiguration>,
    unavailable: AtomicBool,
    silent: AtomicBool,
}

impl Policy {
    fn new() -> Self {
        let pin = |text: &str| Pin::parse(text).unwrap();
        let service = |name, tag, host: Option<&str>, guest: Option<&str>, allow_guests| {
            ServiceConfiguration::new(name, tag, host.map(pin), guest.map(pin), allow_guests)
                .unwrap()
        };
        let visit = service("Visit of Beverley", "tag-visit", Some(HOST_PIN), None, true);
        Self {
            services: HashMap::from([
                (VISIT, visit.clone()),
                (VISIT_TOO, visit),
                (
                    NAMESAKE,
                    service(
                        "Visit of Beverley",
                        "tag-namesake",
                        Some(HOST_PIN),
                        None,
                        true,
                    ),
                ),
                (
                    GROUP,
                    service("Group", "tag-group", Some(HOST_PIN), Some(GUEST_PIN), true),
                ),
                (
                    STAFF,
                    service("Staff", "tag-staff", Some(HOST_PIN), None, false),
                ),
                (OPEN, service("Open", "tag-open", None, None, false)),
            ]),
            unavailable: AtomicBool::new(false),
            silent: AtomicBool::new(false),
        }
    }

    /// From now on it says that it cannot answer.
    pub(crate) fn fail(&self) {
        self.unavailable.store(true, Ordering::SeqCst);
    }

    /// From now on it answers nothing at all.
    pub(crate) fn fall_silent(&self) {
        self.silent.store(true, Ordering::SeqCst);
    }
}

#[async_trait::async_trait]
impl ServicePolicy for Policy {
    async fn service_configuration(
        &self,
        local_alias: &str,
    ) -> Result<Option<ServiceConfiguration>, PolicyUnavailable> {
        if self.silent.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.unavailable.load(Ordering::SeqCst) {
            return Err(PolicyUnavailable);
        }
        let alias = local_alias.to_lowercase();
        let first = alias.trim_start_matches(AGAIN);
        Ok(self.services.get(first).cloned())
    }
}

struct MovedClock(Mutex<UnixTime>);

impl Clock for MovedClock {
    fn now(&self) -> UnixTime {
        *self.0.lock().unwrap()
    }
}

#[derive(Default)]
struct Sink(Mutex<Vec<NodeEvent>>);

impl EventSink for Sink {
    fn event(&self, event: NodeEvent) {
        self.0.lock().unwrap().push(event);
    }
}

async fn read(response: Response) -> Answer {
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let text = response.text().await.unwrap();
    assert_eq!(headers["cache-control"], "no-store");
    if !text.is_empty() {
        assert_eq!(headers["content-type"], "application/json");
    }
    let body = if text.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&text).unwrap()
    };
    Answer {
        status,
        headers,
        body,
        sent: text,
    }
}
