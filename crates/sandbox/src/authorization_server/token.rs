//! The token endpoint: an application exchanges a code, a refresh token or its
//! own credentials (RFC 6749 sections 4.1.3, 4.4, 5 and 6).

use rand::CryptoRng;
use vestibule_launch::{EhrRole, UnixTime};

use super::{
    AuthorizationServer, ClientFault, CodeUse, FetchedKeys, GRANT_LIFETIME, GrantId, Holder,
    RefreshToken, TokenAnswer,
};
use crate::{
    client::{Authentication, ClientRole},
    opaque::{Digest, Opaque},
    parameters::{Parameters, Repeated},
    visit::Visit,
};

/// What a backend may do where it does not ask for anything in particular.
const BACKEND_SCOPE: &str = "system/Appointment.read";

/// Tokens were issued.
pub(crate) struct TokenIssue {
    pub(crate) answer: TokenAnswer,
    pub(crate) issued_for: IssuedFor,
}

/// What the tokens were issued for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum IssuedFor {
    Code(Visit),
    RefreshToken(Visit),
    Backend,
}

/// No tokens were issued.
pub(crate) struct TokenRefusal {
    /// Whose client asked, once that is certain.
    pub(crate) role: Option<ClientRole>,
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
    #[error("grant_type must be authorization_code, refresh_token or client_credentials")]
    GrantType,
    #[error(
        "an application that signs users in cannot use client_credentials, nor a backend anything else"
    )]
    GrantTypeOfOthers,
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
    #[error("the refresh token was replaced before")]
    RefreshTokenReplaced,
    #[error("the refresh token was issued to another client")]
    RefreshTokenOfAnotherClient,
    #[error("scope exceeds what was granted")]
    Scope,
    #[error("scope of a backend must be system scopes")]
    BackendScope,
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
            Self::GrantTypeOfOthers => "unauthorized_client",
            Self::GrantType => "unsupported_grant_type",
            Self::CodeUnknown
            | Self::CodeOfAnotherClient
            | Self::CodeUsed
            | Self::CodeExpired
            | Self::RedirectUri
            | Self::Verifier
            | Self::RefreshTokenUnknown
            | Self::RefreshTokenReplaced
            | Self::RefreshTokenOfAnotherClient => "invalid_grant",
            Self::Scope | Self::BackendScope => "invalid_scope",
        }
    }
}

impl AuthorizationServer {
    /// Answers a request at the token endpoint. `authorization` is the value of
    /// the header of that name, `fetched` the client's keys where
    /// [`Self::keys_needed`] named an address.
    pub(crate) fn token(
        &mut self,
        authorization: Option<&str>,
        parameters: &Parameters,
        fetched: FetchedKeys,
        now: UnixTime,
        rng: &mut dyn CryptoRng,
    ) -> Result<TokenIssue, TokenRefusal> {
        let role = self
            .authenticate(authorization, parameters, fetched, now)
            .map_err(|fault| TokenRefusal {
                role: None,
                fault: fault.into(),
            })?;
        self.exchange(role, parameters, now, rng)
            .map_err(|fault| TokenRefusal {
                role: Some(role),
                fault,
            })
    }

    fn exchange(
        &mut self,
        role: ClientRole,
        parameters: &Parameters,
        now: UnixTime,
        rng: &mut dyn CryptoRng,
    ) -> Result<TokenIssue, TokenFault> {
        let role = match role {
            ClientRole::Provider => Some(EhrRole::Provider),
            ClientRole::Patient => Some(EhrRole::Patient),
            ClientRole::Backend => None,
        };
        match (needed(parameters, "grant_type")?, role) {
            ("authorization_code", Some(role)) => self.exchange_code(role, parameters, now, rng),
            ("refresh_token", Some(role)) => self.refresh(role, parameters, now, rng),
            ("client_credentials", None) => self.admit_backend(parameters, now, rng),
            ("authorization_code" | "refresh_token" | "client_credentials", _) => {
                Err(TokenFault::GrantTypeOfOthers)
            }
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

        let app = self.clients.app(role);
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
        if code.grant.visit.role() != role {
            return Err(TokenFault::CodeOfAnotherClient);
        }
        let fault = if code.expires <= now {
            Some(TokenFault::CodeExpired)
        } else if !app.redirect_uri.is(redirect_uri) {
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
        let (grant, state, nonce) = (code.grant, code.state.clone(), code.nonce.clone());
        let is_confidential = !matches!(app.authentication, Authentication::Public);
        let id_token = grant.scopes.contains("openid").then(|| {
            let nonce = nonce.as_deref();
            self.id_tokens
                .sign(&app.id, grant.visit, grant.scopes, nonce, now)
        });
        let expires = now + GRANT_LIFETIME;
        self.grants.insert(id, grant, expires, now);
        let refresh_token = is_confidential.then(|| self.refresh_token(id, expires, now, rng));
        let mut answer = self.answer(id, grant, now, rng);
        answer.state = Some(state);
        answer.refresh_token = refresh_token;
        answer.id_token = id_token;
        Ok(TokenIssue {
            answer,
            issued_for: IssuedFor::Code(grant.visit),
        })
    }

    /// A new access token for a refresh token, which stays as it is or, where
    /// refresh tokens are rolling, is replaced.
    fn refresh(
        &mut self,
        role: EhrRole,
        parameters: &Parameters,
        now: UnixTime,
        rng: &mut dyn CryptoRng,
    ) -> Result<TokenIssue, TokenFault> {
        let digest = Digest::of(needed(parameters, "refresh_token")?);
        let token = self
            .refresh_tokens
            .get_mut(&digest, now)
            .ok_or(TokenFault::RefreshTokenUnknown)?;
        let (id, expires) = (token.grant, token.expires);
        let grant = *self
            .grants
            .get(&id, now)
            .ok_or(TokenFault::RefreshTokenUnknown)?;
        if grant.visit.role() != role {
            return Err(TokenFault::RefreshTokenOfAnotherClient);
        }
        if token.replaced {
            // Two parties hold the token, and it is unknown which is the right
            // one: RFC 9700 section 4.14.2.
            self.grants.remove(&id);
            return Err(TokenFault::RefreshTokenReplaced);
        }
        if let Some(scope) = parameters.get("scope")?
            && !grant.scopes.cover(scope)
        {
            return Err(TokenFault::Scope);
        }
        let rolling = self.policy.rolling_refresh;
        token.replaced = rolling;
        let mut answer = self.answer(id, grant, now, rng);
        answer.refresh_token = rolling.then(|| self.refresh_token(id, expires, now, rng));
        Ok(TokenIssue {
            answer,
            issued_for: IssuedFor::RefreshToken(grant.visit),
        })
    }

    /// A backend's access token, which is of no visit.
    fn admit_backend(
        &mut self,
        parameters: &Parameters,
        now: UnixTime,
        rng: &mut dyn CryptoRng,
    ) -> Result<TokenIssue, TokenFault> {
        let scope = parameters.get("scope")?.unwrap_or(BACKEND_SCOPE);
        if !scope.split(' ').all(|scope| scope.starts_with("system/")) {
            return Err(TokenFault::BackendScope);
        }
        Ok(TokenIssue {
            answer: self.bare_answer(Holder::Backend, scope.to_owned(), now, rng),
            issued_for: IssuedFor::Backend,
        })
    }

    fn refresh_token(
        &mut self,
        grant: GrantId,
        expires: UnixTime,
        now: UnixTime,
        rng: &mut dyn CryptoRng,
    ) -> String {
        let token = Opaque::generate(rng);
        let issued = RefreshToken {
            grant,
            expires,
            replaced: false,
        };
        self.refresh_tokens
            .insert(token.digest(), issued, expires, now);
        token.as_str().to_owned()
    }
}

fn needed<'a>(parameters: &'a Parameters, name: &'static str) -> Result<&'a str, TokenFault> {
    parameters.get(name)?.ok_or(TokenFault::Missing(name))
}
