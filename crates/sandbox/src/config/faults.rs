//! The table `[[faults]]`.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode};
use serde::Deserialize;

use super::{ConfigError, invalid};
use crate::{
    endpoint::Endpoint,
    fault::{Fault, FaultAnswer},
};

/// Time between two bytes of a dripping answer where nothing is said.
const DRIP_MS: u64 = 100;
/// Size of an oversized answer where nothing is said: 8 MiB.
const OVERSIZED: usize = 8 * 1024 * 1024;
/// Longest delay: ten minutes.
const DELAY_MAX_MS: u64 = 600_000;
/// Largest body: 1 GiB.
const BYTES_MAX: usize = 1024 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FaultTable {
    endpoint: Endpoint,
    requests: Option<u32>,
    #[serde(default)]
    delay_ms: u64,
    #[serde(default)]
    answer: Kind,
    status: Option<u16>,
    retry_after: Option<RetryAfter>,
    interval_ms: Option<u64>,
    bytes: Option<usize>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    #[default]
    Usual,
    Status,
    Drip,
    Html,
    Truncated,
    BrokenOff,
    Oversized,
    Drop,
    LoseAnswer,
    InvalidGrant,
    InvalidClient,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RetryAfter {
    Seconds(u32),
    Date(String),
}

impl FaultTable {
    pub(super) fn into_fault(self) -> Result<(Endpoint, Fault), ConfigError> {
        let only_for = |field, given: bool, answer| {
            if given && self.answer != answer {
                return Err(invalid(field, "does not go with this answer"));
            }
            Ok(())
        };
        only_for("faults.status", self.status.is_some(), Kind::Status)?;
        only_for(
            "faults.retry_after",
            self.retry_after.is_some(),
            Kind::Status,
        )?;
        only_for("faults.interval_ms", self.interval_ms.is_some(), Kind::Drip)?;
        only_for("faults.bytes", self.bytes.is_some(), Kind::Oversized)?;
        let interval = self.interval_ms.unwrap_or(DRIP_MS);
        if self.delay_ms > DELAY_MAX_MS || interval > DELAY_MAX_MS {
            return Err(invalid(
                "faults.delay_ms, faults.interval_ms",
                "must be at most 600000, ten minutes",
            ));
        }

        let answer = match self.answer {
            Kind::Usual => FaultAnswer::Usual,
            Kind::Status => FaultAnswer::Status {
                status: status(self.status)?,
                retry_after: self.retry_after.map(RetryAfter::into_value).transpose()?,
            },
            Kind::Drip => FaultAnswer::Drip {
                interval: Duration::from_millis(interval),
            },
            Kind::Html => FaultAnswer::Html,
            Kind::Truncated => FaultAnswer::Truncated,
            Kind::BrokenOff => FaultAnswer::BrokenOff,
            Kind::Oversized => FaultAnswer::Oversized {
                bytes: self
                    .bytes
                    .map_or(Some(OVERSIZED), |bytes| {
                        (bytes <= BYTES_MAX).then_some(bytes)
                    })
                    .ok_or_else(|| invalid("faults.bytes", "must be at most 1073741824, 1 GiB"))?,
            },
            Kind::Drop => FaultAnswer::Drop,
            Kind::LoseAnswer => FaultAnswer::LoseAnswer,
            Kind::InvalidGrant => FaultAnswer::InvalidGrant,
            Kind::InvalidClient => FaultAnswer::InvalidClient,
        };
        let fault = match self.requests {
            Some(requests) => Fault::times(requests, answer),
            None => Fault::always(answer),
        };
        Ok((
            self.endpoint,
            fault.after(Duration::from_millis(self.delay_ms)),
        ))
    }
}

fn status(code: Option<u16>) -> Result<StatusCode, ConfigError> {
    code.and_then(|code| StatusCode::from_u16(code).ok())
        .filter(|status| !status.is_informational())
        .ok_or_else(|| {
            invalid(
                "faults.status",
                "give the HTTP status to answer with, 200 to 999",
            )
        })
}

impl RetryAfter {
    fn into_value(self) -> Result<HeaderValue, ConfigError> {
        match self {
            Self::Seconds(seconds) => Ok(seconds.into()),
            Self::Date(date) => HeaderValue::try_from(date)
                .map_err(|_| invalid("faults.retry_after", "must be seconds or an HTTP date")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Endpoint, Fault), ConfigError> {
        toml::from_str::<FaultTable>(text).unwrap().into_fault()
    }

    #[test]
    fn a_fault_says_what_goes_wrong_where_and_how_often() {
        let text = "endpoint = \"token\"\nrequests = 2\ndelay_ms = 30\nanswer = \"status\"\nstatus = 503\nretry_after = 2";
        let expected = Fault::times(
            2,
            FaultAnswer::retry_after(StatusCode::SERVICE_UNAVAILABLE, 2),
        );
        assert_eq!(
            read(text).unwrap(),
            (Endpoint::Token, expected.after(Duration::from_millis(30)))
        );
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        for (text, expected) in [
            ("delay_ms = 5", FaultAnswer::Usual),
            (
                "answer = \"drip\"",
                FaultAnswer::Drip {
                    interval: Duration::from_millis(100),
                },
            ),
            (
                "answer = \"oversized\"",
                FaultAnswer::Oversized {
                    bytes: 8 * 1024 * 1024,
                },
            ),
            ("answer = \"lose_answer\"", FaultAnswer::LoseAnswer),
        ] {
            let (endpoint, fault) = read(&format!("endpoint = \"metadata\"\n{text}")).unwrap();
            assert_eq!(endpoint, Endpoint::Metadata);
            let delay = Duration::from_millis(if text.contains("delay") { 5 } else { 0 });
            assert_eq!(fault, Fault::always(expected).after(delay), "{text}");
        }
    }

    #[test]
    fn a_date_to_come_again_is_sent_as_it_is() {
        let date = "Wed, 21 Oct 2026 07:28:00 GMT";
        let (_, fault) = read(&format!(
            "endpoint = \"status\"\nanswer = \"status\"\nstatus = 429\nretry_after = \"{date}\""
        ))
        .unwrap();
        let expected = FaultAnswer::Status {
            status: StatusCode::TOO_MANY_REQUESTS,
            retry_after: Some(HeaderValue::from_static(date)),
        };
        assert_eq!(fault, Fault::always(expected));
    }

    #[test]
    fn what_does_not_go_together_is_refused_by_name() {
        for (text, field) in [
            ("status = 503", "faults.status"),
            ("answer = \"html\"\nbytes = 3", "faults.bytes"),
            ("answer = \"drop\"\nretry_after = 3", "faults.retry_after"),
            ("answer = \"html\"\ninterval_ms = 3", "faults.interval_ms"),
            ("answer = \"status\"", "faults.status"),
            ("answer = \"status\"\nstatus = 99", "faults.status"),
            ("answer = \"status\"\nstatus = 101", "faults.status"),
            ("delay_ms = 600001", "faults.delay_ms"),
            ("answer = \"oversized\"\nbytes = 1073741825", "faults.bytes"),
        ] {
            let error = read(&format!("endpoint = \"token\"\n{text}"))
                .unwrap_err()
                .to_string();
            assert!(error.starts_with(field), "{text}: {error}");
        }
    }
}
