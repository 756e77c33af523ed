//! What can go wrong in a route, and how it is told: one status and one public
//! name for each, all in this place.

use std::time::Duration;

use axum::http::StatusCode;
use vestibule_launch::ErrorName;
use vestibule_smart::{OAuthError, TokenError};

use crate::{
    dialect::DialectError,
    direct_link::LinkRefused,
    http_client::TransportError,
    launch::{
        BearerError, BeginError, CompleteError, DirectLinkError, JoinError, MetadataFetchError,
        RedeemError, RepeatError, ResumeError,
    },
    limits::{Limited, TooMany},
    plain::VisitFault,
    routes::{
        AuthorizedError, DirectLinkRouteError, EntranceError, EventError, PlainError, ReportError,
        ResumeRouteError,
    },
    token_endpoint::TokenEndpointError,
};

/// An error that ends a request.
pub trait Failure: std::error::Error {
    /// The status and the name under which users hear of it.
    fn answer(&self) -> (StatusCode, ErrorName);

    /// How long to wait before trying again, where that is known.
    fn retry_after(&self) -> Option<Duration> {
        let (status, _) = self.answer();
        (status == StatusCode::SERVICE_UNAVAILABLE).then_some(SOON)
    }
}

/// When a server that is not available may be again.
const SOON: Duration = Duration::from_secs(5);

const UNAVAILABLE: (StatusCode, ErrorName) = (StatusCode::SERVICE_UNAVAILABLE, ErrorName::Internal);
const INTERNAL: (StatusCode, ErrorName) = (StatusCode::INTERNAL_SERVER_ERROR, ErrorName::Internal);
const PROFILE_NOT_FOUND: (StatusCode, ErrorName) =
    (StatusCode::NOT_FOUND, ErrorName::ProfileNotFound);
const LINK_NOT_VALID: (StatusCode, ErrorName) = (StatusCode::GONE, ErrorName::LinkNotValid);
const USED: (StatusCode, ErrorName) = (StatusCode::GONE, ErrorName::LaunchUsed);
const STATE_INVALID: (StatusCode, ErrorName) = (StatusCode::BAD_REQUEST, ErrorName::StateInvalid);
const PARAMETERS_INVALID: (StatusCode, ErrorName) =
    (StatusCode::BAD_REQUEST, ErrorName::LaunchParametersInvalid);
const REQUEST_INVALID: (StatusCode, ErrorName) =
    (StatusCode::BAD_REQUEST, ErrorName::LaunchRequestInvalid);
const METADATA: (StatusCode, ErrorName) = (StatusCode::BAD_GATEWAY, ErrorName::MetadataFetch);

impl Failure for EntranceError {
    fn answer(&self) -> (StatusCode, ErrorName) {
        match self {
            Self::Profile => PROFILE_NOT_FOUND,
            Self::Body(status) => (*status, ErrorName::LaunchRequestInvalid),
            Self::Limited(error) => error.answer(),
            Self::Begin(error) => error.answer(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Limited(error) => error.retry_after(),
            Self::Begin(error) => error.retry_after(),
            Self::Profile | Self::Body(_) => None,
        }
    }
}

impl Failure for TooMany {
    fn answer(&self) -> (StatusCode, ErrorName) {
        (StatusCode::TOO_MANY_REQUESTS, ErrorName::RateLimited)
    }

    fn retry_after(&self) -> Option<Duration> {
        Some(self.retry_after)
    }
}

impl Failure for Limited {
    fn answer(&self) -> (StatusCode, ErrorName) {
        match self {
            Self::TooMany(error) => error.answer(),
            Self::Store(_) => UNAVAILABLE,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooMany(error) => error.retry_after(),
            Self::Store(_) => Some(SOON),
        }
    }
}

impl Failure for BeginError {
    fn answer(&self) -> (StatusCode, ErrorName) {
        match self {
            Self::Dialect(error) => error.answer(),
            Self::NoRole | Self::IssuerNotAllowed => REQUEST_INVALID,
            Self::Complete(error) => error.answer(),
            Self::Metadata(error) => error.answer(),
            Self::Used => USED,
            Self::Repeat(error) => error.answer(),
            Self::Store(_) => UNAVAILABLE,
        }
    }
}

impl Failure for RepeatError {
    fn answer(&self) -> (StatusCode, ErrorName) {
        match self {
            Self::Sealed(_) => INTERNAL,
            Self::Store(_) => UNAVAILABLE,
        }
    }
}

impl Failure for MetadataFetchError {
    fn answer(&self) -> (StatusCode, ErrorName) {
        match self {
            Self::Request(_) => INTERNAL,
            Self::Transport(error @ (TransportError::Dns(_) | TransportError::Tls(_))) => {
                error.answer()
            }
            Self::Transport(_) | Self::Answer(_) => METADATA,
        }
    }
}

impl Failure for TransportError {
    fn answer(&self) -> (StatusCode, ErrorName) {
        match self {
            Self::Timeout(_) => (StatusCode::GATEWAY_TIMEOUT, ErrorName::EhrTimeout),
            Self::Dns(_) => (StatusCode::BAD_GATEWAY, ErrorName::EhrDns),
            Self::Tls(_) => (StatusCode::BAD_GATEWAY, ErrorName::EhrTls),
            Self::Unreachable(_) | Self::BrokenOff(_) | Self::TooLarge(_) => {
                (StatusCode::BAD_GATEWAY, ErrorName::EhrUnreachable)
            }
        }
    }
}

impl Failure for TokenEndpointError {
    fn answer(&self) -> (StatusCode, ErrorName) {
        match self {
            Self::Transport(TransportError::TooLarge(_))
            | Self::Answer(TokenError::TooLarge | TokenError::Malformed(_)) => {
                (StatusCode::BAD_GATEWAY, ErrorName::TokenResponseMalformed)
            }
            Self::Transport(error) => error.answer(),
            // The code or the refresh token was used before, or has expired.
            Self::Answer(TokenError::Refused(error)) if error.as_str() == "invalid_grant" => USED,
            Self::Answer(TokenError::Refused(_) | TokenError::Status(_)) => {
                (StatusCode::BAD_GATEWAY, ErrorName::TokenExchange)
            }
            Self::ClockSkew(_) => (StatusCode::BAD_GATEWAY, ErrorName::ClockSkew),
        }
    }
}

impl Failure for DialectError {
    fn answer(&self) -> (StatusCode, ErrorName) {
        match self {
            Self::ParametersInvalid => PARAMETERS_INVALID,
            Self::Parameter(_) => REQUEST_INVALID,
        }
    }
}

impl Failure for CompleteError {
    fn answer(&self) -> (StatusCode, ErrorName) {
        match self {
            Self::Used => USED,
            Self::Render(_) => (StatusCode::INTERNAL_SERVER_ERROR, ErrorName::Template),
            Self::Sealed(_) => INTERNAL,
            Self::Store(_) => UNAVAILABLE,
        }
    }
}

impl Failure for AuthorizedError {
    fn answer(&self) -> (StatusCode, ErrorName) {
        match self {
            Self::Profile => PROFILE_NOT_FOUND,
            Self::Body(status) => (*status, ErrorName::StateInvalid),
            Self::Callback(_) | Self::State(_) => STATE_INVALID,
            Self::Join(error) => error.answer(),
        }
    }
}

impl Failure for JoinError {
    fn answer(&self) -> (StatusCode, ErrorName) {
        match self {
            Self::StateUnknown | Self::OtherBrowser | Self::Issuer(_) => STATE_INVALID,
            Self::Used => USED,
            Self::Refused(error) => refused(error),
            Self::Token(error) => error.answer(),
            Self::NoEncounter | Self::Encounters(_) => PARAMETERS_INVALID,
            Self::Parameters(error) => error.answer(),
            Self::Complete(error) => error.answer(),
            Self::Repeat(error) => error.answer(),
            Self::Sealed(_) => INTERNAL,
            Self::Store(_) => UNAVAILABLE,
        }
    }
}

/// What the EHR says at the sign-in (RFC 6749 section 4.1.2.1): it is out of order, it
/// does not take the application or what that asks for, or nobody signed in.
fn refused(error: &OAuthError) -> (StatusCode, ErrorName) {
    match error.as_str() {
        "server_error" | "temporarily_unavailable" => {
            (StatusCode::BAD_GATEWAY, ErrorName::EhrUnreachable)
        }
        "invalid_scope"
        | "unauthorized_client"
        | "invalid_request"
        | "unsupported_response_type" => (StatusCode::BAD_GATEWAY, ErrorName::TokenExchange),
        _ => (StatusCode::FORBIDDEN, ErrorName::SignInRefused),
    }
}

impl Failure for DirectLinkRouteError {
    fn answer(&self) -> (StatusCode, ErrorName) {
        match self {
            Self::Profile => PROFILE_NOT_FOUND,
            Self::Body(status) => (*status, ErrorName::LaunchRequestInvalid),
            Self::Limited(error) => error.answer(),
            Self::Link(error) => error.answer(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Limited(error) => error.retry_after(),
            Self::Link(error) => error.retry_after(),
            Self::Profile | Self::Body(_) => None,
        }
    }
}

impl Failure for DirectLinkError {
    fn answer(&self) -> (StatusCode, ErrorName) {
        match self {
            Self::None => PROFILE_NOT_FOUND,
            Self::Parameters(error) => error.answer(),
            Self::Token(error) => error.answer(),
            Self::Transport(error) => error.answer(),
            Self::Refused(error) => error.answer(),
            Self::Request(_) => PARAMETERS_INVALID,
            Self::Complete(error) => error.answer(),
            Self::Store(_) => UNAVAILABLE,
        }
    }
}

impl Failure for LinkRefused {
    fn answer(&self) -> (StatusCode, ErrorName) {
        match self {
            Self::NotValid(_) => (StatusCode::GONE, ErrorName::LinkNotValid),
            Self::NotForProviders => PARAMETERS_INVALID,
            Self::Token => (StatusCode::BAD_GATEWAY, ErrorName::TokenExchange),
            Self::Unavailable(_) => (StatusCode::BAD_GATEWAY, ErrorName::EhrUnreachable),
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

impl Failure for PlainError {
    fn answer(&self) -> (StatusCode, ErrorName) {
        match self {
            Self::Body(status) => (*status, ErrorName::LaunchRequestInvalid),
            Self::Form => REQUEST_INVALID,
            Self::Limited(error) => error.answer(),
            Self::Ticket(RedeemError::Unknown | RedeemError::Used) => LINK_NOT_VALID,
            Self::Ticket(error) => error.answer(),
            Self::Tab(
                ResumeError::Body(_)
                | ResumeError::Browser
                | ResumeError::Bearer(BearerError::None(_)),
            ) => LINK_NOT_VALID,
            Self::Tab(ResumeError::Bearer(BearerError::Store(_))) => UNAVAILABLE,
            Self::Tab(ResumeError::Sealed(_)) => INTERNAL,
            Self::Visit(fault) => fault.answer(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Limited(error) => error.retry_after(),
            Self::Ticket(error) => error.retry_after(),
            Self::Visit(fault) => fault.retry_after(),
            Self::Tab(ResumeError::Bearer(BearerError::Store(_))) => Some(SOON),
            Self::Body(_) | Self::Form | Self::Tab(_) => None,
        }
    }
}

/// The names that the landing page's own error page would show.
impl Failure for VisitFault {
    fn answer(&self) -> (StatusCode, ErrorName) {
        match self {
            Self::NotFound => LINK_NOT_VALID,
            Self::PinLocked => (StatusCode::TOO_MANY_REQUESTS, ErrorName::PinLocked),
            Self::Refused => (StatusCode::FORBIDDEN, ErrorName::NodeRefused),
            Self::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, ErrorName::NodeUnavailable),
            Self::Malformed => (StatusCode::BAD_GATEWAY, ErrorName::NodeAnswerInvalid),
        }
    }
}

impl Failure for BearerError {
    fn answer(&self) -> (StatusCode, ErrorName) {
        match self {
            Self::None(_) => USED,
            Self::Store(_) => UNAVAILABLE,
        }
    }
}

impl Failure for ResumeError {
    fn answer(&self) -> (StatusCode, ErrorName) {
        match self {
            Self::Body(status) => (*status, ErrorName::LaunchRequestInvalid),
            Self::Browser => REQUEST_INVALID,
            Self::Bearer(error) => error.answer(),
            Self::Sealed(_) => INTERNAL,
        }
    }
}

impl Failure for ResumeRouteError {
    fn answer(&self) -> (StatusCode, ErrorName) {
        match self {
            Self::Limited(error) => error.answer(),
            Self::Resume(error) => error.answer(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Limited(error) => error.retry_after(),
            Self::Resume(error) => error.retry_after(),
        }
    }
}

impl Failure for EventError {
    fn answer(&self) -> (StatusCode, ErrorName) {
        match self {
            Self::Limited(error) => error.answer(),
            Self::Bearer(error) => error.answer(),
            Self::Body(status) => (*status, ErrorName::LaunchRequestInvalid),
            Self::Report => REQUEST_INVALID,
            Self::Full => (StatusCode::TOO_MANY_REQUESTS, ErrorName::RateLimited),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Limited(error) => error.retry_after(),
            Self::Bearer(error) => error.retry_after(),
            Self::Body(_) | Self::Report | Self::Full => None,
        }
    }
}

impl Failure for ReportError {
    fn answer(&self) -> (StatusCode, ErrorName) {
        match self {
            Self::Body(status) => (*status, ErrorName::LaunchRequestInvalid),
            Self::Limited(error) => error.answer(),
            Self::Name => (
                StatusCode::UNPROCESSABLE_ENTITY,
                ErrorName::LaunchRequestInvalid,
            ),
            Self::Unknown => (StatusCode::NOT_FOUND, ErrorName::LaunchRequestInvalid),
            Self::Store(_) => UNAVAILABLE,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Limited(error) => error.retry_after(),
            Self::Store(_) => Some(SOON),
            Self::Body(_) | Self::Name | Self::Unknown => None,
        }
    }
}
