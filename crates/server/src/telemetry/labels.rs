//! Label sets. Every value is of a closed set, but for profile uuids, of which there are
//! as many as profiles, and route templates, of which there are as many as routes.

use prometheus_client::encoding::EncodeLabelSet;
use vestibule_launch::ErrorName;
use vestibule_store::FailureSource;

use super::{Answered, LaunchKind, WriteBackOutcome};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct LaunchLabels {
    profile: String,
    role: &'static str,
    dialect: String,
}

impl From<LaunchKind<'_>> for LaunchLabels {
    fn from(kind: LaunchKind<'_>) -> Self {
        Self {
            profile: kind.profile.to_string(),
            role: kind.role.as_str(),
            dialect: kind.dialect.to_owned(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct JoinedLabels {
    pub(super) profile: String,
    pub(super) role: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ProfileLabels {
    pub(super) profile: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct FailureLabels {
    source: &'static str,
    error_name: &'static str,
}

impl FailureLabels {
    pub(super) fn new(source: FailureSource, error_name: ErrorName) -> Self {
        Self {
            source: match source {
                FailureSource::Server => "server",
                FailureSource::Browser => "browser",
            },
            error_name: error_name.as_str(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OutcomeLabels {
    pub(super) outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct WriteBackLabels {
    outcome: &'static str,
    status: &'static str,
}

impl WriteBackLabels {
    /// `status` becomes its class, such as `5xx`, or `none`.
    pub(super) fn new(outcome: WriteBackOutcome, status: Option<u16>) -> Self {
        Self {
            outcome: outcome.as_str(),
            status: match status.map(|status| status / 100) {
                Some(1) => "1xx",
                Some(2) => "2xx",
                Some(3) => "3xx",
                Some(4) => "4xx",
                Some(5) => "5xx",
                Some(_) => "other",
                None => "none",
            },
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RequestLabels {
    listener: &'static str,
    method: &'static str,
    route: String,
    status: u16,
}

impl From<Answered<'_>> for RequestLabels {
    fn from(answered: Answered<'_>) -> Self {
        const KNOWN: [&str; 9] = [
            "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
        ];
        let method = answered.method.as_str();
        let known = KNOWN.into_iter().find(|known| *known == method);
        Self {
            listener: answered.listener,
            method: known.unwrap_or("other"),
            route: answered.route.to_owned(),
            status: answered.status,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RouteLabels {
    pub(super) route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ListenerLabels {
    pub(super) listener: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RefusalLabels {
    pub(super) listener: &'static str,
    pub(super) reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct StepLabels {
    pub(super) step: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct DatabaseLabels {
    pub(super) operation: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct VersionLabels {
    pub(super) version: &'static str,
}

/// Who sees a failure of this name: each name is of one side or may be of both.
pub(super) fn failures() -> impl Iterator<Item = FailureLabels> {
    ErrorName::ALL.iter().map(|name| {
        let source = if name.from_browser() {
            FailureSource::Browser
        } else {
            FailureSource::Server
        };
        FailureLabels::new(source, *name)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_method_that_nobody_knows_makes_no_series_of_its_own() {
        let label = |method: &str| {
            let method = http::Method::from_bytes(method.as_bytes()).unwrap();
            let answered = Answered {
                listener: "launches",
                method: &method,
                route: "-",
                status: 405,
                took: Duration::ZERO,
            };
            RequestLabels::from(answered).method
        };
        assert_eq!(label("PATCH"), "PATCH");
        assert_eq!(label("get"), "other");
        assert_eq!(label("BREW"), "other");
    }

    #[test]
    fn an_answer_counts_by_its_class() {
        let class = |status| WriteBackLabels::new(WriteBackOutcome::Later, status).status;
        assert_eq!(class(Some(204)), "2xx");
        assert_eq!(class(Some(503)), "5xx");
        assert_eq!(class(Some(999)), "other");
        assert_eq!(class(None), "none");
    }
}
