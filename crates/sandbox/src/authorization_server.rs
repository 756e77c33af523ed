//! The SMART authorization server as a state machine: time and randomness come
//! in as arguments, nothing here knows of HTTP connections.

mod authorization;
mod client_authentication;
mod launch_token;
mod token;
mod token_answer;

use std::time::Duration;

use vestibule_launch::UnixTime;

use crate::{
    client::Clients,
    expiring::Expiring,
    id_token::{IdTokenKey, IdTokenSigner},
    opaque::Digest,
    pkce::Challenge,
    scope::Scopes,
    token_policy::TokenPolicy,
    visit::Visit,
};

pub(crate) use authorization::{Authorization, AuthorizationRefusal, PageFault};
pub(crate) use client_authentication::{ClientFault, FetchedKeys};
pub(crate) use token::{IssuedFor, TokenFault, TokenRefusal};
pub(crate) use token_answer::TokenAnswer;

/// How long a grant can be refreshed, and how long the EHR remembers used
/// launch tokens and codes, so as to tell a second use from an invention.
const GRANT_LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);
/// How many launches, codes, grants and tokens are remembered, of each.
const CAPACITY: usize = 10_000;

/// Everything the authorization server knows.
pub(crate) struct AuthorizationServer {
    clients: Clients,
    policy: TokenPolicy,
    /// The FHIR base address: `iss` of launches, `aud` of authorizations.
    issuer: String,
    token_url: String,
    smart_style_url: String,
    id_tokens: IdTokenSigner,
    launch_tokens: Expiring<Digest, launch_token::LaunchToken>,
    codes: Expiring<Digest, Code>,
    grants: Expiring<GrantId, Grant>,
    access_tokens: Expiring<Digest, Holder>,
    refresh_tokens: Expiring<Digest, RefreshToken>,
    used_assertions: Expiring<Digest, ()>,
    next_grant: GrantId,
}

/// An authorization code that was handed out.
struct Code {
    grant: Grant,
    challenge: Challenge,
    state: String,
    nonce: Option<String>,
    expires: UnixTime,
    used: CodeUse,
}

/// A code is good for one attempt.
#[derive(Clone, Copy)]
enum CodeUse {
    Unused,
    Refused,
    Exchanged(GrantId),
}

/// What a user let a client do; its tokens die with it.
#[derive(Clone, Copy)]
pub(crate) struct Grant {
    pub(crate) visit: Visit,
    pub(crate) scopes: Scopes,
}

/// Who may do something with an access token.
#[derive(Clone, Copy)]
enum Holder {
    Grant(GrantId),
    Backend,
}

/// A refresh token, which is replaced where refresh tokens rotate.
struct RefreshToken {
    grant: GrantId,
    /// Of the first one: replacing it makes it no longer.
    expires: UnixTime,
    replaced: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct GrantId(u64);

impl AuthorizationServer {
    /// A server for the EHR at `address`, such as `http://127.0.0.1:7081`.
    pub(crate) fn new(
        clients: Clients,
        policy: TokenPolicy,
        address: &str,
        key: IdTokenKey,
    ) -> Self {
        let issuer = format!("{address}/api/FHIR/R4");
        Self {
            clients,
            policy,
            token_url: format!("{address}/oauth2/token"),
            smart_style_url: format!("{address}/smart-style.json"),
            id_tokens: IdTokenSigner::new(format!("{address}/oauth2"), issuer.clone(), key),
            issuer,
            launch_tokens: Expiring::new(CAPACITY),
            codes: Expiring::new(CAPACITY),
            grants: Expiring::new(CAPACITY),
            access_tokens: Expiring::new(CAPACITY),
            refresh_tokens: Expiring::new(CAPACITY),
            used_assertions: Expiring::new(CAPACITY),
            next_grant: GrantId(0),
        }
    }

    pub(crate) fn clients(&self) -> &Clients {
        &self.clients
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(crate) fn id_tokens(&self) -> &IdTokenSigner {
        &self.id_tokens
    }

    /// Whether this is an access token that is good now.
    pub(crate) fn knows_access_token(&self, token: &str, now: UnixTime) -> bool {
        match self.access_tokens.get(&Digest::of(token), now) {
            Some(Holder::Grant(grant)) => self.grants.get(grant, now).is_some(),
            Some(Holder::Backend) => true,
            None => false,
        }
    }

    /// What a user's access token that is good now lets its holder do.
    pub(crate) fn grant_of(&self, token: &str, now: UnixTime) -> Option<Grant> {
        match self.access_tokens.get(&Digest::of(token), now)? {
            Holder::Grant(grant) => self.grants.get(grant, now).copied(),
            Holder::Backend => None,
        }
    }

    /// Whether this is an access token of the backend that is good now.
    pub(crate) fn is_of_backend(&self, token: &str, now: UnixTime) -> bool {
        let holder = self.access_tokens.get(&Digest::of(token), now);
        matches!(holder, Some(Holder::Backend))
    }
}
