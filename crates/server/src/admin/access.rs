//! Who may use the admin API: HTTP Basic (RFC 7617), few wrong passwords, and a header
//! that keeps answers out of caches.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64ct::{Base64, Encoding as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::{AdminConfig, PasswordHash, answer};
use crate::{
    credential_attempts::{CredentialAttempts, NotLookedAt, retry_after},
    source_address::{SourceAddress, TrustedProxies},
    tools::Tools,
};

/// How long a request may wait for its password to be checked.
const PATIENCE: Duration = Duration::from_secs(10);

/// Longest `Authorization` header, in bytes.
const LONGEST_AUTHORIZATION: usize = 2048;

/// Tells the administrator from others.
pub(super) struct Access {
    attempts: CredentialAttempts,
    trusted_proxies: TrustedProxies,
    username: String,
    password_hash: PasswordHash,
    /// Of the credentials that were right, so that the password need not be hashed for
    /// each request. It says nothing without `key`.
    known: Mutex<Option<[u8; 32]>>,
    key: Zeroizing<[u8; 32]>,
    /// One password at a time: hashing takes much of a processor and of memory.
    hashing: Semaphore,
}

enum Refusal {
    NoCredentials,
    Wrong,
    TooMany { retry_after: Duration },
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
            attempts: CredentialAttempts::new(tools, "admin"),
            trusted_proxies: trusted_proxies.clone(),
            username: config.username.clone(),
            password_hash: config.password_hash.clone(),
            known: Mutex::default(),
            key,
            hashing: Semaphore::new(1),
        }
    }

    async fn check(&self, source: SourceAddress, headers: &HeaderMap) -> Result<(), Refusal> {
        let credentials = credentials(headers).ok_or(Refusal::NoCredentials)?;
        let mut wait = self.attempts.may_try(source).await?;
        let fingerprint = self.fingerprint(&credentials);
        if self.is_known(&fingerprint) {
            return Ok(());
        }
        let permit = tokio::time::timeout(PATIENCE, self.hashing.acquire()).await;
        let Ok(Ok(_permit)) = permit else {
            return Err(Refusal::Busy);
        };
        if wait.is_none() {
            // Those that waited before may have failed.
            wait = self.attempts.may_try(source).await?;
        }
        if self.are_right(credentials).await {
            *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(fingerprint);
            return Ok(());
        }
        self.attempts.failed(source).await;
        match wait {
            Some(retry_after) => Err(Refusal::TooMany { retry_after }),
            None => Err(Refusal::Wrong),
        }
    }

    /// Whether user name and password are right. A wrong name costs as much.
    async fn are_right(&self, credentials: Zeroizing<Vec<u8>>) -> bool {
        let colon = credentials.iter().position(|byte| *byte == b':');
        let Some((name, password)) = colon.and_then(|colon| credentials.split_at_checked(colon))
        else {
            return false;
        };
        let is_name = bool::from(name.ct_eq(self.username.as_bytes()));
        let password = Zeroizing::new(password[1..].to_vec());
        let hash = self.password_hash.clone();
        let matches = tokio::task::spawn_blocking(move || hash.matches(&password));
        matches.await.is_ok_and(|matches| matches & is_name)
    }

    fn fingerprint(&self, credentials: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_slice())
            .expect("HMAC takes keys of any length");
        mac.update(credentials);
        mac.finalize().into_bytes().into()
    }

    fn is_known(&self, fingerprint: &[u8; 32]) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.is_some_and(|known| known.ct_eq(fingerprint).into())
    }
}

/// Lets the administrator through, and nobody else.
pub(super) async fn require(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Response {
    let proxies = &access.trusted_proxies;
    let source = proxies.source(request.extensions(), request.headers());
    let mut response = match access.check(source, request.headers()).await {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
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

impl From<NotLookedAt> for Refusal {
    fn from(refused: NotLookedAt) -> Self {
        match refused {
            NotLookedAt::TooMany { retry_after } => Self::TooMany { retry_after },
            NotLookedAt::Store(error) => {
                tracing::error!(%error, "admin API: attempts cannot be counted");
                Self::Unavailable
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let challenge =
            HeaderValue::from_static("Basic realm=\"vestibule admin\", charset=\"UTF-8\"");
        match self {
            Self::NoCredentials | Self::Wrong => {
                let text = "user name and password of the administrator are needed";
                let mut response = answer::error(StatusCode::UNAUTHORIZED, text);
                let headers = response.headers_mut();
                headers.insert(header::WWW_AUTHENTICATE, challenge);
                response
            }
            Self::TooMany { retry_after: wait } => {
                let text = "too many wrong passwords from this address; wait";
                let mut response = answer::error(StatusCode::TOO_MANY_REQUESTS, text);
                let headers = response.headers_mut();
                headers.insert(header::RETRY_AFTER, retry_after(wait));
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
