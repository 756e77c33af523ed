//! What becomes of write-backs when the EHR does not take them.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use vestibule_launch::{Clock as _, UnixTime};
use vestibule_sandbox::{Endpoint, Fault, FaultAnswer};
use vestibule_server::{conferencing::RoutingRules, launch::alias_hash};
use vestibule_smart::{AssertionKey, Jwks, KeyKind};
use vestibule_store::{WriteBackRecord, WriteBackState};

use crate::house::{ENCOUNTER, House, Joined, PATIENCE, PATIENT, PROVIDER, Setup, TELLING, WHOLE};

const EMBEDDED: Setup<'static> = Setup {
    config: "",
    ..WHOLE
};

/// Longer than the pauses before the second and the third attempt.
const PAUSE: Duration = Duration::from_secs(10);

fn fault(status: u16) -> FaultAnswer {
    FaultAnswer::status(StatusCode::from_u16(status).unwrap())
}

impl House {
    pub(crate) async fn request_id(&self, joined: &Joined) -> vestibule_launch::RequestId {
        let base = RoutingRules::default().base_alias(&joined.alias).unwrap();
        let ever = UnixTime::from_millis(i64::MIN);
        let found = self.store().await.find_alias(alias_hash(&base), ever).await;
        found.unwrap().unwrap().request_id
    }

    /// What is on record of a launch.
    async fn records(&self, joined: &Joined) -> Vec<WriteBackRecord> {
        let request_id = self.request_id(joined).await;
        let records = self.store().await.write_backs_of(request_id).await;
        records.unwrap()
    }

    /// Waits until the record of a launch is like this; gives it.
    pub(crate) async fn until_recorded(
        &self,
        joined: &Joined,
        is_so: impl Fn(&[WriteBackRecord]) -> bool,
    ) -> Vec<WriteBackRecord> {
        let request_id = self.request_id(joined).await;
        let store = self.store().await;
        let begun = Instant::now();
        loop {
            let records = store.write_backs_of(request_id).await.unwrap();
            if is_so(&records) {
                return records;
            }
            assert!(begun.elapsed() < PATIENCE, "{records:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until nothing of a launch is unsent; gives what is on record.
    pub(crate) async fn until_all_is_said(&self, joined: &Joined) -> Vec<WriteBackRecord> {
        let waits =
            |record: &WriteBackRecord| matches!(record.state, WriteBackState::Unsent { .. });
        self.until_recorded(joined, |records| {
            !records.is_empty() && !records.iter().any(waits)
        })
        .await
    }

    /// Waits until it is on record that something of a launch was tried so often in vain,
    /// and is due again later. Before that the clock must not go on: the pause would be
    /// counted from then.
    pub(crate) async fn until_put_off(&self, joined: &Joined, attempts: u32) {
        let now = self.clock.now();
        self.until_recorded(joined, |records| {
            records.iter().any(|record| {
                let is_later = |due_at| due_at > now;
                let waits =
                    matches!(record.state, WriteBackState::Unsent { due_at } if is_later(due_at));
                record.attempts == attempts && waits
            })
        })
        .await;
    }

    async fn come_and_leave(&self, joined: &Joined) {
        let token = self.come(joined).await;
        self.leave(joined, &token).await;
    }
}

#[tokio::test]
async fn row_23_an_ehr_that_is_down_hears_everything_later_and_in_order() {
    let house = House::open(EMBEDDED).await;
    house
        .ehr
        .fault(Endpoint::Status, Fault::times(2, fault(503)));
    house
        .ehr
        .fault(Endpoint::Status, Fault::once(FaultAnswer::Drop));
    let patient = house.patient().await;
    house.come_and_leave(&patient).await;
    for attempts in 1..=3 {
        house
            .until("an attempt", |house| {
                house.ehr.requests(Endpoint::Status) == attempts
            })
            .await;
        let number = u32::try_from(attempts).unwrap();
        house.until_put_off(&patient, number).await;
        house.a_while().await;
        assert_eq!(house.ehr.requests(Endpoint::Status), attempts, "it waits");
        assert!(house.connections(PATIENT).is_empty());
        house.clock.advance(PAUSE * 2);
    }
    house.until_told(PATIENT, &["1", "2"]).await;
    let records = house.until_all_is_said(&patient).await;
    let attempts: Vec<_> = records.iter().map(|record| record.attempts).collect();
    assert_eq!(attempts, [4, 1, 1]);
    assert_eq!(house.journal("call_ended").len(), 1);
}

#[tokio::test]
async fn row_23_what_waits_outlives_the_server() {
    let house = House::open(EMBEDDED).await;
    house.ehr.fault(Endpoint::Status, Fault::once(fault(500)));
    let patient = house.patient().await;
    house.come_and_leave(&patient).await;
    house
        .until("an attempt", |house| {
            house.ehr.requests(Endpoint::Status) == 1
        })
        .await;
    let house = house.break_down().await;
    // The lease of who broke down may have to end first.
    house.clock.advance(Duration::from_secs(120));
    house.until_told(PATIENT, &["1", "2"]).await;
    house.until_all_is_said(&patient).await;
    assert_eq!(house.journal("call_ended").len(), 1);
}

#[tokio::test]
async fn row_23_an_answer_that_is_lost_is_asked_for_again_under_the_same_key() {
    let house = House::open(EMBEDDED).await;
    house
        .ehr
        .fault(Endpoint::Status, Fault::once(FaultAnswer::LoseAnswer));
    let patient = house.patient().await;
    house.come(&patient).await;
    house.until_told(PATIENT, &["1"]).await;
    house.until_put_off(&patient, 1).await;
    house.clock.advance(PAUSE);
    house.until_told(PATIENT, &["1", "1"]).await;
    let told = house.journal("connection_status");
    assert!(told[0]["idempotency_key"].is_string());
    assert_eq!(told[0]["idempotency_key"], told[1]["idempotency_key"]);
}

#[tokio::test]
async fn what_the_ehr_refuses_for_good_is_given_up_and_stops_nothing() {
    let house = House::open(EMBEDDED).await;
    house.ehr.fault(Endpoint::Status, Fault::once(fault(404)));
    let patient = house.patient().await;
    house.come_and_leave(&patient).await;
    house.until_told(PATIENT, &["2"]).await;
    house.clock.advance(PAUSE);
    let records = house.until_all_is_said(&patient).await;
    let [connected, disconnected, ended] = &records[..] else {
        panic!("{records:?}")
    };
    assert!(matches!(connected.state, WriteBackState::GivenUp { .. }));
    assert_eq!((connected.attempts, connected.last_status), (1, Some(404)));
    for told in [disconnected, ended] {
        assert!(matches!(told.state, WriteBackState::Sent { .. }));
    }
    assert_eq!(house.ehr.requests(Endpoint::Status), 2);
}

#[tokio::test]
async fn row_23_after_a_day_it_is_given_up() {
    let house = House::open(EMBEDDED).await;
    house.ehr.fault(Endpoint::Status, Fault::always(fault(500)));
    house
        .ehr
        .fault(Endpoint::EndOfCall, Fault::always(fault(500)));
    let patient = house.patient().await;
    house.come_and_leave(&patient).await;
    house
        .until("an attempt", |house| {
            house.ehr.requests(Endpoint::Status) == 1
        })
        .await;
    house.until_put_off(&patient, 1).await;
    house
        .until_recorded(&patient, |records| records.len() == 3)
        .await;
    house.clock.advance(Duration::from_secs(24 * 60 * 60));
    for record in house.until_all_is_said(&patient).await {
        assert!(
            matches!(record.state, WriteBackState::GivenUp { .. }),
            "{record:?}"
        );
    }
}

#[tokio::test]
async fn a_token_that_the_ehr_refuses_is_renewed_once() {
    let house = House::open(EMBEDDED).await;
    house.ehr.fault(Endpoint::Status, Fault::once(fault(401)));
    let provider = house.provider().await;
    house.come(&provider).await;
    house.until_told(PROVIDER, &["1"]).await;
    assert_eq!(house.journal("token_refreshed").len(), 1);
    assert_eq!(house.ehr.requests(Endpoint::Status), 2);

    house
        .ehr
        .fault(Endpoint::Status, Fault::times(2, fault(401)));
    let patient = house.patient().await;
    house.come(&patient).await;
    let records = house.until_all_is_said(&patient).await;
    assert_eq!(records[0].last_status, Some(401));
    assert!(matches!(records[0].state, WriteBackState::GivenUp { .. }));
    assert_eq!(house.ehr.requests(Endpoint::Status), 4);
}

#[tokio::test]
async fn a_visit_longer_than_its_tokens_is_told_of_to_its_end() {
    let house = House::open(EMBEDDED).await;
    let provider = house.provider().await;
    let mut token = house.come(&provider).await;
    house.until_told(PROVIDER, &["1"]).await;
    // The token of the conference has to be refreshed in time as well.
    for _ in 0..90 {
        house.clock.advance(Duration::from_secs(60));
        token = house.refresh(&provider, &token).await;
    }
    house.leave(&provider, &token).await;
    house.until_told(PROVIDER, &["1", "2"]).await;
    house.clock.advance(PAUSE);
    let request_id = house.request_id(&provider).await;
    house.until_all_is_said(&provider).await;
    assert_eq!(house.journal("call_ended").len(), 1);
    assert!(!house.journal("token_refreshed").is_empty());
    // The alias cannot be dialled any more, so nothing is left to tell.
    let session = house.store().await.find_session(request_id).await.unwrap();
    assert_eq!(session, None);
}

#[tokio::test]
async fn a_profile_that_asks_for_nothing_tells_nothing() {
    let house = House::open(Setup {
        profile: "",
        ..EMBEDDED
    })
    .await;
    let patient = house.patient().await;
    house.come_and_leave(&patient).await;
    house.clock.advance(PAUSE);
    house.a_while().await;
    assert!(house.records(&patient).await.is_empty());
    assert_eq!(house.ehr.requests(Endpoint::Status), 0);
}

#[tokio::test]
async fn an_ehr_that_wants_a_user_and_its_own_values_gets_them() {
    let house = House::open(Setup {
        profile: r#"
[write_back]
url = "{ehr}/interconnect/api/epic/2018/Telehealth/ContextLinking/SetExternalConnectionStatus"
vendor_name = "Video"
epic_client_id = "d45049c3"
authentication = { method = "basic", username = "emp$video", password = "hunter 2" }
connection_status = { connected = "in", disconnected = "out", ended = "over" }
external_id_type = { patient = "PAT", provider = "PRV" }
"#,
        sandbox: "[status]\nusername = \"emp$video\"\npassword = \"hunter 2\"\nclient_id = \"d45049c3\"\n",
        ..EMBEDDED
    })
    .await;
    let provider = house.provider().await;
    house.come_and_leave(&provider).await;
    house.until_told(PROVIDER, &["in", "out"]).await;
    house.clock.advance(PAUSE);
    house.until_told(PROVIDER, &["in", "out", "over"]).await;
    for told in house.journal("connection_status") {
        assert_eq!(told["vendor_name"], "Video");
        assert_eq!(told["external_id_type"], "PRV");
        assert_eq!(told["conference_id"], ENCOUNTER);
    }
    assert!(house.journal("connection_status_refused").is_empty());
}

#[tokio::test]
async fn row_22_an_ehr_that_renews_no_token_for_a_while_is_told_later() {
    let house = House::open(EMBEDDED).await;
    let provider = house.provider().await;
    house.ehr.fault(Endpoint::Status, Fault::once(fault(401)));
    house
        .ehr
        .fault(Endpoint::Token, Fault::times(2, fault(503)));
    house.come(&provider).await;
    house
        .until("an attempt", |house| {
            house.ehr.requests(Endpoint::Status) == 1
        })
        .await;
    house.until_put_off(&provider, 1).await;
    assert!(house.connections(PROVIDER).is_empty());
    house.clock.advance(PAUSE * 2);
    house.until_told(PROVIDER, &["1"]).await;
    let records = house.until_all_is_said(&provider).await;
    assert!(matches!(records[0].state, WriteBackState::Sent { .. }));
}

#[tokio::test]
async fn row_22_where_the_user_s_token_is_lost_the_backend_application_tells() {
    let key = AssertionKey::generate(KeyKind::P384).unwrap();
    let jwks = Jwks::new([key.public_jwk()]).unwrap();
    let jwks = serde_json::to_string(&jwks).unwrap();
    let backend = format!(
        "epic_backend_oauth2_app_client_id = \"backend-app\"\n\
         epic_backend_oauth2_app_token_endpoint_url = \"{{ehr}}/oauth2/token\"\n\
         epic_backend_oauth2_app_private_key = '''{}'''\n{TELLING}",
        *key.to_pem()
    );
    let client =
        format!("[[clients]]\nrole = \"backend\"\nclient_id = \"backend-app\"\njwks = '{jwks}'\n");
    let house = House::open(Setup {
        profile: &backend,
        sandbox: &client,
        ..EMBEDDED
    })
    .await;
    let provider = house.provider().await;
    house.ehr.fault(Endpoint::Status, Fault::once(fault(401)));
    house
        .ehr
        .fault(Endpoint::Token, Fault::once(FaultAnswer::InvalidGrant));
    house.come_and_leave(&provider).await;
    house.until_told(PROVIDER, &["1", "2"]).await;
    assert!(!house.journal("backend_token_issued").is_empty());
    assert!(house.journal("token_refreshed").is_empty());
}
