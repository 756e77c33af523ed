//! Few wrong credentials from one address, whichever server they are sent to.

use std::time::Duration;

use axum::http::HeaderValue;
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

/// Counts the wrong credentials of one door by source address.
pub(crate) struct CredentialAttempts {
    tools: Tools,
    door: &'static str,
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
    /// It is not known how many were wrong.
    #[error("the server cannot get at its database; try again soon")]
    Store(#[from] StoreError),
}

impl CredentialAttempts {
    /// Counts for a door of this name, such as "admin".
    pub(crate) fn new(tools: Tools, door: &'static str) -> Self {
        Self { tools, door }
    }

    /// Whether credentials are looked at: beyond the usual number only now and then; says
    /// then how long it is until the next usual ones.
    pub(crate) async fn may_try(
        &self,
        source: SourceAddress,
    ) -> Result<Option<Duration>, NotLookedAt> {
        let Tools { store, .. } = &self.tools;
        let now = self.tools.now();
        let key = self.key("wrong credentials", source);
        let Some(until) = store.locked_until(key, LIMIT, now).await? else {
            return Ok(None);
        };
        let retry_after = until.since(now);
        let key = self.key("credentials beyond", source);
        match store.take(key, PACE, now).await? {
            Taken::Now => Ok(Some(retry_after)),
            Taken::Empty { .. } => Err(NotLookedAt::TooMany { retry_after }),
        }
    }

    /// Counts credentials that were wrong.
    pub(crate) async fn failed(&self, source: SourceAddress) {
        let key = self.key("wrong credentials", source);
        let attempted = self.tools.store.attempt(key, LIMIT, self.tools.now());
        let is_beyond = match attempted.await {
            Ok(attempted) => attempted != Attempted::Now,
            Err(error) => {
                tracing::error!(%error, "wrong credentials cannot be counted");
                false
            }
        };
        tracing::warn!(door = self.door, is_beyond, "wrong credentials");
    }

    fn key(&self, what: &str, source: SourceAddress) -> LimitKey {
        let parts = [self.door.as_bytes(), &source.octets()];
        self.tools.sealer.limit_key(what, &parts)
    }
}

/// `Retry-After` in whole seconds, at least one.
pub(crate) fn retry_after(wait: Duration) -> HeaderValue {
    let seconds = wait.as_millis().div_ceil(1000).max(1);
    HeaderValue::from(u64::try_from(seconds).unwrap_or(u64::MAX))
}
