//! A browser with its cookies, and a person who wants into a visit.

use std::{collections::BTreeMap, time::Duration};

use axum::{body::Body, http};
use base64ct::{Base64, Encoding as _};
use rand::{RngExt as _, rngs::ChaCha20Rng};
use serde_json::{Value, json};

use crate::{
    conferencing::{Conferences, Stay},
    epic::SITE,
    gate::{Page, Queue},
    record::Record,
};

/// Where the EHR is found.
pub(crate) const EHR: &str = "https://ehr.example.org";

/// Most launches that somebody tries before they call it broken.
const MOST_TRIES: u32 = 60;

/// Somebody whose EHR has a button for a visit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Person {
    pub(crate) appointment: &'static str,
    /// `provider` or `patient`.
    pub(crate) role: &'static str,
    /// Who they are in the EHR.
    pub(crate) id: &'static str,
}

/// How the way through one launch ended.
enum Ended {
    /// With a join link.
    Joined(String),
    /// With an error page, or nowhere.
    Failed,
}

/// Where a launch led to in the conferencing system.
struct Door {
    alias: String,
}

#[derive(Clone)]
pub(crate) struct Browser {
    queue: Queue,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    fn new(queue: &Queue) -> Self {
        Self {
            queue: queue.clone(),
            cookies: BTreeMap::new(),
        }
    }

    /// Opens an address, of the EHR or of a server.
    async fn open(&mut self, url: &str) -> Option<Page> {
        let Some(path) = url.strip_prefix(SITE) else {
            let path = url.strip_prefix(EHR).unwrap();
            let request = http::Request::get(path).body(Body::empty()).unwrap();
            return self.queue.ehr_page(request).await;
        };
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        let mut request = http::Request::get(path);
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        let page = self
            .queue
            .server(request.body(Body::empty()).unwrap())
            .await?;
        for cookie in page.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            let (pair, attributes) = cookie.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0;") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Some(page)
    }
}

/// Somebody goes into a visit, and out again, `visits` times; whatever happens on the way,
/// they try again.
pub(crate) async fn take_part(
    person: Person,
    visits: u32,
    mut rng: ChaCha20Rng,
    queue: Queue,
    record: Record,
    conferences: Conferences,
) {
    let way = Way {
        person,
        queue,
        record,
    };
    for _ in 0..visits {
        let mut tries = 0;
        let door = loop {
            if tries == MOST_TRIES {
                way.record
                    .violation(format!("{} gets into no visit", way.name()));
                return;
            }
            tries += 1;
            if let Some(door) = way.launch(&mut rng).await {
                break door;
            }
            pause(&mut rng).await;
        };
        way.record.with(|record| {
            record.aliases.insert(door.alias.clone());
            record.visits += 1;
        });
        let first = Duration::from_millis(rng.random_range(1_000..20_000));
        // Both devices are put down at about the same time.
        let second = first + Duration::from_millis(rng.random_range(0..2_000));
        let second = rng.random_bool(0.4).then_some(second);
        let stay = Stay { first, second };
        let node = rng.random_range(0..conferences.len());
        conferences.visit(node, &door.alias, person, stay).await;
        pause(&mut rng).await;
    }
}

struct Way {
    person: Person,
    queue: Queue,
    record: Record,
}

impl Way {
    fn name(&self) -> String {
        format!("{} of {}", self.person.role, self.person.appointment)
    }

    /// Presses the button and goes where that leads; comes back with an alias.
    async fn launch(&self, rng: &mut ChaCha20Rng) -> Option<Door> {
        if rng.random_bool(0.1) {
            self.spoil(rng).await;
        }
        let mut browser = Browser::new(&self.queue);
        let url = self.press().await?;
        let token = parameter(&url, "launch").unwrap();
        self.record
            .tell(format!("{} presses the button", self.name()));
        let link = if rng.random_bool(0.2) {
            // Two tabs, and one jar of cookies: whichever is asked for last.
            let mut second = browser.clone();
            let mut rngs = [rng.random(), rng.random()].map(seeded);
            let [one, two] = &mut rngs;
            let (first, second) = tokio::join!(
                self.go(&mut browser, &url, &token, one),
                self.go(&mut second, &url, &token, two)
            );
            match (first, second) {
                (Ended::Joined(link), _) | (_, Ended::Joined(link)) => link,
                (Ended::Failed, Ended::Failed) => return None,
            }
        } else {
            match self.go(&mut browser, &url, &token, rng).await {
                Ended::Joined(link) => link,
                Ended::Failed => return None,
            }
        };
        self.enter(&link, rng).await
    }

    /// Presses the button and goes on with a context that nobody encrypted, or with half
    /// of one. It must not lead into a visit.
    async fn spoil(&self, rng: &mut ChaCha20Rng) {
        let Some(url) = self.press().await else {
            return;
        };
        self.record.drawn("launch parameters are spoilt");
        let (start, _) = url.rsplit_once('=').unwrap();
        let length = if rng.random_bool(0.5) { 64 } else { 41 };
        let mut context = vec![0; length];
        rng.fill(&mut context[..]);
        let context = Base64::encode_string(&context);
        let context: String = url::form_urlencoded::byte_serialize(context.as_bytes()).collect();
        let mut browser = Browser::new(&self.queue);
        let mut url = format!("{start}={context}");
        while let Some(page) = browser.open(&url).await {
            if page.status != 303 && page.status != 302 {
                self.record.failure(&self.name(), &page);
                self.record.refusal(self.person.role, &page);
                return;
            }
            page.header("location").clone_into(&mut url);
            if url.contains("/webapp/#/") {
                let what = format!("{} has spoilt parameters and a join link", self.name());
                self.record.violation(what);
                return;
            }
        }
    }

    async fn press(&self) -> Option<String> {
        let page = match self.person.role {
            "provider" => "clinician",
            _ => "patient",
        };
        let request = http::Request::post(format!("/{page}/launch"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(format!(
                "appointment={}",
                self.person.appointment
            )));
        let pressed = self.queue.ehr_page(request.unwrap()).await?;
        Some(pressed.header("location").to_owned())
    }

    /// From the launch's address to the join link. Somebody whose page does not come
    /// loads it again, twice.
    async fn go(
        &self,
        browser: &mut Browser,
        url: &str,
        token: &str,
        rng: &mut ChaCha20Rng,
    ) -> Ended {
        let mut url = url.to_owned();
        let mut loads = 0;
        loop {
            let Some(page) = browser.open(&url).await else {
                loads += 1;
                if loads > 2 {
                    return Ended::Failed;
                }
                self.record
                    .tell(format!("{} loads the page again", self.name()));
                pause(rng).await;
                continue;
            };
            self.saw(&page);
            if page.status != 303 && page.status != 302 {
                self.record.failure(&self.name(), &page);
                return Ended::Failed;
            }
            let next = page.header("location").to_owned();
            if next.contains("/webapp/#/") {
                self.joined(token, &next);
                if rng.random_bool(0.3) {
                    self.repeat(browser, &url, token, rng).await;
                }
                return Ended::Joined(next);
            }
            url = next;
        }
    }

    /// The way back from the EHR is opened once more: by the same browser, or by a
    /// stranger's, which must get nowhere.
    async fn repeat(&self, browser: &mut Browser, url: &str, token: &str, rng: &mut ChaCha20Rng) {
        let stranger = rng.random_bool(0.5);
        if stranger {
            self.record.drawn("page is opened by a stranger");
        }
        let mut strange = Browser::new(&self.queue);
        let browser = if stranger { &mut strange } else { browser };
        let Some(page) = browser.open(url).await else {
            return;
        };
        let next = page.header("location");
        if !next.contains("/webapp/#/") {
            self.record.failure(&self.name(), &page);
        } else if stranger {
            let what = format!("a stranger got into the launch of {}", self.name());
            self.record.violation(what);
        } else {
            self.joined(token, next);
        }
    }

    fn joined(&self, token: &str, link: &str) {
        let pin = parameter(link, "pin");
        self.record.with(|record| {
            let links = record.links.entry(token.to_owned()).or_default();
            links.insert(link.to_owned());
            if let Some(pin) = &pin {
                let pins = record.pins.entry(self.person.appointment.to_owned());
                pins.or_default().insert(pin.clone());
            }
        });
        if pin.is_some() != (self.person.role == "provider") {
            self.record
                .violation(format!("{} has the link {link}", self.name()));
        }
        self.record.tell(format!("{} has a join link", self.name()));
    }

    /// What the landing page does with the link; comes back with the alias.
    async fn enter(&self, link: &str, rng: &mut ChaCha20Rng) -> Option<Door> {
        if let Some(alias) = parameter(link, "conference") {
            return Some(Door { alias });
        }
        let ticket = parameter(link, "ticket").unwrap();
        let browser = rng.random::<u128>();
        let mut tries = 0;
        let launch = loop {
            let page = self.redeem(&ticket, browser).await;
            match page {
                Some(page) if page.status == 200 => {
                    self.saw(&page);
                    break serde_json::from_str::<Value>(&page.body).unwrap();
                }
                Some(page) if page.status != 503 => {
                    self.record.failure(&self.name(), &page);
                    return None;
                }
                Some(page) => self.record.failure(&self.name(), &page),
                None => {}
            }
            tries += 1;
            if tries > 5 {
                return None;
            }
            pause(rng).await;
        };
        if !launch["pin"].is_null() {
            self.record
                .violation(format!("{} is given a PIN", self.name()));
        }
        if rng.random_bool(0.3)
            && let Some(page) = self.redeem(&ticket, rng.random()).await
            && page.status == 200
        {
            let what = format!("a stranger redeemed the ticket of {}", self.name());
            self.record.violation(what);
        }
        let alias = launch["conference"].as_str().unwrap().to_owned();
        Some(Door { alias })
    }

    async fn redeem(&self, ticket: &str, browser: u128) -> Option<Page> {
        let body = json!({"ticket": ticket, "browser": format!("{browser:032x}")});
        let request = http::Request::post("/api/telehealth/v1/launch/redeem")
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()));
        self.queue.server(request.unwrap()).await
    }

    /// Keeps what a patient sees, for the search for PINs.
    fn saw(&self, page: &Page) {
        if self.person.role == "patient" {
            let seen = format!("{:?} {}", page.headers, page.body);
            self.record
                .with(|record| record.seen_by_patients.push(seen));
        }
    }
}

pub(crate) fn seeded(seed: u64) -> ChaCha20Rng {
    use rand::SeedableRng as _;
    ChaCha20Rng::seed_from_u64(seed)
}

async fn pause(rng: &mut ChaCha20Rng) {
    tokio::time::sleep(Duration::from_millis(rng.random_range(100..8_000))).await;
}

/// A parameter of a URL's query or of a fragment that looks like `/?a=b`.
fn parameter(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.rsplit_once('?')?;
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let found = pairs.find(|(found, _)| found == name);
    found.map(|(_, value)| value.into_owned())
}
