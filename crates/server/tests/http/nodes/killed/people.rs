//! People who want into a visit: they press the button, reload what does not come, open
//! what they had once more, and press the button again after a failure.

use std::{collections::BTreeMap, time::Duration};

use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha20Rng};
use serde_json::{Value, json};
use vestibule_launch::EhrRole;
use vestibule_server::sealing::Sealer;

use super::{
    super::GENEROUS,
    site::{Page, Site},
    story::{Seen, Story},
};
use crate::{
    epic::SITE,
    support::{UUID, parameter, parameters},
};

/// How long somebody looks at a page that does not come before they reload it, or give up
/// and press the button again. A server that waits for what another one comes to takes
/// longer where that one was killed.
const IMPATIENT: Duration = Duration::from_secs(2);

/// Most buttons that somebody presses for one visit.
const MOST_PRESSES: usize = 40;

/// Most reloads of one page.
const MOST_RELOADS: usize = 2;

/// Somebody whose EHR has a button for a visit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Person {
    /// The EHR's own id of the appointment.
    pub(super) appointment: &'static str,
    /// The serial number of the encounter.
    pub(super) encounter: &'static str,
    pub(super) role: EhrRole,
    /// Which of the appointment's patients, from 1.
    pub(super) patient: usize,
    /// Who they are in the EHR.
    pub(super) id: &'static str,
}

/// What everybody uses.
#[derive(Clone, Copy)]
pub(super) struct Town<'a> {
    pub(super) site: &'a Site,
    pub(super) story: &'a Story,
    pub(super) ehr: &'a str,
    pub(super) client: &'a reqwest::Client,
    /// Opens states, which tell the request ids.
    pub(super) sealer: &'a Sealer,
}

/// What came of one press of the button.
enum Came {
    Link(String),
    Nothing,
}

/// A browser with its cookies.
#[derive(Default)]
struct Browser {
    cookies: BTreeMap<String, String>,
}

impl Browser {
    async fn get(
        &mut self,
        town: Town<'_>,
        rng: &mut ChaCha20Rng,
        patience: Duration,
        url: &str,
    ) -> Option<Page> {
        let path = url.strip_prefix(SITE).expect("it is the site's");
        let cookies = self.cookies.iter();
        let cookies: Vec<_> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let cookies = cookies.join("; ");
        let request = |client: &reqwest::Client, server: &str| {
            let request = client.get(format!("{server}{path}"));
            if cookies.is_empty() {
                request
            } else {
                request.header("cookie", &cookies)
            }
        };
        let page = town.site.ask(rng, patience, request).await?;
        for cookie in page.headers.get_all("set-cookie") {
            let (pair, attributes) = cookie.to_str().unwrap().split_once(';').unwrap();
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

impl Person {
    /// Gets into the visit, whatever it takes. Gives the alias by which; none where that
    /// takes too many attempts.
    pub(super) async fn launch(&self, town: Town<'_>, rng: &mut ChaCha20Rng) -> Option<String> {
        for _ in 0..MOST_PRESSES {
            let url = self.press(town).await;
            if let Came::Link(link) = self.follow(town, rng, &url).await
                && let Some(alias) = self.enter(town, rng, &link).await
            {
                return Some(alias);
            }
            pause(rng).await;
        }
        town.story.wrong(format!("{self:?} gets into no visit"));
        None
    }

    /// Presses the button in the EHR. Gives the launch's address.
    async fn press(&self, town: Town<'_>) -> String {
        let page = match self.role {
            EhrRole::Provider => "clinician",
            EhrRole::Patient => "patient",
        };
        let request = town.client.post(format!("{}/{page}/launch", town.ehr));
        let body = format!("appointment={}&patient={}", self.appointment, self.patient);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let pressed = request.body(body).timeout(GENEROUS).send().await.unwrap();
        pressed.headers()["location"].to_str().unwrap().to_owned()
    }

    async fn follow(&self, town: Town<'_>, rng: &mut ChaCha20Rng, url: &str) -> Came {
        let token = parameter(url, "launch");
        let mut browser = Browser::default();
        let Some(authorize) = self.begin(town, rng, &mut browser, url).await else {
            return Came::Nothing;
        };
        let state = parameter(&authorize, "state");
        let request_id = town
            .sealer
            .open_state(&state, UUID.parse().unwrap(), self.role);
        let request_id = request_id.unwrap().to_string();
        town.story.tell(|told| {
            told.launches.entry(request_id.clone()).or_default();
        });
        // The EHR itself is always there.
        let signed_in = town.client.get(authorize).timeout(GENEROUS);
        let signed_in = signed_in.send().await.unwrap();
        let back = signed_in.headers().get("location");
        let Some(back) = back.map(|back| back.to_str().unwrap().to_owned()) else {
            // The launch token was used by an earlier attempt.
            return Came::Nothing;
        };
        if !parameters(&back).iter().any(|(name, _)| name == "code") {
            return Came::Nothing;
        }
        let come = Return {
            person: self,
            town,
            url: &back,
            token: &token,
            request_id: &request_id,
        };
        come.go(rng, browser).await
    }

    /// Opens the launch's address. Gives that of the EHR's sign-in.
    async fn begin(
        &self,
        town: Town<'_>,
        rng: &mut ChaCha20Rng,
        browser: &mut Browser,
        url: &str,
    ) -> Option<String> {
        for _ in 0..MOST_RELOADS {
            let page = browser.get(town, rng, GENEROUS, url).await;
            let Some(page) = page else {
                town.story.tell(|told| told.unknown_beginnings += 1);
                pause(rng).await;
                continue;
            };
            self.saw(town, &page);
            if page.status == 303 {
                return Some(page.header("location").to_owned());
            }
            town.story.failure(&page);
            town.story.tell(|told| told.unknown_beginnings += 1);
            pause(rng).await;
        }
        None
    }

    /// What the landing page does with the link. Gives the alias.
    async fn enter(&self, town: Town<'_>, rng: &mut ChaCha20Rng, link: &str) -> Option<String> {
        let found = parameters(link);
        let value = |wanted: &str| {
            let mut found = found.iter().filter(|(name, _)| name == wanted);
            found.next().map(|(_, value)| value.clone())
        };
        if let Some(alias) = value("conference") {
            return Some(alias);
        }
        let ticket = value("ticket").expect("a link has an alias or a ticket");
        let browser: u128 = rng.random();
        for _ in 0..2 * MOST_RELOADS {
            let page = self.redeem(town, rng, &ticket, browser).await;
            if let Some(page) = page {
                if page.status == 200 {
                    let launch: Value = serde_json::from_str(&page.body).unwrap();
                    if !launch["pin"].is_null() {
                        town.story.wrong(format!("{self:?} is given a PIN"));
                    }
                    if rng.random_bool(0.4) {
                        // Whoever else has the link comes too late, wherever they try.
                        let stranger = rng.random();
                        self.redeem(town, rng, &ticket, stranger).await;
                    }
                    return Some(launch["conference"].as_str().unwrap().to_owned());
                }
                if page.status != 503 {
                    return None;
                }
            }
            pause(rng).await;
        }
        None
    }

    async fn redeem(
        &self,
        town: Town<'_>,
        rng: &mut ChaCha20Rng,
        ticket: &str,
        browser: u128,
    ) -> Option<Page> {
        let body = json!({"ticket": ticket, "browser": format!("{browser:032x}")}).to_string();
        let request = |client: &reqwest::Client, server: &str| {
            let request = client.post(format!("{server}/api/telehealth/v1/launch/redeem"));
            let request = request.header("content-type", "application/json");
            request.body(body.clone())
        };
        let page = town.site.ask(rng, GENEROUS, request).await?;
        self.saw(town, &page);
        if page.status == 200 {
            town.story.tell(|told| {
                let browsers = told.redeemed.entry(ticket.to_owned()).or_default();
                browsers.insert(browser);
            });
        } else {
            town.story.failure(&page);
        }
        Some(page)
    }

    /// Keeps what patients see, for the search for PINs.
    fn saw(&self, town: Town<'_>, page: &Page) {
        if self.role == EhrRole::Patient {
            let seen = format!("{:?} {}", page.headers, page.body);
            town.story.tell(|told| told.seen_by_patients.push(seen));
        }
    }
}

/// A browser on its way back from the EHR's sign-in.
struct Return<'a> {
    person: &'a Person,
    town: Town<'a>,
    url: &'a str,
    /// The EHR's launch token.
    token: &'a str,
    request_id: &'a str,
}

impl Return<'_> {
    async fn go(&self, rng: &mut ChaCha20Rng, mut browser: Browser) -> Came {
        if rng.random_bool(0.25) {
            // A double click. Both are one browser.
            let mut second = Browser {
                cookies: browser.cookies.clone(),
            };
            let mut seeds = [0, 1].map(|_| ChaCha20Rng::seed_from_u64(rng.random()));
            let [one, two] = &mut seeds;
            let (first, second) =
                tokio::join!(self.open(one, &mut browser), self.open(two, &mut second));
            if let (Came::Link(link), _) | (_, Came::Link(link)) = (first, second) {
                return Came::Link(link);
            }
            return Came::Nothing;
        }
        let came = self.open(rng, &mut browser).await;
        if matches!(came, Came::Link(_)) && rng.random_bool(0.3) {
            self.open_again(rng, &mut browser).await;
        }
        came
    }

    /// Opens the address until something comes.
    async fn open(&self, rng: &mut ChaCha20Rng, browser: &mut Browser) -> Came {
        let mut patience = GENEROUS;
        for _ in 0..MOST_RELOADS {
            let page = browser.get(self.town, rng, patience, self.url).await;
            let Some(page) = page else {
                self.town.story.saw(self.request_id, Seen::Nothing);
                pause(rng).await;
                patience = IMPATIENT;
                continue;
            };
            self.person.saw(self.town, &page);
            if page.status == 303 {
                let link = page.header("location").to_owned();
                self.link(&link);
                return Came::Link(link);
            }
            self.failure(&page);
            if page.status != 503 {
                return Came::Nothing;
            }
            pause(rng).await;
        }
        Came::Nothing
    }

    /// Once more, after the link has come: the same browser may have it again, a stranger
    /// may not.
    async fn open_again(&self, rng: &mut ChaCha20Rng, browser: &mut Browser) {
        let mut strange = Browser::default();
        let is_stranger = rng.random_bool(0.5);
        let browser = if is_stranger { &mut strange } else { browser };
        let page = browser.get(self.town, rng, GENEROUS, self.url).await;
        let Some(page) = page else {
            return;
        };
        if page.status != 303 {
            self.town.story.failure(&page);
        } else if is_stranger {
            let what = format!("a stranger got into the launch of {:?}", self.person);
            self.town.story.wrong(what);
        } else {
            self.link(page.header("location"));
        }
    }

    fn link(&self, link: &str) {
        let has_pin = parameters(link).iter().any(|(name, _)| name == "pin");
        let story = self.town.story;
        if has_pin != (self.person.role == EhrRole::Provider) {
            story.wrong(format!("{:?} has another's link", self.person));
        }
        story.saw(self.request_id, Seen::Link(link.to_owned()));
        story.tell(|told| {
            let links = told.links.entry(self.token.to_owned()).or_default();
            links.insert(link.to_owned());
        });
    }

    fn failure(&self, page: &Page) {
        self.town.story.failure(page);
        self.town
            .story
            .saw(self.request_id, Seen::Failure(page.status));
    }
}

/// What it takes to find the reload button.
async fn pause(rng: &mut ChaCha20Rng) {
    tokio::time::sleep(Duration::from_millis(rng.random_range(20..200))).await;
}
