//! How many launches may come from one place.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde::Deserialize;
use uuid::Uuid;
use vestibule_launch::UnixTime;

use crate::{expiring::Expiring, source_address::SourceAddress};

/// Most sources that are counted at a time.
const MOST_SOURCES: usize = 100_000;

/// A source's count is full again after this, so that it need not be remembered longer.
const MINUTE: Duration = Duration::from_secs(60);

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

/// Counts launches by source address and profile: a token bucket for each pair. What
/// names no profile counts together, and what is wrong with a launch counts again.
pub struct LaunchLimits {
    per_minute: u32,
    buckets: Mutex<Expiring<Key, Bucket>>,
}

/// Where a launch comes from, and to which profile it goes.
type Key = (SourceAddress, Option<Uuid>);

/// What is left, in launches, at a time.
struct Bucket {
    left: f64,
    at: UnixTime,
}

/// Too many launches from one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many launches from one address; see [limits] launches_per_minute")]
pub struct TooMany {
    /// When the next launch is possible, from now, in whole seconds.
    pub retry_after: Duration,
}

impl LaunchLimits {
    /// Begins to count.
    pub fn new(config: LimitsConfig) -> Self {
        Self {
            per_minute: config.launches_per_minute,
            buckets: Mutex::new(Expiring::new(MINUTE, MOST_SOURCES)),
        }
    }

    /// Counts a launch.
    ///
    /// # Errors
    /// [`TooMany`], without counting.
    pub fn launch(
        &self,
        source: SourceAddress,
        profile: Option<Uuid>,
        now: UnixTime,
    ) -> Result<(), TooMany> {
        if self.per_minute == 0 {
            return Ok(());
        }
        self.with_bucket((source, profile), now, |bucket, per_second| {
            if bucket.left < 1.0 {
                let seconds = ((1.0 - bucket.left) / per_second).ceil();
                return Err(TooMany {
                    retry_after: Duration::from_secs_f64(seconds.max(1.0)),
                });
            }
            bucket.left -= 1.0;
            Ok(())
        })
    }

    /// Counts something wrong with a launch, which was let through already.
    pub fn wrong(&self, source: SourceAddress, profile: Option<Uuid>, now: UnixTime) {
        if self.per_minute > 0 {
            self.with_bucket((source, profile), now, |bucket, _| {
                bucket.left = (bucket.left - 1.0).max(0.0);
            });
        }
    }

    fn with_bucket<T>(
        &self,
        key: Key,
        now: UnixTime,
        take: impl FnOnce(&mut Bucket, f64) -> T,
    ) -> T {
        let full = f64::from(self.per_minute);
        let per_second = full / 60.0;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.touch(&key, now, || Bucket {
            left: full,
            at: now,
        });
        let elapsed = now.since(bucket.at).as_secs_f64();
        bucket.left = (bucket.left + elapsed * per_second).min(full);
        bucket.at = now;
        take(bucket, per_second)
    }
}

impl Default for LaunchLimits {
    fn default() -> Self {
        Self::new(LimitsConfig::default())
    }
}

impl fmt::Debug for LaunchLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaunchLimits")
            .field("per_minute", &self.per_minute)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{Extensions, HeaderMap};

    use super::*;
    use crate::source_address::TrustedProxies;

    const PROFILE: Option<Uuid> = Some(Uuid::from_u128(1));

    fn at(seconds: i64) -> UnixTime {
        UnixTime::from_millis(seconds * 1000)
    }

    fn limits(launches_per_minute: u32) -> LaunchLimits {
        LaunchLimits::new(LimitsConfig {
            launches_per_minute,
        })
    }

    fn source() -> SourceAddress {
        TrustedProxies::default().source(&Extensions::new(), &HeaderMap::new())
    }

    #[test]
    fn a_source_has_its_launches_at_once_and_then_one_after_the_other() {
        let limits = limits(6);
        let launch = |now| limits.launch(source(), PROFILE, now);
        for _ in 0..6 {
            assert_eq!(launch(at(0)), Ok(()));
        }
        let retry_after = Duration::from_secs(10);
        assert_eq!(launch(at(0)), Err(TooMany { retry_after }));
        let retry_after = Duration::from_secs(1);
        assert_eq!(launch(at(9)), Err(TooMany { retry_after }));
        assert_eq!(launch(at(10)), Ok(()));
        assert!(launch(at(10)).is_err());
        assert_eq!((0..9).filter(|_| launch(at(1000)).is_ok()).count(), 6);
    }

    #[test]
    fn profiles_count_apart_and_what_is_wrong_counts_twice() {
        let limits = limits(4);
        for _ in 0..2 {
            assert_eq!(limits.launch(source(), None, at(0)), Ok(()));
            limits.wrong(source(), None, at(0));
        }
        assert!(limits.launch(source(), None, at(0)).is_err());
        assert!(limits.launch(source(), PROFILE, at(0)).is_ok());
    }

    #[test]
    fn zero_is_no_limit() {
        let limits = limits(0);
        limits.wrong(source(), None, at(0));
        for _ in 0..1000 {
            assert_eq!(limits.launch(source(), None, at(0)), Ok(()));
        }
    }
}
