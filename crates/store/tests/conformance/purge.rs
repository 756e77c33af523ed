//! What is forgotten when, and what is not.

use std::time::Duration;

use uuid::Uuid;
use vestibule_launch::EhrRole;
use vestibule_store::{
    Applied, Change, Completed, Consumed, EncounterKey, LaunchState, NewLaunchEvent, Recorded,
    Redemption, Reported, SENT_AGAIN_WITHIN, Store, WriteBackState,
};

use super::{
    MINUTE, NOW, PROFILE, SECOND, alias, appointment,
    bearers::find as find_bearer,
    begin, browser, complete, completed, consume, launch,
    launch_events::events,
    request_id,
    sessions::{claim as claim_renewals, find, session},
    state, ticket,
    tickets::redeem,
    visit,
    visits::{apply, event, participants},
    write_backs::{claim, failed, records, sent, store_all, told, write_back},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Purging forgets old launches and the appointments that only they led to.
pub(crate) async fn purging_forgets_what_is_old_and_only_that(store: &dyn Store) {
    completed(store, 1).await;
    let purge = async |before| store.purge(before, NOW).await.expect("the store purges");
    assert_eq!(purge(NOW).await, 0);
    assert!(state(store, 1).await.is_some());
    let later = NOW + MINUTE;
    begin(store, launch(2, 2)).await;
    consume(store, 2, NOW).await;
    assert_eq!(complete(store, 2, later).await, Completed::Now);
    assert_eq!(purge(later).await, 2);
    assert!(state(store, 1).await.is_none());
    let launch = store
        .find_launch_by_alias(alias(1))
        .await
        .expect("the store answers");
    assert!(launch.is_none());
    assert_eq!(redeem(store, 1, NOW).await, Redemption::Unknown);
    let find = async |new, now| {
        store
            .find_or_create_appointment(new, now)
            .await
            .expect("the store has appointments")
    };
    let kept = find(appointment(1, b"new"), NOW).await;
    assert_eq!(kept.sealed, b"shared", "used since");
    purge(later + MINUTE).await;
    assert_eq!(find(appointment(1, b"new"), later).await.sealed, b"new");
}

/// Purging forgets what is sealed as soon as it is of no use, and the launch not yet.
pub(crate) async fn purging_forgets_what_is_sealed_once_it_is_of_no_use(store: &dyn Store) {
    let purge = async |now| {
        let forgotten = store.purge(NOW - MINUTE, now).await;
        assert_eq!(forgotten.expect("the store purges"), 0, "launches are kept");
    };
    let just_before = NOW + MINUTE - Duration::from_millis(1);
    for number in [2, 3] {
        begin(store, launch(number, number)).await;
    }
    purge(just_before).await;
    assert!(matches!(consume(store, 3, NOW).await, Consumed::Now(_)));
    purge(NOW + MINUTE).await;
    // As if the clock went back: there is nothing left to go on with.
    let consumed = store
        .consume_state(request_id(2), PROFILE, EhrRole::Provider, NOW)
        .await;
    assert_eq!(consumed.expect("the store answers"), Consumed::Never);
    assert_eq!(state(store, 2).await, Some(LaunchState::Started));
    assert_eq!(state(store, 3).await, Some(LaunchState::Authorised));

    completed(store, 4).await;
    let redeem_4 = async |now| {
        let redeemed = store.redeem_ticket(ticket(4), browser(1), now).await;
        redeemed.expect("the store answers")
    };
    purge(just_before).await;
    assert!(matches!(
        redeem_4(just_before).await,
        Redemption::Redeemed(_)
    ));
    purge(NOW + MINUTE).await;
    assert!(
        matches!(redeem_4(NOW + MINUTE).await, Redemption::Redeemed(_)),
        "the same browser within a minute"
    );
    purge(just_before + MINUTE).await;
    assert_eq!(redeem_4(NOW + MINUTE).await, Redemption::Unknown);

    completed(store, 1).await;
    purge(NOW + MINUTE).await;
    assert_eq!(redeem(store, 1, NOW).await, Redemption::Unknown, "expired");
    assert_eq!(state(store, 1).await, Some(LaunchState::Completed));
}

/// A bearer is of no use without the alias; what the page told is, to the help desk.
pub(crate) async fn purging_forgets_bearers_with_their_alias_and_events_with_their_launch(
    store: &dyn Store,
) {
    completed(store, 1).await;
    redeem(store, 1, NOW).await;
    let joined = NewLaunchEvent {
        request_id: request_id(1),
        event: Reported::Joined,
        browser_time: None,
    };
    let recorded = store.record_event(joined, vec![], 64, NOW).await;
    assert_eq!(recorded.expect("it takes events"), Recorded::Now);
    let purge = async |before, now| store.purge(before, now).await.expect("the store purges");
    purge(NOW, NOW + 59 * SECOND).await;
    assert!(find_bearer(store, 1, NOW).await.is_some());
    purge(NOW, NOW + MINUTE).await;
    // As if the clock went back: there is nothing left.
    assert_eq!(find_bearer(store, 1, NOW).await, None);
    assert_eq!(events(store, 1).await, [Reported::Joined]);
    assert_eq!(purge(NOW + SECOND, NOW + MINUTE).await, 1);
    assert!(events(store, 1).await.is_empty());
}

/// Expired tokens are forgotten once nobody can come any more; others are not.
pub(crate) async fn purging_forgets_expired_sessions_of_no_use(store: &dyn Store) {
    session(store, 1, NOW).await;
    let purge = async |now| {
        let forgotten = store.purge(NOW, now).await;
        assert_eq!(forgotten.expect("the store purges"), 0, "launches are kept");
        find(store, 1).await.is_some()
    };
    let expired = NOW + 20 * SECOND;
    assert!(purge(expired).await, "the alias can still be dialled");
    let claimed = claim_renewals(store, expired).await.remove(0);
    let expires_at = NOW + 2 * MINUTE;
    let renewed = store.renewed(&claimed, b"renewed".to_vec(), None, expires_at);
    assert!(renewed.await.expect("the store takes tokens"));
    assert!(purge(expires_at - Duration::from_millis(1)).await);
    assert!(!purge(expires_at).await);
}

/// The tokens of who may have to be told of again are kept for a day, and no longer than
/// their launch.
pub(crate) async fn purging_keeps_sessions_while_what_was_given_up_may_be_sent_again(
    store: &dyn Store,
) {
    for number in [1, 2] {
        session(store, number, NOW).await;
        store_all(store, number, vec![write_back(number, number)], NOW).await;
        let claimed = claim(store, NOW, 1).await.remove(0);
        assert!(failed(store, &claimed, Some(400), None).await);
    }
    // They were given up a second after they were stored; the tokens expired long ago.
    let over = NOW + SECOND + SENT_AGAIN_WITHIN;
    let just_before = over - Duration::from_millis(1);
    let purge = async |before, now| store.purge(before, now).await.expect("the store purges");
    assert_eq!(purge(NOW, just_before).await, 0);
    assert!(find(store, 1).await.is_some());
    assert_eq!(purge(NOW, over).await, 0);
    assert_eq!(find(store, 1).await, None);
    assert_eq!(state(store, 1).await, Some(LaunchState::Completed));
    assert_eq!(told(store, 1).await, [1]);

    session(store, 3, NOW).await;
    store_all(store, 3, vec![write_back(3, 3)], NOW).await;
    let claimed = claim(store, NOW, 1).await.remove(0);
    assert!(failed(store, &claimed, Some(400), None).await);
    assert_eq!(purge(NOW + SECOND, NOW + MINUTE).await, 3);
    assert_eq!(told(store, 3).await, [3], "given up just now");
    assert_eq!(find(store, 3).await, None, "it goes with its launch");
}

/// However old its launch is: while a visit runs, its launches, tokens and people are kept.
pub(crate) async fn purging_keeps_what_a_running_visit_needs(store: &dyn Store) {
    for number in [1, 2] {
        session(store, number, NOW).await;
    }
    let here = visit(store, 1, NOW).await;
    let came = |participant| Change::ParticipantConnected {
        participant: Uuid::from_u128(participant),
        alias: alias(1),
        sealed: b"name".to_vec(),
    };
    let left = |participant| Change::ParticipantDisconnected {
        participant: Uuid::from_u128(participant),
    };
    let report = async |seq, node: &str, change| {
        let mut event = event(seq, Some(here), change);
        event.id.node = node.into();
        apply(store, event, vec![], vec![]).await
    };
    // The visit began a second later.
    let day = NOW + DAY;
    let purge = async || store.purge(day, day).await.expect("the store purges");
    report(1, "a", Change::ConferenceStarted).await;
    assert_eq!(purge().await, 1, "the other launch");
    for (seq, (node, change)) in (2..).zip([
        ("a", came(1)),
        ("a", came(2)),
        ("a", left(1)),
        ("b", came(3)),
        ("a", Change::ConferenceEnded),
    ]) {
        assert_eq!(purge().await, 0, "before event {seq}");
        report(seq, node, change).await;
    }
    assert_eq!(purge().await, 0);
    assert_eq!(state(store, 2).await, None);
    assert_eq!(find(store, 2).await, None);
    assert_eq!(state(store, 1).await, Some(LaunchState::Completed));
    assert!(find(store, 1).await.is_some(), "expired, and to be renewed");
    assert_eq!(claim_renewals(store, day).await.len(), 1);
    let people: Vec<_> = participants(store, here)
        .await
        .iter()
        .map(|participant| participant.participant.as_u128())
        .collect();
    assert_eq!(people, [3], "those who left a day ago are forgotten");
    assert_eq!(visit(store, 1, NOW).await, here);
    report(7, "b", left(3)).await;
    assert_eq!(purge().await, 1);
    assert_eq!(find(store, 1).await, None);
    assert_eq!(participants(store, here).await, []);
    let found = store
        .find_appointment_by_key(EncounterKey::from_bytes([1; 32]))
        .await;
    assert_eq!(found.expect("the store answers"), None);
}

/// The audit log names appointments by their number, years after they are forgotten.
pub(crate) async fn a_forgotten_appointment_leaves_its_number_to_no_other(store: &dyn Store) {
    let first = visit(store, 1, NOW).await;
    let last = visit(store, 2, NOW).await;
    let purged = store.purge(NOW + DAY, NOW + DAY).await;
    purged.expect("the store purges");
    for appointment in [first, last] {
        let row = store.appointment_row(appointment).await;
        assert_eq!(row.expect("the store answers"), None, "it is forgotten");
    }
    let mut numbers = vec![first, last];
    for encounter in [3, 2, 1] {
        numbers.push(visit(store, encounter, NOW + DAY).await);
    }
    let each: std::collections::HashSet<_> = numbers.iter().collect();
    assert_eq!(each.len(), 5, "{numbers:?}");
}

/// Nobody may ever say that a visit is over: after a day it is.
pub(crate) async fn purging_ends_visits_whose_last_event_was_lost(store: &dyn Store) {
    session(store, 1, NOW).await;
    let here = visit(store, 1, NOW).await;
    let came = Change::ParticipantConnected {
        participant: Uuid::from_u128(1),
        alias: alias(1),
        sealed: b"name".to_vec(),
    };
    for (seq, change) in [(0, Change::ConferenceStarted), (1, came)] {
        apply(store, event(seq, Some(here), change), vec![], vec![]).await;
    }
    let running = async |now| {
        store.purge(NOW, now).await.expect("the store purges");
        let running = store.running_visits(PROFILE).await;
        running.expect("the store counts visits")
    };
    assert_eq!(running(NOW + DAY - SECOND).await, 1);
    assert_eq!(running(NOW + DAY).await, 1, "somebody came a second later");
    assert_eq!(participants(store, here).await[0].disconnected_at, None);
    assert_eq!(claim_renewals(store, NOW + DAY).await.len(), 1);
    let over = NOW + DAY + SECOND;
    assert_eq!(running(over).await, 0);
    let left = participants(store, here).await[0].disconnected_at;
    assert_eq!(left, Some(over));
    assert_eq!(find(store, 1).await, None, "nobody renews its tokens");
    let purged = store.purge(over + SECOND, over + SECOND).await;
    assert_eq!(purged.expect("the store purges"), 1);
    assert_eq!(participants(store, here).await, []);
}

/// Who left lately stays on record, with the appointment, though the launch is forgotten.
pub(crate) async fn purging_keeps_who_left_lately(store: &dyn Store) {
    completed(store, 1).await;
    let here = visit(store, 1, NOW).await;
    let participant = Uuid::from_u128(1);
    let came = Change::ParticipantConnected {
        participant,
        alias: alias(1),
        sealed: b"name".to_vec(),
    };
    let left = Change::ParticipantDisconnected { participant };
    for (seq, change) in [(1, came), (3, left)] {
        apply(store, event(seq, Some(here), change), vec![], vec![]).await;
    }
    let purge = async |before| store.purge(before, NOW).await.expect("the store purges");
    assert_eq!(purge(NOW + 3 * SECOND).await, 1);
    assert_eq!(participants(store, here).await.len(), 1);
    assert_eq!(visit(store, 1, NOW).await, here);
    purge(NOW + 4 * SECOND).await;
    assert_eq!(participants(store, here).await, []);
}

/// However old it is: until a write-back is sent or given up, its launch is kept.
pub(crate) async fn purging_keeps_what_an_unsent_write_back_needs(store: &dyn Store) {
    for number in [1, 2] {
        session(store, number, NOW).await;
    }
    let both = vec![write_back(1, 1), write_back(2, 2)];
    store_all(store, 1, both, NOW).await;
    let claimed = claim(store, NOW, 2).await;
    let day = NOW + DAY;
    let purge = async |before| store.purge(before, day).await.expect("the store purges");
    assert_eq!(purge(day).await, 0);
    for number in [1, 2] {
        assert_eq!(state(store, number).await, Some(LaunchState::Completed));
        assert!(find(store, number).await.is_some());
        assert_eq!(told(store, number).await, [number]);
    }
    assert!(sent(store, &claimed[0], day).await);
    assert!(failed(store, &claimed[1], Some(400), None).await);
    assert_eq!(purge(day).await, 2);
    assert_eq!(told(store, 1).await, [1], "sent just now");
    assert_eq!(told(store, 2).await, [], "given up a day ago");
    for number in [1, 2] {
        assert_eq!(find(store, number).await, None);
    }
    purge(day + SECOND).await;
    assert_eq!(told(store, 1).await, []);
}

/// What is over, and when, decides; an event that was forgotten would be news again.
pub(crate) async fn purging_forgets_old_events_participants_and_write_backs(store: &dyn Store) {
    let here = visit(store, 1, NOW).await;
    let started = event(1, Some(here), Change::ConferenceStarted);
    let first = apply(store, started.clone(), vec![write_back(1, 1)], vec![]).await;
    let again = async |before| {
        store.purge(before, NOW).await.expect("the store purges");
        apply(store, started.clone(), vec![write_back(1, 1)], vec![]).await
    };
    assert_eq!(again(NOW).await, Applied::Before);
    assert_eq!(again(NOW + SECOND).await, first);
    assert_eq!(told(store, 1).await, [1], "unsent: still known");
    let claimed = claim(store, NOW, 1).await;
    assert!(sent(store, &claimed[0], NOW).await);
    assert_eq!(again(NOW).await, Applied::Before);
    let record = records(store, 1).await.remove(0);
    assert_eq!(record.state, WriteBackState::Sent { at: NOW });
    again(NOW + SECOND).await;
    let record = records(store, 1).await.remove(0);
    assert_eq!(record.state, WriteBackState::Unsent { due_at: NOW });
}
