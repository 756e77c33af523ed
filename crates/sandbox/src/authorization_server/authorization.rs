//! The authorize endpoint: an application asks for a code (RFC 6749 section
//! 4.1.1, SMART App Launch 2.2).

use std::time::Duration;

use rand::CryptoRng;
use url::Url;
use vestibule_launch::{EhrRole, UnixTime};

use super::{AuthorizationServer, Code, CodeUse, GRANT_LIFETIME, Grant, launch_token::LaunchFault};
use crate::{
    appointment::Appointment,
    client::App,
    opaque::Opaque,
    parameters::{Parameters, Repeated},
    pkce::{Challenge, Malformed},
    scope::Scopes,
};

const CODE_LIFETIME: Duration = Duration::from_secs(60);
/// 22 characters of base64url hold the 122 bits that SMART asks for.
const STATE_MIN: usize = 22;
/// A longer state makes URLs that real EHRs refuse.
const STATE_MAX: usize = 1024;
const NONCE_MAX: usize = 1024;

/// The user goes back to the application with a code.
pub(crate) struct Authorization {
    pub(crate) redirect: Url,
    pub(crate) role: EhrRole,
    pub(crate) appointment: &'static Appointment,
}

/// The application gets no code.
pub(crate) enum AuthorizationRefusal {
    /// It is not certain who asks, so the user is sent nowhere.
    Page(PageFault),
    /// The user goes back to the application with an error.
    Redirect {
        redirect: Url,
        role: EhrRole,
        fault: AuthorizationFault,
    },
}

/// Why the user is shown an error page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PageFault {
    #[error("the request is too long")]
    TooLong,
    #[error(transparent)]
    Repeated(#[from] Repeated),
    #[error("client_id is missing")]
    ClientMissing,
    #[error("client_id is not registered")]
    ClientUnknown,
    #[error("redirect_uri is missing")]
    RedirectUriMissing,
    #[error("redirect_uri is not exactly the registered one")]
    RedirectUriMismatch,
}

/// Why the application gets an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AuthorizationFault {
    #[error(transparent)]
    Repeated(#[from] Repeated),
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("response_type must be code")]
    ResponseType,
    #[error("state must have at least 22 characters (122 bits)")]
    StateTooShort,
    #[error("state must have at most 1024 characters")]
    StateTooLong,
    #[error("nonce must have at most 1024 characters")]
    NonceTooLong,
    #[error("code_challenge_method must be S256")]
    ChallengeMethod,
    #[error("code_challenge is {0}")]
    ChallengeMalformed(#[from] Malformed),
    #[error("aud must be the FHIR base address of this EHR, the iss of the launch")]
    Audience,
    #[error("scope must contain launch")]
    Scope,
    #[error(transparent)]
    Launch(#[from] LaunchFault),
}

impl AuthorizationFault {
    /// The `error` of the redirect: RFC 6749 section 4.1.2.1, and Epic's own
    /// name for a launch token that it does not accept.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::ResponseType => "unsupported_response_type",
            Self::Scope => "invalid_scope",
            Self::Launch(_) => "invalid_launch_token",
            Self::Repeated(_)
            | Self::Missing(_)
            | Self::StateTooShort
            | Self::StateTooLong
            | Self::NonceTooLong
            | Self::ChallengeMethod
            | Self::ChallengeMalformed(_)
            | Self::Audience => "invalid_request",
        }
    }
}

impl AuthorizationServer {
    /// Answers a request at the authorize endpoint. The launch token says who
    /// is signed in to the EHR, so nobody is asked anything.
    pub(crate) fn authorize(
        &mut self,
        parameters: &Parameters,
        now: UnixTime,
        rng: &mut dyn CryptoRng,
    ) -> Result<Authorization, AuthorizationRefusal> {
        let client = self
            .client_of(parameters)
            .map_err(AuthorizationRefusal::Page)?;
        let role = client.role;
        let mut redirect = client.redirect_uri.url().clone();

        match self.grant(role, parameters, now) {
            Ok((grant, challenge, state, nonce)) => {
                let code = Opaque::generate(rng);
                redirect
                    .query_pairs_mut()
                    .append_pair("code", code.as_str())
                    .append_pair("state", state);
                let issued = Code {
                    grant,
                    challenge,
                    state: state.to_owned(),
                    nonce: nonce.map(str::to_owned),
                    expires: now + CODE_LIFETIME,
                    used: CodeUse::Unused,
                };
                self.codes
                    .insert(code.digest(), issued, now + GRANT_LIFETIME, now);
                Ok(Authorization {
                    redirect,
                    role,
                    appointment: grant.visit.appointment,
                })
            }
            Err(fault) => {
                redirect
                    .query_pairs_mut()
                    .append_pair("error", fault.code())
                    .append_pair("error_description", &fault.to_string());
                if let Ok(Some(state)) = parameters.get("state") {
                    redirect.query_pairs_mut().append_pair("state", state);
                }
                Err(AuthorizationRefusal::Redirect {
                    redirect,
                    role,
                    fault,
                })
            }
        }
    }

    /// The client that asks, if it gives the redirect URI it is registered with.
    fn client_of(&self, parameters: &Parameters) -> Result<&App, PageFault> {
        let id = parameters
            .get("client_id")?
            .ok_or(PageFault::ClientMissing)?;
        let redirect_uri = parameters
            .get("redirect_uri")?
            .ok_or(PageFault::RedirectUriMissing)?;
        let client = self.clients.find_app(id).ok_or(PageFault::ClientUnknown)?;
        if !client.redirect_uri.is(redirect_uri) {
            return Err(PageFault::RedirectUriMismatch);
        }
        Ok(client)
    }

    /// What is granted, the challenge, the state and the nonce. The launch token is used
    /// up last, when nothing else is wrong.
    fn grant<'a>(
        &mut self,
        role: EhrRole,
        parameters: &'a Parameters,
        now: UnixTime,
    ) -> Result<(Grant, Challenge, &'a str, Option<&'a str>), AuthorizationFault> {
        let needed = |name| {
            parameters
                .get(name)?
                .ok_or(AuthorizationFault::Missing(name))
        };
        if needed("response_type")? != "code" {
            return Err(AuthorizationFault::ResponseType);
        }
        let state = needed("state")?;
        if state.len() < STATE_MIN {
            return Err(AuthorizationFault::StateTooShort);
        }
        if state.len() > STATE_MAX {
            return Err(AuthorizationFault::StateTooLong);
        }
        let challenge = Challenge::parse(needed("code_challenge")?)?;
        if needed("code_challenge_method")? != "S256" {
            return Err(AuthorizationFault::ChallengeMethod);
        }
        if needed("aud")? != self.issuer {
            return Err(AuthorizationFault::Audience);
        }
        let scopes = Scopes::granted(needed("scope")?);
        if !scopes.contains("launch") {
            return Err(AuthorizationFault::Scope);
        }
        let nonce = parameters.get("nonce")?;
        if nonce.is_some_and(|nonce| nonce.len() > NONCE_MAX) {
            return Err(AuthorizationFault::NonceTooLong);
        }
        let visit = self.use_launch_token(needed("launch")?, role, now)?;
        Ok((Grant { visit, scopes }, challenge, state, nonce))
    }
}
