//! The EHR's routes, one file each.

mod assets;
mod authorize;
mod clinician;
mod connection_status;
mod home;
mod launch;
mod metadata;
mod patient;
mod smart_configuration;
mod smart_style;
mod status;
mod status_json;
mod token;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, MatchedPath, Request},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{
            AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};

use crate::{ehr::Ehr, parameters::Parameters};

/// How long a request may take, its body included.
const DEADLINE: Duration = Duration::from_secs(10);

/// Nothing but the style sheet and the icon is loaded, and forms go nowhere.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
/// Chromium holds every redirect that follows a form to `form-action`, and a
/// launch is redirected to Vestibule, back here, and on to wherever the visit is.
const LAUNCHING_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action http: https:; base-uri 'none'; frame-ancestors 'none'";

/// All routes of the EHR.
pub(crate) fn router(ehr: Arc<Ehr>) -> Router {
    Router::new()
        .route("/", get(home::get))
        .route("/clinician", get(clinician::get))
        .route("/clinician/launch", post(launch::post_clinician))
        .route("/patient", get(patient::get))
        .route("/patient/launch", post(launch::post_patient))
        .route("/status", get(status::get))
        .route("/status.json", get(status_json::get))
        .route("/style.css", get(assets::style))
        .route("/icon.svg", get(assets::icon))
        .route("/smart-style.json", get(smart_style::get))
        .route(
            "/api/FHIR/R4/.well-known/smart-configuration",
            get(smart_configuration::get),
        )
        .route("/api/FHIR/R4/metadata", get(metadata::get))
        .route(
            "/oauth2/authorize",
            get(authorize::get).post(authorize::post),
        )
        .route("/oauth2/token", post(token::post))
        .route(
            "/api/epic/2018/Telehealth/ContextLinking/SetExternalConnectionStatus",
            get(connection_status::get),
        )
        .layer(DefaultBodyLimit::max(Parameters::MAX_BYTES))
        .layer(middleware::from_fn(around))
        .with_state(ehr)
}

/// A deadline, a line in the log without query, and headers for every answer.
async fn around(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().cloned();
    let mut response = tokio::time::timeout(DEADLINE, next.run(request))
        .await
        .unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response());
    tracing::info!(
        %method,
        path = path.as_ref().map_or("unknown", MatchedPath::as_str),
        status = response.status().as_u16(),
        "answered"
    );
    let headers = response.headers_mut();
    let mut default = |name: HeaderName, value| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    default(CONTENT_SECURITY_POLICY, POLICY);
    default(CACHE_CONTROL, "no-store");
    default(REFERRER_POLICY, "no-referrer");
    default(X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

/// A page with forms that launch a visit.
fn launching_page(html: String) -> Response {
    let policy = HeaderValue::from_static(LAUNCHING_POLICY);
    ([(CONTENT_SECURITY_POLICY, policy)], Html(html)).into_response()
}

/// The value of the `Authorization` header.
fn authorization(headers: &HeaderMap) -> Option<&str> {
    // A value that is not ASCII is as wrong as any other that is no credentials.
    headers
        .get(AUTHORIZATION)
        .map(|value| value.to_str().unwrap_or_default())
}

/// Whether the body is a posted form.
fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| {
            kind.trim()
                .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        })
}
