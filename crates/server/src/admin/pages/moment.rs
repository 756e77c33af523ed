//! Points in time and durations as the pages show them.

use std::time::Duration;

use serde::Serialize;
use vestibule_launch::UnixTime;

use crate::clock::rfc3339;

/// A point in time, for people and for machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Moment {
    /// RFC 3339, in UTC.
    pub(super) machine: String,
    /// The same without the letters; that it is UTC stands above the column.
    pub(super) shown: String,
}

impl Moment {
    pub(super) fn of(time: UnixTime) -> Self {
        let machine = rfc3339(time);
        let shown = machine.replace('T', " ").replace('Z', "");
        Self { machine, shown }
    }

    /// The same where it stands alone.
    pub(super) fn with_zone(time: UnixTime) -> Self {
        let moment = Self::of(time);
        Self {
            shown: format!("{} UTC", moment.shown),
            ..moment
        }
    }
}

/// In the two largest units of it.
pub(super) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    if days > 0 {
        format!("{days} d {hours} h")
    } else if hours > 0 {
        format!("{hours} h {minutes} min")
    } else if minutes > 0 {
        format!("{minutes} min {} s", seconds % 60)
    } else if seconds >= 10 {
        format!("{seconds} s")
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}

/// How long it was from one point to another.
pub(super) fn between(from: UnixTime, to: UnixTime) -> String {
    duration(to.since(from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_utc() {
        let moment = Moment::of(UnixTime::from_millis(1_800_000_000_123));
        assert_eq!(moment.machine, "2027-01-15T08:00:00Z");
        assert_eq!(moment.shown, "2027-01-15 08:00:00");
    }

    #[test]
    fn durations_have_two_units_at_most() {
        for (milliseconds, shown) in [
            (0, "0.0 s"),
            (1_240, "1.2 s"),
            (59_999, "59 s"),
            (61_000, "1 min 1 s"),
            (7_260_000, "2 h 1 min"),
            (180_000_000, "2 d 2 h"),
        ] {
            assert_eq!(duration(Duration::from_millis(milliseconds)), shown);
        }
    }
}
