//! The SMART authorization server as a state machine: time and randomness come
//! in as arguments, nothing here knows of HTTP connections.

mod authorization;
mod launch_token;
mod token;

use std::time::Duration;

use vestibule_launch::{EhrRole, UnixTime};

use crate::{
    appointment::Appointment, client::Clients, expiring::Expiring, opaque::Digest, pkce::Challenge,
};

pub(crate) use authorization::{Authorization, AuthorizationRefusal, PageFault};
pub(crate) use token::{IssuedFor, TokenAnswer, TokenFault, TokenRefusal};

/// What a client may ask for: the EHR has no FHIR resources to read.
pub(crate) const SCOPE: &str = "launch";

/// How long an access token is good for, in seconds as it is announced.
const ACCESS_TOKEN_SECONDS: u32 = 3600;
const ACCESS_TOKEN_LIFETIME: Duration = Duration::from_secs(ACCESS_TOKEN_SECONDS as u64);
/// How long a grant can be refreshed, and how long the EHR remembers used
/// launch tokens and codes, so as to tell a second use from an invention.
const GRANT_LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);
/// How many launches, codes, grants and tokens are remembered, of each.
const CAPACITY: usize = 10_000;

/// Everything the authorization server knows.
pub(crate) struct AuthorizationServer {
    clients: Clients,
    issuer: String,
    smart_style_url: String,
    launch_tokens: Expiring<Digest, launch_token::LaunchToken>,
    codes: Expiring<Digest, Code>,
    grants: Expiring<GrantId, Grant>,
    access_tokens: Expiring<Digest, GrantId>,
    refresh_tokens: Expiring<Digest, GrantId>,
    next_grant: GrantId,
}

/// An authorization code that was handed out.
struct Code {
    grant: Grant,
    challenge: Challenge,
    state: String,
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
struct Grant {
    role: EhrRole,
    appointment: &'static Appointment,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct GrantId(u64);

impl AuthorizationServer {
    /// A server for the EHR with the FHIR base address `issuer`.
    pub(crate) fn new(clients: Clients, issuer: String, smart_style_url: String) -> Self {
        Self {
            clients,
            issuer,
            smart_style_url,
            launch_tokens: Expiring::new(CAPACITY),
            codes: Expiring::new(CAPACITY),
            grants: Expiring::new(CAPACITY),
            access_tokens: Expiring::new(CAPACITY),
            refresh_tokens: Expiring::new(CAPACITY),
            next_grant: GrantId(0),
        }
    }

    pub(crate) fn clients(&self) -> &Clients {
        &self.clients
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whether this is an access token that is good now.
    pub(crate) fn knows_access_token(&self, token: &str, now: UnixTime) -> bool {
        self.access_tokens
            .get(&Digest::of(token), now)
            .is_some_and(|grant| self.grants.get(grant, now).is_some())
    }
}
