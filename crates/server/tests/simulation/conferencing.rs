//! Pexip Infinity, as far as the servers see it: conferencing nodes that ask the policy
//! server what stands behind an alias, and report to the event sink what happens, each in
//! order and each event until it is taken.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{body::Body, http};
use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};
use tokio::sync::Notify;
use uuid::Uuid;
use vestibule_launch::Clock as _;

use crate::{browser::Person, clock::TestClock, gate::Queue, record::Record};

/// What Pexip signs in with.
pub(crate) const POLICY: (&str, &str) = ("policy", "password of the policy server");
pub(crate) const SINK: (&str, &str) = ("sink", "password of the event sink");

/// How long a node waits until it sends again what was not taken.
const AGAIN: Duration = Duration::from_secs(1);

/// The conferencing nodes. Clones are the same.
#[derive(Clone)]
pub(crate) struct Conferences {
    nodes: Arc<Vec<Node>>,
    queue: Queue,
    record: Record,
    clock: Arc<TestClock>,
}

struct Node {
    name: String,
    inner: Mutex<Inner>,
    news: Notify,
}

#[derive(Default)]
struct Inner {
    seq: u64,
    participants: u64,
    waiting: VecDeque<Value>,
    /// By service name: how many are there.
    there: BTreeMap<String, u32>,
}

/// How long somebody stays, with one device or with two at the same time.
#[derive(Clone, Copy)]
pub(crate) struct Stay {
    pub(crate) first: Duration,
    pub(crate) second: Option<Duration>,
}

/// A virtual meeting room, as the policy server describes it.
struct Service {
    name: String,
    tag: String,
}

impl Node {
    fn next_participant(&self, node: usize) -> Uuid {
        let mut inner = self.inner.lock().unwrap();
        inner.participants += 1;
        Uuid::from_u64_pair(node.try_into().unwrap(), inner.participants)
    }
}

impl Conferences {
    pub(crate) fn new(
        nodes: usize,
        queue: &Queue,
        record: &Record,
        clock: &Arc<TestClock>,
    ) -> Self {
        let nodes = (0..nodes).map(|number| Node {
            name: format!("10.44.2.{number}"),
            inner: Mutex::default(),
            news: Notify::new(),
        });
        let conferences = Self {
            nodes: Arc::new(nodes.collect()),
            queue: queue.clone(),
            record: record.clone(),
            clock: Arc::clone(clock),
        };
        for node in 0..conferences.len() {
            conferences.report(node, "eventsink_started", &json!({}));
        }
        conferences
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether everything was reported.
    pub(crate) fn is_quiet(&self) -> bool {
        let mut nodes = self.nodes.iter();
        nodes.all(|node| node.inner.lock().unwrap().waiting.is_empty())
    }

    /// Somebody dials an alias, stays for a while and leaves; with a second device at
    /// about the same time, on another node.
    pub(crate) async fn visit(&self, node: usize, alias: &str, person: Person, stay: Stay) {
        let service = loop {
            match self.ask(alias, person).await {
                Some(service) => break service,
                None => tokio::time::sleep(AGAIN).await,
            }
        };
        let first = self.connect(node, alias, person, &service, stay.first);
        match stay.second {
            None => first.await,
            Some(second) => {
                let other = (node + 1) % self.len();
                let second = self.connect(other, alias, person, &service, second);
                tokio::join!(first, second);
            }
        }
        self.record.with(|record| {
            let times = record
                .participations
                .entry(person.id.to_owned())
                .or_default();
            times.least += 1;
            times.most += if stay.second.is_some() { 2 } else { 1 };
        });
    }

    async fn connect(
        &self,
        node: usize,
        alias: &str,
        person: Person,
        service: &Service,
        stay: Duration,
    ) {
        let participant = json!({
            "uuid": self.nodes[node].next_participant(node),
            "conference": service.name,
            "service_tag": service.tag,
            "service_type": "conference",
            "destination_alias": alias,
            "display_name": "Beverley P Spinder",
            "role": if person.role == "provider" { "chair" } else { "guest" },
        });
        let conference = json!({"name": service.name, "tag": service.tag});
        if self.count(node, &service.name, 1) == 1 {
            self.report(node, "conference_started", &conference);
        }
        self.report(node, "participant_connected", &participant);
        tokio::time::sleep(stay).await;
        self.report(node, "participant_disconnected", &participant);
        if self.count(node, &service.name, -1) == 0 {
            self.report(node, "conference_ended", &conference);
        }
    }

    /// Sends a node's events, for ever.
    pub(crate) async fn run(self, node: usize) {
        let node = &self.nodes[node];
        loop {
            let event = node.inner.lock().unwrap().waiting.front().cloned();
            let Some(event) = event else {
                node.news.notified().await;
                continue;
            };
            let request = http::Request::post("/api/telehealth/v1/event_sink")
                .header("content-type", "application/json")
                .header("authorization", basic(SINK))
                .body(Body::from(event.to_string()));
            match self.queue.server(request.unwrap()).await {
                Some(page) if page.status == 204 => {
                    node.inner.lock().unwrap().waiting.pop_front();
                }
                Some(page) if page.status != 503 => {
                    let what = format!("the event sink answered {}: {}", page.status, page.body);
                    self.record.violation(what);
                    return;
                }
                _ => tokio::time::sleep(AGAIN).await,
            }
        }
    }

    async fn ask(&self, alias: &str, person: Person) -> Option<Service> {
        let alias: String = url::form_urlencoded::byte_serialize(alias.as_bytes()).collect();
        let request = http::Request::get(format!(
            "/policy/v1/service/configuration?protocol=api&local_alias={alias}"
        ));
        let request = request.header("authorization", basic(POLICY));
        let page = self
            .queue
            .server(request.body(Body::empty()).unwrap())
            .await?;
        if page.status == 503 {
            return None;
        }
        let answer: Value = serde_json::from_str(&page.body).unwrap_or_default();
        let text = |name: &str| Some(answer["result"][name].as_str()?.to_owned());
        let service = text("name").zip(text("service_tag")).zip(text("pin"));
        let Some(((name, tag), pin)) = service else {
            let what = format!("an alias in use leads nowhere: {}", page.body);
            self.record.violation(what);
            return None;
        };
        self.record.with(|record| {
            let conferences = &mut record.conferences;
            let conferences = conferences.entry(person.appointment.to_owned());
            let conference = [name.clone(), tag.clone(), pin];
            conferences.or_default().insert(conference);
        });
        Some(Service { name, tag })
    }

    fn count(&self, node: usize, service: &str, change: i32) -> u32 {
        let mut inner = self.nodes[node].inner.lock().unwrap();
        let there = inner.there.entry(service.to_owned()).or_default();
        *there = there.checked_add_signed(change).unwrap();
        *there
    }

    fn report(&self, node: usize, event: &str, data: &Value) {
        let node = &self.nodes[node];
        let mut inner = node.inner.lock().unwrap();
        inner.seq += 1;
        let time = self.clock.now().as_millis();
        let event = json!({
            "node": node.name,
            "seq": inner.seq,
            "version": 2,
            "time": Value::from(f64::from(u32::try_from(time / 1000).unwrap())
                + f64::from(u16::try_from(time % 1000).unwrap()) / 1000.0),
            "event": event,
            "data": data,
        });
        inner.waiting.push_back(event);
        node.news.notify_one();
    }
}

fn basic((user, password): (&str, &str)) -> String {
    let credentials = Base64::encode_string(format!("{user}:{password}").as_bytes());
    format!("Basic {credentials}")
}
