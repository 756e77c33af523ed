//! Guests for whom no host comes, and guests whom the hosts have left.

use std::time::Duration;

use serde_json::json;
use vestibule_node::NodeSettings;

use crate::house::{House, VISIT};

const NO_HOST_CAME: &str =
    "Timeout waiting for conference host to join or permit access to locked conference";
const HOSTS_LEFT: &str = "All conference hosts departed hosted conference";

/// Refreshes as a client does, every 40 seconds, for `seconds`.
async fn stay(house: &House, token: &mut String, seconds: u64) {
    for _ in 0..seconds / 40 {
        house.pass(40);
        *token = house.post(VISIT, "refresh_token", token).await.token();
    }
    house.pass(seconds % 40);
}

#[tokio::test]
async fn a_guest_does_not_wait_for_ever() {
    let house = House::open().await;
    let mut token = house.guest(VISIT).await.token();
    let mut events = house.events(VISIT, &token).await;
    events.take(4).await;
    stay(&house, &mut token, 899).await;
    assert_eq!(house.get(VISIT, "participants", &token).await.status, 200);
    house.pass(1);
    let disconnect = ("disconnect".to_owned(), json!({ "reason": NO_HOST_CAME }));
    assert_eq!(events.next().await, Some(disconnect));
    assert_eq!(events.next().await, None);
    assert_eq!(house.departures(), [NO_HOST_CAME]);
    assert_eq!(house.get(VISIT, "participants", &token).await.status, 403);
}

#[tokio::test]
async fn guests_go_some_time_after_the_last_host() {
    let house = House::open().await;
    let host = house.host(VISIT).await.token();
    let mut guest = house.guest(VISIT).await.token();
    house.post(VISIT, "release_token", &host).await;
    let mut events = house.events(VISIT, &guest).await;
    events.take(4).await;
    stay(&house, &mut guest, 59).await;
    assert_eq!(house.get(VISIT, "participants", &guest).await.status, 200);
    house.reports();
    house.pass(1);
    let disconnect = ("disconnect".to_owned(), json!({ "reason": HOSTS_LEFT }));
    assert_eq!(events.next().await, Some(disconnect));
    assert_eq!(house.departures(), [HOSTS_LEFT]);
}

#[tokio::test]
async fn a_host_who_comes_back_in_time_finds_the_guests_still_there() {
    let house = House::open().await;
    let host = house.host(VISIT).await.token();
    let mut guest = house.guest(VISIT).await.token();
    house.post(VISIT, "release_token", &host).await;
    stay(&house, &mut guest, 59).await;
    let mut host = house.host(VISIT).await.token();
    for _ in 0..10 {
        house.pass(30);
        host = house.post(VISIT, "refresh_token", &host).await.token();
        guest = house.post(VISIT, "refresh_token", &guest).await.token();
    }
    let there = house.get(VISIT, "participants", &host).await;
    assert_eq!(there.result().as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn who_comes_when_the_hosts_have_left_waits_and_outlasts_the_others() {
    let house = House::open().await;
    let host = house.host(VISIT).await.token();
    house.guest(VISIT).await;
    house.post(VISIT, "release_token", &host).await;
    let late = house.guest(VISIT).await;
    assert_eq!(late.text("current_service_type"), "waiting_room");
    house.pass(60);
    assert_eq!(house.departures(), ["Call disconnected", HOSTS_LEFT]);
    let there = house.get(VISIT, "participants", &late.token()).await;
    assert_eq!(there.result().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn no_answer_waits_for_a_sweep_to_be_right() {
    let house = House::open().await;
    let host = house.host(VISIT).await.token();
    house.guest(VISIT).await;
    house.move_clock(60);
    let host = house.post(VISIT, "refresh_token", &host).await.token();
    house.move_clock(60);
    let there = house.get(VISIT, "participants", &host).await;
    assert_eq!(there.result().as_array().unwrap().len(), 1);
    house.move_clock(60);
    let late = house.guest(VISIT).await;
    assert_eq!(
        late.text("current_service_type"),
        "waiting_room",
        "the host has expired"
    );
}

#[tokio::test]
async fn timeouts_are_those_of_the_settings() {
    let seconds = Duration::from_secs;
    let settings = NodeSettings {
        token_lifetime: seconds(30),
        waiting_for_chair_timeout: seconds(20),
        ..NodeSettings::default()
    };
    let house = House::with(settings).await;
    let guest = house.guest(VISIT).await;
    assert_eq!(guest.text("expires"), "30");
    house.pass(19);
    assert_eq!(house.departures(), [""; 0]);
    house.pass(1);
    assert_eq!(house.departures(), [NO_HOST_CAME]);
}

#[tokio::test]
async fn a_running_node_sweeps_by_itself() {
    let house = House::open().await;
    let run = tokio::spawn({
        let node = house.node.clone();
        async move { node.run().await }
    });
    house.guest(VISIT).await;
    assert_eq!(
        house.reported(),
        ["conference_started", "participant_connected"]
    );
    house.move_clock(120);
    let mut reported = Vec::new();
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        reported.extend(house.reported());
        if reported.len() >= 2 {
            break;
        }
    }
    assert_eq!(reported, ["participant_disconnected", "conference_ended"]);
    run.abort();
}
