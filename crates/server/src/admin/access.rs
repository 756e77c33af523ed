//! Who may use the admin API and the admin pages: names and passwords, few wrong ones of
//! them, and for the API HTTP Basic (RFC 7617) and headers that keep answers out of
//! caches.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64ct::{Base64, Encoding as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;
use vestibule_store::{AdminSession, AuditAction};
use zeroize::Zeroizing;

use super::{AdminConfig, AdminUser, Administrator, Role, answer};
use crate::{
    credential_attempts::{CredentialAttempts, NotLookedAt, retry_after},
    source_address::{SourceAddress, TrustedProxies},
    tools::Tools,
};

/// How long a request may wait for its password to be checked.
const PATIENCE: Duration = Duration::from_secs(10);

/// Longest `Authorization` header, in bytes.
const LONGEST_AUTHORIZATION: usize = 2048;

/// Tells administrators from others.
pub(super) struct Access {
    tools: Tools,
    attempts: CredentialAttempts,
    trusted_proxies: TrustedProxies,
    users: Vec<AdminUser>,
    /// Of each user's credentials that were right, so that the password need not be hashed
    /// for each request. They say nothing without `key`.
    known: Mutex<Vec<Option<[u8; 32]>>>,
    key: Zeroizing<[u8; 32]>,
    /// One password at a time: hashing takes much of a processor and of memory.
    hashing: Semaphore,
}

/// An administrator whose password was right.
pub(super) struct SignedIn {
    pub(super) name: String,
    /// Who that is at the provider that vouches for them; `None` where a password does.
    pub(super) identity: Option<String>,
    pub(super) role: Role,
    pub(super) may_see_names: bool,
    /// SHA-256 of the password's hash.
    pub(super) credential: [u8; 32],
}

/// Why somebody is not let in.
pub(super) enum Refusal {
    NoCredentials,
    Wrong,
    TooMany {
        retry_after: Duration,
        /// Whether the password was looked at, and is wrong.
        looked_at: bool,
    },
    Busy,
    Unavailable,
}

impl Access {
    pub(super) fn new(
        config: &AdminConfig,
        trusted_proxies: &TrustedProxies,
        tools: Tools,
    ) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        tools.random.with(|rng| rng.fill_bytes(key.as_mut_slice()));
        Self {
            attempts: CredentialAttempts::new(tools.clone(), "admin"),
            tools,
            trusted_proxies: trusted_proxies.clone(),
            known: Mutex::new(vec![None; config.users.len()]),
            users: config.users.clone(),
            key,
            hashing: Semaphore::new(1),
        }
    }

    /// Whether name and password are right.
    pub(super) async fn check(
        &self,
        source: SourceAddress,
        name: &[u8],
        password: &[u8],
    ) -> Result<SignedIn, Refusal> {
        let attempt = self.attempts.begin(source).await?;
        let fingerprint = self.fingerprint(name, password);
        if let Some(user) = self.known(&fingerprint) {
            attempt.withdrawn().await;
            return Ok(user.into());
        }
        let permit = tokio::time::timeout(PATIENCE, self.hashing.acquire()).await;
        let Ok(Ok(_permit)) = permit else {
            attempt.withdrawn().await;
            return Err(Refusal::Busy);
        };
        if let Some(place) = self.are_right(name, password).await {
            self.remember(place, fingerprint);
            attempt.withdrawn().await;
            return Ok((&self.users[place]).into());
        }
        match attempt.wrong() {
            Some(retry_after) => Err(Refusal::TooMany {
                retry_after,
                looked_at: true,
            }),
            None => Err(Refusal::Wrong),
        }
    }

    /// The administrator of a session, as the configuration has it now: none where the
    /// name is gone or the password is another one.
    pub(super) fn still(&self, session: &AdminSession) -> Option<SignedIn> {
        let mut users = self.users.iter();
        let user = users.find(|user| user.name == session.administrator)?;
        let signed_in = SignedIn::from(user);
        let is_same = signed_in.credential.ct_eq(&session.credential);
        bool::from(is_same).then_some(signed_in)
    }

    /// The name, where an administrator has it.
    pub(super) fn known_name(&self, name: &str) -> Option<&str> {
        let mut names = self.users.iter().map(|user| user.name.as_str());
        names.find(|known| *known == name)
    }

    /// Whether an administrator has this name, or one that looks like it.
    pub(super) fn has_name(&self, name: &str) -> bool {
        let name = name.trim().to_lowercase();
        let mut users = self.users.iter();
        users.any(|user| user.name.trim().to_lowercase() == name)
    }

    /// The user whose name and password these are. A wrong name costs as much.
    async fn are_right(&self, name: &[u8], password: &[u8]) -> Option<usize> {
        let is_named = |user: &AdminUser| bool::from(name.ct_eq(user.name.as_bytes()));
        let place = self.users.iter().position(is_named);
        let password = Zeroizing::new(password.to_vec());
        // There may be none at all, where a provider vouches for administrators.
        let hash = self.users.get(place.unwrap_or(0))?.password_hash.clone();
        let matches = tokio::task::spawn_blocking(move || hash.matches(&password)).await;
        place.filter(|_| matches.is_ok_and(|matches| matches))
    }

    fn fingerprint(&self, name: &[u8], password: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_slice())
            .expect("HMAC takes keys of any length");
        mac.update(&name.len().to_be_bytes());
        mac.update(name);
        mac.update(password);
        mac.finalize().into_bytes().into()
    }

    fn remember(&self, place: usize, fingerprint: [u8; 32]) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known[place] = Some(fingerprint);
    }

    fn known(&self, fingerprint: &[u8; 32]) -> Option<&AdminUser> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |known: &Option<[u8; 32]>| {
            known.is_some_and(|known| bool::from(known.ct_eq(fingerprint)))
        };
        known
            .iter()
            .position(is_same)
            .map(|place| &self.users[place])
    }

    /// Who sends a request to the API, by HTTP Basic, where that one may send it.
    async fn administrator(
        &self,
        source: SourceAddress,
        method: &Method,
        headers: &HeaderMap,
    ) -> Result<Administrator, Response> {
        let checked = match credentials(headers) {
            Some(credentials) => {
                let (name, password) = name_and_password(&credentials);
                self.check(source, name, password).await
            }
            None => Err(Refusal::NoCredentials),
        };
        let signed_in = checked.map_err(IntoResponse::into_response)?;
        let needed = match *method {
            Method::GET | Method::HEAD | Method::OPTIONS => Role::View,
            _ => Role::Configure,
        };
        let administrator = Administrator {
            name: signed_in.name,
            identity: None,
            role: signed_in.role,
            may_see_names: signed_in.may_see_names,
            source: source.to_string(),
            csrf: String::new(),
            session: None,
        };
        if administrator.role >= needed {
            return Ok(administrator);
        }
        let details = format!("needs the role {needed}");
        let entry = administrator.entry(AuditAction::Refused, None, &details);
        let recorded = self.tools.store.record_audit(entry, self.tools.now()).await;
        if let Err(error) = recorded {
            tracing::error!(%error, "what was refused cannot be recorded");
        }
        Err(answer::error(
            StatusCode::FORBIDDEN,
            format!("this needs an administrator with the role {needed}"),
        ))
    }
}

impl Refusal {
    /// Whether the password was looked at, and is wrong.
    pub(super) fn was_looked_at(&self) -> bool {
        match self {
            Self::Wrong => true,
            Self::TooMany { looked_at, .. } => *looked_at,
            Self::NoCredentials | Self::Busy | Self::Unavailable => false,
        }
    }

    /// When it is of use to try again, as a `Retry-After`.
    pub(super) fn retry_after(&self) -> Option<HeaderValue> {
        match self {
            Self::TooMany {
                retry_after: wait, ..
            } => Some(retry_after(*wait)),
            _ => None,
        }
    }
}

impl From<&AdminUser> for SignedIn {
    fn from(user: &AdminUser) -> Self {
        Self {
            name: user.name.clone(),
            identity: None,
            role: user.role,
            may_see_names: user.names,
            credential: Sha256::digest(user.password_hash.to_string()).into(),
        }
    }
}

/// Lets administrators through to the API, and nobody else.
pub(super) async fn require(
    State(access): State<Arc<Access>>,
    mut request: Request,
    next: Next,
) -> Response {
    let proxies = &access.trusted_proxies;
    let source = proxies.source(request.extensions(), request.headers());
    let administrator = access.administrator(source, request.method(), request.headers());
    let mut response = match administrator.await {
        Ok(administrator) => {
            request.extensions_mut().insert(administrator);
            next.run(request).await
        }
        Err(response) => response,
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// User name, colon and password.
fn credentials(headers: &HeaderMap) -> Option<Zeroizing<Vec<u8>>> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, text) = value.split_once(' ')?;
    let fits = value.len() <= LONGEST_AUTHORIZATION && scheme.eq_ignore_ascii_case("basic");
    let decoded = fits.then(|| Base64::decode_vec(text.trim()))?.ok()?;
    Some(Zeroizing::new(decoded))
}

/// What is before the first colon, and what is behind it.
fn name_and_password(credentials: &[u8]) -> (&[u8], &[u8]) {
    let colon = credentials.iter().position(|byte| *byte == b':');
    match colon.and_then(|colon| credentials.split_at_checked(colon)) {
        Some((name, password)) => (name, &password[1..]),
        None => (credentials, b""),
    }
}

impl From<NotLookedAt> for Refusal {
    fn from(refused: NotLookedAt) -> Self {
        match refused {
            NotLookedAt::TooMany { retry_after } => Self::TooMany {
                retry_after,
                looked_at: false,
            },
            NotLookedAt::Busy => Self::Busy,
            NotLookedAt::Store(error) => {
                tracing::error!(%error, "administrators' attempts cannot be counted");
                Self::Unavailable
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let challenge =
            HeaderValue::from_static("Basic realm=\"vestibule admin\", charset=\"UTF-8\"");
        let retry_after = self.retry_after();
        match self {
            Self::NoCredentials | Self::Wrong => {
                let text = "name and password of an administrator are needed";
                let mut response = answer::error(StatusCode::UNAUTHORIZED, text);
                let headers = response.headers_mut();
                headers.insert(header::WWW_AUTHENTICATE, challenge);
                response
            }
            Self::TooMany { .. } => {
                let text = "too many wrong passwords from this address; wait";
                let mut response = answer::error(StatusCode::TOO_MANY_REQUESTS, text);
                if let Some(value) = retry_after {
                    response.headers_mut().insert(header::RETRY_AFTER, value);
                }
                response
            }
            Self::Busy => answer::error(
                StatusCode::SERVICE_UNAVAILABLE,
                "too many passwords to check at the moment; try again",
            ),
            Self::Unavailable => answer::error(
                StatusCode::SERVICE_UNAVAILABLE,
                "the server cannot get at its database; try again soon",
            ),
        }
    }
}
