use std::{
    fs,
    path::Path,
    string::{String, ToString},
    vec::Vec,
};

use serde_json::{Value, json};
use vestibule_launch::{BrowserErrorName, Role};

use super::{Attendance, Change, EVENTS, Ending};
use crate::{answer::Session, page::Screen};

fn guest(waiting: bool) -> Attendance<Value> {
    Attendance::new(&Session {
        token: "t".into(),
        expires: 120,
        participant_uuid: "me".into(),
        role: Role::Guest,
        waiting,
    })
}

impl Attendance<Value> {
    fn happen(&mut self, event: &str, data: &Value) -> Change {
        let place = EVENTS.split(',').position(|known| known == event);
        self.apply(u32::try_from(place.unwrap()).unwrap(), data)
    }

    /// Somebody comes, or is another.
    fn shows(&mut self, uuid: &str, role: &str, waiting: bool) -> Change {
        let room = if waiting {
            "waiting_room"
        } else {
            "conference"
        };
        let data = json!({"uuid": uuid, "display_name": "Ada", "role": role, "service_type": room});
        self.happen("participant_update", &data)
    }

    fn starts(&mut self, started: bool) -> Change {
        self.happen("conference_update", &json!({"started": started}))
    }

    /// Everybody who is there, oneself included, is about to be told, and then is.
    fn syncs(&mut self, uuids: &[&str]) {
        let begun = self.happen("participant_sync_begin", &Value::Null);
        assert_eq!(begun, Change::Syncing);
        for uuid in uuids {
            assert_eq!(self.shows(uuid, "guest", false), Change::None);
        }
    }

    fn sync_ends(&mut self) -> Change {
        self.happen("participant_sync_end", &Value::Null)
    }

    /// This of everybody in the list; null where there is none to be shown.
    fn listed(&self, key: &str) -> Value {
        let participants = self.participants().unwrap_or_default();
        let participants = participants.as_array();
        let listed = participants.map(|all| all.iter().map(|it| it[key].clone()).collect());
        listed.unwrap_or_default()
    }

    fn uuids(&self) -> Value {
        self.listed("uuid")
    }

    fn names(&self) -> Value {
        self.listed("display_name")
    }
}

fn captured(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/vectors/pexip-client-api")
        .join(name);
    let text = fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}: the vectors are needed", path.display()));
    serde_json::from_str(&text).unwrap()
}

#[test]
fn captured_events_of_pexip_are_read() {
    let mut attendance = guest(false);
    for (event, file, change, names) in [
        (
            "conference_update",
            "conference_update.json",
            Change::Shown,
            json!([]),
        ),
        (
            "participant_create",
            "participant_create.json",
            Change::Shown,
            json!(["George R"]),
        ),
        (
            "participant_delete",
            "participant_delete.json",
            Change::Shown,
            json!([]),
        ),
        (
            "participant_update",
            "participant_create.json",
            Change::Shown,
            json!(["George R"]),
        ),
        (
            "participant_sync_begin",
            "participant_sync_begin.json",
            Change::Syncing,
            Value::Null,
        ),
        (
            "participant_sync_end",
            "participant_sync_end.json",
            Change::Shown,
            json!([]),
        ),
        (
            "disconnect",
            "disconnect.json",
            Change::Ended(Ending::Over),
            json!([]),
        ),
    ] {
        assert_eq!(attendance.happen(event, &captured(file)), change, "{event}");
        assert_eq!(attendance.names(), names, "{event}");
        assert_eq!(attendance.screen(), IN);
    }
}

const IN: Option<Screen> = Some(Screen::JoinedGuest);
const WAITING: Option<Screen> = Some(Screen::Waiting);

#[test]
fn a_guest_in_the_waiting_room_is_let_in_where_the_conference_has_started() {
    let mut attendance = guest(true);
    attendance.starts(false);
    assert_eq!(attendance.screen(), WAITING);
    attendance.shows("me", "guest", true);
    assert_eq!(attendance.screen(), WAITING);
    attendance.starts(true);
    assert_eq!(attendance.screen(), Some(Screen::LetIn));
    attendance.shows("me", "guest", false);
    assert_eq!(attendance.screen(), IN);
}

#[test]
fn a_guest_waits_until_the_node_says_that_the_conference_has_started() {
    let mut attendance = guest(false);
    attendance.starts(false);
    assert_eq!(attendance.screen(), WAITING);
    attendance.shows("me", "guest", false);
    attendance.shows("another guest", "guest", false);
    assert_eq!(attendance.screen(), WAITING);
    attendance.starts(true);
    assert_eq!(attendance.screen(), IN);
}

#[test]
fn nobody_is_said_to_wait_before_the_node_has_said_how_it_stands() {
    for in_waiting_room in [false, true] {
        let mut attendance = guest(in_waiting_room);
        assert_eq!(attendance.screen(), None);
        attendance.shows("me", "guest", in_waiting_room);
        attendance.syncs(&["me", "another guest"]);
        attendance.sync_ends();
        attendance.shows("me", "guest", in_waiting_room);
        assert_eq!(attendance.screen(), None);
        // The node has been given time enough.
        assert!(attendance.settle());
        assert_eq!(attendance.screen(), WAITING);
        assert!(!attendance.settle());
        // Who comes after that is still seen.
        attendance.shows("host", "chair", false);
        assert_ne!(attendance.screen(), WAITING);
    }
}

#[test]
fn the_host_in_the_first_list_says_at_its_end_that_the_conference_has_started() {
    let mut attendance = guest(false);
    attendance.syncs(&["me"]);
    let told = attendance.shows("host", "chair", false);
    assert_eq!(
        (told, attendance.sync_ends()),
        (Change::None, Change::Shown)
    );
    assert_eq!(attendance.screen(), IN);
}

#[test]
fn a_host_who_is_there_says_that_the_conference_has_started() {
    let mut attendance = guest(false);
    attendance.shows("host", "chair", false);
    assert_eq!(attendance.screen(), IN);
    // What the node says of the conference itself counts for more.
    attendance.starts(false);
    assert_eq!(attendance.screen(), WAITING);
}

#[test]
fn a_guest_who_is_made_host_is_in_as_host() {
    let mut attendance = guest(false);
    attendance.shows("me", "chair", false);
    assert_eq!(attendance.screen(), Some(Screen::JoinedHost));
}

#[test]
fn somebody_elses_waiting_room_is_not_mine() {
    let mut attendance = guest(false);
    attendance.starts(true);
    attendance.shows("other", "guest", true);
    assert_eq!(attendance.screen(), IN);
}

#[test]
fn participants_come_change_and_go() {
    let mut attendance = guest(false);
    attendance.shows("me", "guest", false);
    attendance.shows("other", "guest", false);
    attendance.shows("other", "guest", false);
    assert_eq!(attendance.names(), json!(["Ada", "Ada"]));
    attendance.happen("participant_delete", &json!({"uuid": "other"}));
    assert_eq!(attendance.uuids(), json!(["me"]));
    assert_eq!(attendance.names(), json!(["Ada"]));
}

#[test]
fn a_list_that_is_told_anew_is_shown_only_when_it_is_whole() {
    let mut attendance = guest(false);
    attendance.shows("me", "guest", false);
    attendance.shows("other", "guest", false);
    attendance.syncs(&["me", "left again", "third"]);
    let left = json!({"uuid": "left again"});
    assert_eq!(attendance.happen("participant_delete", &left), Change::None);
    assert_eq!(attendance.starts(true), Change::Shown);
    assert_eq!(attendance.uuids(), Value::Null);
    assert_eq!(attendance.sync_ends(), Change::Shown);
    assert_eq!(attendance.uuids(), json!(["me", "third"]));
    attendance.shows("fourth", "guest", false);
    assert_eq!(attendance.uuids(), json!(["fourth", "me", "third"]));

    // One that begins once more begins with nobody, and an end without a beginning ends none.
    attendance.syncs(&["lost"]);
    attendance.syncs(&["me"]);
    attendance.sync_ends();
    assert_eq!(attendance.sync_ends(), Change::None);
    assert_eq!(attendance.uuids(), json!(["me"]));
}

#[test]
fn nobody_waits_anew_while_the_list_with_the_host_is_told_anew() {
    let mut attendance = guest(false);
    attendance.shows("host", "chair", false);
    attendance.settle();
    assert_eq!(attendance.screen(), IN);
    attendance.syncs(&["me"]);
    assert_eq!(attendance.screen(), None);
    attendance.shows("host", "chair", false);
    attendance.sync_ends();
    assert_eq!(attendance.screen(), IN);
    // Gone, meanwhile.
    attendance.syncs(&["me"]);
    attendance.sync_ends();
    assert_eq!(attendance.screen(), WAITING);
}

#[test]
fn a_list_whose_end_is_not_told_ends_when_the_node_has_had_its_time() {
    let mut attendance = guest(false);
    attendance.starts(true);
    attendance.syncs(&["me", "other"]);
    assert_eq!(attendance.uuids(), Value::Null);
    assert!(attendance.settle());
    assert_eq!(attendance.uuids(), json!(["me", "other"]));
    assert_eq!(attendance.shows("third", "guest", false), Change::Shown);
    assert_eq!(attendance.uuids(), json!(["me", "other", "third"]));
}

#[test]
fn a_list_without_end_is_cut() {
    let mut attendance = guest(false);
    for number in 0..200 {
        attendance.shows(&number.to_string(), "guest", false);
    }
    assert_eq!(attendance.names().as_array().unwrap().len(), 100);
    let everybody: Vec<_> = (0..200).map(|number| number.to_string()).collect();
    let everybody: Vec<_> = everybody.iter().map(String::as_str).collect();
    attendance.syncs(&everybody);
    attendance.sync_ends();
    assert_eq!(attendance.names().as_array().unwrap().len(), 100);
}

#[test]
fn an_event_that_says_nothing_of_use_changes_nothing() {
    let mut attendance = guest(false);
    attendance.starts(true);
    for event in EVENTS.split(',').take(4) {
        assert_eq!(
            attendance.happen(event, &json!({"x": 1})),
            Change::None,
            "{event}"
        );
        assert_eq!(
            attendance.happen(event, &Value::Null),
            Change::None,
            "{event}"
        );
    }
    assert_eq!(attendance.screen(), IN);
    assert_eq!(attendance.apply(99, &Value::Null), Change::None);
}

#[test]
fn a_host_who_never_came_is_a_failure_and_a_host_who_left_is_the_end() {
    let ended = |reason: &str| guest(true).happen("disconnect", &json!({"reason": reason}));
    assert_eq!(
        ended("Timeout waiting for conference host to join or permit access to locked conference"),
        Change::Ended(Ending::Failed(BrowserErrorName::HostDidNotJoin))
    );
    assert_eq!(
        ended("All conference hosts departed hosted conference"),
        Change::Ended(Ending::Over)
    );
}
