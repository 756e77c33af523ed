//! The outbox.

use std::{collections::HashMap, sync::Arc, time::Duration};

use uuid::Uuid;
use vestibule_launch::UnixTime;
use vestibule_store::{
    Change, NewWriteBack, NotTold, Page, Reason, Store, Unsent, WriteBack, WriteBackFilter,
    WriteBackKind, WriteBackProgress, WriteBackRecord, WriteBackState,
};

use super::{MINUTE, NOW, PROFILE, SECOND, race, request_id, visits::event};

const LEASE: Duration = Duration::from_secs(5);

/// A write-back of this number, due now, that tells of a launch.
pub(super) fn write_back(number: u8, launch: u8) -> NewWriteBack {
    NewWriteBack {
        dedupe: [number; 32],
        profile: PROFILE,
        request_id: request_id(launch),
        kind: WriteBackKind::EpicConnectionStatus,
        sealed: vec![number],
        due_at: NOW,
    }
}

/// The same, told by this table of the profile.
pub(super) fn of_kind(number: u8, launch: u8, kind: WriteBackKind) -> NewWriteBack {
    NewWriteBack {
        kind,
        ..write_back(number, launch)
    }
}

/// Stores write-backs, by an event of this number that changes nothing.
pub(super) async fn store_all(
    store: &dyn Store,
    seq: u8,
    write_backs: Vec<NewWriteBack>,
    now: UnixTime,
) {
    let event = event(seq, None, Change::ConferenceEnded);
    let applied = store
        .apply_event(event, write_backs, vec![], vec![], now)
        .await;
    applied.expect("the store takes events");
}

pub(super) async fn records(store: &dyn Store, launch: u8) -> Vec<WriteBackRecord> {
    let records = store.write_backs_of(request_id(launch)).await;
    records.expect("the store has records")
}

/// The numbers of the write-backs on record of a launch.
pub(super) async fn told(store: &dyn Store, launch: u8) -> Vec<u8> {
    let records = records(store, launch).await;
    records.iter().map(|record| record.sealed[0]).collect()
}

pub(super) async fn claim(store: &dyn Store, now: UnixTime, limit: u32) -> Vec<WriteBack> {
    claim_of_profile(store, now, limit, limit.max(50)).await
}

async fn claim_of_profile(
    store: &dyn Store,
    now: UnixTime,
    limit: u32,
    of_profile: u32,
) -> Vec<WriteBack> {
    let claimed = store.claim_write_backs(now, LEASE, limit, of_profile).await;
    claimed.expect("the store leases write-backs")
}

pub(super) fn numbers(write_backs: &[WriteBack]) -> Vec<u8> {
    let number = |write_back: &WriteBack| write_back.sealed[0];
    write_backs.iter().map(number).collect()
}

pub(super) async fn sent(store: &dyn Store, write_back: &WriteBack, now: UnixTime) -> bool {
    let recorded = store.write_back_sent(write_back, 204, now).await;
    recorded.expect("the store records it")
}

pub(super) async fn failed(
    store: &dyn Store,
    write_back: &WriteBack,
    status: Option<u16>,
    try_again_at: Option<UnixTime>,
) -> bool {
    let then = match try_again_at {
        Some(at) => NotTold::TryAgain { at },
        None => NotTold::GiveUp,
    };
    let recorded = store
        .write_back_failed(write_back, status, Reason::Answered, then, NOW + SECOND)
        .await;
    recorded.expect("the store records it")
}

/// Why nothing came of an attempt stays on record, with each attempt; what is not true any
/// more is neither unsent nor given up.
pub(crate) async fn why_a_write_back_was_not_told_is_on_record(store: &dyn Store) {
    let both = vec![write_back(1, 1), write_back(2, 1)];
    store_all(store, 1, both, NOW).await;
    let now = NOW + SECOND;
    let first = claim(store, NOW, 9).await.remove(0);
    let not_told = async |write_back: &WriteBack, reason, then| {
        let recorded = store.write_back_failed(write_back, None, reason, then, now);
        assert!(recorded.await.expect("the store records it"));
    };
    let again = NotTold::TryAgain { at: now };
    not_told(&first, Reason::Timeout, again).await;
    assert_eq!(
        records(store, 1).await[0].last_reason,
        Some(Reason::Timeout)
    );
    let first = claim(store, now, 9).await.remove(0);
    not_told(&first, Reason::VisitGoesOn, NotTold::NotNeeded).await;
    let record = records(store, 1).await.remove(0);
    assert_eq!(record.last_reason, Some(Reason::VisitGoesOn));
    assert_eq!(record.state, WriteBackState::NotNeeded { at: now });
    let attempts = store.attempts_of(&[first.id]).await;
    let reasons: Vec<_> = attempts.expect("there are attempts")[&first.id]
        .iter()
        .map(|attempt| attempt.reason)
        .collect();
    assert_eq!(reasons, [Some(Reason::Timeout), Some(Reason::VisitGoesOn)]);
    let listed = async |progress| {
        let filter = WriteBackFilter {
            progress: Some(progress),
            ..WriteBackFilter::default()
        };
        let page = Page {
            after: None,
            limit: 9,
        };
        let rows = store.list_write_backs(&filter, page).await;
        rows.expect("the store lists write-backs").len()
    };
    assert_eq!(listed(WriteBackProgress::GivenUp).await, 0);
    assert_eq!(listed(WriteBackProgress::NotNeeded).await, 1);
    let second = claim(store, now, 9).await.remove(0);
    assert_eq!(second.sealed, [2], "later ones go on");
    assert!(sent(store, &second, now).await);
    assert_eq!(records(store, 1).await[1].last_reason, None);
}

/// Neither what was sent nor what was given up counts; what is put off does.
pub(crate) async fn what_is_unsent_is_counted_with_the_age_of_the_oldest(store: &dyn Store) {
    let unsent = async || {
        let unsent = store.unsent_write_backs().await;
        unsent.expect("the store counts")
    };
    let none = Unsent {
        count: 0,
        oldest: None,
    };
    assert_eq!(unsent().await, none);
    store_all(store, 1, vec![write_back(1, 1)], NOW).await;
    let later = vec![write_back(2, 2), write_back(3, 3)];
    store_all(store, 2, later, NOW + SECOND).await;
    let claimed = claim(store, NOW + SECOND, 9).await;
    assert_eq!(unsent().await.count, 3, "claimed is not sent");
    assert_eq!(unsent().await.oldest, Some(NOW));
    assert!(sent(store, &claimed[0], NOW + SECOND).await);
    assert!(failed(store, &claimed[1], Some(400), None).await);
    assert!(failed(store, &claimed[2], Some(503), Some(NOW + MINUTE)).await);
    assert_eq!(unsent().await.count, 1);
    assert_eq!(unsent().await.oldest, Some(NOW + SECOND));
}

/// Of write-backs with the same dedupe id the first is kept, also once it was sent.
pub(crate) async fn the_same_write_back_is_kept_once(store: &dyn Store) {
    let same = NewWriteBack {
        sealed: vec![9],
        ..write_back(1, 1)
    };
    let both = vec![write_back(1, 1), same.clone(), write_back(2, 1)];
    store_all(store, 1, both, NOW).await;
    assert_eq!(told(store, 1).await, [1, 2]);
    let claimed = claim(store, NOW, 1).await;
    assert!(sent(store, &claimed[0], NOW).await);
    store_all(store, 2, vec![same], NOW).await;
    assert_eq!(told(store, 1).await, [1, 2]);
    assert_eq!(numbers(&claim(store, NOW, 9).await), [2]);
}

/// A write-back waits for those before it of the same launch, and for no others.
pub(crate) async fn write_backs_of_one_launch_are_sent_in_order(store: &dyn Store) {
    let first = vec![write_back(1, 1), write_back(2, 1), write_back(3, 2)];
    store_all(store, 1, first, NOW).await;
    let claimed = claim(store, NOW, 9).await;
    assert_eq!(numbers(&claimed), [1, 3]);
    assert_eq!(claimed[0].profile, PROFILE);
    assert_eq!(claimed[0].request_id, request_id(1));
    assert_eq!(claimed[0].created_at, NOW);
    assert_eq!(claimed[0].attempts, 1);
    assert_eq!(claim(store, NOW, 9).await, [], "the first is on its way");
    let later = NOW + SECOND;
    assert!(sent(store, &claimed[0], later).await);
    assert_eq!(numbers(&claim(store, NOW, 9).await), [2]);
    let records = records(store, 1).await;
    assert_eq!(records[0].id, claimed[0].id);
    assert_eq!(records[0].created_at, NOW);
    assert_eq!(records[0].attempts, 1);
    assert_eq!(records[0].last_status, Some(204));
    assert_eq!(records[0].state, WriteBackState::Sent { at: later });
    assert_eq!(records[1].last_status, None);
    assert_eq!(records[1].state, WriteBackState::Unsent { due_at: NOW });
}

/// What another table tells of a launch waits as well: an EHR that is told that the call is
/// over must know who has left it. Device tests alone do not wait, and nothing for them.
pub(crate) async fn write_backs_of_one_launch_wait_but_for_device_tests(store: &dyn Store) {
    let twice = WriteBackKind::ALL.into_iter().chain(WriteBackKind::ALL);
    let all = (1..).zip(twice);
    let all = all.map(|(number, kind)| of_kind(number, 1, kind)).collect();
    store_all(store, 1, all, NOW).await;
    let claimed = claim(store, NOW, 10).await;
    assert_eq!(
        numbers(&claimed),
        [1, 4],
        "the oldest, and the oldest device test"
    );
    assert!(failed(store, &claimed[0], Some(503), Some(NOW + MINUTE)).await);
    assert!(sent(store, &claimed[1], NOW).await);
    let claimed = claim(store, NOW, 10).await;
    assert_eq!(numbers(&claimed), [8], "the others wait behind the first");
    assert!(sent(store, &claimed[0], NOW).await);
    for expected in [1, 2, 3, 5, 6, 7] {
        let claimed = claim(store, NOW + MINUTE, 10).await;
        assert_eq!(numbers(&claimed), [expected]);
        assert!(sent(store, &claimed[0], NOW + MINUTE).await);
    }
}

/// What `as_before` makes, of all that there is, one of an earlier version: of that the
/// kind is not known. Whatever comes later waits for it, but a device test.
pub(crate) async fn what_waited_at_the_upgrade_is_told_before_what_came_later(
    store: &dyn Store,
    as_before: impl AsyncFn(),
) {
    store_all(store, 1, vec![write_back(1, 1), write_back(2, 1)], NOW).await;
    as_before().await;
    let later = vec![
        of_kind(3, 1, WriteBackKind::EndOfCall),
        of_kind(4, 1, WriteBackKind::DeviceTest),
        of_kind(5, 2, WriteBackKind::EndOfCall),
    ];
    store_all(store, 2, later, NOW).await;
    let claimed = claim(store, NOW, 9).await;
    assert_eq!(numbers(&claimed), [1, 4, 5]);
    assert!(failed(store, &claimed[0], Some(503), Some(NOW + MINUTE)).await);
    for told in &claimed[1..] {
        assert!(sent(store, told, NOW).await);
    }
    assert_eq!(claim(store, NOW, 9).await, [], "the first was put off");
    store_all(
        store,
        3,
        vec![of_kind(6, 1, WriteBackKind::ZoomNotification)],
        NOW + SECOND,
    )
    .await;
    let mut heard = Vec::new();
    let later = NOW + MINUTE;
    for _ in 0..4 {
        let claimed = claim(store, later, 9).await;
        heard.extend(numbers(&claimed));
        assert_eq!(claimed.len(), 1, "one after the other");
        assert!(sent(store, &claimed[0], later).await);
    }
    assert_eq!(heard, [1, 2, 3, 6]);
}

/// Of what is due, the oldest comes first; one that is not due yet waits.
pub(crate) async fn the_oldest_write_backs_that_are_due_come_first(store: &dyn Store) {
    let later = NewWriteBack {
        due_at: NOW + MINUTE,
        ..write_back(4, 4)
    };
    store_all(store, 1, vec![write_back(3, 3)], NOW + SECOND).await;
    store_all(
        store,
        2,
        vec![later, write_back(2, 2), write_back(1, 1)],
        NOW,
    )
    .await;
    let just_before = NOW + MINUTE - Duration::from_millis(1);
    assert_eq!(numbers(&claim(store, just_before, 1).await), [2]);
    assert_eq!(numbers(&claim(store, just_before, 9).await), [1, 3]);
    assert_eq!(numbers(&claim(store, NOW + MINUTE, 1).await), [4]);
}

/// One that was put off waits behind those that are due for longer.
pub(crate) async fn what_was_put_off_comes_after_what_waits(store: &dyn Store) {
    let all = vec![write_back(1, 1), write_back(2, 2)];
    store_all(store, 1, all, NOW).await;
    let first = claim(store, NOW, 1).await.remove(0);
    assert!(failed(store, &first, None, Some(NOW + SECOND)).await);
    assert_eq!(numbers(&claim(store, NOW + SECOND, 1).await), [2]);
    assert_eq!(numbers(&claim(store, NOW + SECOND, 1).await), [1]);
}

/// An EHR that does not answer has some of the places, and others have the rest.
pub(crate) async fn a_profile_gets_so_many_places_and_no_more(store: &dyn Store) {
    let other = |number: u8| NewWriteBack {
        profile: Uuid::from_u128(2),
        due_at: NOW + SECOND,
        ..write_back(number, number)
    };
    let mut all: Vec<_> = (1..=6).map(|number| write_back(number, number)).collect();
    all.extend((7..=8).map(other));
    store_all(store, 1, all, NOW).await;
    let now = NOW + SECOND;
    let claimed = claim_of_profile(store, now, 3, 2).await;
    assert_eq!(numbers(&claimed), [1, 2, 7]);
    let more = claim_of_profile(store, now, 9, 2).await;
    assert_eq!(numbers(&more), [8], "the first profile has its places");
    assert!(sent(store, &claimed[0], now).await);
    assert!(failed(store, &claimed[1], None, Some(NOW + MINUTE)).await);
    let more = claim_of_profile(store, now, 9, 2).await;
    assert_eq!(numbers(&more), [3, 4]);
    let after = claim_of_profile(store, now + LEASE, 9, 2).await;
    assert_eq!(numbers(&after), [3, 4, 7, 8], "leases end");
}

/// What was claimed and never heard of again is sent again; the attempts are counted.
pub(crate) async fn a_write_back_whose_sender_vanished_is_claimed_again(store: &dyn Store) {
    store_all(store, 1, vec![write_back(1, 1)], NOW).await;
    let first = claim(store, NOW, 9).await.remove(0);
    let just_before = NOW + LEASE - Duration::from_millis(1);
    assert_eq!(claim(store, just_before, 9).await, []);
    let second = claim(store, NOW + LEASE, 9).await.remove(0);
    assert_eq!(second.attempts, 2);
    assert!(!sent(store, &first, NOW).await, "another one has it");
    assert!(!failed(store, &first, None, None).await);
    assert!(sent(store, &second, NOW).await);
    assert_eq!(claim(store, NOW + MINUTE, 9).await, []);
    assert_eq!(records(store, 1).await[0].attempts, 2);
}

/// A failed write-back holds up later ones of its launch until it is given up.
pub(crate) async fn a_failed_write_back_holds_up_later_ones_until_given_up(store: &dyn Store) {
    let both = vec![write_back(1, 1), write_back(2, 1), write_back(3, 2)];
    store_all(store, 1, both, NOW).await;
    let again = NOW + MINUTE;
    let first = claim(store, NOW, 1).await.remove(0);
    assert!(failed(store, &first, Some(503), Some(again)).await);
    assert_eq!(numbers(&claim(store, NOW, 9).await), [3]);
    let record = records(store, 1).await.remove(0);
    assert_eq!(record.last_status, Some(503));
    assert_eq!(record.state, WriteBackState::Unsent { due_at: again });
    let claimed = claim(store, again, 9).await;
    let first = claimed.iter().find(|it| it.sealed[0] == 1);
    let first = first.expect("it is due again").clone();
    assert_eq!(first.attempts, 2);
    assert!(failed(store, &first, None, None).await);
    let record = records(store, 1).await.remove(0);
    assert_eq!(record.last_status, None, "no answer this time");
    let at = NOW + SECOND;
    assert_eq!(record.state, WriteBackState::GivenUp { at });
    assert_eq!(numbers(&claim(store, again, 9).await), [2]);
}

/// Who gave a write-back back has no further say in it.
pub(crate) async fn those_that_hold_no_lease_record_nothing(store: &dyn Store) {
    store_all(store, 1, vec![write_back(1, 1)], NOW).await;
    let first = claim(store, NOW, 1).await.remove(0);
    assert!(failed(store, &first, Some(500), Some(NOW)).await);
    assert!(!sent(store, &first, NOW).await);
    let second = claim(store, NOW, 1).await.remove(0);
    assert!(sent(store, &second, NOW).await);
    assert!(!sent(store, &second, NOW + MINUTE).await);
    assert!(!failed(store, &second, Some(500), Some(NOW)).await);
    assert!(!failed(store, &second, Some(500), None).await);
    let record = records(store, 1).await.remove(0);
    assert_eq!(record.state, WriteBackState::Sent { at: NOW });
    assert_eq!(record.last_status, Some(204));
}

/// Fifty callers at once that take two each share twenty launches without overlap.
pub(crate) async fn each_write_back_is_for_one_of_fifty(store: Arc<dyn Store>) {
    let all = (0..40).map(|number| write_back(number, number % 20));
    store_all(&*store, 1, all.collect(), NOW).await;
    let claims = race(
        &store,
        |store, _| async move { claim(&*store, NOW, 2).await },
    )
    .await;
    let mut holders = HashMap::new();
    for claimed in claims.iter().flatten() {
        *holders.entry(claimed.sealed[0]).or_insert(0) += 1;
        assert_eq!(claimed.attempts, 1);
    }
    assert_eq!(holders.len(), 20);
    assert!(holders.keys().all(|number| *number < 20), "the older ones");
    assert!(holders.values().all(|holders| *holders == 1));
    let finish = race(&store, |store, number| {
        let claimed: Vec<_> = claims.iter().flatten().cloned().collect();
        async move {
            let claimed = &claimed[usize::from(number) % claimed.len()];
            (claimed.id, sent(&*store, claimed, NOW).await)
        }
    })
    .await;
    let mut recorded = HashMap::new();
    for (id, first) in finish {
        *recorded.entry(id).or_insert(0) += u8::from(first);
    }
    assert_eq!(recorded.len(), 20);
    assert!(recorded.values().all(|count| *count == 1), "once each");
}
