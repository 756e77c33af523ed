//! Every way in which a request is refused, and how that is answered.

use std::time::Duration;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use vestibule_launch::DisplayNameError;

use crate::{answer::Version, service_configuration::PinPrompt};

/// Why a request is refused. The texts that Pexip's clients know are Pexip's,
/// because they look them up for a `#pex` code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("PIN required")]
    PinNeeded(PinPrompt),
    #[error("Invalid PIN")]
    WrongPin,
    #[error("Participant exceeded PIN entry retries")]
    PinLocked { retry_after: Duration },
    #[error("Neither conference nor gateway found")]
    ConferenceNotFound,
    #[error("Invalid token")]
    InvalidToken,
    #[error("{0}")]
    DisplayName(#[from] DisplayNameError),
    #[error("The request body must be a JSON object with a display_name")]
    Body,
    #[error("The request body is too large")]
    BodyTooLarge,
    #[error("The request body did not arrive in time; try again")]
    BodyTooSlow,
    #[error("The call_tag is longer than 1000 characters")]
    CallTag,
    #[error("Send the request body as application/json")]
    ContentType,
    #[error("Participant limit reached")]
    ParticipantLimit,
    #[error("Out of resource")]
    OutOfResource,
    #[error("503 Service Unavailable")]
    PolicyUnavailable,
    #[error("System in maintenance mode")]
    ShutDown,
    #[error("This node carries no media")]
    NoMedia,
    #[error("404 Not Found")]
    NotFound,
    #[error("405 Method Not Allowed")]
    Method,
}

impl Refusal {
    /// Pexip's client understands 403, 404, 415 and some of 5xx; it takes any
    /// other for a broken node, so bad requests are answered with 403 too.
    fn status(self) -> StatusCode {
        match self {
            Self::PinNeeded(_)
            | Self::WrongPin
            | Self::PinLocked { .. }
            | Self::InvalidToken
            | Self::DisplayName(_)
            | Self::Body
            | Self::BodyTooLarge
            | Self::BodyTooSlow
            | Self::CallTag
            | Self::ParticipantLimit
            | Self::NoMedia => StatusCode::FORBIDDEN,
            Self::ConferenceNotFound | Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::OutOfResource | Self::PolicyUnavailable | Self::ShutDown => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if let Self::PinNeeded(prompt) = self {
            return (self.status(), Json(PinNeeded::from(prompt))).into_response();
        }
        let failed = Failed {
            status: "failed",
            result: self.to_string(),
        };
        let mut response = (self.status(), Json(failed)).into_response();
        if let Self::PinLocked { retry_after } = self {
            let seconds = retry_after.as_millis().div_ceil(1_000);
            if let Ok(seconds) = HeaderValue::try_from(seconds.to_string()) {
                response.headers_mut().insert(RETRY_AFTER, seconds);
            }
        }
        response
    }
}

#[derive(Serialize)]
struct Failed {
    status: &'static str,
    result: String,
}

/// The prompt is a "success": clients take a "failed" one for an error.
#[derive(Serialize)]
struct PinNeeded {
    status: &'static str,
    result: PinsNeeded,
}

#[derive(Serialize)]
struct PinsNeeded {
    pin: &'static str,
    guest_pin: &'static str,
    version: Version,
}

impl From<PinPrompt> for PinNeeded {
    fn from(prompt: PinPrompt) -> Self {
        Self {
            status: "success",
            result: PinsNeeded {
                pin: "required",
                guest_pin: if prompt.guest_pin { "required" } else { "none" },
                version: Version::THIS,
            },
        }
    }
}
