//! What participants hear over their event streams.

use serde_json::{Value, json};
use vestibule_node::NodeSettings;

use crate::{
    house::{Events, House, VISIT},
    judge::{Judge, captured, compare_types},
};

/// The name of the event, and whom it is about.
fn gist((name, data): &(String, Value)) -> (&str, &str) {
    let about = data["display_name"].as_str().or(data["uuid"].as_str());
    (name, about.unwrap_or_default())
}

async fn gists(events: &mut Events, count: usize) -> Vec<(String, String)> {
    let events = events.take(count).await;
    let gists = events.iter().map(gist);
    gists
        .map(|(name, about)| (name.to_owned(), about.to_owned()))
        .collect()
}

fn expected(gists: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = gists
        .iter()
        .map(|(name, about)| ((*name).to_owned(), (*about).to_owned()));
    owned.collect()
}

#[tokio::test]
async fn a_waiting_guest_learns_of_others_only_on_being_let_in() {
    let house = House::open().await;
    let guest = house.guest(VISIT).await.token();
    let mut events = house.events(VISIT, &guest).await;
    let sync = [
        ("participant_sync_begin", ""),
        ("participant_create", "Guest"),
        ("participant_sync_end", ""),
        ("conference_update", ""),
    ];
    assert_eq!(gists(&mut events, 4).await, expected(&sync));

    house.request_token(VISIT, Some("none"), "Other").await;
    house.host(VISIT).await;
    let let_in = events.take(4).await;
    let gists: Vec<_> = let_in.iter().map(gist).collect();
    assert_eq!(
        gists,
        [
            ("participant_create", "Other"),
            ("participant_create", "Dr Host"),
            ("participant_update", "Guest"),
            ("conference_update", ""),
        ]
    );
    assert_eq!(let_in[1].1["role"], "chair");
    assert_eq!(let_in[2].1["service_type"], "conference");
    assert_eq!(let_in[3].1["started"], true);
}

#[tokio::test]
async fn a_host_hears_who_comes_waits_and_goes() {
    let house = House::open().await;
    let host = house.host(VISIT).await.token();
    let mut events = house.events_by_header(VISIT, &host).await;
    events.take(4).await;
    let guest = house.guest(VISIT).await;
    house.post(VISIT, "release_token", &guest.token()).await;
    let gone = guest.text("participant_uuid");
    let heard = [
        ("participant_create", "Guest"),
        ("participant_delete", gone.as_str()),
    ];
    assert_eq!(gists(&mut events, 2).await, expected(&heard));
}

#[tokio::test]
async fn two_streams_of_one_participant_both_get_every_event() {
    let house = House::open().await;
    let host = house.host(VISIT).await.token();
    let mut streams = [
        house.events(VISIT, &host).await,
        house.events(VISIT, &host).await,
    ];
    house.guest(VISIT).await;
    for events in &mut streams {
        events.take(4).await;
        assert_eq!(
            gists(events, 1).await,
            expected(&[("participant_create", "Guest")])
        );
    }
}

#[tokio::test]
async fn leaving_ends_the_streams() {
    let house = House::open().await;
    let host = house.host(VISIT).await.token();
    let mut events = house.events(VISIT, &host).await;
    events.take(4).await;
    house.post(VISIT, "release_token", &host).await;
    assert_eq!(events.names(1).await, ["disconnect"]);
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn an_idle_stream_is_kept_alive() {
    let settings = NodeSettings {
        keep_alive: std::time::Duration::from_millis(20),
        ..NodeSettings::default()
    };
    let house = House::with(settings).await;
    let host = house.host(VISIT).await.token();
    let mut events = house.events(VISIT, &host).await;
    events.take(4).await;
    assert!(events.comment().await);
}

#[tokio::test]
async fn shutting_down_tells_everybody_and_ends_the_streams() {
    let house = House::open().await;
    let host = house.host(VISIT).await.token();
    let mut events = house.events(VISIT, &host).await;
    events.take(4).await;
    house.node.shut_down();
    let disconnect = json!({ "reason": "Signaling node disconnected" });
    assert_eq!(
        events.next().await,
        Some(("disconnect".to_owned(), disconnect))
    );
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn a_reader_too_slow_for_its_queue_is_cut_off() {
    let settings = NodeSettings {
        events_per_stream: 2,
        ..NodeSettings::default()
    };
    let house = House::with(settings).await;
    let host = house.host(VISIT).await.token();
    let mut events = house.events(VISIT, &host).await;
    events.take(4).await;
    for _ in 0..6 {
        house.guest(VISIT).await;
        events.names(1).await;
    }
    // All six go in one step, which leaves the reader no time to read.
    house.move_clock(60);
    let host = house.post(VISIT, "refresh_token", &host).await.token();
    house.pass(60);
    let mut heard = 0;
    while events.next().await.is_some() {
        heard += 1;
    }
    assert_eq!(heard, 2);
    let mut again = house.events(VISIT, &host).await;
    let names = again.names(4).await;
    assert_eq!(names[1..3], ["participant_create", "participant_sync_end"]);
}

#[tokio::test]
async fn events_are_such_as_pexips_clients_expect() {
    let house = House::open().await;
    let guest = house.guest(VISIT).await;
    let mut events = house.events(VISIT, &guest.token()).await;
    let mut heard = events.take(4).await;
    let host = house.host(VISIT).await;
    heard.extend(events.take(3).await);
    house.post(VISIT, "release_token", &host.token()).await;
    heard.extend(events.take(2).await);
    house.post(VISIT, "release_token", &guest.token()).await;
    heard.extend(events.take(1).await);

    let mut judge = Judge::default();
    for (name, data) in &heard {
        let captured = captured(&format!("{name}.json"));
        match name.as_str() {
            "participant_create" | "participant_update" => {
                // Captured from an older node than the validators are for.
                let newer = compare_types(data, &captured);
                let known = [
                    "can_receive_personal_mix",
                    "receive_from_video_mix",
                    "supports_direct_chat",
                ];
                assert_eq!(newer, known);
                let list = json!({ "status": "success", "result": [data] });
                judge.add("validateParticipants200", &list);
            }
            "conference_update" => {
                assert_eq!(compare_types(data, &captured), [""; 0]);
                let status = json!({ "status": "success", "result": data });
                judge.add("validateConferenceStatus200", &status);
            }
            "participant_sync_begin" | "participant_sync_end" => assert_eq!(*data, captured),
            _ => assert_eq!(compare_types(data, &captured), [""; 0]),
        }
    }
    judge.decide();
    let mut names: Vec<_> = heard.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 7, "one of every kind: {names:?}");
}
