//! The landing page as the real server serves it, before a conferencing node and a
//! launch API that answer by script: so that the page can be seen in every state.

use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Result, ensure};
use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, Uri},
    response::{
        Html, IntoResponse, Response,
        sse::{Event, Sse},
    },
    routing::{get, post},
};
use futures_util::stream::{self, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{broadcast, watch},
    time::{Instant, sleep},
};

use super::house::House;

/// Longest wait for a request.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often is looked meanwhile.
const POLL: Duration = Duration::from_millis(20);

/// What the node and the launch API are to answer.
#[derive(Clone, Default)]
pub(crate) struct Script {
    /// Answers to `request_token`, in this order; after the last one there is none.
    pub(crate) tokens: VecDeque<(u16, Value)>,
    /// The events that follow a token.
    pub(crate) events: Vec<(&'static str, Value)>,
    /// What the launch API says of a failure; without it, the launch API is out of order.
    pub(crate) error_page: Option<Value>,
}

impl Script {
    /// These answers to `request_token`, and a visit that has begun.
    pub(crate) fn visit(tokens: impl IntoIterator<Item = (u16, Value)>) -> Self {
        Self {
            tokens: tokens.into_iter().collect(),
            events: vec![("conference_update", json!({"started": true}))],
            error_page: None,
        }
    }
}

/// The answer to `request_token` that lets somebody in. `role` is `HOST` or `GUEST`.
pub(crate) fn granted(role: &str) -> (u16, Value) {
    let result = json!({
        "token": "", "expires": "120", "participant_uuid": "1", "display_name": "",
        "role": role, "current_service_type": "conference", "version": {"version_id": "36"},
    });
    (200, result)
}

/// The answer to `request_token` where hosts need a PIN and guests do not.
pub(crate) fn pin_wanted() -> (u16, Value) {
    (403, json!({"pin": "required", "guest_pin": "none"}))
}

/// A scripted deployment.
pub(crate) struct Scripted {
    /// `http://…`, without a slash at the end.
    pub(crate) address: String,
    /// The real server behind it.
    _house: House,
    stage: Stage,
}

#[derive(Clone)]
struct Stage {
    script: Arc<Mutex<Script>>,
    /// Whether the node can be reached; false ends the streams of events.
    reachable: watch::Sender<bool>,
    /// How often the node was started; each start knows only its own tokens.
    starts: Arc<AtomicUsize>,
    /// The answer to requests for a token for which the script has none.
    late: watch::Sender<Option<(u16, Value)>>,
    received: Arc<Mutex<Vec<Received>>>,
    /// What happens while streams of events are open.
    happenings: broadcast::Sender<(&'static str, Value)>,
    locales: watch::Sender<Locales>,
    served: Arc<str>,
}

/// What becomes of the texts of a language that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Locales {
    /// They are sent.
    Served,
    /// They are not answered until this changes.
    HeldBack,
    /// There are none.
    Missing,
    /// There are none, nor the script that asks for them.
    Unreachable,
}

/// A POST of the client API that the node has got.
#[derive(Clone)]
pub(crate) struct Received {
    /// What was asked for, such as `request_token`.
    pub(crate) request: String,
    /// The value of the header `pin`.
    pub(crate) pin: Option<String>,
    /// Null where it is no JSON.
    pub(crate) body: Value,
}

impl Scripted {
    /// A deployment whose landing page is configured by these lines of the server's
    /// configuration.
    pub(crate) async fn start(server: &str) -> Result<Self> {
        Self::with(server, Router::new()).await
    }

    /// The same, with more pages at its address.
    pub(crate) async fn with(server: &str, pages: Router) -> Result<Self> {
        let house = House::configured(server, "").await?;
        let stage = Stage {
            script: Arc::default(),
            reachable: watch::Sender::new(true),
            starts: Arc::default(),
            late: watch::Sender::new(None),
            received: Arc::default(),
            happenings: broadcast::Sender::new(16),
            locales: watch::Sender::new(Locales::Served),
            served: house.server_address().into(),
        };
        let conference = "/api/client/v2/conferences/{alias}";
        let router = Router::new()
            .route(&format!("{conference}/{{request}}"), post(request))
            .route(&format!("{conference}/events"), get(events))
            .route("/api/telehealth/v1/launch/error", post(error_page))
            .route("/signed-in/{token}", get(signed_in))
            .fallback(served)
            .with_state(stage.clone())
            .merge(pages);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self {
            address,
            _house: house,
            stage,
        })
    }

    /// The address of the page with a join link of this fragment.
    pub(crate) fn link(&self, fragment: &str) -> String {
        format!("{}/webapp/#/?{fragment}", self.address)
    }

    /// From now on this is what is answered.
    pub(crate) fn play(&self, script: Script) {
        *self.stage.script() = script;
        self.stage.reachable.send_replace(true);
    }

    /// From now on the node cannot be reached; open streams end.
    pub(crate) fn lose_the_node(&self) {
        self.stage.reachable.send_replace(false);
    }

    /// The node ends, and its tokens with it; [`Scripted::play`] starts it again.
    pub(crate) fn stop_the_node(&self) {
        self.stage.starts.fetch_add(1, Ordering::SeqCst);
        self.lose_the_node();
    }

    /// Tells everybody who follows the node's events.
    pub(crate) fn happen(&self, name: &'static str, data: Value) {
        self.stage.happenings.send((name, data)).ok();
    }

    /// What becomes of the texts of languages from now on.
    pub(crate) fn locales(&self, locales: Locales) {
        self.stage.locales.send_replace(locales);
    }

    /// Answers the requests for a token that are held back for want of an answer.
    pub(crate) fn answer_late(&self, answer: (u16, Value)) {
        self.stage.late.send_replace(Some(answer));
    }

    /// Every POST of the client API so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.stage.received().clone()
    }

    /// How many of them asked for this.
    pub(crate) fn count(&self, request: &str) -> usize {
        let received = self.received();
        received.iter().filter(|it| it.request == request).count()
    }

    /// Waits until so many of them have asked for this, and no more.
    pub(crate) async fn until_received(&self, request: &str, count: usize) -> Result<()> {
        let start = Instant::now();
        while self.count(request) < count {
            ensure!(start.elapsed() < PATIENCE, "waited in vain for {request}");
            sleep(POLL).await;
        }
        let received = self.count(request);
        ensure!(received == count, "{received} times {request}");
        Ok(())
    }
}

impl Stage {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script
            .lock()
            .expect("no test panics while it holds the lock")
    }

    fn received(&self) -> MutexGuard<'_, Vec<Received>> {
        self.received
            .lock()
            .expect("no test panics while it holds the lock")
    }

    /// The token that is good now.
    fn token(&self) -> String {
        match self.starts.load(Ordering::SeqCst) {
            0 => "token".to_owned(),
            start => format!("token{start}"),
        }
    }

    /// An answer to `request_token` with the token in it that is good now.
    fn with_token(&self, mut result: Value) -> Value {
        if let Some(token) = result.get_mut("token") {
            *token = self.token().into();
        }
        result
    }
}

/// A POST of the client API.
async fn request(
    State(stage): State<Stage>,
    Path((_, request)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name| headers.get(name)?.to_str().ok().map(str::to_owned);
    stage.received().push(Received {
        request: request.clone(),
        pin: header("pin"),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    });
    if !*stage.reachable.borrow() {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let result = match request.as_str() {
        "request_token" => {
            let answer = stage.script().tokens.pop_front();
            let Some((status, result)) = (match answer {
                Some(answer) => Some(answer),
                None => late(&stage).await,
            }) else {
                return StatusCode::BAD_GATEWAY.into_response();
            };
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT);
            return (status, Json(envelope(&stage.with_token(result)))).into_response();
        }
        "refresh_token" if header("token") != Some(stage.token()) => {
            let refused = json!({"status": "failed", "result": "Invalid token"});
            return (StatusCode::FORBIDDEN, Json(refused)).into_response();
        }
        "refresh_token" => json!({"token": stage.token(), "expires": "120"}),
        _ => json!(true),
    };
    Json(envelope(&result)).into_response()
}

fn envelope(result: &Value) -> Value {
    json!({"status": "success", "result": result})
}

/// What [`Scripted::answer_late`] says while the request is held back.
async fn late(stage: &Stage) -> Option<(u16, Value)> {
    let mut late = stage.late.subscribe();
    late.changed().await.ok()?;
    late.borrow().clone()
}

/// Where an identity provider sends the browser to: the node's page, which hands the
/// token to the page that has opened the window.
async fn signed_in(Path(token): Path<String>) -> Html<String> {
    let message = json!({"result": "success", "token": token});
    Html(format!(
        "<!doctype html><script>opener.postMessage({message}, location.origin)</script>"
    ))
}

async fn events(
    State(stage): State<Stage>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let mut reachable = stage.reachable.subscribe();
    if !*reachable.borrow() {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    if query.get("token") != Some(&stage.token()) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let happenings = stage.happenings.subscribe();
    let happenings = stream::unfold(happenings, |mut happenings| async {
        let happening = happenings.recv().await.ok()?;
        Some((happening, happenings))
    });
    let events = stage.script().events.clone();
    let events = stream::iter(events).chain(happenings);
    let events = events.map(|(name, data)| {
        let event = Event::default().event(name).data(data.to_string());
        Ok::<_, Infallible>(event)
    });
    let end = async move {
        reachable.wait_for(|reachable| !reachable).await.ok();
    };
    Sse::new(events.take_until(end)).into_response()
}

async fn error_page(State(stage): State<Stage>) -> Response {
    let page = stage.script().error_page.clone();
    page.map_or_else(
        || StatusCode::SERVICE_UNAVAILABLE.into_response(),
        |page| Json(page).into_response(),
    )
}

/// Everything else as the real server answers it.
async fn served(State(stage): State<Stage>, uri: Uri, headers: HeaderMap) -> Response {
    if uri.path().contains("/locales/") {
        let mut locales = stage.locales.subscribe();
        let decided = locales.wait_for(|locales| *locales != Locales::HeldBack);
        if decided.await.is_ok_and(|it| *it != Locales::Served) {
            return StatusCode::NOT_FOUND.into_response();
        }
    }
    if uri.path().contains("/later.") && *stage.locales.borrow() == Locales::Unreachable {
        return StatusCode::NOT_FOUND.into_response();
    }
    let address = format!("{}{uri}", stage.served);
    #[expect(
        clippy::disallowed_methods,
        reason = "the client of the tests, which hands on what the server answers"
    )]
    let client = reqwest::Client::new();
    let mut request = client.get(address);
    for name in ["accept-encoding", "accept-language"] {
        if let Some(value) = headers.get(name) {
            request = request.header(name, value);
        }
    }
    let Ok(answer) = request.send().await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = answer.status();
    for (name, value) in answer.headers() {
        if name != "transfer-encoding" && name != "connection" {
            response.headers_mut().append(name, value.clone());
        }
    }
    *response.body_mut() = Body::from(answer.bytes().await.unwrap_or_default());
    response
}
