//! Who may come in, in which role, and what the event sink hears of it.

use vestibule_launch::Role;
use vestibule_node::{NodeEventData, NodeSettings, ServiceType};

use crate::house::{
    GROUP, GUEST_PIN, HOST_PIN, House, NAMESAKE, OPEN, STAFF, VISIT, VISIT_TOO, WRONG_PIN,
};

#[tokio::test]
async fn the_pin_alone_decides_the_role() {
    let house = House::open().await;
    for (alias, pin, role) in [
        (OPEN, None, "HOST"),
        (OPEN, Some("none"), "HOST"),
        (OPEN, Some(WRONG_PIN), "HOST"),
        (VISIT, Some("none"), "GUEST"),
        (VISIT, Some(HOST_PIN), "HOST"),
        (GROUP, Some(GUEST_PIN), "GUEST"),
        (GROUP, Some(HOST_PIN), "HOST"),
        (STAFF, Some(HOST_PIN), "HOST"),
    ] {
        let answer = house.request_token(alias, pin, "Somebody").await;
        assert_eq!(answer.text("role"), role, "{alias} {pin:?}");
    }
}

#[tokio::test]
async fn a_guest_waits_until_a_host_has_joined() {
    let house = House::open().await;
    let first = house.guest(VISIT).await;
    assert_eq!(first.text("current_service_type"), "waiting_room");
    let status = house.get(VISIT, "conference_status", &first.token()).await;
    assert_eq!(status.result()["started"], false);
    let host = house.host(VISIT).await;
    assert_eq!(host.text("current_service_type"), "conference");
    let status = house.get(VISIT, "conference_status", &first.token()).await;
    assert_eq!(status.result()["started"], true);
    let second = house.guest(VISIT).await;
    assert_eq!(second.text("current_service_type"), "conference");
}

#[tokio::test]
async fn an_alias_is_taken_with_a_raw_or_an_escaped_at_sign_a_scheme_and_in_any_case() {
    let house = House::open().await;
    let token = house.host(VISIT).await.token();
    for alias in [
        VISIT,
        "visit%40example.org",
        "sip:visit@example.org",
        "Visit@Example.org",
    ] {
        let path = format!("/api/client/v2/conferences/{alias}/participants?token={token}");
        assert_eq!(house.ask("GET", &path).await.status, 200, "{alias}");
    }
}

#[tokio::test]
async fn aliases_of_one_service_lead_into_one_conference_and_namesakes_do_not() {
    let house = House::open().await;
    let host = house.host(VISIT).await.token();
    let guest = house.guest(VISIT_TOO).await;
    assert_eq!(guest.text("current_service_type"), "conference");
    let stranger = house.guest(NAMESAKE).await;
    assert_eq!(stranger.text("current_service_type"), "waiting_room");
    let there = house.get(VISIT, "participants", &host).await;
    assert_eq!(there.result().as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn guests_cannot_keep_a_host_out_and_hosts_are_not_without_number() {
    let settings = NodeSettings {
        participants_per_conference: 2,
        ..NodeSettings::default()
    };
    let house = House::with(settings).await;
    for status in [200, 200, 403] {
        assert_eq!(house.guest(VISIT).await.status, status);
    }
    for status in [200, 200] {
        assert_eq!(house.host(VISIT).await.status, status);
    }
    assert_eq!(
        house.host(VISIT).await.result(),
        "Participant limit reached"
    );
}

#[tokio::test]
async fn a_display_name_is_cleaned_before_others_see_it() {
    let house = House::open().await;
    let answer = house
        .request_token(OPEN, None, "  Beverley \u{202E} P   Spinder\n")
        .await;
    assert_eq!(answer.text("display_name"), "Beverley P Spinder");
}

#[tokio::test]
async fn the_event_sink_hears_a_visit_in_order() {
    let house = House::open().await;
    let guest = house.guest(VISIT).await;
    let host = house.host(VISIT_TOO).await;
    house.post(VISIT_TOO, "release_token", &host.token()).await;
    house.pass(10);
    house.post(VISIT, "release_token", &guest.token()).await;

    let reports = house.reports();
    let names: Vec<_> = reports.iter().map(|event| event.data.name()).collect();
    assert_eq!(
        names,
        [
            "conference_started",
            "participant_connected",
            "participant_connected",
            "participant_updated",
            "conference_updated",
            "participant_disconnected",
            "conference_updated",
            "participant_disconnected",
            "conference_ended",
        ]
    );
    let numbers: Vec<_> = reports.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (1..=9).collect::<Vec<u64>>());

    let NodeEventData::ParticipantConnected(connected) = &reports[1].data else {
        panic!("{:?}", reports[1]);
    };
    assert_eq!(connected.uuid.to_string(), guest.text("participant_uuid"));
    assert_eq!(connected.destination_alias, VISIT);
    assert_eq!(connected.conference, "Visit of Beverley");
    assert_eq!(connected.service_tag, "tag-visit");
    assert_eq!(connected.display_name.as_str(), "Guest");
    assert_eq!(
        (connected.role, connected.service_type),
        (Role::Guest, ServiceType::WaitingRoom)
    );
    let NodeEventData::ParticipantUpdated(updated) = &reports[3].data else {
        panic!("{:?}", reports[3]);
    };
    assert_eq!(
        (updated.uuid, updated.service_type),
        (connected.uuid, ServiceType::Conference)
    );
    let NodeEventData::ParticipantDisconnected {
        participant,
        disconnect_reason,
        duration,
    } = &reports[7].data
    else {
        panic!("{:?}", reports[7]);
    };
    assert_eq!(participant.uuid, connected.uuid);
    assert_eq!(disconnect_reason.as_str(), "Call disconnected");
    assert_eq!(duration.as_secs(), 10);
}
