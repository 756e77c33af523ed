//! A visit as Pexip Infinity reports it: two conferencing nodes, single events and bulk,
//! events that are sent again, and another conference in between.

use std::time::Duration;

use serde_json::{Value, json};

use crate::house::{ENCOUNTER, House, Joined, PATIENT, PROVIDER, WHOLE};

/// Messages of the event sink as they arrive, one a line.
const VISIT: &str = include_str!("visit.jsonl");

/// What the EHR is told waits so long where it may not last.
const GRACE: Duration = Duration::from_secs(10);

/// After so long a write-back is free again, if the server that was sending it broke down.
const LEASE: Duration = Duration::from_secs(120);

/// The messages, for a visit that two launches led to.
async fn messages(house: &House, provider: &Joined, patient: &Joined) -> Vec<Value> {
    let answer = house.policy(&provider.alias).await;
    let result = &answer["result"];
    let text = VISIT
        .replace("{{name}}", result["name"].as_str().unwrap())
        .replace("{{tag}}", result["service_tag"].as_str().unwrap())
        .replace("{{provider_alias}}", &provider.alias)
        .replace("{{patient_alias}}", &format!("sip:{}", patient.alias));
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The keys by which the EHR knows what it was told before.
fn keys(house: &House) -> Vec<String> {
    let told = [
        house.journal("connection_status"),
        house.journal("call_ended"),
    ]
    .concat();
    told.iter()
        .map(|entry| entry["idempotency_key"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_ehr_hears_of_a_whole_visit_in_order_and_once() {
    let house = House::open(WHOLE).await;
    let (provider, patient) = (house.provider().await, house.patient().await);
    for message in messages(&house, &provider, &patient).await {
        assert_eq!(house.tell(&message).await, 204, "{message}");
    }
    house.until_told(PATIENT, &["1", "2"]).await;
    house.until_told(PROVIDER, &["1", "2"]).await;
    house.a_while().await;
    assert!(house.journal("call_ended").is_empty(), "it waits a moment");
    house.clock.advance(GRACE);
    house
        .until("both are told of the end", |house| {
            house.journal("call_ended").len() == 2
        })
        .await;
    house.a_while().await;
    house.until_told(PATIENT, &["1", "2"]).await;
    house.until_told(PROVIDER, &["1", "2"]).await;

    let mut ended: Vec<_> = house
        .journal("call_ended")
        .into_iter()
        .map(|entry| entry["fields"].clone())
        .collect();
    ended.sort_by_key(|fields| fields["user"].to_string());
    // The last node ended the conference 962.3 seconds after the visit began.
    let fields = |user| json!({"csn": ENCOUNTER, "user": user, "at": "2027-01-15T08:16:02Z"});
    assert_eq!(ended, [fields(PROVIDER), fields(PATIENT)]);
    // In order for each launch; of two launches either may be told first.
    let connections = house.journal("connection_status");
    let connection = connections
        .iter()
        .find(|entry| entry["external_id"] == PATIENT)
        .unwrap();
    assert_eq!(connection["external_id_type"], "2");
    assert_eq!(connection["conference_id"], ENCOUNTER);
    assert_eq!(connection["vendor_name"], "Vestibule");
    let mut keys = keys(&house);
    assert_eq!(keys.len(), 6);
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 6, "none was told twice");
}

#[tokio::test]
async fn it_makes_no_difference_when_the_server_restarts_in_between() {
    let mut house = House::open(WHOLE).await;
    let (provider, patient) = (house.provider().await, house.patient().await);
    let messages = messages(&house, &provider, &patient).await;
    for (index, message) in messages.iter().enumerate() {
        assert_eq!(house.tell(message).await, 204, "{message}");
        match index {
            8 => house = house.restart().await,
            14 => house = house.break_down().await,
            _ => {}
        }
    }
    house.clock.advance(GRACE);
    house.a_while().await;
    // What was under way as the server broke down is due again after its lease.
    house.clock.advance(LEASE);
    house
        .until("both are told of the end", |house| {
            house.journal("call_ended").len() == 2
        })
        .await;
    house.a_while().await;
    // At least once: what was under way as the server broke down may have been sent again.
    let mut told: Vec<Value> = house.journal("connection_status");
    told.dedup_by_key(|entry| entry["idempotency_key"].clone());
    for somebody in [PATIENT, PROVIDER] {
        let told: Vec<_> = told
            .iter()
            .filter(|entry| entry["external_id"] == somebody)
            .map(|entry| entry["connection_status"].as_str().unwrap())
            .collect();
        assert_eq!(told, ["1", "2"], "{somebody}");
    }
}

#[tokio::test]
async fn a_node_that_starts_again_in_the_middle_ends_what_it_ran() {
    let house = House::open(WHOLE).await;
    let (provider, patient) = (house.provider().await, house.patient().await);
    let messages = messages(&house, &provider, &patient).await;
    for message in &messages[..10] {
        assert_eq!(house.tell(message).await, 204);
    }
    house.until_told(PATIENT, &["1"]).await;
    house.until_told(PROVIDER, &["1"]).await;
    let started = |node: &str, time: f64| {
        json!({
            "node": node, "seq": 1, "version": 2, "time": time,
            "event": "eventsink_started", "data": {},
        })
    };
    assert_eq!(
        house.tell(&started("10.44.2.17", 1_800_000_050.5)).await,
        204
    );
    house.until_told(PATIENT, &["1", "2"]).await;
    house.clock.advance(GRACE);
    house.a_while().await;
    house.until_told(PROVIDER, &["1"]).await;
    assert!(
        house.journal("call_ended").is_empty(),
        "the other node goes on"
    );
    assert_eq!(
        house.tell(&started("10.44.2.23", 1_800_000_051.5)).await,
        204
    );
    house.until_told(PROVIDER, &["1", "2"]).await;
    house.clock.advance(GRACE);
    house
        .until("both are told of the end", |house| {
            house.journal("call_ended").len() == 2
        })
        .await;
}
