//! The clock of the machine: its one home in the server.

use vestibule_launch::{Clock, UnixTime};

/// The machine's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixTime {
        #[expect(clippy::disallowed_methods, reason = "the home of the machine's clock")]
        let now = std::time::SystemTime::now();
        let since_epoch = now
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        UnixTime::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A point in time as error pages and problem documents show it: RFC 3339, UTC,
/// whole seconds.
pub fn rfc3339(time: UnixTime) -> String {
    let seconds = time.as_millis().div_euclid(1000);
    jiff::Timestamp::from_second(seconds).map_or_else(|_| String::new(), |time| time.to_string())
}

/// The point in time that a text in RFC 3339 names; none where it names none, or has
/// no offset from UTC.
pub fn from_rfc3339(text: &str) -> Option<UnixTime> {
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(UnixTime::from_millis(time.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_whole_seconds_of_utc() {
        assert_eq!(rfc3339(UnixTime::from_millis(0)), "1970-01-01T00:00:00Z");
        assert_eq!(
            rfc3339(UnixTime::from_millis(1_800_000_000_999)),
            "2027-01-15T08:00:00Z"
        );
        assert_eq!(rfc3339(UnixTime::from_millis(-1)), "1969-12-31T23:59:59Z");
    }

    #[test]
    fn times_are_read_with_their_offset() {
        let read = |text| from_rfc3339(text).map(UnixTime::as_millis);
        assert_eq!(read("2027-01-15T08:00:00Z"), Some(1_800_000_000_000));
        assert_eq!(read("2027-01-15T09:00:00.5+01:00"), Some(1_800_000_000_500));
        assert_eq!(read("2027-01-15T08:00:00"), None);
        assert_eq!(read("2027-01-15"), None);
        assert_eq!(read("soon"), None);
    }

    #[test]
    fn the_machine_knows_that_it_is_later_than_2026() {
        assert!(rfc3339(SystemClock.now()).as_str() > "2026-01-01");
    }
}
