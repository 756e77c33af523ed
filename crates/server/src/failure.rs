//! What can go wrong in a route, and how it is told: one status and one public
//! name for each, all in this place.

use axum::http::StatusCode;
use vestibule_launch::ErrorName;
use vestibule_smart::TokenError;

use crate::{
    dialect::DialectError,
    http_client::TransportError,
    launch::{BeginError, JoinError, RedeemError},
    routes::{AuthorizedError, ReportError, SmartLaunchError},
};

/// An error that ends a request.
pub trait Failure: std::error::Error {
    /// The status and the name under which users hear of it.
    fn answer(&self) -> (StatusCode, ErrorName);
}

const UNAVAILABLE: (StatusCode, ErrorName) = (StatusCode::SERVICE_UNAVAILABLE, ErrorName::Internal);
const INTERNAL: (StatusCode, ErrorName) = (StatusCode::INTERNAL_SERVER_ERROR, ErrorName::Internal);
const PROFILE_NOT_FOUND: (StatusCode, ErrorName) =
    (StatusCode::NOT_FOUND, ErrorName::ProfileNotFound);
const USED: (StatusCode, ErrorName) = (StatusCode::GONE, ErrorName::LaunchUsed);
const STATE_INVALID: (StatusCode, ErrorName) = (StatusCode::BAD_REQUEST, ErrorName::StateInvalid);
const PARAMETERS_INVALID: (StatusCode, ErrorName) =
    (StatusCode::BAD_REQUEST, ErrorName::LaunchParametersInvalid);
const REQUEST_INVALID: (StatusCode, ErrorName) =
    (StatusCode::BAD_REQUEST, ErrorName::LaunchRequestInvalid);
const METADATA: (StatusCode, ErrorName) = (StatusCode::BAD_GATEWAY, ErrorName::MetadataFetch);

impl Failure for SmartLaunchError {
    fn answer(&self) -> (StatusCode, ErrorName) {
        match self {
            Self::Profile => PROFILE_NOT_FOUND,
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                ErrorName::LaunchRequestInvalid,
            ),
            Self::Begin(error) => error.answer(),
        }
    }
}

impl Failure for BeginError {
    fn answer(&self) -> (StatusCode, ErrorName) {
        match self {
            Self::Dialect(DialectError::ParametersInvalid) => PARAMETERS_INVALID,
            Self::Dialect(DialectError::Parameter(_)) | Self::IssuerNotAllowed => REQUEST_INVALID,
            Self::MetadataRequest(_) => INTERNAL,
            Self::MetadataTransport(_) | Self::Metadata(_) => METADATA,
            Self::Used => USED,
            Self::Store(_) => UNAVAILABLE,
        }
    }
}

impl Failure for AuthorizedError {
    fn answer(&self) -> (StatusCode, ErrorName) {
        match self {
            Self::Profile => PROFILE_NOT_FOUND,
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, ErrorName::StateInvalid),
            Self::Callback(_) | Self::State(_) => STATE_INVALID,
            Self::Join(error) => error.answer(),
        }
    }
}

impl Failure for JoinError {
    fn answer(&self) -> (StatusCode, ErrorName) {
        match self {
            Self::StateUnknown => STATE_INVALID,
            Self::Used => USED,
            Self::Refused(_) => (StatusCode::FORBIDDEN, ErrorName::SignInRefused),
            Self::TokenTransport(TransportError::Timeout(_)) => {
                (StatusCode::GATEWAY_TIMEOUT, ErrorName::EhrTimeout)
            }
            Self::TokenTransport(TransportError::Unreachable(_)) => {
                (StatusCode::BAD_GATEWAY, ErrorName::EhrUnreachable)
            }
            Self::TokenTransport(TransportError::TooLarge)
            | Self::Token(TokenError::TooLarge | TokenError::Malformed(_)) => {
                (StatusCode::BAD_GATEWAY, ErrorName::TokenResponseMalformed)
            }
            Self::Token(TokenError::Refused(_) | TokenError::Status(_)) => {
                (StatusCode::BAD_GATEWAY, ErrorName::TokenExchange)
            }
            Self::NoEncounter => PARAMETERS_INVALID,
            Self::Render(_) => (StatusCode::INTERNAL_SERVER_ERROR, ErrorName::Template),
            Self::Sealed(_) => INTERNAL,
            Self::Store(_) => UNAVAILABLE,
        }
    }
}

impl Failure for RedeemError {
    fn answer(&self) -> (StatusCode, ErrorName) {
        match self {
            Self::Body(status) => (*status, ErrorName::TicketInvalid),
            Self::Browser => (StatusCode::BAD_REQUEST, ErrorName::TicketInvalid),
            Self::Unknown | Self::Used => (StatusCode::GONE, ErrorName::TicketInvalid),
            Self::Sealed(_) => INTERNAL,
            Self::Store(_) => UNAVAILABLE,
        }
    }
}

impl Failure for ReportError {
    fn answer(&self) -> (StatusCode, ErrorName) {
        match self {
            Self::Body(status) => (*status, ErrorName::LaunchRequestInvalid),
            Self::Name => (
                StatusCode::UNPROCESSABLE_ENTITY,
                ErrorName::LaunchRequestInvalid,
            ),
            Self::Unknown => (StatusCode::NOT_FOUND, ErrorName::LaunchRequestInvalid),
            Self::Store(_) => UNAVAILABLE,
        }
    }
}
