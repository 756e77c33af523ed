//! Points in time, and where they come from.

use core::time::Duration;

use serde::{Deserialize, Serialize};

/// A source of the current time. Implementations that read the machine's clock
/// live in the binaries; tests pass one that they move themselves.
pub trait Clock: Send + Sync {
    /// The current time.
    fn now(&self) -> UnixTime;
}

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixTime(i64);

impl UnixTime {
    /// The point `milliseconds` after the Unix epoch.
    pub const fn from_millis(milliseconds: i64) -> Self {
        Self(milliseconds)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// How long after `earlier` this is; zero where it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl core::ops::Add<Duration> for UnixTime {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        let milliseconds = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(milliseconds))
    }
}

impl core::ops::Sub<Duration> for UnixTime {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        let milliseconds = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(milliseconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_and_back_by_durations_and_never_overflows() {
        let time = UnixTime::from_millis(1_000);
        assert_eq!((time + Duration::from_secs(2)).as_millis(), 3_000);
        assert_eq!((time - Duration::from_secs(2)).as_millis(), -1_000);
        assert_eq!((time + Duration::MAX).as_millis(), i64::MAX);
        assert_eq!((time - Duration::MAX).as_millis(), 1_000 - i64::MAX);
    }

    #[test]
    fn nothing_has_passed_since_a_later_time() {
        let (early, late) = (UnixTime::from_millis(-500), UnixTime::from_millis(500));
        assert_eq!(late.since(early), Duration::from_secs(1));
        assert_eq!(early.since(late), Duration::ZERO);
        let (first, last) = (
            UnixTime::from_millis(i64::MIN),
            UnixTime::from_millis(i64::MAX),
        );
        assert_eq!(last.since(first).as_millis(), i64::MAX as u128);
    }
}
