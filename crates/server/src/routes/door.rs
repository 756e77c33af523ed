//! Who of Pexip Infinity comes in: whoever has the user name and the password of the
//! configuration, and has not tried too many others.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{
    conferencing::BasicCredentials,
    credential_attempts::{CredentialAttempts, NotLookedAt, retry_after},
    source_address::{SourceAddress, TrustedProxies},
    tools::Tools,
};

/// What is asked of who comes in.
pub(super) struct Door {
    credentials: BasicCredentials,
    attempts: CredentialAttempts,
    trusted_proxies: TrustedProxies,
}

enum Refusal {
    NoCredentials,
    Wrong,
    NotLookedAt(NotLookedAt),
}

impl Door {
    /// A door of this name for those who have the credentials.
    pub(super) fn new(
        credentials: BasicCredentials,
        name: &'static str,
        tools: &Tools,
        trusted_proxies: &TrustedProxies,
    ) -> Self {
        Self {
            credentials,
            attempts: CredentialAttempts::new(tools.clone(), name),
            trusted_proxies: trusted_proxies.clone(),
        }
    }

    /// Whoever sends none has not tried anything.
    async fn check(&self, source: SourceAddress, headers: &HeaderMap) -> Result<(), Refusal> {
        if !headers.contains_key(header::AUTHORIZATION) {
            return Err(Refusal::NoCredentials);
        }
        let attempt = self.attempts.begin(source).await;
        let attempt = attempt.map_err(Refusal::NotLookedAt)?;
        if self.credentials.are_in(headers) {
            attempt.withdrawn().await;
            return Ok(());
        }
        Err(match attempt.wrong() {
            Some(retry_after) => Refusal::NotLookedAt(NotLookedAt::TooMany { retry_after }),
            None => Refusal::Wrong,
        })
    }
}

/// Lets only those in who have the credentials; the others learn what to send.
pub(super) async fn authenticate(
    State(door): State<Arc<Door>>,
    request: Request,
    next: Next,
) -> Response {
    let proxies = &door.trusted_proxies;
    let source = proxies.source(request.extensions(), request.headers());
    match door.check(source, request.headers()).await {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::NoCredentials | Self::Wrong => {
                let challenge =
                    HeaderValue::from_static("Basic realm=\"vestibule\", charset=\"UTF-8\"");
                (
                    StatusCode::UNAUTHORIZED,
                    [(header::WWW_AUTHENTICATE, challenge)],
                    "send the user name and password that the server has in [pexip]\n",
                )
                    .into_response()
            }
            Self::NotLookedAt(NotLookedAt::TooMany { retry_after: wait }) => (
                StatusCode::TOO_MANY_REQUESTS,
                [(header::RETRY_AFTER, retry_after(wait))],
                "too many wrong passwords from this address; wait\n",
            )
                .into_response(),
            Self::NotLookedAt(error @ (NotLookedAt::Busy | NotLookedAt::Store(_))) => {
                tracing::error!(%error, "attempts cannot be counted");
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    [(header::RETRY_AFTER, HeaderValue::from_static("1"))],
                    "try again soon\n",
                )
                    .into_response()
            }
        }
    }
}
