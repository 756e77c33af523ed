//! Visits in plain HTML where the conferencing node is away, says half of it, or is
//! another one than this server's.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, Response, StatusCode, Uri},
};
use vestibule_launch::ErrorName;
use vestibule_store::Reported;

use super::{TICKETS, browser::Plain, join_link, known_launch, stories::told};
use crate::support::{Launch, TestServer, parameter};

/// Only against hanging.
const GENEROUS: Duration = Duration::from_secs(60);

/// What a node's front does.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    /// Hands requests on.
    Open,
    /// Answers 503.
    Away,
    /// Answers 503 to what ends so, and hands the rest on.
    Without(&'static str),
    /// Answers something that is no answer of a node.
    Garbled,
    /// Answers 403 to what ends so, and hands the rest on.
    Refusing(&'static str),
    /// Answers what ends so never, and hands the rest on.
    Silent(&'static str),
}

/// A front of the server's own node, as a reverse proxy is one.
#[derive(Clone)]
struct Front {
    way: Arc<Mutex<Way>>,
    target: Arc<Mutex<String>>,
    client: reqwest::Client,
    /// The ends of the paths that were asked for.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Front {
    /// A server that finds its node behind a front.
    async fn of(profile: &str) -> (TestServer, Self) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let config = format!("[landing_page]\nnode = \"http://{address}\"\n");
        let server = TestServer::with(profile, &config).await;
        let front = Self {
            way: Arc::new(Mutex::new(Way::Open)),
            target: Arc::new(Mutex::new(server.url.clone())),
            client: server.client.clone(),
            asked: Arc::default(),
        };
        let router = Router::new().fallback(hand_on).with_state(front.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (server, front)
    }

    fn is(&self, way: Way) {
        *self.way.lock().unwrap() = way;
    }

    /// How often this was asked for.
    fn count(&self, end: &str) -> usize {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|asked| *asked == end).count()
    }
}

async fn hand_on(
    State(front): State<Front>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let way = front.way.lock().unwrap().clone();
    let end = uri.path().rsplit('/').next().unwrap_or_default();
    front.asked.lock().unwrap().push(end.to_owned());
    let away = match way {
        Way::Open => false,
        Way::Garbled => return Response::new(Body::from("<p>Welcome to nginx!</p>")),
        Way::Refusing(end) => {
            if uri.path().ends_with(end) {
                let mut answer = Response::new(Body::from(r#"{"result": "Refused"}"#));
                *answer.status_mut() = StatusCode::FORBIDDEN;
                return answer;
            }
            false
        }
        Way::Away => true,
        Way::Without(end) => uri.path().ends_with(end),
        Way::Silent(end) => {
            if uri.path().ends_with(end) {
                std::future::pending::<()>().await;
            }
            false
        }
    };
    let mut answer = Response::new(Body::empty());
    if away {
        *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        return answer;
    }
    let address = format!("{}{uri}", front.target.lock().unwrap());
    let request = front.client.request(method, address).headers(headers);
    let answered = request.body(body).send().await.unwrap();
    *answer.status_mut() = answered.status();
    *answer.body_mut() = Body::from(answered.bytes().await.unwrap());
    answer
}

#[tokio::test]
async fn a_passing_fault_burns_no_ticket() {
    let (server, front) = Front::of(TICKETS).await;
    let (id, link) = known_launch(&server, Launch::PROVIDER).await;
    front.is(Way::Away);
    let host = Plain::new(&server);
    let away = host.begin(&[("link", &link)]).await;
    assert_eq!(away.status, 503);
    assert_eq!(away.title(), "The visit cannot be reached at the moment");
    assert!(away.text.contains(&id.to_string()));
    let away = host.step(&[("step", "again")]).await;
    assert_eq!(away.status, 503);
    front.is(Way::Open);
    // Long after a repeat of the ticket would be taken.
    server.clock.advance(Duration::from_secs(30 * 60));
    let joined = host.step(&[("step", "again")]).await;
    assert_eq!(joined.title(), "You have joined as host");
    let expected = [
        Reported::Connecting,
        Reported::Failed(ErrorName::NodeUnavailable),
        Reported::Connecting,
        Reported::Failed(ErrorName::NodeUnavailable),
        Reported::Connecting,
        Reported::Joined,
    ];
    assert_eq!(told(&server, id).await, expected);
}

#[tokio::test]
async fn a_conference_that_is_locked_for_a_while_burns_no_ticket() {
    let server = TestServer::with_profile(TICKETS).await;
    let link = join_link(&server, Launch::PROVIDER).await;
    let browser = "00112233445566778899aabbccddeeff";
    let body = serde_json::json!({"ticket": parameter(&link, "ticket"), "browser": browser});
    let redeemed = server
        .post_json("/api/telehealth/v1/launch/redeem", &body)
        .await;
    let redeemed: serde_json::Value =
        serde_json::from_str(&redeemed.text().await.unwrap()).unwrap();
    let alias = redeemed["conference"].as_str().unwrap();
    let eve = Plain::new(&server);
    eve.begin(&[("conference", alias), ("name", "Eve"), ("role", "host")])
        .await;
    for _ in 0..5 {
        eve.step(&[("step", "pin"), ("pin", "00000000")]).await;
    }
    let host = Plain::new(&server);
    let form = [("link", &*link), ("browser", browser)];
    let locked = host.begin(&form).await;
    assert_eq!(locked.status, 429);
    server.clock.advance(Duration::from_secs(30 * 60));
    let kept = host.begin(&form).await;
    assert_eq!(kept.title(), "The visit cannot be reached at the moment");
    let joined = host.step(&[("step", "again")]).await;
    assert_eq!(joined.title(), "You have joined as host");
}

#[tokio::test]
async fn whoever_is_in_stays_in_where_the_node_says_half_of_it() {
    let (server, front) = Front::of("").await;
    let guest = Plain::new(&server);
    let link = join_link(&server, Launch::PATIENT).await;
    guest.begin(&[("link", &link)]).await;
    let host = Plain::new(&server);
    let link = join_link(&server, Launch::PROVIDER).await;
    host.begin(&[("link", &link)]).await;
    assert_eq!(guest.look().await.title(), "You have joined");
    for silent in ["/conference_status", "/participants"] {
        front.is(Way::Without(silent));
        assert_eq!(guest.look().await.title(), "You have joined", "{silent}");
    }
    front.is(Way::Away);
    assert_eq!(guest.look().await.title(), "Reconnecting");
    front.is(Way::Open);
    assert_eq!(guest.look().await.title(), "You have joined");
}

#[tokio::test]
async fn a_renewed_token_reaches_the_browser_however_slow_the_node_is() {
    let (server, front) = Front::of("").await;
    let host = Plain::new(&server);
    let link = join_link(&server, Launch::PROVIDER).await;
    host.begin(&[("link", &link)]).await;
    assert_eq!(host.look().await.title(), "You have joined as host");
    let before = host.cookie.lock().unwrap().clone();
    server.clock.advance(Duration::from_secs(60));
    front.is(Way::Silent("s"));
    let began = Instant::now();
    let page = host.look().await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(began.elapsed() < GENEROUS);
    assert_ne!(*host.cookie.lock().unwrap(), before);
    front.is(Way::Open);
    assert_eq!(host.look().await.title(), "You have joined as host");
}

#[tokio::test]
async fn with_pexip_infinity_and_no_node_named_the_visit_is_opened_elsewhere() {
    let pexip = "[pexip]\npolicy_username = \"p\"\npolicy_password = \"hunter2\"\n";
    let server = TestServer::with(TICKETS, pexip).await;
    let link = join_link(&server, Launch::PROVIDER).await;
    let browser = Plain::new(&server);
    let page = browser.begin(&[("link", &link)]).await;
    assert_eq!(page.title(), "Open your visit in Chrome");
    assert!(
        page.text.contains(&format!("<a href=\"{link}\"")),
        "{}",
        page.text
    );
    assert!(browser.cookie.lock().unwrap().is_none());
    // The ticket is still good there.
    let body = serde_json::json!({
        "ticket": parameter(&link, "ticket"), "browser": "00112233445566778899aabbccddeeff",
    });
    let redeemed = server
        .post_json("/api/telehealth/v1/launch/redeem", &body)
        .await;
    assert_eq!(redeemed.status(), 200);
}

#[tokio::test]
async fn the_page_renews_the_token_where_its_frame_never_looks_again() {
    let (server, front) = Front::of("").await;
    let guest = Plain::new(&server);
    let link = join_link(&server, Launch::PATIENT).await;
    guest.begin(&[("link", &link)]).await;
    let begun = front.count("request_token");
    for _ in 0..10 {
        let page = guest.look().await;
        assert_eq!(page.title(), "Waiting for the host");
        let period = page.refresh().unwrap().parse().unwrap();
        server.clock.advance(Duration::from_secs(period));
    }
    assert_eq!(front.count("request_token"), begun, "nobody joined anew");
    assert!(front.count("refresh_token") >= 5);
}

#[tokio::test]
async fn a_frame_whose_look_fails_looks_again_and_the_wait_goes_on() {
    let (server, front) = Front::of("").await;
    let guest = Plain::new(&server);
    let link = join_link(&server, Launch::PATIENT).await;
    guest.begin(&[("link", &link)]).await;
    let begun = front.count("request_token");
    for (way, status, refresh) in [
        (Way::Away, 200, "5"),
        (Way::Garbled, 502, "30"),
        (Way::Refusing("/refresh_token"), 200, ""),
    ] {
        // The token is to be renewed, and lives on for a while.
        server.clock.advance(Duration::from_secs(60));
        front.is(way.clone());
        let frame = guest.status("waiting").await;
        assert!(frame.is_a_frame(), "{way:?}: {}", frame.text);
        assert_eq!(frame.status, status, "{way:?}");
        assert_eq!(frame.refresh().unwrap_or_default(), refresh, "{way:?}");
        front.is(Way::Open);
        if refresh.is_empty() {
            break;
        }
        let frame = guest.status("waiting").await;
        assert!(frame.text.contains("Nothing has changed."), "{way:?}");
        assert_eq!(frame.refresh(), Some("5"), "{way:?}");
        assert_eq!(front.count("request_token"), begun, "nobody joined anew");
    }
    let out = guest.look().await;
    assert_eq!(out.title(), "You are no longer in the visit");
}

#[tokio::test]
async fn a_frame_says_that_nobody_is_let_in_again_and_looks_again_all_the_same() {
    let (server, front) = Front::of("").await;
    let guest = Plain::new(&server);
    let link = join_link(&server, Launch::PATIENT).await;
    guest.begin(&[("link", &link)]).await;
    // Longer than the token lives.
    server.clock.advance(Duration::from_secs(180));
    front.is(Way::Refusing("_token"));
    let frame = guest.status("waiting").await;
    assert_eq!((frame.status, frame.refresh()), (403, Some("30")));
    assert!(frame.is_a_frame());
    assert!(frame.text.contains(">You are no longer in the visit</a>"));
    front.is(Way::Open);
    let frame = guest.status("waiting").await;
    assert!(
        frame.text.contains("Nothing has changed."),
        "{}",
        frame.text
    );
}
