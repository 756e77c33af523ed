use std::{fs, path::Path};

use vestibule_launch::{BrowserErrorName, Role};

use super::{Attendance, Change, Ending, NodeEvent, Participant};
use crate::answer::Session;

fn guest(waiting: bool) -> Attendance {
    Attendance::new(&Session {
        token: "t".into(),
        expires: 120,
        participant_uuid: "me".into(),
        role: Role::Guest,
        waiting,
    })
}

fn participant(uuid: &str, waiting: bool) -> NodeEvent {
    NodeEvent::Participant(Participant {
        uuid: uuid.into(),
        display_name: "Ada Canary".into(),
        role: "guest".into(),
        waiting,
    })
}

fn captured(event: &str, name: &str) -> Option<NodeEvent> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/vectors/pexip-client-api")
        .join(name);
    let text = fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}: the vectors are needed", path.display()));
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    NodeEvent::read(event, &json)
}

#[test]
fn captured_events_of_pexip_are_read() {
    assert_eq!(
        captured("conference_update", "conference_update.json"),
        Some(NodeEvent::Started(true))
    );
    let Some(NodeEvent::Participant(created)) =
        captured("participant_create", "participant_create.json")
    else {
        panic!("a participant");
    };
    assert_eq!(created.display_name, "George R");
    assert_eq!(created.role, "guest");
    assert!(!created.waiting);
    assert_eq!(
        captured("participant_delete", "participant_delete.json"),
        Some(NodeEvent::Left(
            "0296f038-7f41-4c73-8dcf-0b95bd0138c7".into()
        ))
    );
    assert_eq!(
        captured("participant_sync_begin", "participant_sync_begin.json"),
        Some(NodeEvent::SyncBegin)
    );
    assert_eq!(
        captured("disconnect", "disconnect.json"),
        Some(NodeEvent::Disconnected(
            "Disconnected by remote host".into()
        ))
    );
    assert_eq!(captured("stage", "stage.json"), None);
}

#[test]
fn a_guest_in_the_waiting_room_is_in_when_the_node_says_so() {
    let mut attendance = guest(true);
    assert!(attendance.waiting());
    attendance.apply(participant("me", true));
    assert!(attendance.waiting());
    attendance.apply(participant("me", false));
    assert!(!attendance.waiting());
}

#[test]
fn a_guest_waits_while_the_conference_has_not_started() {
    let mut attendance = guest(false);
    attendance.apply(NodeEvent::Started(false));
    assert!(attendance.waiting());
    attendance.apply(NodeEvent::Started(true));
    assert!(!attendance.waiting());
}

#[test]
fn somebody_elses_waiting_room_is_not_mine() {
    let mut attendance = guest(false);
    attendance.apply(participant("other", true));
    assert!(!attendance.waiting());
}

#[test]
fn participants_come_change_and_go() {
    let mut attendance = guest(false);
    attendance.apply(participant("me", false));
    attendance.apply(participant("other", false));
    attendance.apply(participant("other", false));
    assert_eq!(attendance.participants().count(), 2);
    attendance.apply(NodeEvent::Left("other".into()));
    assert!(
        attendance
            .participants()
            .all(|known| attendance.is_own(known))
    );
    attendance.apply(NodeEvent::SyncBegin);
    assert_eq!(attendance.participants().count(), 0);
}

#[test]
fn a_host_who_never_came_is_a_failure_and_a_host_who_left_is_the_end() {
    let ended = |reason: &str| guest(true).apply(NodeEvent::Disconnected(reason.into()));
    assert_eq!(
        ended("Timeout waiting for conference host to join or permit access to locked conference"),
        Change::Ended(Ending::Failed(BrowserErrorName::HostDidNotJoin))
    );
    assert_eq!(
        ended("All conference hosts departed hosted conference"),
        Change::Ended(Ending::Over)
    );
}

#[test]
fn names_are_not_in_debug_output() {
    let mut attendance = guest(false);
    attendance.apply(participant("me", false));
    assert!(!format!("{attendance:?}").contains("Canary"));
}
