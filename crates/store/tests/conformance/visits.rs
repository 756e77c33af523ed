//! What conferencing nodes report.

use std::sync::Arc;

use uuid::Uuid;
use vestibule_launch::{ErrorName, UnixTime};
use vestibule_store::{
    Applied, AppointmentId, Change, Course, EncounterKey, EventId, FailureSource, NewAppointment,
    NewWriteBack, Participant, Presence, Store, VisitEvent,
};

use super::{
    MINUTE, NOW, PROFILE, SECOND, alias, begin, complete_at, completed, consume, launch, race,
    request_id, visit,
    write_backs::{told, write_back},
};

const OVER: Applied = Applied::Now { visit_over: true };
const GOES_ON: Applied = Applied::Now { visit_over: false };

/// An event of the node "a" with this count, `seq` seconds from now.
pub(super) fn event(seq: u8, appointment: Option<AppointmentId>, change: Change) -> VisitEvent {
    let at = NOW + u32::from(seq) * SECOND;
    VisitEvent {
        id: EventId {
            node: "a".into(),
            seq: seq.into(),
            second: at.as_millis() / 1000,
        },
        appointment,
        change,
        at,
    }
}

fn event_of(node: &str, seq: u8, appointment: AppointmentId, change: Change) -> VisitEvent {
    let mut event = event(seq, Some(appointment), change);
    event.id.node = node.into();
    event
}

fn connected(participant: u8) -> Change {
    Change::ParticipantConnected {
        participant: uuid(participant),
        alias: alias(participant),
        sealed: vec![participant],
    }
}

fn disconnected(participant: u8) -> Change {
    Change::ParticipantDisconnected {
        participant: uuid(participant),
    }
}

fn uuid(participant: u8) -> Uuid {
    Uuid::from_bytes([participant; 16])
}

pub(super) async fn apply(
    store: &dyn Store,
    event: VisitEvent,
    always: Vec<NewWriteBack>,
    when_over: Vec<NewWriteBack>,
) -> Applied {
    let applied = store.apply_event(event, always, vec![], when_over, NOW);
    applied.await.expect("the store takes events")
}

async fn report(store: &dyn Store, event: VisitEvent) -> Applied {
    apply(store, event, vec![], vec![]).await
}

pub(super) async fn participants(
    store: &dyn Store,
    appointment: AppointmentId,
) -> Vec<Participant> {
    let participants = store.participants(appointment).await;
    participants.expect("the store knows participants")
}

async fn running(store: &dyn Store) -> u64 {
    let running = store.running_visits(PROFILE).await;
    running.expect("the store counts visits")
}

async fn running_on(store: &dyn Store, node: &str) -> Vec<AppointmentId> {
    let running = store.running_on(node).await;
    running.expect("the store knows nodes")
}

/// An event is news once; another node, count or second makes it another event.
pub(crate) async fn an_event_is_applied_once(store: &dyn Store) {
    let first = event(1, None, Change::NodeRestarted);
    let mut others = vec![first.clone(); 4];
    others[0].id.node = "b".into();
    others[1].id.seq = 2;
    others[2].id.seq = u64::MAX;
    others[3].id.second += 1;
    let always = vec![write_back(1, 1)];
    assert_eq!(apply(store, first.clone(), always, vec![]).await, GOES_ON);
    for _ in 0..2 {
        let always = vec![write_back(2, 1)];
        let applied = apply(store, first.clone(), always, vec![]).await;
        assert_eq!(applied, Applied::Before);
    }
    assert_eq!(told(store, 1).await, [1], "by the first time only");
    for other in others {
        assert_eq!(report(store, other.clone()).await, GOES_ON, "{other:?}");
        assert_eq!(report(store, other).await, Applied::Before);
    }
}

/// A visit is over when the last of what keeps it running is, in any order; what is to
/// be told of that is stored then, and everything else at once.
pub(crate) async fn a_visit_is_over_when_all_nodes_ended_it_and_nobody_is_connected(
    store: &dyn Store,
) {
    completed(store, 1).await;
    let here = visit(store, 1, NOW).await;
    let steps = [
        ("a", Change::ConferenceStarted, GOES_ON),
        ("a", connected(1), GOES_ON),
        ("b", Change::ConferenceStarted, GOES_ON),
        ("a", disconnected(1), GOES_ON),
        ("a", Change::ConferenceEnded, GOES_ON),
        ("c", connected(2), GOES_ON),
        ("b", Change::ConferenceEnded, GOES_ON),
        ("c", disconnected(2), OVER),
        ("b", Change::ConferenceEnded, GOES_ON),
        ("a", Change::ConferenceStarted, GOES_ON),
        ("a", Change::ConferenceEnded, OVER),
    ];
    let mut expected = Vec::new();
    for (seq, (node, change, outcome)) in (0..).zip(steps) {
        assert_eq!(running(store).await, u64::from(![0, 8, 9].contains(&seq)));
        let always = vec![write_back(seq, 1)];
        let when_over = vec![write_back(100 + seq, 1)];
        let event = event_of(node, seq, here, change);
        assert_eq!(apply(store, event, always, when_over).await, outcome);
        expected.push(seq);
        if outcome == OVER {
            expected.push(100 + seq);
        }
        assert_eq!(told(store, 1).await, expected);
    }
    assert_eq!(running(store).await, 0);
}

/// Where a conference has ended nobody is left, although nobody said so.
pub(crate) async fn a_conference_that_ends_ends_participations_on_its_node(store: &dyn Store) {
    let (here, there) = (visit(store, 1, NOW).await, visit(store, 2, NOW).await);
    for (seq, node, appointment, change) in [
        (1, "a", here, Change::ConferenceStarted),
        (2, "a", here, connected(1)),
        (3, "b", here, connected(2)),
        (4, "a", there, connected(3)),
        (5, "a", here, connected(4)),
        (6, "a", here, disconnected(4)),
    ] {
        report(store, event_of(node, seq, appointment, change)).await;
    }
    let ended = event_of("a", 7, here, Change::ConferenceEnded);
    assert_eq!(report(store, ended).await, GOES_ON);
    let ends = async |appointment| {
        let participants = participants(store, appointment).await;
        let end = |participant: &Participant| {
            let seconds = |end: UnixTime| end.since(NOW).as_secs();
            participant.disconnected_at.map(seconds)
        };
        participants.iter().map(end).collect::<Vec<_>>()
    };
    assert_eq!(ends(here).await, [Some(7), None, Some(6)]);
    assert_eq!(ends(there).await, [None]);
}

/// A restart ends everything on its node; it tells of the visits that are over by it.
pub(crate) async fn a_restart_ends_what_ran_on_the_node(store: &dyn Store) {
    let mut visits = Vec::new();
    for number in 1..=4 {
        begin(store, launch(number, number)).await;
        consume(store, number, NOW).await;
        complete_at(store, number, number, None, NOW).await;
        visits.push(visit(store, number, NOW).await);
    }
    for (seq, node, appointment, change) in [
        (1, "a", visits[0], Change::ConferenceStarted),
        (2, "a", visits[0], connected(1)),
        (3, "a", visits[1], Change::ConferenceStarted),
        (4, "b", visits[1], Change::ConferenceStarted),
        (5, "a", visits[2], connected(3)),
        (6, "b", visits[3], connected(4)),
    ] {
        report(store, event_of(node, seq, appointment, change)).await;
    }
    assert_eq!(running_on(store, "a").await, visits[..3]);
    assert_eq!(running_on(store, "b").await, [visits[1], visits[3]]);
    assert_eq!(running_on(store, "c").await, []);
    let when_over = (1..=4).map(|number| write_back(number, number)).collect();
    let restart = event(9, None, Change::NodeRestarted);
    assert_eq!(apply(store, restart.clone(), vec![], when_over).await, OVER);
    let mut told_of = Vec::new();
    for number in 1..=4 {
        told_of.extend(told(store, number).await);
    }
    assert_eq!(told_of, [1, 3], "those that ran nowhere else");
    assert_eq!(running(store).await, 2);
    assert_eq!(running_on(store, "a").await, []);
    let left = participants(store, visits[0]).await[0].disconnected_at;
    assert_eq!(left, Some(restart.at));
}

/// Participants are listed as they came, with what was said last, and when they left.
pub(crate) async fn participants_come_change_and_go(store: &dyn Store) {
    let (here, there) = (visit(store, 1, NOW).await, visit(store, 2, NOW).await);
    let updated = Change::ParticipantUpdated {
        participant: uuid(1),
        sealed: b"renamed".to_vec(),
    };
    for (seq, appointment, change) in [
        (1, here, connected(2)),
        (2, here, connected(1)),
        (3, there, connected(1)),
        (4, here, updated),
        (5, here, disconnected(1)),
        (6, here, disconnected(1)),
    ] {
        report(store, event_of("a", seq, appointment, change)).await;
    }
    let came = |participant: u8, seconds: u32| Participant {
        participant: uuid(participant),
        node: "a".into(),
        alias: alias(participant),
        sealed: vec![participant],
        connected_at: NOW + seconds * SECOND,
        disconnected_at: None,
    };
    let left = Participant {
        sealed: b"renamed".to_vec(),
        disconnected_at: Some(NOW + 5 * SECOND),
        ..came(1, 2)
    };
    assert_eq!(participants(store, here).await, [came(2, 1), left]);
    assert_eq!(participants(store, there).await, [came(1, 3)]);
    report(store, event_of("b", 7, here, connected(1))).await;
    let back = Participant {
        node: "b".into(),
        ..came(1, 7)
    };
    assert_eq!(participants(store, here).await, [came(2, 1), back]);
}

/// A participant who leaves is found though the event does not say where from.
pub(crate) async fn a_participant_is_found_without_the_appointment(store: &dyn Store) {
    let here = visit(store, 1, NOW).await;
    report(store, event_of("a", 1, here, connected(1))).await;
    report(store, event(2, None, connected(2))).await;
    let updated = Change::ParticipantUpdated {
        participant: uuid(1),
        sealed: b"renamed".to_vec(),
    };
    report(store, event(3, None, updated)).await;
    assert_eq!(report(store, event(4, None, disconnected(1))).await, OVER);
    let participants = participants(store, here).await;
    assert_eq!(participants.len(), 1);
    assert_eq!(participants[0].sealed, b"renamed");
    assert_eq!(participants[0].disconnected_at, Some(NOW + 4 * SECOND));
}

/// Events of a forgotten appointment or an unknown participant are taken all the same.
pub(crate) async fn what_is_not_known_changes_nothing(store: &dyn Store) {
    let (forgotten, here) = (
        visit(store, 1, NOW).await,
        visit(store, 2, NOW + MINUTE).await,
    );
    store.purge(NOW + MINUTE, NOW).await.expect("it purges");
    let updated = Change::ParticipantUpdated {
        participant: uuid(1),
        sealed: vec![1],
    };
    let changes = [
        (forgotten, Change::ConferenceStarted),
        (forgotten, connected(1)),
        (here, updated),
        (here, disconnected(1)),
        (forgotten, Change::ConferenceEnded),
        (here, Change::ConferenceEnded),
    ];
    for (seq, (appointment, change)) in (0..).zip(changes) {
        let always = vec![write_back(seq, 1)];
        let event = event_of("a", seq, appointment, change);
        assert_eq!(apply(store, event, always, vec![]).await, GOES_ON);
    }
    assert_eq!(told(store, 1).await, [0, 1, 2, 3, 4, 5]);
    assert_eq!(participants(store, forgotten).await, []);
    assert_eq!(participants(store, here).await, []);
    assert_eq!(running_on(store, "a").await, []);
}

/// Visits are counted once each, by profile; appointments are found by encounter alone.
pub(crate) async fn running_visits_are_counted_by_profile(store: &dyn Store) {
    let here = visit(store, 1, NOW).await;
    visit(store, 2, NOW).await;
    let foreign = NewAppointment {
        profile: Uuid::from_u128(2),
        encounter: EncounterKey::from_bytes([3; 32]),
        sealed: b"foreign".to_vec(),
    };
    let foreign = store.find_or_create_appointment(foreign, NOW).await;
    let foreign = foreign.expect("the store has appointments");
    let find = async |encounter| {
        let key = EncounterKey::from_bytes([encounter; 32]);
        let found = store.find_appointment_by_key(key).await;
        found.expect("the store answers")
    };
    assert_eq!(find(3).await, Some(foreign.clone()));
    assert_eq!(find(1).await.map(|found| found.id), Some(here));
    assert_eq!(find(4).await, None);
    assert_eq!(running(store).await, 0);
    for (seq, node, appointment, change) in [
        (1, "a", here, Change::ConferenceStarted),
        (2, "b", here, Change::ConferenceStarted),
        (3, "a", here, connected(1)),
        (4, "a", foreign.id, Change::ConferenceStarted),
    ] {
        report(store, event_of(node, seq, appointment, change)).await;
    }
    assert_eq!(running(store).await, 1);
}

/// The launches that led to an appointment, also those that failed afterwards.
pub(crate) async fn launches_are_found_by_appointment(store: &dyn Store) {
    for number in [2, 1] {
        completed(store, number).await;
    }
    for number in [3, 4] {
        begin(store, launch(number, number)).await;
        consume(store, number, NOW).await;
    }
    complete_at(store, 4, 2, None, NOW).await;
    let error = ErrorName::HostDidNotJoin;
    let failed = store.record_failure(
        request_id(1),
        FailureSource::Browser,
        error,
        Course::default(),
        NOW,
    );
    assert!(failed.await.expect("the store records it"));
    let here = visit(store, 1, NOW).await;
    let launches = store.launches_of(here).await.expect("the store answers");
    let ids: Vec<_> = launches.iter().map(|launch| launch.request_id).collect();
    assert_eq!(ids, [1, 2].map(request_id));
    assert!(
        launches
            .iter()
            .all(|launch| launch.appointment == Some(here))
    );
}

/// What depends on somebody's presence is stored where an event changes that, and by no
/// other.
pub(crate) async fn a_presence_is_told_where_it_changes(store: &dyn Store) {
    completed(store, 1).await;
    let here = visit(store, 1, NOW).await;
    let there = visit(store, 2, NOW).await;
    let by = |participant: u8, number: u8| Change::ParticipantConnected {
        participant: uuid(participant),
        alias: alias(number),
        sealed: vec![],
    };
    let steps = [
        (here, by(1, 1), true),
        // The page is loaded again, and an old one ends.
        (here, by(2, 1), false),
        (here, disconnected(1), false),
        (here, by(3, 2), false),
        (there, by(4, 1), false),
        (here, disconnected(9), false),
        (here, disconnected(2), true),
        (here, disconnected(2), false),
        (here, by(2, 1), true),
        (here, Change::ConferenceEnded, true),
    ];
    let mut expected = Vec::new();
    for (seq, (appointment, change, is_told)) in (0..).zip(steps) {
        let event = event(seq, Some(appointment), change);
        let presence = presence(here, 1, seq);
        let applied = store.apply_event(event, vec![], vec![presence], vec![], NOW);
        applied.await.expect("the store takes events");
        expected.extend(is_told.then_some(seq));
        assert_eq!(told(store, 1).await, expected);
    }
}

/// What is told of launch 1 where the presence of an alias changes.
fn presence(appointment: AppointmentId, number: u8, write_back_number: u8) -> Presence {
    Presence {
        appointment,
        alias: alias(number),
        write_backs: vec![write_back(write_back_number, 1)],
    }
}

/// Where fifty nodes at once tell that somebody by the same alias has left, the last one
/// of them tells that nobody is there any more, and only that one.
pub(crate) async fn the_last_of_fifty_to_leave_is_told(store: Arc<dyn Store>) {
    completed(&*store, 1).await;
    let here = visit(&*store, 1, NOW).await;
    let node = |number: u8| format!("node-{number}");
    let came = race(&store, |store, number| async move {
        let change = Change::ParticipantConnected {
            participant: uuid(number),
            alias: alias(1),
            sealed: vec![],
        };
        let event = event_of(&node(number), 1, here, change);
        let told = vec![presence(here, 1, number)];
        store.apply_event(event, vec![], told, vec![], NOW).await
    });
    assert!(came.await.iter().all(Result::is_ok));
    assert_eq!(told(&*store, 1).await.len(), 1, "the first");
    let left = race(&store, |store, number| async move {
        let event = event_of(&node(number), 2, here, disconnected(number));
        let told = vec![presence(here, 1, 100 + number)];
        store.apply_event(event, vec![], told, vec![], NOW).await
    });
    assert!(left.await.iter().all(Result::is_ok));
    assert_eq!(told(&*store, 1).await.len(), 2, "and the last");
}

/// Of fifty callers at once that bring the same event, one applies it.
pub(crate) async fn one_of_fifty_applies_an_event(store: Arc<dyn Store>) {
    completed(&*store, 1).await;
    let here = visit(&*store, 1, NOW).await;
    let started = event_of("a", 1, here, Change::ConferenceStarted);
    report(&*store, started).await;
    let outcomes = race(&store, |store, caller| async move {
        let ended = event_of("a", 2, here, Change::ConferenceEnded);
        let (always, when_over) = (write_back(caller, 1), write_back(100 + caller, 1));
        apply(&*store, ended, vec![always], vec![when_over]).await
    })
    .await;
    let count = |outcome| outcomes.iter().filter(|other| **other == outcome).count();
    assert_eq!(count(OVER), 1);
    assert_eq!(count(Applied::Before), outcomes.len() - 1);
    assert_eq!(told(&*store, 1).await.len(), 2);
}

/// Where fifty nodes end a visit at once, it is over exactly once.
pub(crate) async fn the_last_of_fifty_nodes_ends_the_visit(store: Arc<dyn Store>) {
    completed(&*store, 1).await;
    let here = visit(&*store, 1, NOW).await;
    let node = |number: u8| format!("node-{number}");
    for number in 0..50 {
        let started = event_of(&node(number), 1, here, Change::ConferenceStarted);
        report(&*store, started).await;
    }
    let outcomes = race(&store, |store, number| async move {
        let ended = event_of(&node(number), 2, here, Change::ConferenceEnded);
        apply(&*store, ended, vec![], vec![write_back(number, 1)]).await
    })
    .await;
    let over = outcomes.iter().filter(|outcome| **outcome == OVER).count();
    assert_eq!(over, 1);
    assert_eq!(told(&*store, 1).await.len(), 1);
    assert_eq!(running(&*store).await, 0);
}
