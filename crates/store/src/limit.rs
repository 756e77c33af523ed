//! Limits: how much of something may be done, and how often something may fail.

use std::time::Duration;

use vestibule_launch::UnixTime;

/// A bucket of tokens: so many may be taken at once, and each comes back after a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// How many it holds; none can be taken where it is zero.
    pub size: u32,
    /// How long it is until a token has come back; to the microsecond.
    pub refill: Duration,
}

/// How [`crate::Limits::take`] went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The token is the caller's.
    Now,
    /// There was none, and none was taken.
    Empty {
        /// How long it is until there is one.
        retry_after: Duration,
    },
}

/// How many attempts may fail within any time of a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptLimit {
    /// How many; at least one.
    pub most: u32,
    /// Within which time.
    pub window: Duration,
}

/// How [`crate::Limits::attempt`] went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempted {
    /// The attempt may be made. It counts as failed until it is withdrawn.
    Now,
    /// Too many have failed; this one was not counted.
    Locked {
        /// When the next may be made.
        until: UnixTime,
    },
}

impl Bucket {
    /// The bucket of what may be done `per_minute` times a minute, all at once.
    pub fn per_minute(per_minute: u32) -> Self {
        let refill = Duration::from_secs(60) / per_minute.max(1);
        Self {
            size: per_minute,
            // To be full again after a minute at most.
            refill: Duration::from_micros(micros(refill).max(1).cast_unsigned()),
        }
    }

    /// Microseconds until a token has come back.
    pub(crate) fn refill_micros(self) -> i64 {
        micros(self.refill).max(1)
    }

    /// Microseconds until an empty bucket is full.
    pub(crate) fn full_micros(self) -> i64 {
        self.refill_micros().saturating_mul(self.size.into())
    }

    /// How long it is until there is a token, of a bucket that is full at `full_at`.
    pub(crate) fn retry_after(self, full_at: i64, now: UnixTime) -> Duration {
        let free_at = full_at
            .saturating_add(self.refill_micros())
            .saturating_sub(self.full_micros());
        let wait = free_at.saturating_sub(now_micros(now)).max(0);
        Duration::from_micros(wait.cast_unsigned())
    }
}

impl AttemptLimit {
    /// Failures before this are forgotten.
    pub(crate) fn since(self, now: UnixTime) -> i64 {
        (now - self.window).as_millis()
    }

    pub(crate) fn most(self) -> i64 {
        self.most.max(1).into()
    }
}

/// Microseconds since 1970-01-01T00:00:00Z: tokens come back faster than milliseconds pass.
pub(crate) fn now_micros(now: UnixTime) -> i64 {
    now.as_millis().saturating_mul(1000)
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_of_a_minute_is_full_again_after_a_minute() {
        for per_minute in [1, 6, 7, 120, 100_000, 10_000_000] {
            let bucket = Bucket::per_minute(per_minute);
            let full = bucket.full_micros();
            assert!(full <= 60_000_000, "{per_minute}: {full}");
            assert!(
                full > 59_000_000 || per_minute > 1_000_000,
                "{per_minute}: {full}"
            );
        }
        assert_eq!(Bucket::per_minute(0).size, 0);
    }

    #[test]
    fn whoever_finds_a_bucket_empty_learns_when_there_is_one_token() {
        let bucket = Bucket::per_minute(6);
        let now = UnixTime::from_millis(1_000);
        // Six were taken at once, a second ago.
        let full_at = 60_000_000;
        assert_eq!(bucket.retry_after(full_at, now), Duration::from_secs(9));
        let later = UnixTime::from_millis(10_000);
        assert_eq!(bucket.retry_after(full_at, later), Duration::ZERO);
    }
}
