//! Buckets that are known to be empty: the database is not asked where it would say no.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use vestibule_launch::UnixTime;
use vestibule_store::LimitKey;

use crate::expiring::Expiring;

/// Most that are known.
const MOST: usize = 10_000;

/// No bucket is empty for longer.
const LONGEST: Duration = Duration::from_secs(60);

/// Buckets of a minute that were empty when they were asked, and until when they are.
/// Nobody puts a token back: it is so at every server.
pub(crate) struct EmptyBuckets(Mutex<Expiring<LimitKey, UnixTime>>);

impl Default for EmptyBuckets {
    fn default() -> Self {
        Self(Mutex::new(Expiring::new(LONGEST, MOST)))
    }
}

impl fmt::Debug for EmptyBuckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmptyBuckets(…)")
    }
}

impl EmptyBuckets {
    /// How long it is until a bucket has a token, where it is known to have none.
    pub(crate) fn wait(&self, key: LimitKey, now: UnixTime) -> Option<Duration> {
        let empty = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let until = *empty.get(&key, now)?;
        (now < until).then(|| until.since(now))
    }

    /// Learns that a bucket has no token for a time from now.
    pub(crate) fn remember(&self, key: LimitKey, retry_after: Duration, now: UnixTime) {
        let mut empty = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        empty.put(key, now + retry_after, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_millis(1_800_000_000_000);

    #[test]
    fn a_bucket_is_known_to_be_empty_until_a_token_has_come_back() {
        let buckets = EmptyBuckets::default();
        let [one, other] = [1, 2].map(|number| LimitKey::from_bytes([number; 32]));
        assert_eq!(buckets.wait(one, NOW), None);
        buckets.remember(one, Duration::from_secs(20), NOW);
        let nearly = NOW + Duration::from_millis(19_999);
        assert_eq!(buckets.wait(one, nearly), Some(Duration::from_millis(1)));
        assert_eq!(buckets.wait(other, nearly), None);
        assert_eq!(buckets.wait(one, NOW + Duration::from_secs(20)), None);
    }
}
