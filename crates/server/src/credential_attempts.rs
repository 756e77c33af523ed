//! Few wrong credentials from one address, whichever server they are sent to.

use std::time::Duration;

use axum::http::HeaderValue;
use tokio::sync::{Semaphore, SemaphorePermit};
use vestibule_launch::UnixTime;
use vestibule_store::{AttemptLimit, Attempted, Bucket, LimitKey, StoreError, Taken};

use crate::{source_address::SourceAddress, tools::Tools};

/// Wrong credentials that one address may send in a while.
const LIMIT: AttemptLimit = AttemptLimit {
    most: 10,
    window: Duration::from_secs(5 * 60),
};

/// Those that one address may send beyond that: one a second. Whoever has the right ones
/// may be behind the same address as who guesses.
const PACE: Bucket = Bucket {
    size: 1,
    refill: Duration::from_secs(1),
};

/// How long credentials may wait for those of the same address that came before.
const PATIENCE: Duration = Duration::from_secs(10);

/// Among how many queues addresses are divided.
const QUEUES: usize = 64;

/// Counts the wrong credentials of one door by source address.
pub(crate) struct CredentialAttempts {
    tools: Tools,
    door: &'static str,
    /// Of the credentials of one address, one at a time: right ones count too until they
    /// are taken back, and many of them at once are not to use up what wrong ones may.
    queues: [Semaphore; QUEUES],
}

/// Credentials that may be looked at. They count as wrong until they are found right.
#[must_use = "they count as wrong"]
pub(crate) struct CredentialAttempt<'a> {
    attempts: &'a CredentialAttempts,
    key: LimitKey,
    began: UnixTime,
    /// How long it is until the next usual ones, where these are beyond the usual number.
    beyond: Option<Duration>,
    _turn: SemaphorePermit<'a>,
}

/// Why credentials are not looked at, whether or not they are right.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotLookedAt {
    /// Too many from this address were wrong.
    #[error("too many wrong credentials from one address")]
    TooMany {
        /// How long it is until they are looked at as usual.
        retry_after: Duration,
    },
    /// Too many from this address wait.
    #[error("too many credentials of one address at once")]
    Busy,
    /// It is not known how many were wrong.
    #[error("the server cannot get at its database; try again soon")]
    Store(#[from] StoreError),
}

impl CredentialAttempts {
    /// Counts for a door of this name, such as "admin".
    pub(crate) fn new(tools: Tools, door: &'static str) -> Self {
        Self {
            tools,
            door,
            queues: std::array::from_fn(|_| Semaphore::new(1)),
        }
    }

    /// Counts credentials before they are looked at: of many at once, at whichever server,
    /// no more are looked at than the limit and, beyond that, one now and then.
    pub(crate) async fn begin(
        &self,
        source: SourceAddress,
    ) -> Result<CredentialAttempt<'_>, NotLookedAt> {
        let key = self.key("wrong credentials", source);
        let queue = &self.queues[usize::from(key.as_bytes()[0]) % QUEUES];
        let turn = tokio::time::timeout(PATIENCE, queue.acquire()).await;
        let Ok(Ok(turn)) = turn else {
            return Err(NotLookedAt::Busy);
        };
        let store = &self.tools.store;
        let began = self.tools.now();
        let beyond = match store.attempt(key, LIMIT, began).await? {
            Attempted::Now => None,
            Attempted::Locked { until } => {
                let retry_after = until.since(began);
                let pace = self.key("credentials beyond", source);
                match store.take(pace, PACE, began).await? {
                    Taken::Now => Some(retry_after),
                    Taken::Empty { .. } => return Err(NotLookedAt::TooMany { retry_after }),
                }
            }
        };
        Ok(CredentialAttempt {
            attempts: self,
            key,
            began,
            beyond,
            _turn: turn,
        })
    }

    fn key(&self, what: &str, source: SourceAddress) -> LimitKey {
        let parts = [self.door.as_bytes(), &source.octets()];
        self.tools.sealer.limit_key(what, &parts)
    }
}

impl CredentialAttempt<'_> {
    /// Takes them back: they were right, or nobody has looked at them. Whoever waits may go
    /// away meanwhile.
    pub(crate) async fn withdrawn(self) {
        if self.beyond.is_some() {
            return;
        }
        let (store, door) = (self.attempts.tools.store.clone(), self.attempts.door);
        let (key, began) = (self.key, self.began);
        let withdrawn = tokio::spawn(async move {
            if let Err(error) = store.withdraw(key, began).await {
                tracing::warn!(%error, door, "right credentials count as wrong");
            }
        });
        // It panics only where the store does, which has said so itself.
        let _ = withdrawn.await;
    }

    /// Leaves them counted. Gives how long it is until the next usual ones, where these
    /// were beyond the usual number.
    pub(crate) fn wrong(self) -> Option<Duration> {
        let is_beyond = self.beyond.is_some();
        tracing::warn!(door = self.attempts.door, is_beyond, "wrong credentials");
        self.beyond
    }
}

/// `Retry-After` in whole seconds, at least one.
pub(crate) fn retry_after(wait: Duration) -> HeaderValue {
    let seconds = wait.as_millis().div_ceil(1000).max(1);
    HeaderValue::from(u64::try_from(seconds).unwrap_or(u64::MAX))
}
