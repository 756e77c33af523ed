//! What a connection is about at the moment, so that one which does nothing, or does it
//! too slowly, can be ended.

use std::time::Duration;

use tokio::sync::watch;

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
pub(super) struct Activity(watch::Sender<Phase>);

/// A request that is being answered, until it is dropped.
#[derive(Debug)]
pub(super) struct Answering(Activity);

/// Why a connection is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TooLong {
    /// A request's headers did not come in time.
    Head,
    /// No further request came.
    Idle,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(Phase::New))
    }

    /// Bytes have come in.
    pub(super) fn received(&self) {
        self.0.send_if_modified(|phase| {
            let begins = matches!(phase, Phase::New | Phase::Idle);
            if begins {
                *phase = Phase::Head;
            }
            begins
        });
    }

    /// A request is complete but for its body, and is being answered.
    pub(super) fn answering(&self) -> Answering {
        self.0.send_modify(|phase| {
            *phase = match phase {
                Phase::Busy(requests) => Phase::Busy(*requests + 1),
                _ => Phase::Busy(1),
            };
        });
        Answering(self.clone())
    }

    /// Waits until the first bytes are there.
    pub(super) async fn begun(&self) {
        // The sender is this very connection's.
        let _ = self
            .0
            .subscribe()
            .wait_for(|phase| *phase != Phase::New)
            .await;
    }

    /// Waits until the connection does nothing for `idle`, or a request's headers take
    /// longer than `head`.
    pub(super) async fn too_long(&self, head: Duration, idle: Duration) -> TooLong {
        let mut phases = self.0.subscribe();
        loop {
            let phase = *phases.borrow_and_update();
            let (longest, too_long) = match phase {
                Phase::New | Phase::Head => (head, TooLong::Head),
                Phase::Idle => (idle, TooLong::Idle),
                Phase::Busy(_) => {
                    // The sender is this very connection's.
                    let _ = phases.changed().await;
                    continue;
                }
            };
            let changed = tokio::time::timeout(longest, phases.changed()).await;
            if changed.is_err() {
                return too_long;
            }
        }
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.0.send_modify(|phase| {
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

    const HEAD: Duration = Duration::from_secs(10);
    const IDLE: Duration = Duration::from_secs(70);

    async fn seconds_until(activity: &Activity) -> (u64, TooLong) {
        let begun = tokio::time::Instant::now();
        let too_long = activity.too_long(HEAD, IDLE).await;
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
        let waiting = tokio::time::timeout(IDLE * 100, activity.too_long(HEAD, IDLE));
        assert!(waiting.await.is_err());
        drop(second);
        assert_eq!(seconds_until(&activity).await, (70, TooLong::Idle));
    }
}
