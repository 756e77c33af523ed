//! The token endpoint: an application exchanges a code or a refresh token
//! (RFC 6749 sections 4.1.3, 5 and 6).

use std::fmt;

use rand::CryptoRng;
use serde::Serialize;
use vestibule_launch::{EhrRole, UnixTime};

use super::{
    ACCESS_TOKEN_LIFETIME, ACCESS_TOKEN_SECONDS, AuthorizationServer, CodeUse, GRANT_LIFETIME,
    Grant, GrantId, SCOPE,
};
use crate::{
    appointment::Appointment,
    client::{ClientFault, ClientKind},
    opaque::{Digest, Opaque},
    parameters::{Parameters, Repeated},
};

/// Tokens were issued.
pub(crate) struct TokenIssue {
    pub(crate) answer: TokenAnswer,
    pub(crate) issued_for: IssuedFor,
    pub(crate) role: EhrRole,
    pub(crate) appointment: &'static Appointment,
}

/// What the tokens were issued for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IssuedFor {
    Code,
    RefreshToken,
}

/// The body of a successful answer, with the fields and types of Epic's.
#[derive(Serialize)]
pub(crate) struct TokenAnswer {
    access_token: String,
    token_type: &'static str,
    /// Seconds.
    expires_in: u32,
    scope: &'static str,
    patient: &'static str,
    encounter: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<&'static str>,
    appointment: &'static str,
    /// Epic sends the word, not the Boolean.
    need_patient_banner: &'static str,
    smart_style_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

/// No tokens were issued.
pub(crate) struct TokenRefusal {
    /// Whose client asked, once that is certain.
    pub(crate) role: Option<EhrRole>,
    pub(crate) fault: TokenFault,
}

/// Why no tokens were issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenFault {
    #[error("send the request as application/x-www-form-urlencoded")]
    NotAForm,
    #[error("the request is too long")]
    TooLong,
    #[error(transparent)]
    Client(#[from] ClientFault),
    #[error(transparent)]
    Repeated(#[from] Repeated),
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("grant_type must be authorization_code or refresh_token")]
    GrantType,
    #[error("this EHR has not issued the code")]
    CodeUnknown,
    #[error("the code was issued to another client")]
    CodeOfAnotherClient,
    #[error("the code was used before")]
    CodeUsed,
    #[error("the code has expired")]
    CodeExpired,
    #[error("redirect_uri is not the one the code was issued for")]
    RedirectUri,
    #[error("code_verifier does not match the code_challenge")]
    Verifier,
    #[error("the refresh token is unknown, expired or revoked")]
    RefreshTokenUnknown,
    #[error("the refresh token was issued to another client")]
    RefreshTokenOfAnotherClient,
    #[error("scope exceeds what was granted")]
    Scope,
}

impl TokenFault {
    /// The `error` of the answer (RFC 6749 section 5.2).
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::NotAForm
            | Self::TooLong
            | Self::Client(ClientFault::Repeated(_))
            | Self::Repeated(_)
            | Self::Missing(_) => "invalid_request",
            Self::Client(_) => "invalid_client",
            Self::GrantType => "unsupported_grant_type",
            Self::CodeUnknown
            | Self::CodeOfAnotherClient
            | Self::CodeUsed
            | Self::CodeExpired
            | Self::RedirectUri
            | Self::Verifier
            | Self::RefreshTokenUnknown
            | Self::RefreshTokenOfAnotherClient => "invalid_grant",
            Self::Scope => "invalid_scope",
        }
    }
}

impl AuthorizationServer {
    /// Answers a request at the token endpoint. `authorization` is the value of
    /// the header of that name.
    pub(crate) fn token(
        &mut self,
        authorization: Option<&str>,
        parameters: &Parameters,
        now: UnixTime,
        rng: &mut dyn CryptoRng,
    ) -> Result<TokenIssue, TokenRefusal> {
        let role = self
            .clients
            .authenticate(authorization, parameters)
            .map_err(|fault| TokenRefusal {
                role: None,
                fault: fault.into(),
            })?
            .role;
        self.exchange(role, parameters, now, rng)
            .map_err(|fault| TokenRefusal {
                role: Some(role),
                fault,
            })
    }

    fn exchange(
        &mut self,
        role: EhrRole,
        parameters: &Parameters,
        now: UnixTime,
        rng: &mut dyn CryptoRng,
    ) -> Result<TokenIssue, TokenFault> {
        match needed(parameters, "grant_type")? {
            "authorization_code" => self.exchange_code(role, parameters, now, rng),
            "refresh_token" => self.refresh(role, parameters, now, rng),
            _ => Err(TokenFault::GrantType),
        }
    }

    fn exchange_code(
        &mut self,
        role: EhrRole,
        parameters: &Parameters,
        now: UnixTime,
        rng: &mut dyn CryptoRng,
    ) -> Result<TokenIssue, TokenFault> {
        let code = needed(parameters, "code")?;
        let redirect_uri = needed(parameters, "redirect_uri")?;
        let verifier = needed(parameters, "code_verifier")?;

        let client = self.clients.of(role);
        let code = self
            .codes
            .get_mut(&Digest::of(code), now)
            .ok_or(TokenFault::CodeUnknown)?;
        match code.used {
            CodeUse::Unused => {}
            CodeUse::Refused => return Err(TokenFault::CodeUsed),
            CodeUse::Exchanged(grant) => {
                // Two parties hold the code, and it is unknown which is the
                // right one: RFC 6749 section 4.1.2.
                self.grants.remove(&grant);
                return Err(TokenFault::CodeUsed);
            }
        }
        if code.grant.role != role {
            return Err(TokenFault::CodeOfAnotherClient);
        }
        let fault = if code.expires <= now {
            Some(TokenFault::CodeExpired)
        } else if !client.redirect_uri.is(redirect_uri) {
            Some(TokenFault::RedirectUri)
        } else if !code.challenge.is_met_by(verifier) {
            Some(TokenFault::Verifier)
        } else {
            None
        };
        if let Some(fault) = fault {
            code.used = CodeUse::Refused;
            return Err(fault);
        }

        let id = self.next_grant;
        self.next_grant = GrantId(id.0 + 1);
        code.used = CodeUse::Exchanged(id);
        let (grant, state) = (code.grant, code.state.clone());
        let is_confidential = matches!(client.kind, ClientKind::Confidential(_));
        self.grants.insert(id, grant, now + GRANT_LIFETIME, now);
        let refresh_token = is_confidential.then(|| {
            let token = Opaque::generate(rng);
            self.refresh_tokens
                .insert(token.digest(), id, now + GRANT_LIFETIME, now);
            token.as_str().to_owned()
        });
        let answer = TokenAnswer {
            state: Some(state),
            refresh_token,
            ..self.answer(id, grant, now, rng)
        };
        Ok(TokenIssue {
            answer,
            issued_for: IssuedFor::Code,
            role,
            appointment: grant.appointment,
        })
    }

    /// A new access token for a refresh token, which stays as it is.
    fn refresh(
        &mut self,
        role: EhrRole,
        parameters: &Parameters,
        now: UnixTime,
        rng: &mut dyn CryptoRng,
    ) -> Result<TokenIssue, TokenFault> {
        let token = needed(parameters, "refresh_token")?;
        let id = *self
            .refresh_tokens
            .get(&Digest::of(token), now)
            .ok_or(TokenFault::RefreshTokenUnknown)?;
        let grant = *self
            .grants
            .get(&id, now)
            .ok_or(TokenFault::RefreshTokenUnknown)?;
        if grant.role != role {
            return Err(TokenFault::RefreshTokenOfAnotherClient);
        }
        if let Some(scope) = parameters.get("scope")?
            && scope.split(' ').any(|scope| scope != SCOPE)
        {
            return Err(TokenFault::Scope);
        }
        Ok(TokenIssue {
            answer: self.answer(id, grant, now, rng),
            issued_for: IssuedFor::RefreshToken,
            role,
            appointment: grant.appointment,
        })
    }

    /// A new access token of the grant, and the context that goes with it.
    fn answer(
        &mut self,
        id: GrantId,
        grant: Grant,
        now: UnixTime,
        rng: &mut dyn CryptoRng,
    ) -> TokenAnswer {
        let access_token = Opaque::generate(rng);
        self.access_tokens
            .insert(access_token.digest(), id, now + ACCESS_TOKEN_LIFETIME, now);
        let appointment = grant.appointment;
        TokenAnswer {
            access_token: access_token.as_str().to_owned(),
            token_type: "bearer",
            expires_in: ACCESS_TOKEN_SECONDS,
            scope: SCOPE,
            patient: appointment.patient.fhir_id,
            encounter: appointment.fhir_encounter,
            location: appointment
                .department
                .as_ref()
                .map(|department| department.fhir_location),
            appointment: appointment.fhir_appointment,
            need_patient_banner: "false",
            smart_style_url: self.smart_style_url.clone(),
            state: None,
            refresh_token: None,
        }
    }
}

impl fmt::Debug for TokenAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenAnswer")
            .field("expires_in", &self.expires_in)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

fn needed<'a>(parameters: &'a Parameters, name: &'static str) -> Result<&'a str, TokenFault> {
    parameters.get(name)?.ok_or(TokenFault::Missing(name))
}
