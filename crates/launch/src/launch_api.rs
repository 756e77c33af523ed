//! Wire types of the launch API, which the shim calls: JSON over HTTP, same
//! origin. Failures are problem documents (RFC 9457).

use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::{DeviceTest, ErrorName, LaunchEvent, RequestId, Role};

/// Body of `POST /api/telehealth/v1/launch/redeem`.
#[derive(Clone, Serialize, Deserialize)]
pub struct RedeemRequest {
    /// The one-time ticket of the join link.
    pub ticket: String,
    /// 128 random bits in hexadecimal that this browser made for itself: a repeat
    /// from the same browser within 60 seconds gets the same answer.
    pub browser: String,
}

/// Body of `POST /api/telehealth/v1/launch/{telehealth_request_id}/resume`, which
/// carries the launch's bearer token in its `Authorization` header.
#[derive(Clone, Serialize, Deserialize)]
pub struct ResumeRequest {
    /// The same as in the [`RedeemRequest`].
    pub browser: String,
}

/// Body of `POST /api/telehealth/v1/launch/{telehealth_request_id}/events`, which
/// carries the launch's bearer token in its `Authorization` header.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventReport {
    /// What happened.
    pub event: LaunchEvent,
    /// When, by the browser's clock: RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utc_time: Option<String>,
    /// What went wrong: with `failed`, and only there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_name: Option<ErrorName>,
    /// The result: with `device_test`, and only there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_test: Option<DeviceTest>,
}

/// Answer of `POST /api/telehealth/v1/launch/redeem` and of `…/resume`.
#[derive(Clone, Serialize, Deserialize)]
pub struct RedeemedLaunch {
    /// Identifies the launch.
    pub telehealth_request_id: RequestId,
    /// Alias to join.
    pub conference: String,
    /// The name that other participants see.
    pub display_name: String,
    /// What the user is in the conference.
    pub role: Role,
    /// The host PIN, for hosts only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
    /// Base URL of the conferencing node; empty means the page's own origin.
    pub node: String,
    /// The launch's bearer token: 256 random bits in base64url, good until `expires_at`.
    pub token: String,
    /// Until when the launch's alias leads anywhere: RFC 3339, UTC.
    pub expires_at: String,
    /// The profile's language (BCP 47), where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// Body of `POST /api/telehealth/v1/launch/error`, by which the shim reports a
/// failure and learns what to show.
#[derive(Clone, Serialize, Deserialize)]
pub struct ErrorReport {
    /// What went wrong.
    pub error_name: ErrorName,
    /// The launch, where the shim knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telehealth_request_id: Option<RequestId>,
    /// The alias of the join link, from which the server finds the launch otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conference: Option<String>,
}

/// What the error page shows, and the template to show it with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ErrorPage {
    /// What went wrong.
    pub error_name: ErrorName,
    /// Identifies the launch.
    pub telehealth_request_id: RequestId,
    /// When it went wrong: RFC 3339, UTC.
    pub utc_time: String,
    /// More for the help desk, where the profile allows it to be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detailed_debug_information: Option<String>,
    /// The profile's error page template.
    pub template: String,
}

/// A failure (RFC 9457), `application/problem+json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// What went wrong, in a sentence.
    pub title: String,
    /// What went wrong, by name.
    pub error_name: ErrorName,
    /// Identifies the launch.
    pub telehealth_request_id: RequestId,
    /// When it went wrong: RFC 3339, UTC.
    pub utc_time: String,
}

impl fmt::Debug for RedeemRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedeemRequest").finish_non_exhaustive()
    }
}

impl fmt::Debug for ResumeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResumeRequest").finish_non_exhaustive()
    }
}

/// Shows nothing that a browser could choose freely.
impl fmt::Debug for EventReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventReport")
            .field("event", &self.event)
            .field("error_name", &self.error_name)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RedeemedLaunch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedeemedLaunch")
            .field("telehealth_request_id", &self.telehealth_request_id)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ErrorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorReport")
            .field("error_name", &self.error_name)
            .field("telehealth_request_id", &self.telehealth_request_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_ticket_token_name_pin_or_alias() {
        let id = RequestId::from_bytes([1; 16]);
        let redeem = RedeemRequest {
            ticket: "secret-ticket".to_owned(),
            browser: "secret-browser".to_owned(),
        };
        let redeemed = RedeemedLaunch {
            telehealth_request_id: id,
            conference: "secret-alias".to_owned(),
            display_name: "secret-name".to_owned(),
            role: Role::Host,
            pin: Some("secret-pin".to_owned()),
            node: String::new(),
            token: "secret-token".to_owned(),
            expires_at: "2027-01-15T09:00:00Z".to_owned(),
            language: None,
        };
        let resume = ResumeRequest {
            browser: "secret-browser".to_owned(),
        };
        let event = EventReport {
            event: LaunchEvent::Joined,
            utc_time: Some("secret-time".to_owned()),
            error_name: None,
            device_test: None,
        };
        let report = ErrorReport {
            error_name: ErrorName::Internal,
            telehealth_request_id: Some(id),
            conference: Some("secret-alias".to_owned()),
        };
        let shown = format!("{redeem:?} {redeemed:?} {resume:?} {event:?} {report:?}");
        assert!(!shown.contains("secret"), "{shown}");
        assert!(shown.contains("01010101-0101"), "{shown}");
    }
}
