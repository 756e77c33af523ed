//! `/admin/sign-in` and `/admin/sign-out`.

use std::sync::Arc;

use axum::{
    Router,
    extract::{
        Form, Query, State,
        rejection::{FormRejection, QueryRejection},
    },
    http::{Extensions, HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use vestibule_store::{AuditAction, NewAuditEntry, StoreError};

use super::{
    Admin,
    access::Refusal,
    administrator::{Posted, Rejected, SIGN_IN},
    oidc, pages, session, site,
};

/// Longest address to go on to, in bytes.
const LONGEST_NEXT: usize = 1000;

pub(super) fn router() -> Router<Arc<Admin>> {
    Router::new()
        .route(SIGN_IN, get(form).post(sign_in))
        .route("/admin/sign-out", post(sign_out))
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
struct Given {
    name: String,
    password: SecretString,
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
struct Nothing {}

async fn form(
    State(admin): State<Arc<Admin>>,
    query: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let next = query.map_or_else(|_| String::new(), |Query(asked)| asked.next);
    page(&admin, StatusCode::OK, own_page(&next), None)
}

async fn sign_in(
    State(admin): State<Arc<Admin>>,
    extensions: Extensions,
    headers: HeaderMap,
    given: Result<Form<Given>, FormRejection>,
) -> Response {
    if !site::is_own(&headers) {
        return Rejected::Forged.into_response();
    }
    let Ok(Form(given)) = given else {
        return Rejected::Malformed.into_response();
    };
    let next = own_page(&given.next);
    let source = admin.trusted_proxies.source(&extensions, &headers);
    let password = given.password.expose_secret().as_bytes();
    let checked = admin.access.check(source, given.name.as_bytes(), password);
    let checked = checked.await;
    let tell = |action, role: Option<String>, name: Option<&str>| NewAuditEntry {
        administrator: name.map(str::to_owned),
        identity: None,
        role,
        source: source.to_string(),
        action,
        subject: None,
        details: String::new(),
    };
    let tools = &admin.tools;
    let signed_in = match checked {
        Ok(signed_in) => signed_in,
        Err(refusal) => {
            if refusal.was_looked_at() {
                let name = admin.access.known_name(&given.name);
                let entry = tell(AuditAction::SignInFailed, None, name);
                if let Err(error) = tools.store.record_audit(entry, tools.now()).await {
                    tracing::error!(%error, "a failed sign-in cannot be recorded");
                }
            }
            return refused(&admin, &refusal, next);
        }
    };
    let role = Some(signed_in.role.as_str().to_owned());
    let entry = tell(AuditAction::SignedIn, role, Some(&signed_in.name));
    let begun = async {
        tools.store.record_audit(entry, tools.now()).await?;
        let is_local = session::is_local(&admin, &extensions, &headers);
        session::begin(&admin, &headers, is_local, &signed_in).await
    };
    match begun.await {
        Ok(cookie) => {
            tracing::info!(user = signed_in.name, "admin: signed in");
            with_cookie(Redirect::to(next), cookie)
        }
        Err(error) => unavailable(&error),
    }
}

async fn sign_out(
    State(admin): State<Arc<Admin>>,
    extensions: Extensions,
    headers: HeaderMap,
    posted: Posted<Nothing>,
) -> Response {
    let Posted { administrator, .. } = posted;
    let is_local = session::is_local(&admin, &extensions, &headers);
    let ended = async {
        session::end(&admin, &headers, is_local).await?;
        let action = AuditAction::SignedOut;
        administrator.record(&admin, action, None, "").await
    };
    match ended.await {
        Ok(()) => with_cookie(Redirect::to(SIGN_IN), session::forget(is_local)),
        Err(error) => unavailable(&error),
    }
}

/// Where to go on: a page of these, or the first of them.
pub(super) fn own_page(next: &str) -> &str {
    let first = "/admin";
    let rest = next.strip_prefix(first);
    let is_ours = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    let is_plain = next.len() <= LONGEST_NEXT
        && next
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    // A page that signs in or out would lead back here.
    let signs_in = next.starts_with("/admin/sign-") || next.starts_with(oidc::START);
    if is_ours && is_plain && !signs_in {
        next
    } else {
        first
    }
}

fn page(admin: &Admin, status: StatusCode, next: &str, fault: Option<&str>) -> Response {
    let provider = admin.oidc.is_some().then(|| oidc::start_at(next));
    pages::sign_in(status, next, fault, provider.as_deref())
}

fn refused(admin: &Admin, refusal: &Refusal, next: &str) -> Response {
    let (status, fault) = match refusal {
        Refusal::NoCredentials | Refusal::Wrong => {
            (StatusCode::UNAUTHORIZED, "Name or password is wrong.")
        }
        Refusal::TooMany { .. } => (
            StatusCode::TOO_MANY_REQUESTS,
            "Too many wrong passwords came from your address. Wait five minutes.",
        ),
        Refusal::Busy => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Too many sign in at the moment. Try again.",
        ),
        Refusal::Unavailable => return Rejected::Unavailable.into_response(),
    };
    let mut response = page(admin, status, next, Some(fault));
    if let Some(value) = refusal.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

fn unavailable(error: &StoreError) -> Response {
    tracing::error!(%error, "nobody can sign in or out");
    Rejected::Unavailable.into_response()
}

fn with_cookie(response: impl IntoResponse, cookie: HeaderValue) -> Response {
    let mut response = response.into_response();
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_on_to_pages_of_this_server_only() {
        for next in [
            "/admin",
            "/admin/launches?state=failed",
            "/admin?from=2026-01-01",
            "/admin/",
        ] {
            assert_eq!(own_page(next), next);
        }
        let long = format!("/admin/{}", "a".repeat(1000));
        for next in [
            "",
            "/",
            "//evil.example.org",
            "https://evil.example.org/admin",
            "/administrator",
            "/admin@evil.example.org",
            "/admin/\\evil.example.org",
            "/admin/a\r\nSet-Cookie: a=b",
            "/admin/sign-in?next=/admin/sign-in",
            "/admin/sign-out",
            "/admin/oidc/callback?code=a",
            &long,
        ] {
            assert_eq!(own_page(next), "/admin", "{next}");
        }
    }
}
