//! What is counted of whom.

use std::{sync::Arc, time::Duration};

use vestibule_launch::UnixTime;
use vestibule_store::{AttemptLimit, Attempted, Bucket, LimitKey, Store, Taken};

use super::{MINUTE, NOW, SECOND, race};

/// Six at once, then one every ten seconds.
const SIX: Bucket = Bucket {
    size: 6,
    refill: Duration::from_secs(10),
};

const THREE: AttemptLimit = AttemptLimit {
    most: 3,
    window: Duration::from_secs(300),
};

fn key(number: u8) -> LimitKey {
    LimitKey::from_bytes([number; 32])
}

fn at(seconds: u32) -> UnixTime {
    NOW + seconds * SECOND
}

async fn take(store: &dyn Store, number: u8, bucket: Bucket, now: UnixTime) -> Taken {
    let taken = store.take(key(number), bucket, now).await;
    taken.expect("the store counts")
}

async fn attempt(store: &dyn Store, number: u8, now: UnixTime) -> Attempted {
    let attempted = store.attempt(key(number), THREE, now).await;
    attempted.expect("the store counts")
}

async fn withdraw(store: &dyn Store, number: u8, at: UnixTime) {
    let withdrawn = store.withdraw(key(number), at).await;
    withdrawn.expect("the store takes it back");
}

async fn locked_until(store: &dyn Store, number: u8, now: UnixTime) -> Option<UnixTime> {
    let until = store.locked_until(key(number), THREE, now).await;
    until.expect("the store answers")
}

fn empty(seconds: u64) -> Taken {
    Taken::Empty {
        retry_after: Duration::from_secs(seconds),
    }
}

/// Whoever finds nothing takes nothing, and learns when there is something.
pub(crate) async fn a_bucket_gives_its_tokens_at_once_and_then_one_after_the_other(
    store: &dyn Store,
) {
    for _ in 0..6 {
        assert_eq!(take(store, 1, SIX, at(0)).await, Taken::Now);
    }
    for _ in 0..3 {
        assert_eq!(take(store, 1, SIX, at(0)).await, empty(10));
    }
    assert_eq!(take(store, 1, SIX, at(9)).await, empty(1));
    assert_eq!(take(store, 1, SIX, at(10)).await, Taken::Now);
    assert_eq!(take(store, 1, SIX, at(10)).await, empty(10));
    for _ in 0..6 {
        assert_eq!(take(store, 1, SIX, at(1000)).await, Taken::Now);
    }
    assert_eq!(take(store, 1, SIX, at(1000)).await, empty(10), "never more");
}

pub(crate) async fn buckets_are_counted_apart(store: &dyn Store) {
    let one = Bucket::per_minute(1);
    assert_eq!(take(store, 1, one, at(0)).await, Taken::Now);
    assert_eq!(take(store, 1, one, at(0)).await, empty(60));
    assert_eq!(take(store, 2, one, at(0)).await, Taken::Now);
}

pub(crate) async fn a_bucket_without_room_gives_nothing(store: &dyn Store) {
    let none = Bucket { size: 0, ..SIX };
    for seconds in [0, 60, 3600] {
        let taken = take(store, 1, none, at(seconds)).await;
        assert!(matches!(taken, Taken::Empty { .. }));
    }
}

/// The window slides: an attempt counts for as long as it is in it.
pub(crate) async fn attempts_are_refused_from_the_last_allowed_until_the_window_has_passed(
    store: &dyn Store,
) {
    for seconds in [0, 10, 20] {
        assert_eq!(locked_until(store, 1, at(seconds)).await, None);
        assert_eq!(attempt(store, 1, at(seconds)).await, Attempted::Now);
    }
    for seconds in [20, 299] {
        let locked = Attempted::Locked { until: at(300) };
        assert_eq!(attempt(store, 1, at(seconds)).await, locked);
        assert_eq!(locked_until(store, 1, at(seconds)).await, Some(at(300)));
    }
    assert_eq!(locked_until(store, 1, at(300)).await, None);
    assert_eq!(attempt(store, 1, at(300)).await, Attempted::Now);
    let locked = Attempted::Locked { until: at(310) };
    assert_eq!(attempt(store, 1, at(301)).await, locked);
    assert_eq!(attempt(store, 1, at(310)).await, Attempted::Now);
}

pub(crate) async fn an_attempt_that_succeeds_does_not_count(store: &dyn Store) {
    for seconds in 0..20 {
        assert_eq!(attempt(store, 1, at(seconds)).await, Attempted::Now);
        withdraw(store, 1, at(seconds)).await;
    }
    for _ in 0..3 {
        assert_eq!(attempt(store, 1, at(30)).await, Attempted::Now);
    }
    assert!(locked_until(store, 1, at(30)).await.is_some());
    withdraw(store, 1, at(29)).await;
    withdraw(store, 2, at(30)).await;
    assert!(locked_until(store, 1, at(30)).await.is_some());
    withdraw(store, 1, at(30)).await;
    assert_eq!(locked_until(store, 1, at(30)).await, None);
    assert_eq!(attempt(store, 1, at(31)).await, Attempted::Now);
    let locked = Attempted::Locked { until: at(330) };
    assert_eq!(
        attempt(store, 1, at(31)).await,
        locked,
        "only one came back"
    );
}

pub(crate) async fn attempts_are_counted_apart(store: &dyn Store) {
    for _ in 0..3 {
        attempt(store, 1, at(0)).await;
    }
    assert!(matches!(
        attempt(store, 1, at(0)).await,
        Attempted::Locked { .. }
    ));
    assert_eq!(attempt(store, 2, at(0)).await, Attempted::Now);
    // A bucket of the same key is another matter.
    assert_eq!(take(store, 1, SIX, at(0)).await, Taken::Now);
}

/// What still counts is kept: a purge gives nobody another try.
pub(crate) async fn purging_forgets_counts_that_say_nothing(store: &dyn Store) {
    let purge = async |now| store.purge(NOW, now).await.expect("the store purges");
    let one = Bucket::per_minute(1);
    take(store, 1, one, at(0)).await;
    for _ in 0..3 {
        attempt(store, 1, at(0)).await;
    }
    purge(at(59)).await;
    assert_eq!(take(store, 1, one, at(59)).await, empty(1));
    purge(at(299)).await;
    assert_eq!(locked_until(store, 1, at(299)).await, Some(at(300)));
    purge(at(300)).await;
    // As if the clock went back: there is nothing left that counts.
    assert_eq!(locked_until(store, 1, at(299)).await, None);
    assert_eq!(take(store, 1, one, at(59)).await, Taken::Now);
}

pub(crate) async fn of_fifty_as_many_take_a_token_as_there_are(store: Arc<dyn Store>) {
    let taken = race(&store, |store, _| async move {
        take(&*store, 1, Bucket::per_minute(7), NOW + MINUTE).await
    })
    .await;
    let granted = taken.iter().filter(|taken| **taken == Taken::Now).count();
    assert_eq!(granted, 7);
}

pub(crate) async fn of_fifty_attempts_as_many_are_made_as_may_be(store: Arc<dyn Store>) {
    for window in 0..3 {
        let now = at(300 * window);
        let attempts = race(&store, move |store, _| async move {
            attempt(&*store, 1, now).await
        })
        .await;
        let made = attempts.iter().filter(|made| **made == Attempted::Now);
        assert_eq!(made.count(), 3);
    }
}

/// At the same moment, each takes back its own.
pub(crate) async fn fifty_attempts_are_all_withdrawn(store: Arc<dyn Store>) {
    const FIFTY: AttemptLimit = AttemptLimit { most: 50, ..THREE };
    let outcomes = race(&store, |store, _| async move {
        let attempted = store.attempt(key(1), FIFTY, NOW).await;
        store
            .withdraw(key(1), NOW)
            .await
            .expect("the store takes it back");
        attempted.expect("the store counts")
    })
    .await;
    assert!(outcomes.iter().all(|outcome| *outcome == Attempted::Now));
    for _ in 0..3 {
        assert_eq!(attempt(&*store, 1, NOW).await, Attempted::Now);
    }
    assert!(locked_until(&*store, 1, NOW).await.is_some());
}
