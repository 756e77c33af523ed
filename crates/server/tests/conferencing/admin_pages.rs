//! The admin pages, over what really happened: launches, visits and write-backs.

mod audit;
mod days;
mod figures;
mod files;
mod sent_again_later;
mod too_slow;
mod write_backs;

use std::time::Duration;

use reqwest::{
    Response, StatusCode,
    header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, SET_COOKIE},
};
use vestibule_launch::{
    ErrorName, UnixTime,
    crypto::{Algorithm, KeyCheckValue, KeyType, LaunchKey},
};
use vestibule_sandbox::{Endpoint, Fault, FaultAnswer};
use vestibule_server::error_reference;
use vestibule_store::{
    AuditAction, AuditFilter, EncounterKey, NewAppointment, NewAuditEntry, Page,
};

use crate::house::{ENCOUNTER, House, Setup, WHOLE};

/// `vic` looks, `olga` operates, `cora` does everything; who sees names stands there.
const ADMIN: &str = r#"
[admin]
listen = "127.0.0.1:0"
[[admin.users]]
name = "vic"
role = "view"
password_hash = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$wZeUqErRQM9fr7+3IJVQyFsb5QPhYeqkXwNGZgBH/L4"
[[admin.users]]
name = "olga"
role = "operate"
password_hash = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$wZeUqErRQM9fr7+3IJVQyFsb5QPhYeqkXwNGZgBH/L4"
[[admin.users]]
name = "cora"
role = "configure"
names = true
password_hash = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$wZeUqErRQM9fr7+3IJVQyFsb5QPhYeqkXwNGZgBH/L4"
"#;

const PASSWORD: &str = "correct+horse+battery";

const SETUP: Setup<'static> = Setup {
    config: ADMIN,
    ..WHOLE
};

/// Every page that is a table, with its CSV.
const TABLES: [(&str, &str); 5] = [
    ("/admin/appointments", "/admin/appointments.csv"),
    ("/admin/launches", "/admin/launches.csv"),
    ("/admin/write-backs", "/admin/write-backs.csv"),
    ("/admin/profiles", "/admin/profiles.csv"),
    ("/admin/audit", "/admin/audit.csv"),
];

const CHARTS: [&str; 6] = [
    "launches",
    "errors",
    "joined",
    "waited",
    "length",
    "departments",
];

/// The parts of the patient's name.
const NAMES: [&str; 2] = ["Beverley", "Spinder"];

/// The state of a visit that is over.
const PAST: &str = "\"state \">past<";

/// Longest wait for the server to do what is due.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody who has signed in.
struct Signed<'a> {
    house: &'a House,
    cookie: String,
    csrf: String,
}

impl House {
    async fn sign_in(&self, name: &str) -> Signed<'_> {
        let request = self
            .client()
            .post(self.admin("/admin/sign-in"))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        let body = format!("name={name}&password={PASSWORD}");
        let response = request.body(body).send().await.unwrap();
        assert_eq!(response.status(), 303, "{name} signs in");
        let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
        let mut signed = Signed {
            house: self,
            cookie: cookie.split(';').next().unwrap().to_owned(),
            csrf: String::new(),
        };
        let page = signed.text("/admin/profiles").await;
        let (_, rest) = page.split_once("name=\"csrf\" value=\"").unwrap();
        signed.csrf = rest.split('"').next().unwrap().to_owned();
        signed
    }

    /// One where a visit is over, and the EHR refused to hear that from either.
    async fn refused() -> Self {
        let house = Self::open(SETUP).await;
        let refused = FaultAnswer::status(StatusCode::BAD_REQUEST);
        house
            .ehr
            .fault(Endpoint::EndOfCall, Fault::times(2, refused));
        house.visit().await;
        house.clock.advance(Duration::from_secs(60));
        house
    }

    /// A patient and a provider meet for ten minutes.
    async fn visit(&self) {
        let patient = self.patient().await;
        let theirs = self.come(&patient).await;
        self.clock.advance(Duration::from_secs(40));
        let theirs = self.refresh(&patient, &theirs).await;
        let provider = self.provider().await;
        let token = self.come(&provider).await;
        self.clock.advance(Duration::from_secs(60));
        self.leave(&patient, &theirs).await;
        self.leave(&provider, &token).await;
        self.over().await;
    }

    /// Waits until the last visit is over in the store.
    async fn over(&self) {
        let start = tokio::time::Instant::now();
        let signed = self.sign_in("cora").await;
        while !signed.text("/admin/appointments").await.contains(PAST) {
            assert!(start.elapsed() < PATIENCE, "the visit is not over");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn audit(&self, action: AuditAction) -> Vec<NewAuditEntry> {
        let filter = AuditFilter {
            action: Some(action),
            ..AuditFilter::default()
        };
        let page = Page {
            after: None,
            limit: 1000,
        };
        let entries = self.store().await.list_audit(&filter, page).await.unwrap();
        entries.into_iter().map(|entry| entry.entry).collect()
    }
}

impl Signed<'_> {
    async fn get(&self, path: &str) -> Response {
        let request = self.house.client().get(self.house.admin(path));
        request.header("cookie", &self.cookie).send().await.unwrap()
    }

    /// The page under a path, which must be there.
    async fn text(&self, path: &str) -> String {
        let response = self.get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        plain(&response.text().await.unwrap())
    }

    /// Sends a form of a page.
    async fn post(&self, path: &str, fields: &str) -> Response {
        let body = format!("csrf={}&{fields}", self.csrf);
        self.send(path, body).await
    }

    async fn send(&self, path: &str, body: String) -> Response {
        let request = self
            .house
            .client()
            .post(self.house.admin(path))
            .header("cookie", &self.cookie)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded");
        request.body(body).send().await.unwrap()
    }

    /// Waits until a page has this in it.
    async fn until(&self, path: &str, part: &str) -> String {
        let start = tokio::time::Instant::now();
        loop {
            let page = self.text(path).await;
            if page.contains(part) {
                return page;
            }
            assert!(start.elapsed() < PATIENCE, "no {part} in {page}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A page with what is escaped beyond need as it is meant.
fn plain(page: &str) -> String {
    page.replace("&#x2f;", "/")
        .replace("&#x27;", "'")
        .replace("&amp;", "&")
}

fn location(response: &Response) -> String {
    response.headers()[LOCATION].to_str().unwrap().to_owned()
}

/// The texts between `start` and `end`.
fn between<'a>(page: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    let parts = page.split(start).skip(1);
    parts.filter_map(|part| part.split(end).next()).collect()
}

/// The first launch that is listed.
async fn newest_launch(signed: &Signed<'_>) -> String {
    let page = signed.text("/admin/launches").await;
    let found = between(&page, "href=\"/admin/launches/", "\"");
    (*found.first().unwrap()).to_owned()
}

#[tokio::test]
async fn every_page_asks_for_the_sign_in_and_is_there_for_who_has_signed_in() {
    let house = House::open(SETUP).await;
    house.visit().await;
    let signed = house.sign_in("cora").await;
    let launch = newest_launch(&signed).await;
    let mut paths = vec!["/admin".to_owned(), "/admin/profiles/1".to_owned()];
    paths.push(format!("/admin/launches/{launch}"));
    paths.push(format!("/admin/launches/{launch}/csv"));
    paths.extend(CHARTS.map(|chart| format!("/admin/charts/{chart}.csv")));
    for (page, csv) in TABLES {
        paths.extend([page.to_owned(), csv.to_owned()]);
    }
    for path in &paths {
        let stranger = house.client().get(house.admin(path)).send().await.unwrap();
        assert_eq!(stranger.status(), 303, "{path}");
        assert!(
            location(&stranger).starts_with("/admin/sign-in?next="),
            "{path}"
        );
        let response = signed.get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        let policy = response.headers()[CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(response.headers()["cache-control"], "no-store", "{path}");
        let page = response.text().await.unwrap();
        for inline in [" style=", "<style", "<script>", " onclick="] {
            assert!(!page.contains(inline), "{inline} in {path}");
        }
    }
    for path in [
        "/admin/launches/nothing",
        "/admin/appointments/999",
        "/admin/nothing",
        "/admin/appointments.csv?appointment=999",
        "/admin/charts/launches-table.csv",
    ] {
        assert_eq!(signed.get(path).await.status(), 404, "{path}");
    }
    house.end().await;
}

#[tokio::test]
async fn an_appointment_shows_who_was_there_and_that_it_was_looked_at_is_recorded() {
    let house = House::open(SETUP).await;
    house.visit().await;
    let signed = house.sign_in("cora").await;
    let page = signed.text("/admin/appointments?state=past").await;
    let name = format!("Appointment for Beverley Spinder Healthcare Org:{ENCOUNTER} in Radiology");
    assert!(page.contains(&name), "{page}");
    assert!(page.contains("<bdi>Beverley P Spinder</bdi>"), "{page}");
    for role in ["patient, guest", "provider, host"] {
        assert!(page.contains(role), "{role} in {page}");
    }
    // They joined and left: two participants and the visit.
    assert!(page.contains("1 min 40 s"), "{page}");
    assert!(!page.contains(">here<"), "{page}");
    let seen = house.audit(AuditAction::NamesSeen).await;
    assert!(!seen.is_empty());
    for entry in &seen {
        assert_eq!(entry.administrator.as_deref(), Some("cora"));
        let subject = entry.subject.as_ref().unwrap();
        assert_eq!(subject.kind.as_str(), "encounter");
        assert!(entry.details.starts_with("appointment "), "{entry:?}");
    }
    // Who looks on has looked once; who looks again has looked twice.
    signed.text("/admin/appointments").await;
    assert_eq!(house.audit(AuditAction::NamesSeen).await.len(), seen.len());
    house.clock.advance(Duration::from_secs(5 * 60));
    signed.text("/admin/appointments").await;
    let looks = house.audit(AuditAction::NamesSeen).await.len();
    assert_eq!(looks, seen.len() + 1);
    let csv = signed.text("/admin/appointments.csv").await;
    assert!(csv.contains("Beverley P Spinder"), "{csv}");
    assert_eq!(csv.lines().count(), 3, "a head and two participants: {csv}");
    let path = "/admin/appointments.csv?state=past&from=2020-01-01";
    signed.text(path).await;
    let exported = house.audit(AuditAction::Exported).await;
    let details: Vec<_> = exported.iter().map(|it| it.details.as_str()).collect();
    let filtered = "from=2020-01-01, state=past; with names";
    assert_eq!(details, [filtered, "everything; with names"]);
    house.end().await;
}

#[tokio::test]
async fn who_may_not_see_names_sees_none_on_any_page_or_in_any_file() {
    let house = House::open(SETUP).await;
    house.visit().await;
    let looked = house.audit(AuditAction::NamesSeen).await.len();
    let signed = house.sign_in("olga").await;
    let launch = newest_launch(&signed).await;
    let mut paths = vec!["/admin".to_owned(), format!("/admin/launches/{launch}")];
    paths.push(format!("/admin/launches/{launch}/csv"));
    paths.extend(CHARTS.map(|chart| format!("/admin/charts/{chart}.csv")));
    let tables = TABLES.iter().filter(|(page, _)| *page != "/admin/audit");
    for (page, csv) in tables {
        paths.extend([(*page).to_owned(), (*csv).to_owned()]);
    }
    let page = signed.text("/admin/appointments").await;
    let one = between(&page, "href=\"/admin/appointments/", "\"");
    paths.push(format!("/admin/appointments/{}", one.first().unwrap()));
    for path in paths {
        let text = signed.text(&path).await;
        for name in NAMES.iter().chain([&ENCOUNTER]) {
            assert!(!text.contains(name), "{name} in {path}");
        }
    }
    assert_eq!(house.audit(AuditAction::NamesSeen).await.len(), looked);
    house.end().await;
}

#[tokio::test]
async fn a_failed_launch_tells_where_it_failed_and_what_to_do() {
    let house = House::open(SETUP).await;
    let fault = FaultAnswer::status(StatusCode::BAD_REQUEST);
    house.ehr.fault(Endpoint::Token, Fault::once(fault));
    let failed = house.try_launch("clinician").await;
    assert_eq!(failed.status(), 502);
    let signed = house.sign_in("vic").await;
    let list = signed.text("/admin/launches?state=failed").await;
    let error_name = ErrorName::TokenExchange;
    assert!(list.contains(error_name.as_str()), "{list}");
    assert!(
        signed
            .text("/admin/launches?state=completed")
            .await
            .contains("No launch is like this")
    );
    let launch = newest_launch(&signed).await;
    let story = signed.text(&format!("/admin/launches/{launch}")).await;
    let entry = error_reference::entry(error_name);
    for part in [
        "The EHR's button was pressed, by a provider.",
        "for Epic analyst to mend",
        &entry.advice[..40],
        entry.page.sentence(),
    ] {
        assert!(story.contains(part), "{part} in {story}");
    }
    let overview = signed.text("/admin").await;
    assert!(overview.contains("1 launch, 1 failed"), "{overview}");
    let csv = signed.text("/admin/charts/errors.csv").await;
    assert!(csv.ends_with(&format!(",{error_name},1\r\n")), "{csv}");
    house.end().await;
}

#[tokio::test]
async fn a_launch_that_nobody_came_back_from_says_so_when_the_sign_in_has_ended() {
    let house = House::open(SETUP).await;
    let fault = FaultAnswer::status(StatusCode::SERVICE_UNAVAILABLE);
    house.ehr.fault(Endpoint::Authorize, Fault::once(fault));
    house.try_launch("clinician").await;
    let signed = house.sign_in("vic").await;
    let list = signed.text("/admin/launches").await;
    assert!(list.contains("\"state warn\">signing in<"), "{list}");
    house.clock.advance(Duration::from_secs(16 * 60));
    let list = signed.text("/admin/launches").await;
    assert!(list.contains("\"state \">not come back<"), "{list}");
    house.end().await;
}

#[tokio::test]
async fn a_launch_that_went_well_is_told_step_by_step() {
    let house = House::open(SETUP).await;
    house.visit().await;
    let signed = house.sign_in("vic").await;
    let page = signed.text("/admin/launches?role=patient").await;
    let launch = between(&page, "href=\"/admin/launches/", "\"");
    let story = signed
        .text(&format!("/admin/launches/{}", launch.first().unwrap()))
        .await;
    let steps = between(&story, "<div><span class=\"state ", "</span>");
    let words: Vec<_> = steps.iter().filter_map(|it| it.split('>').nth(1)).collect();
    assert_eq!(
        words,
        [
            "button",
            "metadata",
            "signed in",
            "token",
            "decrypt",
            "templates",
            "templates",
            "join link",
            "connected",
            "disconnected"
        ]
    );
    // 40 seconds until the provider came, 60 together.
    assert!(story.contains("+1 min 40 s"), "{story}");
    house.end().await;
}

#[tokio::test]
async fn a_search_finds_launch_and_appointment_and_puts_the_encounter_into_no_address() {
    let house = House::open(SETUP).await;
    house.visit().await;
    let signed = house.sign_in("vic").await;
    let launch = newest_launch(&signed).await;
    let found = signed
        .post("/admin/search", &format!("text=+{launch}+"))
        .await;
    assert_eq!(location(&found), format!("/admin/launches/{launch}"));
    let found = signed
        .post("/admin/search", &format!("text={ENCOUNTER}"))
        .await;
    assert_eq!(found.status(), 303);
    let path = location(&found);
    assert!(path.starts_with("/admin/appointments/"), "{path}");
    assert!(!path.contains(ENCOUNTER));
    let found = house.audit(AuditAction::EncounterFound).await;
    let [entry] = found.as_slice() else {
        panic!("one entry: {found:?}");
    };
    assert_eq!(entry.administrator.as_deref(), Some("vic"));
    let subject = entry.subject.as_ref().unwrap();
    assert!(path.ends_with(&format!("/{}", subject.id)), "{entry:?}");
    let page = signed.text(&path).await;
    assert!(page.contains(&launch), "{page}");
    assert!(page.contains("call ended"), "its write-backs: {page}");
    let patient = house.patient().await;
    let alias = format!("text={}", patient.alias);
    let found = signed.post("/admin/search", &alias).await;
    let launch = location(&found);
    assert!(launch.starts_with("/admin/launches/"), "{launch}");
    assert!(signed.text(&launch).await.contains("by a patient"));
    let nothing = signed.post("/admin/search", "text=nothing").await;
    assert_eq!(nothing.status(), 200);
    assert!(nothing.text().await.unwrap().contains("Nothing is known"));
    house.end().await;
}

#[tokio::test]
async fn row_23_what_was_given_up_is_sent_again_by_who_operates_and_by_a_form_of_the_page() {
    let house = House::refused().await;
    let signed = house.sign_in("olga").await;
    let given_up = "/admin/write-backs?state=given_up";
    let page = signed.until(given_up, "\"state fault\">given up<").await;
    assert!(page.contains("call ended"), "{page}");
    assert!(
        page.contains("</time> 400</li>"),
        "each attempt and its answer: {page}"
    );
    let action = between(&page, "action=\"/admin/write-backs/", "\"");
    let action = format!("/admin/write-backs/{}", action.first().unwrap());
    let looks = house.sign_in("vic").await;
    assert!(!looks.text(given_up).await.contains("send-again"));
    assert_eq!(looks.post(&action, "").await.status(), 403);
    assert_eq!(
        signed
            .send(&action, "csrf=guessed".to_owned())
            .await
            .status(),
        403
    );
    assert!(house.audit(AuditAction::SentAgain).await.is_empty());
    assert_eq!(house.audit(AuditAction::Refused).await.len(), 1);
    let heard = house.journal("call_ended").len();

    // Back to the page that it was pressed on, with what is chosen there.
    let sent = signed
        .post(&action, "back=%2Fadmin%2Fwrite-backs%3Fstate%3Dgiven_up")
        .await;
    assert_eq!(sent.status(), 303);
    let back = location(&sent);
    assert_eq!(back, format!("{given_up}&done=due&count=1"));
    let page = signed.text(&back).await;
    assert!(page.contains("It is due again"), "{page}");
    house
        .until("the EHR hears it", |house| {
            house.journal("call_ended").len() > heard
        })
        .await;
    let recorded = house.audit(AuditAction::SentAgain).await;
    let by = recorded.iter().map(|it| it.administrator.as_deref());
    assert!(by.eq([Some("olga"), Some("olga")]), "{recorded:?}");
    let outcomes = async || {
        let recorded = house.audit(AuditAction::SentAgain).await;
        let details = recorded.into_iter().map(|it| it.details);
        details.collect::<Vec<_>>()
    };
    assert_eq!(outcomes().await, ["it is due again", "asked for"]);
    let again = signed.post(&action, "").await;
    assert_eq!(location(&again), "/admin/write-backs?done=not-given-up");
    assert_eq!(outcomes().await[0], "not sent: it was not given up");
    let nothing = signed.post("/admin/write-backs/999/send-again", "").await;
    assert_eq!(nothing.status(), 404);
    assert_eq!(outcomes().await[0], "not sent: there is none");
    house.end().await;
}

#[tokio::test]
async fn the_doctor_looks_at_a_profile_on_a_button() {
    let house = House::open(SETUP).await;
    let signed = house.sign_in("olga").await;
    let page = signed.text("/admin/profiles").await;
    let path = between(&page, "href=\"/admin/profiles/", "\"");
    let path = format!("/admin/profiles/{}", path.first().unwrap());
    let profile = signed.text(&path).await;
    assert!(profile.contains("Key check value"), "{profile}");
    assert!(!profile.contains("secret of the providers"), "{profile}");
    let found = signed.post(&format!("{path}/doctor"), "").await;
    assert_eq!(found.status(), 200);
    let found = found.text().await.unwrap();
    assert!(found.contains("What the doctor found"), "{found}");
    assert!(found.contains("metadata"), "{found}");
    let looks = house.sign_in("vic").await;
    assert_eq!(
        looks.post(&format!("{path}/doctor"), "").await.status(),
        403
    );
    assert_eq!(house.audit(AuditAction::ProfileChecked).await.len(), 1);
    house.end().await;
}

#[tokio::test]
async fn a_page_is_told_when_what_it_shows_has_changed_and_ends_with_the_server() {
    let house = House::open(SETUP).await;
    let signed = house.sign_in("vic").await;
    let page = "/admin/launches%3Fstate%3Dcompleted";
    let mut live = signed.get(&format!("/admin/live?page={page}")).await;
    assert_eq!(live.headers()[CONTENT_TYPE], "text/event-stream");
    let mut text = String::new();
    let mut launched = false;
    while !text.contains("event: changed") {
        let next = tokio::time::timeout(PATIENCE, live.chunk()).await.unwrap();
        text.push_str(std::str::from_utf8(&next.unwrap().unwrap()).unwrap());
        if text.contains("event: watching") && !launched {
            launched = true;
            house.provider().await;
        }
    }
    // What happened is told, and nothing of it.
    for line in text.lines().filter(|line| !line.is_empty()) {
        let id = line.strip_prefix("id: ");
        let is_hash = id.is_some_and(|id| {
            id.len() == 43
                && id
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        });
        let others = ["event: watching", "event: changed", "data: now", ":"];
        assert!(is_hash || others.contains(&line), "{line} in {text}");
    }
    // A page that is none is watched by nobody.
    let over = signed.get("/admin/live?page=/admin/audit").await;
    let text = over.text().await.unwrap();
    assert!(text.contains("event: over"), "{text}");
    house.end().await;
    let rest = tokio::time::timeout(PATIENCE, live.text()).await;
    rest.unwrap().unwrap();
}

#[tokio::test]
async fn what_the_role_does_not_allow_is_in_no_navigation_and_every_address_leads_somewhere() {
    let house = House::open(SETUP).await;
    let looks = house.sign_in("vic").await;
    assert!(!looks.text("/admin").await.contains("href=\"/admin/audit\""));
    let signed = house.sign_in("cora").await;
    assert!(
        signed
            .text("/admin")
            .await
            .contains("href=\"/admin/audit\"")
    );
    for (path, leads_to) in [
        ("/", "/admin"),
        ("/admin/search", "/admin"),
        ("/admin/profiles/1/doctor", "/admin/profiles/1"),
        ("/admin/write-backs/1/send-again", "/admin/write-backs"),
    ] {
        let response = signed.get(path).await;
        assert_eq!(response.status(), 303, "{path}");
        assert_eq!(location(&response), leads_to, "{path}");
    }
    let missing = signed.get("/admin/laumches").await;
    let missing = missing.text().await.unwrap();
    assert!(missing.contains("mistyped"), "{missing}");
    house.end().await;
}

#[tokio::test]
async fn a_launch_key_that_was_replaced_is_shown_by_its_check_value_while_it_is_taken() {
    // Thirty-two times 7.
    let previous = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    let setup = Setup {
        profile: "[previous]\nvalid_until = \"2027-01-15T09:00:00Z\"\n\
            epic_encryption_key = \"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\"\n",
        ..SETUP
    };
    let house = House::open(setup).await;
    let signed = house.sign_in("vic").await;
    let key = LaunchKey::new(Algorithm::Aes256Cbc, KeyType::Base64Key, previous);
    let value = KeyCheckValue::of(&key.unwrap());
    let page = signed.text("/admin/profiles/1").await;
    let told = format!("key check value {value}, taken until 2027-01-15 09:00:00 UTC");
    assert!(page.contains(&told), "{told} in {page}");
    house.clock.advance(Duration::from_secs(60 * 60));
    let signed = house.sign_in("vic").await;
    let page = signed.text("/admin/profiles/1").await;
    assert!(!page.contains("Previous launch key"), "{page}");
    house.end().await;
}

#[tokio::test]
async fn a_state_stands_in_the_column_of_states() {
    let house = House::open(SETUP).await;
    house.visit().await;
    let signed = house.sign_in("vic").await;
    let page = signed.text("/admin/appointments").await;
    let columns = between(&page, "<th scope=\"col\"", "</th>");
    let column = |name: &str| {
        let mut columns = columns.iter();
        columns
            .position(|it| it.ends_with(&format!(">{name}")))
            .unwrap()
    };
    let (_, rows) = page.split_once("</thead>").unwrap();
    for (row, state, role, department) in [(0, ">past<", "", "Radiology"), (1, "", "guest", "")] {
        let row = rows.split("<tr").nth(row + 1).unwrap();
        let cells: Vec<_> = row.split("<td").collect();
        assert_eq!(cells.len(), columns.len(), "{row}");
        assert!(cells[column("State")].contains(state), "{row}");
        assert!(cells[column("Role")].contains(role), "{row}");
        assert!(cells[column("Department")].contains(department), "{row}");
    }
    house.end().await;
}

#[tokio::test]
async fn a_visit_that_runs_stands_before_those_that_were_launched_later() {
    let house = House::open(SETUP).await;
    let patient = house.patient().await;
    let token = house.come(&patient).await;
    let store = house.store().await;
    let now = UnixTime::from_millis(1_800_000_100_000);
    for number in 1..=30 {
        let new = NewAppointment {
            profile: uuid::uuid!("12daaebc-ea75-43c1-a6c7-c044be66a36e"),
            encounter: EncounterKey::from_bytes([number; 32]),
            sealed: b"sealed".to_vec(),
        };
        store.find_or_create_appointment(new, now).await.unwrap();
    }
    let signed = house.sign_in("vic").await;
    let page = signed
        .until("/admin/appointments", "state good\">active<")
        .await;
    let rows = between(&page, "href=\"/admin/appointments/", "\"");
    assert_eq!(rows.first(), Some(&"1"), "{page}");
    let before = page.split_once("\" rel=\"next\"").unwrap().0;
    let next = before.rsplit('"').next().unwrap();
    let rest = signed.text(next).await;
    let mut all = rows.clone();
    all.extend(between(&rest, "href=\"/admin/appointments/", "\""));
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 31, "each is there: {all:?}");
    assert!(!rest.contains("state good\">active<"), "once: {rest}");
    house.leave(&patient, &token).await;
    house.end().await;
}
