//! Pexip Infinity, as far as the servers see it: nodes that ask what stands behind an
//! alias, and report what happens, each in order and each event until it is taken.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Mutex,
    time::Duration,
};

use rand::{SeedableRng as _, rngs::ChaCha20Rng};
use serde_json::{Value, json};
use tokio::sync::Notify;
use uuid::Uuid;
use vestibule_launch::{Clock as _, EhrRole};
use vestibule_server::clock::SystemClock;

use super::{super::GENEROUS, people::Person, site::Site, story::Story};

/// What Pexip signs in with.
pub(super) const POLICY: (&str, &str) = ("policy", "password of the policy server");
pub(super) const SINK: (&str, &str) = ("sink", "password of the event sink");

const NODES: usize = 2;

/// How long a node waits until it sends again what was not taken.
const AGAIN: Duration = Duration::from_millis(200);

/// The conferencing nodes.
pub(super) struct Conferences<'a> {
    site: &'a Site,
    story: &'a Story,
    nodes: [Node; NODES],
}

#[derive(Default)]
struct Node {
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

/// A virtual meeting room, as the policy server describes it.
pub(super) struct Service {
    name: String,
    tag: String,
}

/// Somebody who is in a conference.
pub(super) struct Participant<'a> {
    node: usize,
    service: &'a Service,
    data: Value,
}

impl<'a> Conferences<'a> {
    pub(super) fn new(site: &'a Site, story: &'a Story) -> Self {
        let conferences = Self {
            site,
            story,
            nodes: Default::default(),
        };
        for node in 0..NODES {
            conferences.report(node, "eventsink_started", &json!({}));
        }
        conferences
    }

    /// Whether everything was reported.
    pub(super) fn is_quiet(&self) -> bool {
        let mut nodes = self.nodes.iter();
        nodes.all(|node| node.inner.lock().unwrap().waiting.is_empty())
    }

    /// Sends the nodes' events, for ever.
    pub(super) async fn run(&self, seed: u64) {
        let [one, two] = [0, 1].map(|node| {
            let rng = ChaCha20Rng::seed_from_u64(seed ^ (1 + node as u64));
            self.send(&self.nodes[node], rng)
        });
        tokio::join!(one, two);
    }

    async fn send(&self, node: &Node, mut rng: ChaCha20Rng) {
        loop {
            let event = node.inner.lock().unwrap().waiting.front().cloned();
            let Some(event) = event else {
                node.news.notified().await;
                continue;
            };
            let request = |client: &reqwest::Client, server: &str| {
                let request = client.post(format!("{server}/api/telehealth/v1/event_sink"));
                let request = request.basic_auth(SINK.0, Some(SINK.1));
                let request = request.header("content-type", "application/json");
                request.body(event.to_string())
            };
            match self.site.ask(&mut rng, GENEROUS, request).await {
                Some(page) if page.status == 204 => {
                    node.inner.lock().unwrap().waiting.pop_front();
                }
                Some(page) if page.status != 503 => {
                    let what = format!("the event sink answered {}: {}", page.status, page.body);
                    self.story.wrong(what);
                    node.inner.lock().unwrap().waiting.pop_front();
                }
                _ => tokio::time::sleep(AGAIN).await,
            }
        }
    }

    /// What stands behind an alias that somebody dials.
    pub(super) async fn dial(
        &self,
        rng: &mut ChaCha20Rng,
        alias: &str,
        person: &Person,
    ) -> Option<Service> {
        let alias: String = url::form_urlencoded::byte_serialize(alias.as_bytes()).collect();
        let path = format!("/policy/v1/service/configuration?protocol=api&local_alias={alias}");
        let request = |client: &reqwest::Client, server: &str| {
            let request = client.get(format!("{server}{path}"));
            request.basic_auth(POLICY.0, Some(POLICY.1))
        };
        let page = loop {
            match self.site.ask(rng, GENEROUS, request).await {
                Some(page) if page.status != 503 => break page,
                _ => tokio::time::sleep(AGAIN).await,
            }
        };
        let answer: Value = serde_json::from_str(&page.body).unwrap_or_default();
        let text = |name: &str| Some(answer["result"][name].as_str()?.to_owned());
        let found = text("name").zip(text("service_tag")).zip(text("pin"));
        let Some(((name, tag), pin)) = found else {
            let what = format!("an alias in use leads nowhere: {}", page.body);
            self.story.wrong(what);
            return None;
        };
        self.story.tell(|told| {
            let conferences = told.conferences.entry(person.encounter.to_owned());
            let conference = [name.clone(), tag.clone(), pin];
            conferences.or_default().insert(conference);
        });
        Some(Service { name, tag })
    }

    /// Somebody who has dialled comes in.
    pub(super) fn come<'b>(
        &self,
        node: usize,
        alias: &str,
        person: &Person,
        service: &'b Service,
    ) -> Participant<'b> {
        let number = {
            let mut inner = self.nodes[node].inner.lock().unwrap();
            inner.participants += 1;
            inner.participants
        };
        let data = json!({
            "uuid": Uuid::from_u64_pair(1 + node as u64, number),
            "conference": service.name,
            "service_tag": service.tag,
            "service_type": "conference",
            "destination_alias": alias,
            "display_name": "Beverley P Spinder",
            "role": if person.role == EhrRole::Provider { "chair" } else { "guest" },
        });
        if self.count(node, service, 1) == 1 {
            self.report(node, "conference_started", &conference(service));
        }
        self.report(node, "participant_connected", &data);
        Participant {
            node,
            service,
            data,
        }
    }

    pub(super) fn leave(&self, participant: &Participant<'_>) {
        let Participant {
            node,
            service,
            data,
        } = participant;
        self.report(*node, "participant_disconnected", data);
        if self.count(*node, service, -1) == 0 {
            self.report(*node, "conference_ended", &conference(service));
        }
    }

    fn count(&self, node: usize, service: &Service, change: i32) -> u32 {
        let mut inner = self.nodes[node].inner.lock().unwrap();
        let there = inner.there.entry(service.name.clone()).or_default();
        *there = there.checked_add_signed(change).unwrap();
        *there
    }

    fn report(&self, number: usize, event: &str, data: &Value) {
        let node = &self.nodes[number];
        let mut inner = node.inner.lock().unwrap();
        inner.seq += 1;
        let milliseconds = SystemClock.now().as_millis();
        let event = json!({
            "node": format!("10.44.2.{number}"),
            "seq": inner.seq,
            "version": 2,
            "time": Value::from(f64::from(u32::try_from(milliseconds / 1000).unwrap())
                + f64::from(u16::try_from(milliseconds % 1000).unwrap()) / 1000.0),
            "event": event,
            "data": data,
        });
        inner.waiting.push_back(event);
        node.news.notify_one();
    }
}

fn conference(service: &Service) -> Value {
    json!({"name": service.name, "tag": service.tag})
}
