//! Who is not signed in by the provider: the answer, and what is recorded of it.

use std::time::Duration;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use vestibule_store::{AuditAction, Bucket, NewAuditEntry, StoreError, Taken};

use super::{OidcError, identity::Identity};
use crate::{
    admin::{
        Admin,
        access::{Refusal, SignedIn},
        administrator::Rejected,
        pages,
    },
    source_address::SourceAddress,
};

/// Returns of nobody known that are recorded: so many at once, and then one a minute.
/// The server's log has each.
const RECORDED: Bucket = Bucket {
    size: 20,
    refill: Duration::from_secs(60),
};

pub(super) async fn failed(admin: &Admin, error: &OidcError, source: SourceAddress) -> Response {
    tracing::warn!(%error, "admin: nobody was signed in by OpenID Connect");
    let (status, text) = match error {
        OidcError::Store(_) => return Rejected::Unavailable.into_response(),
        OidcError::Transport(_)
        | OidcError::Metadata(_)
        | OidcError::OtherIssuer
        | OidcError::Away => (
            StatusCode::BAD_GATEWAY,
            "The sign-in of your organisation does not answer as it should. Try again soon.",
        ),
        OidcError::NoRole(_) => (
            StatusCode::FORBIDDEN,
            "Your account has no role here. Ask whoever gives out roles.",
        ),
        OidcError::NameTaken(_) => (
            StatusCode::FORBIDDEN,
            "Somebody else here has the name of your account. Ask whoever gives out names.",
        ),
        _ => (
            StatusCode::BAD_REQUEST,
            "The sign-in was not finished here, or took too long. Begin again.",
        ),
    };
    if error.is_guess()
        && let Err(error) = record(admin, error.known(), source).await
    {
        tracing::error!(%error, "a failed sign-in cannot be recorded");
    }
    pages::message(status, "You are not signed in", text)
}

/// Puts into the audit log that somebody was not signed in. Whoever is nobody to the
/// provider either could fill it.
async fn record(
    admin: &Admin,
    known: Option<&Identity>,
    source: SourceAddress,
) -> Result<(), StoreError> {
    let tools = &admin.tools;
    if known.is_none() {
        let key = tools.sealer.limit_key("admin oidc failures", &[]);
        let taken = tools.store.take(key, RECORDED, tools.now()).await?;
        if taken != Taken::Now {
            return Ok(());
        }
    }
    let entry = NewAuditEntry {
        administrator: known.map(|known| known.name.clone()),
        identity: known.map(|known| known.identity.clone()),
        ..entry(AuditAction::SignInFailed, source, None)
    };
    tools.store.record_audit(entry, tools.now()).await
}

pub(super) fn entry(
    action: AuditAction,
    source: SourceAddress,
    signed_in: Option<&SignedIn>,
) -> NewAuditEntry {
    NewAuditEntry {
        administrator: signed_in.map(|signed_in| signed_in.name.clone()),
        identity: signed_in.and_then(|signed_in| signed_in.identity.clone()),
        role: None,
        source: source.to_string(),
        action,
        subject: None,
        details: "by OpenID Connect".to_owned(),
    }
}

/// Too many came from the same place.
pub(super) fn not_looked_at(refusal: &Refusal) -> Response {
    let Some(retry_after) = refusal.retry_after() else {
        return Rejected::Unavailable.into_response();
    };
    let mut response = pages::message(
        StatusCode::TOO_MANY_REQUESTS,
        "You are not signed in",
        "Too many sign-ins from your address failed. Wait five minutes.",
    );
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, retry_after);
    response
}
