//! How far the EHR's clock is from this one.

use std::{
    fmt,
    time::{Duration, UNIX_EPOCH},
};

use http::{HeaderMap, header};
use vestibule_launch::UnixTime;

/// The difference between the clock of a server and a clock here, in whole
/// seconds; about a second of it may be rounding and the way of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockSkew(i64);

impl ClockSkew {
    /// Measures by the `Date` of an answer that came at `now`; nothing where it
    /// has none that can be read (RFC 9110 section 6.6.1).
    pub fn of_answer(headers: &HeaderMap, now: UnixTime) -> Option<Self> {
        let date = headers.get(header::DATE)?.to_str().ok()?;
        let date = httpdate::parse_http_date(date).ok()?;
        let theirs = i64::try_from(date.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()?;
        Some(Self(
            theirs.saturating_sub(now.as_millis().div_euclid(1000)),
        ))
    }

    /// Seconds by which the server's clock is ahead; negative where it is behind.
    pub fn seconds(self) -> i64 {
        self.0
    }

    /// Whether the clocks are further apart than `leeway`.
    pub fn exceeds(self, leeway: Duration) -> bool {
        self.0.unsigned_abs() > leeway.as_secs()
    }
}

impl fmt::Display for ClockSkew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.unsigned_abs();
        match self.0 {
            0 => f.write_str("the EHR's clock and this server's agree"),
            1.. => write!(f, "the EHR's clock is {seconds} s ahead of this server's"),
            _ => write!(f, "the EHR's clock is {seconds} s behind this server's"),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// 1994-11-06 08:49:37 UTC, the example of RFC 9110 section 5.6.7.
    const THEIRS: i64 = 784_111_777;

    fn skew(date: &[u8], now_seconds: i64) -> Option<ClockSkew> {
        let mut headers = HeaderMap::new();
        headers.insert("date", HeaderValue::from_bytes(date).unwrap());
        ClockSkew::of_answer(&headers, UnixTime::from_millis(now_seconds * 1000 + 900))
    }

    #[test]
    fn all_three_formats_of_the_standard_are_read() {
        for date in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(skew(date.as_bytes(), THEIRS), Some(ClockSkew(0)), "{date}");
        }
    }

    #[test]
    fn ten_minutes_are_beyond_a_minutes_leeway_in_both_directions() {
        let date = b"Sun, 06 Nov 1994 08:49:37 GMT";
        let ahead = skew(date, THEIRS - 600).unwrap();
        let behind = skew(date, THEIRS + 600).unwrap();
        assert_eq!((ahead.seconds(), behind.seconds()), (600, -600));
        let minute = Duration::from_secs(60);
        assert!(ahead.exceeds(minute) && behind.exceeds(minute));
        assert!(!skew(date, THEIRS + 60).unwrap().exceeds(minute));
        assert_eq!(
            ahead.to_string(),
            "the EHR's clock is 600 s ahead of this server's"
        );
        assert_eq!(
            behind.to_string(),
            "the EHR's clock is 600 s behind this server's"
        );
    }

    #[test]
    fn what_is_no_date_measures_nothing() {
        for date in [
            &b""[..],
            b"now",
            b"\xff\xfe",
            b"Sun, 06 Nov 1969 08:49:37 GMT",
            b"Sun, 06 Nov 99999 08:49:37 GMT",
            b"Sun, 99 Nov 1994 99:99:99 GMT",
        ] {
            assert_eq!(skew(date, THEIRS), None);
        }
        assert_eq!(
            ClockSkew::of_answer(&HeaderMap::new(), UnixTime::from_millis(0)),
            None
        );
        let mut headers = HeaderMap::new();
        headers.insert("date", "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap());
        for now in [i64::MIN, i64::MAX] {
            let skew = ClockSkew::of_answer(&headers, UnixTime::from_millis(now)).unwrap();
            assert!(skew.exceeds(Duration::from_secs(60)));
        }
    }
}
