//! The fault script: what goes wrong with the next requests of an endpoint.

use std::{collections::HashMap, fmt, time::Duration};

use axum::http::{HeaderValue, StatusCode};

use crate::endpoint::Endpoint;

/// What happens to the next requests of an endpoint. Faults of one endpoint
/// play in the order in which they were given; after the last one the endpoint
/// answers as usual.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    answer: FaultAnswer,
    /// None: all that come.
    requests: Option<u32>,
    delay: Duration,
}

/// How a request is answered while a fault plays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultAnswer {
    /// As usual: for a fault that is nothing but slow.
    Usual,
    /// With a status and a short text; the endpoint does nothing.
    Status {
        /// The status.
        status: StatusCode,
        /// The `Retry-After` header: seconds or an HTTP date.
        retry_after: Option<HeaderValue>,
    },
    /// As usual, but one byte at a time.
    Drip {
        /// Time between two bytes.
        interval: Duration,
    },
    /// With status 200 and a page of HTML, as a proxy or a maintenance page
    /// does; the endpoint does nothing.
    Html,
    /// The usual answer, cut in the middle; HTTP itself is in order.
    Truncated,
    /// The usual answer, cut in the middle by the end of the connection.
    BrokenOff,
    /// With status 200 and this many bytes of a JSON object; the endpoint does
    /// nothing.
    Oversized {
        /// Bytes of the body.
        bytes: usize,
    },
    /// Not at all: the connection ends, and the endpoint has done nothing.
    Drop,
    /// Not at all: the connection ends, but the endpoint has done its work.
    LoseAnswer,
    /// With status 400 and `{"error":"invalid_grant"}`; the endpoint does nothing.
    InvalidGrant,
    /// With status 401 and `{"error":"invalid_client"}`; the endpoint does nothing.
    InvalidClient,
}

impl Fault {
    /// A fault of one request.
    pub fn once(answer: FaultAnswer) -> Self {
        Self::times(1, answer)
    }

    /// A fault of this many requests.
    pub fn times(requests: u32, answer: FaultAnswer) -> Self {
        Self {
            answer,
            requests: Some(requests),
            delay: Duration::ZERO,
        }
    }

    /// A fault of all requests, until the script is cleared.
    pub fn always(answer: FaultAnswer) -> Self {
        Self {
            answer,
            requests: None,
            delay: Duration::ZERO,
        }
    }

    /// The same, answered only after this time.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }
}

impl FaultAnswer {
    /// A status without `Retry-After`.
    pub fn status(status: StatusCode) -> Self {
        Self::Status {
            status,
            retry_after: None,
        }
    }

    /// A status and after how many seconds to come again.
    pub fn retry_after(status: StatusCode, seconds: u32) -> Self {
        Self::Status {
            status,
            retry_after: Some(seconds.into()),
        }
    }
}

impl fmt::Display for FaultAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usual => f.write_str("usual"),
            Self::Status { status, .. } => write!(f, "status {}", status.as_u16()),
            Self::Drip { .. } => f.write_str("drip"),
            Self::Html => f.write_str("html"),
            Self::Truncated => f.write_str("truncated"),
            Self::BrokenOff => f.write_str("broken_off"),
            Self::Oversized { .. } => f.write_str("oversized"),
            Self::Drop => f.write_str("drop"),
            Self::LoseAnswer => f.write_str("lose_answer"),
            Self::InvalidGrant => f.write_str("invalid_grant"),
            Self::InvalidClient => f.write_str("invalid_client"),
        }
    }
}

/// The fault that a request meets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Met {
    pub(crate) answer: FaultAnswer,
    pub(crate) delay: Duration,
}

/// The script, and how many requests every endpoint has had.
#[derive(Default)]
pub(crate) struct FaultScript {
    faults: Vec<(Endpoint, Fault)>,
    requests: HashMap<Endpoint, u64>,
}

impl FaultScript {
    pub(crate) fn new(faults: Vec<(Endpoint, Fault)>) -> Self {
        Self {
            faults,
            requests: HashMap::new(),
        }
    }

    pub(crate) fn add(&mut self, endpoint: Endpoint, fault: Fault) {
        self.faults.push((endpoint, fault));
    }

    pub(crate) fn clear(&mut self) {
        self.faults.clear();
    }

    /// Counts a request and gives the fault that it meets.
    pub(crate) fn meet(&mut self, actual: Endpoint) -> Option<Met> {
        *self.requests.entry(actual).or_default() += 1;
        self.faults.retain(|(_, fault)| fault.requests != Some(0));
        let (_, fault) = self
            .faults
            .iter_mut()
            .find(|(endpoint, _)| endpoint.covers(actual))?;
        if let Some(left) = &mut fault.requests {
            *left -= 1;
        }
        Some(Met {
            answer: fault.answer.clone(),
            delay: fault.delay,
        })
    }

    /// How many requests the endpoint has had, with or without a fault.
    pub(crate) fn requests(&self, endpoint: Endpoint) -> u64 {
        self.requests
            .iter()
            .filter(|(actual, _)| endpoint.covers(**actual))
            .map(|(_, count)| count)
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u16) -> FaultAnswer {
        FaultAnswer::status(StatusCode::from_u16(code).unwrap())
    }

    fn met(script: &mut FaultScript, endpoint: Endpoint) -> Option<String> {
        script.meet(endpoint).map(|met| met.answer.to_string())
    }

    #[test]
    fn faults_play_in_order_as_often_as_they_say_and_then_end() {
        let mut script = FaultScript::new(vec![
            (Endpoint::Token, Fault::times(2, status(503))),
            (Endpoint::Token, Fault::once(FaultAnswer::Drop)),
        ]);
        let played: Vec<_> = (0..4).map(|_| met(&mut script, Endpoint::Token)).collect();
        let expected = [Some("status 503"), Some("status 503"), Some("drop"), None];
        assert_eq!(played, expected.map(|name| name.map(str::to_owned)));
    }

    #[test]
    fn a_fault_for_all_requests_plays_until_the_script_is_cleared() {
        let mut script = FaultScript::default();
        script.add(Endpoint::Status, Fault::always(FaultAnswer::Html));
        for _ in 0..5 {
            assert!(met(&mut script, Endpoint::Status).is_some());
        }
        script.clear();
        assert!(met(&mut script, Endpoint::Status).is_none());
    }

    #[test]
    fn a_fault_leaves_other_endpoints_alone() {
        let mut script = FaultScript::default();
        script.add(Endpoint::Metadata, Fault::times(2, FaultAnswer::Html));
        assert!(met(&mut script, Endpoint::Token).is_none());
        assert!(met(&mut script, Endpoint::SmartConfiguration).is_some());
        assert!(met(&mut script, Endpoint::CapabilityStatement).is_some());
        assert!(met(&mut script, Endpoint::SmartConfiguration).is_none());
    }

    #[test]
    fn all_requests_are_counted() {
        let mut script = FaultScript::default();
        script.add(Endpoint::Metadata, Fault::once(FaultAnswer::Html));
        script.meet(Endpoint::SmartConfiguration);
        script.meet(Endpoint::CapabilityStatement);
        script.meet(Endpoint::CapabilityStatement);
        assert_eq!(script.requests(Endpoint::Metadata), 3);
        assert_eq!(script.requests(Endpoint::CapabilityStatement), 2);
        assert_eq!(script.requests(Endpoint::Token), 0);
    }

    #[test]
    fn a_fault_for_no_request_never_plays() {
        let mut script = FaultScript::default();
        script.add(Endpoint::Token, Fault::times(0, FaultAnswer::Drop));
        assert!(met(&mut script, Endpoint::Token).is_none());
    }
}
