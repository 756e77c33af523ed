//! How often one browser may look how its visit is.
//!
//! It spares this server and the node behind it, which answer each look, and is counted
//! in this server's memory: a visit goes on, and is looked at, while the store is away.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use uuid::Uuid;
use vestibule_launch::UnixTime;

use crate::{expiring::Expiring, limits::TooMany, source_address::SourceAddress};

/// Most browsers that are counted at a time.
const MOST: usize = 100_000;

/// A browser's count is full again after this, so that it need not be remembered longer.
const MINUTE: Duration = Duration::from_secs(60);

/// Counts looks by source address and browser: a token bucket for each pair.
pub(crate) struct Looks {
    per_minute: u32,
    buckets: Mutex<Expiring<(SourceAddress, Option<Uuid>), Bucket>>,
}

/// What is left, in looks, at a time.
struct Bucket {
    left: f64,
    at: UnixTime,
}

impl Looks {
    /// Begins to count.
    pub(crate) fn new(per_minute: u32) -> Self {
        Self {
            per_minute: per_minute.max(1),
            buckets: Mutex::new(Expiring::new(MINUTE, MOST)),
        }
    }

    /// Counts a look.
    ///
    /// # Errors
    /// [`TooMany`], without counting.
    pub(crate) fn look(
        &self,
        source: SourceAddress,
        browser: Option<Uuid>,
        now: UnixTime,
    ) -> Result<(), TooMany> {
        let full = f64::from(self.per_minute);
        let per_second = full / MINUTE.as_secs_f64();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.touch(&(source, browser), now, || Bucket {
            left: full,
            at: now,
        });
        let elapsed = now.since(bucket.at).as_secs_f64();
        bucket.left = (bucket.left + elapsed * per_second).min(full);
        bucket.at = now;
        if bucket.left < 1.0 {
            let seconds = ((1.0 - bucket.left) / per_second).ceil();
            return Err(TooMany {
                retry_after: Duration::from_secs_f64(seconds.max(1.0)),
            });
        }
        bucket.left -= 1.0;
        Ok(())
    }
}

impl fmt::Debug for Looks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Looks")
            .field("per_minute", &self.per_minute)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{Extensions, HeaderMap};

    use super::*;
    use crate::source_address::TrustedProxies;

    #[test]
    fn a_browser_has_its_looks_at_once_and_then_one_after_the_other() {
        let looks = Looks::new(6);
        let source = TrustedProxies::default().source(&Extensions::new(), &HeaderMap::new());
        let at = |seconds: i64| UnixTime::from_millis(seconds * 1000);
        let look = |browser, now| looks.look(source, Some(Uuid::from_u128(browser)), now);
        for _ in 0..6 {
            assert_eq!(look(1, at(0)), Ok(()));
        }
        let retry_after = Duration::from_secs(10);
        assert_eq!(look(1, at(0)), Err(TooMany { retry_after }));
        assert_eq!(look(2, at(0)), Ok(()));
        assert_eq!(look(1, at(10)), Ok(()));
        assert!(look(1, at(10)).is_err());
        assert_eq!((0..9).filter(|_| look(1, at(1000)).is_ok()).count(), 6);
    }
}
