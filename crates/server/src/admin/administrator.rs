//! Who sends a request to the admin pages: asked for by every page, and answered with the
//! sign-in page where nobody is signed in.

use std::{fmt, sync::Arc};

use axum::{
    body::{Body, Bytes},
    extract::{Form, FromRequest, FromRequestParts, Request},
    http::{Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq as _;
use url::form_urlencoded;
use vestibule_store::{AdminSessionHash, AuditAction, AuditSubject, NewAuditEntry, StoreError};

use super::{Admin, Role, pages, session, site};

/// Where administrators sign in.
pub(super) const SIGN_IN: &str = "/admin/sign-in";

/// The field of a form that proves that this server gave the form to this browser.
pub(super) const CSRF_FIELD: &str = "csrf";

/// Longest details of an entry in the audit log, in characters.
const LONGEST_DETAILS: usize = 1000;

/// Who is signed in. `Debug` does not show the token.
#[derive(Clone)]
pub(super) struct Administrator {
    /// The name.
    pub(super) name: String,
    /// Who that is at the provider that vouches for them; `None` where a password does.
    pub(super) identity: Option<String>,
    /// What may be done.
    pub(super) role: Role,
    /// Whether names of patients and providers may be seen. To get at them go through
    /// [`super::names`]: it keeps the audit log.
    pub(super) may_see_names: bool,
    /// The address that the request comes from.
    pub(super) source: String,
    /// To be put into every form, as [`CSRF_FIELD`].
    pub(super) csrf: String,
    /// The session, by which it is found out whether it goes on; `None` by HTTP Basic.
    pub(super) session: Option<AdminSessionHash>,
}

/// A form that was sent by somebody who is signed in, from a page of this server.
pub(super) struct Posted<T> {
    pub(super) administrator: Administrator,
    pub(super) form: T,
}

/// The role does not allow it. It is in the audit log.
#[derive(Debug)]
pub(super) struct Forbidden;

/// Why a request is not answered as asked.
#[derive(Debug)]
pub(super) enum Rejected {
    /// Nobody is signed in; `next` is where to go on afterwards.
    NotSignedIn { next: Option<String> },
    /// The form does not come from a page that this server gave to this browser.
    Forged,
    /// It cannot be read as the form that it should be.
    Malformed,
    /// The store does not answer.
    Unavailable,
}

impl Administrator {
    /// Goes on where the role is `role` or more. Who asked for more is in the audit log.
    ///
    /// # Errors
    /// [`Forbidden`], which is the answer.
    pub(super) async fn require(&self, admin: &Admin, role: Role) -> Result<(), Forbidden> {
        if self.role >= role {
            return Ok(());
        }
        let details = format!("needs the role {role}");
        if let Err(error) = self
            .record(admin, AuditAction::Refused, None, &details)
            .await
        {
            tracing::error!(%error, "what was refused cannot be recorded");
        }
        Err(Forbidden)
    }

    /// Puts into the audit log what this administrator does. `details` must hold no name
    /// of a patient or provider, and no value of a field.
    ///
    /// # Errors
    /// Where it cannot be stored: what was to be done must then not be done.
    pub(super) async fn record(
        &self,
        admin: &Admin,
        action: AuditAction,
        subject: Option<AuditSubject>,
        details: &str,
    ) -> Result<(), StoreError> {
        let entry = self.entry(action, subject, details);
        let tools = &admin.tools;
        tools.store.record_audit(entry, tools.now()).await
    }

    /// The entry of [`Self::record`], for what is stored together with it.
    pub(super) fn entry(
        &self,
        action: AuditAction,
        subject: Option<AuditSubject>,
        details: &str,
    ) -> NewAuditEntry {
        NewAuditEntry {
            administrator: Some(self.name.clone()),
            identity: self.identity.clone(),
            role: Some(self.role.as_str().to_owned()),
            source: self.source.clone(),
            action,
            subject,
            details: details.chars().take(LONGEST_DETAILS).collect(),
        }
    }
}

impl fmt::Debug for Administrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Administrator")
            .field("name", &self.name)
            .field("role", &self.role)
            .field("may_see_names", &self.may_see_names)
            .finish_non_exhaustive()
    }
}

impl FromRequestParts<Arc<Admin>> for Administrator {
    type Rejection = Rejected;

    async fn from_request_parts(
        parts: &mut Parts,
        admin: &Arc<Admin>,
    ) -> Result<Self, Self::Rejection> {
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        match session::find(admin, &parts.extensions, &parts.headers).await {
            Ok(Some(administrator)) => Ok(administrator),
            Ok(None) => {
                let path = parts.uri.path_and_query();
                let next = (parts.method == Method::GET).then_some(path).flatten();
                Err(Rejected::NotSignedIn {
                    next: next.map(ToString::to_string),
                })
            }
            Err(error) => {
                tracing::error!(%error, "it cannot be found out who is signed in");
                Err(Rejected::Unavailable)
            }
        }
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<Admin>> for Posted<T> {
    type Rejection = Rejected;

    async fn from_request(request: Request, admin: &Arc<Admin>) -> Result<Self, Self::Rejection> {
        if !site::is_own(request.headers()) {
            return Err(Rejected::Forged);
        }
        let (mut parts, body) = request.into_parts();
        let administrator = Administrator::from_request_parts(&mut parts, admin).await?;
        let request = Request::from_parts(parts.clone(), body);
        let body = Bytes::from_request(request, admin).await;
        let body = body.map_err(|_| Rejected::Malformed)?;
        let mut fields = form_urlencoded::parse(&body);
        let token = fields.find(|(name, _)| name == CSRF_FIELD);
        let is_ours = token.is_some_and(|(_, token)| {
            let expected = administrator.csrf.as_bytes();
            !expected.is_empty() && bool::from(token.as_bytes().ct_eq(expected))
        });
        if !is_ours {
            return Err(Rejected::Forged);
        }
        let request = Request::from_parts(parts, Body::from(body));
        let form = Form::from_request(request, admin).await;
        let Form(form) = form.map_err(|_| Rejected::Malformed)?;
        Ok(Self {
            administrator,
            form,
        })
    }
}

impl IntoResponse for Forbidden {
    fn into_response(self) -> Response {
        pages::message(
            StatusCode::FORBIDDEN,
            "Not allowed",
            "Your role does not allow this. Ask an administrator whose role does.",
        )
    }
}

impl IntoResponse for Rejected {
    fn into_response(self) -> Response {
        match self {
            Self::NotSignedIn { next } => {
                let mut query = form_urlencoded::Serializer::new(String::new());
                if let Some(next) = next {
                    query.append_pair("next", &next);
                }
                let query = query.finish();
                let mark = if query.is_empty() { "" } else { "?" };
                Redirect::to(&format!("{SIGN_IN}{mark}{query}")).into_response()
            }
            Self::Forged => pages::message(
                StatusCode::FORBIDDEN,
                "Nothing was done",
                "The form came from another site, or from before you signed in. \
                 Open the page again and try once more.",
            ),
            Self::Malformed => pages::message(
                StatusCode::BAD_REQUEST,
                "Nothing was done",
                "The form cannot be read. Open the page again and try once more.",
            ),
            Self::Unavailable => {
                let mut response = pages::message(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The database does not answer",
                    "The server cannot get at its database. Try again soon.",
                );
                let retry_after = header::HeaderValue::from_static("5");
                response
                    .headers_mut()
                    .insert(header::RETRY_AFTER, retry_after);
                response
            }
        }
    }
}
