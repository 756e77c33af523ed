//! What a connection is about at the moment, so that one which does nothing, or does it
//! too slowly, can be ended.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use crate::in_flight::{InFlight, One};

/// What a connection is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It has begun; the first request is awaited.
    New,
    /// A request has begun to come in.
    Head,
    /// So many requests are being answered.
    Busy(usize),
    /// The next request is awaited.
    Idle,
}

/// What a connection is about. Clones speak of the same one.
#[derive(Clone, Debug)]
pub(super) struct Activity {
    phase: watch::Sender<Phase>,
    offers: Arc<Mutex<Offers>>,
    /// Where a request counts from its first byte.
    under_way: Option<InFlight>,
    coming: Arc<Mutex<Option<One>>>,
}

/// Answers that the other side has still to take, in part or whole, by number, and since
/// when it has taken nothing of them.
#[derive(Debug, Default)]
struct Offers {
    last: u64,
    since: HashMap<u64, Instant>,
}

/// A request that is being answered, until it is dropped.
#[derive(Debug)]
pub(super) struct Answering {
    activity: Activity,
    number: u64,
}

/// How long a connection may take for what it is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For a request's headers.
    pub(super) head: Duration,
    /// For the next request.
    pub(super) idle: Duration,
    /// For taking something of an answer.
    pub(super) stall: Duration,
}

/// Why a connection is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TooLong {
    /// A request's headers did not come in time.
    Head,
    /// No further request came.
    Idle,
    /// Nothing of an answer is taken.
    Stall,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self {
            phase: watch::Sender::new(Phase::New),
            offers: Arc::default(),
            under_way: None,
            coming: Arc::default(),
        }
    }

    /// The same where a request is under way as soon as it begins to come in.
    pub(super) fn counting(under_way: InFlight) -> Self {
        Self {
            under_way: Some(under_way),
            ..Self::new()
        }
    }

    /// Bytes have come in.
    pub(super) fn received(&self) {
        self.phase.send_if_modified(|phase| {
            let begins = matches!(phase, Phase::New | Phase::Idle);
            if begins {
                *phase = Phase::Head;
                *lock(&self.coming) = self.under_way.as_ref().map(InFlight::more);
            }
            begins
        });
    }

    /// A request is complete but for its body, and is being answered.
    pub(super) fn answering(&self) -> Answering {
        self.phase.send_modify(|phase| {
            *phase = match phase {
                Phase::Busy(requests) => Phase::Busy(*requests + 1),
                _ => Phase::Busy(1),
            };
            *lock(&self.coming) = None;
        });
        let mut offers = lock(&self.offers);
        offers.last += 1;
        Answering {
            activity: self.clone(),
            number: offers.last,
        }
    }

    /// Waits until the first bytes are there.
    pub(super) async fn begun(&self) {
        // The sender is this very connection's.
        let _ = self
            .phase
            .subscribe()
            .wait_for(|phase| *phase != Phase::New)
            .await;
    }

    /// Waits until the connection is about one thing for longer than patience lasts.
    pub(super) async fn too_long(&self, patience: Patience) -> TooLong {
        let mut phases = self.phase.subscribe();
        let mut begun = Instant::now();
        loop {
            let phase = *phases.borrow_and_update();
            let end = match phase {
                Phase::New | Phase::Head => Some((begun + patience.head, TooLong::Head)),
                Phase::Idle => Some((begun + patience.idle, TooLong::Idle)),
                Phase::Busy(_) => None,
            };
            let now = Instant::now();
            // An answer that is offered later has its time from then on.
            let stalls = lock(&self.offers).earliest().unwrap_or(now) + patience.stall;
            if stalls <= now {
                return TooLong::Stall;
            }
            if let Some((end, too_long)) = end
                && end <= now
            {
                return too_long;
            }
            let next = end.map_or(stalls, |(end, _)| end.min(stalls));
            if timeout_at(next, phases.changed()).await.is_ok() {
                begun = Instant::now();
            }
        }
    }
}

fn lock<T>(of_connection: &Mutex<T>) -> MutexGuard<'_, T> {
    of_connection.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Offers {
    fn earliest(&self) -> Option<Instant> {
        self.since.values().min().copied()
    }
}

impl Answering {
    /// Something is there for the other side to take.
    pub(super) fn offered(&self) {
        let now = Instant::now();
        lock(&self.activity.offers).since.insert(self.number, now);
    }

    /// The other side has taken some of it.
    pub(super) fn taken(&self) {
        if let Some(since) = lock(&self.activity.offers).since.get_mut(&self.number) {
            *since = Instant::now();
        }
    }

    /// The other side has taken what there was, and waits for more.
    pub(super) fn awaited(&self) {
        lock(&self.activity.offers).since.remove(&self.number);
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.awaited();
        self.activity.phase.send_modify(|phase| {
            *phase = match phase {
                Phase::Busy(requests) if *requests > 1 => Phase::Busy(*requests - 1),
                _ => Phase::Idle,
            };
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        head: Duration::from_secs(10),
        idle: Duration::from_secs(70),
        stall: Duration::from_secs(30),
    };

    async fn seconds_until(activity: &Activity) -> (u64, TooLong) {
        let begun = Instant::now();
        let too_long = activity.too_long(PATIENCE).await;
        (begun.elapsed().as_secs(), too_long)
    }

    #[tokio::test(start_paused = true)]
    async fn headers_have_less_time_than_a_pause_between_requests() {
        let activity = Activity::new();
        assert_eq!(seconds_until(&activity).await, (10, TooLong::Head));
        drop(activity.answering());
        assert_eq!(seconds_until(&activity).await, (70, TooLong::Idle));
        activity.received();
        assert_eq!(seconds_until(&activity).await, (10, TooLong::Head));
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_one_by_one_do_not_buy_time() {
        let activity = Activity::new();
        drop(activity.answering());
        let dripping = activity.clone();
        tokio::spawn(async move {
            loop {
                dripping.received();
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        tokio::task::yield_now().await;
        assert_eq!(seconds_until(&activity).await, (10, TooLong::Head));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_may_take_as_long_as_it_takes() {
        let activity = Activity::new();
        let (first, second) = (activity.answering(), activity.answering());
        drop(first);
        let long = PATIENCE.idle * 100;
        let waiting = tokio::time::timeout(long, activity.too_long(PATIENCE));
        assert!(waiting.await.is_err());
        drop(second);
        assert_eq!(seconds_until(&activity).await, (70, TooLong::Idle));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_of_which_nothing_is_taken_ends_the_connection() {
        let activity = Activity::new();
        let (stuck, events) = (activity.answering(), activity.answering());
        stuck.offered();
        events.offered();
        events.awaited();
        let taking = Arc::new(stuck);
        let slow = Arc::clone(&taking);
        tokio::spawn(async move {
            for _ in 0..3 {
                tokio::time::sleep(Duration::from_secs(20)).await;
                slow.taken();
            }
        });
        // Who takes little has time for more.
        assert_eq!(seconds_until(&activity).await, (90, TooLong::Stall));
        taking.awaited();
        let long = PATIENCE.stall * 100;
        let waiting = tokio::time::timeout(long, activity.too_long(PATIENCE));
        assert!(waiting.await.is_err());
        events.offered();
        assert_eq!(seconds_until(&activity).await, (30, TooLong::Stall));
        drop((taking, events));
        assert_eq!(seconds_until(&activity).await, (70, TooLong::Idle));
    }

    #[test]
    fn a_request_counts_from_its_first_byte_until_it_is_being_answered() {
        let under_way = InFlight::default();
        let activity = Activity::counting(under_way.clone());
        assert_eq!(under_way.now(), 0);
        activity.received();
        activity.received();
        assert_eq!(under_way.now(), 1);
        drop(activity.answering());
        assert_eq!(under_way.now(), 0);
        activity.received();
        drop(activity);
        assert_eq!(under_way.now(), 0, "who goes in the middle of it");
    }
}
