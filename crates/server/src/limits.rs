//! How many launches may come from one place, whichever server they come to.

use std::{sync::Arc, time::Duration};

use serde::Deserialize;
use uuid::Uuid;
use vestibule_store::{Bucket, LimitKey, StoreError, Taken};

use crate::{empty_buckets::EmptyBuckets, source_address::SourceAddress, tools::Tools};

/// `[limits]` of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Launches of one profile from one source address in a minute; 0 for no limit. A
    /// hospital's clinicians often share one address.
    pub launches_per_minute: u32,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            launches_per_minute: 120,
        }
    }
}

/// Counts launches by source address and profile, in the store: a token bucket for each
/// pair. What names no profile counts together, and what is wrong with a launch counts
/// again. The store is not asked about a pair before it can have a token; clones know the
/// same.
#[derive(Clone, Debug, Default)]
pub struct LaunchLimits {
    config: LimitsConfig,
    empty: Arc<EmptyBuckets>,
}

/// Too many launches from one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many launches from one address; see [limits] launches_per_minute")]
pub struct TooMany {
    /// When the next launch is possible, from now, in whole seconds.
    pub retry_after: Duration,
}

/// Why a launch is not let through.
#[derive(Debug, thiserror::Error)]
pub enum Limited {
    /// Too many came from the same place.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// It cannot be counted. Without the store it could not go on either: it ends here,
    /// while there is time left to say so.
    #[error("the server cannot get at its database; try again soon")]
    Store(#[from] StoreError),
}

impl TooMany {
    /// The next second after this time, so that nobody comes back too early.
    pub(crate) fn of(wait: Duration) -> Self {
        let seconds = wait.as_millis().div_ceil(1000).max(1);
        Self {
            retry_after: Duration::from_secs(u64::try_from(seconds).unwrap_or(u64::MAX)),
        }
    }
}

impl LaunchLimits {
    /// Limits as configured.
    pub fn new(config: LimitsConfig) -> Self {
        Self {
            config,
            empty: Arc::default(),
        }
    }

    /// Counts a launch.
    ///
    /// # Errors
    /// [`Limited`], without counting.
    pub async fn launch(
        &self,
        tools: &Tools,
        source: SourceAddress,
        profile: Option<Uuid>,
    ) -> Result<(), Limited> {
        match self.take(tools, source, profile).await? {
            Taken::Now => Ok(()),
            Taken::Empty { retry_after } => Err(TooMany::of(retry_after).into()),
        }
    }

    /// Counts something wrong with a launch, which was let through already, where anything
    /// is left. It is answered as it would be where that fails.
    pub async fn wrong(&self, tools: &Tools, source: SourceAddress, profile: Option<Uuid>) {
        if let Err(error) = self.take(tools, source, profile).await {
            tracing::error!(%error, "what is wrong with a launch cannot be counted");
        }
    }

    /// Takes a token, unless it is known that there is none.
    async fn take(
        &self,
        tools: &Tools,
        source: SourceAddress,
        profile: Option<Uuid>,
    ) -> Result<Taken, StoreError> {
        let Some(bucket) = self.bucket() else {
            return Ok(Taken::Now);
        };
        let (key, now) = (key(tools, source, profile), tools.now());
        if let Some(retry_after) = self.empty.wait(key, now) {
            return Ok(Taken::Empty { retry_after });
        }
        let taking = tools.store.take(key, bucket, now);
        let taken = tools.telemetry.stored("take", taking).await?;
        if let Taken::Empty { retry_after } = taken {
            self.empty.remember(key, retry_after, now);
        }
        Ok(taken)
    }

    fn bucket(&self) -> Option<Bucket> {
        let per_minute = self.config.launches_per_minute;
        (per_minute > 0).then(|| Bucket::per_minute(per_minute))
    }
}

/// Where a launch comes from, and to which profile it goes.
fn key(tools: &Tools, source: SourceAddress, profile: Option<Uuid>) -> LimitKey {
    let source = source.octets();
    let profile = profile.map(Uuid::into_bytes);
    let profile = profile.as_ref().map_or(&[][..], |profile| profile);
    tools.sealer.limit_key("launches", &[&source, profile])
}
