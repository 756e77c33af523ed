//! The EHR's routes, one file each.

mod assets;
mod authorize;
mod clinician;
mod connection_status;
mod device_test;
mod direct_launch_token;
mod end_of_call;
mod faults;
mod fhir;
mod home;
mod jwks;
mod launch;
mod links_json;
mod metadata;
mod openid_configuration;
mod paths;
mod patient;
mod smart_configuration;
mod smart_style;
mod status;
mod status_json;
mod token;
mod zoom_notification;

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
    routing::{MethodRouter, get, post},
};

use crate::{
    ehr::{Ehr, WriteBackHeaders},
    end_of_call::DEVICE_TEST,
    endpoint::Endpoint,
    parameters::Parameters,
};

/// Epic asks for it beside a user and password.
static EPIC_CLIENT_ID: HeaderName = HeaderName::from_static("epic-client-id");
/// By which a sender marks what it sends again.
static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// How long a request may take, its body included.
const DEADLINE: Duration = Duration::from_secs(10);

/// Nothing but the style sheet and the icon is loaded, and forms go nowhere.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
/// Chromium holds every redirect that follows a form to `form-action`, and a
/// launch is redirected to Vestibule, back here, and on to wherever the visit is.
const LAUNCHING_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action http: https:; base-uri 'none'; frame-ancestors 'none'";

/// All routes of the EHR.
pub(crate) fn router(ehr: Arc<Ehr>) -> Router {
    let spoilt = |endpoint: Endpoint, routes: MethodRouter<Arc<Ehr>>| {
        routes
            .layer(middleware::from_fn(in_time))
            .layer(middleware::from_fn_with_state(
                (ehr.clone(), endpoint),
                faults::play,
            ))
    };
    let pages = Router::new()
        .route("/", get(home::get))
        .route("/clinician", get(clinician::get))
        .route("/clinician/launch", post(launch::post_clinician))
        .route("/patient", get(patient::get))
        .route("/patient/launch", post(launch::post_patient))
        .route("/status", get(status::get))
        .route("/status.json", get(status_json::get))
        .route("/style.css", get(assets::style))
        .route("/icon.svg", get(assets::icon))
        .route("/links.json", get(links_json::get))
        .route("/smart-style.json", get(smart_style::get))
        .route(
            "/oauth2/.well-known/openid-configuration",
            get(openid_configuration::get),
        )
        .layer(middleware::from_fn(in_time));
    let status = || spoilt(Endpoint::Status, get(connection_status::get));
    pages
        .route(
            "/api/FHIR/R4/.well-known/smart-configuration",
            spoilt(Endpoint::SmartConfiguration, get(smart_configuration::get)),
        )
        .route(
            "/api/FHIR/R4/metadata",
            spoilt(Endpoint::CapabilityStatement, get(metadata::get)),
        )
        .route(
            "/api/FHIR/R4/{type}/{id}",
            spoilt(Endpoint::Fhir, get(fhir::get)),
        )
        .route(
            paths::AUTHORIZE,
            spoilt(
                Endpoint::Authorize,
                get(authorize::get).post(authorize::post),
            ),
        )
        .route(paths::TOKEN, spoilt(Endpoint::Token, post(token::post)))
        .route(paths::JWKS, spoilt(Endpoint::Jwks, get(jwks::get)))
        .route(paths::STATUS, status())
        .route(paths::INTERCONNECT_STATUS, status())
        .route(
            ehr.end_of_call_path(),
            spoilt(
                Endpoint::EndOfCall,
                get(end_of_call::get).post(end_of_call::post),
            ),
        )
        .route(
            DEVICE_TEST,
            spoilt(
                Endpoint::DeviceTest,
                get(device_test::get).post(device_test::post),
            ),
        )
        .route(
            paths::ZOOM_NOTIFICATION,
            spoilt(Endpoint::ZoomNotification, get(zoom_notification::get)),
        )
        .route(
            paths::DIRECT_LAUNCH_TOKEN,
            spoilt(Endpoint::DirectLaunchToken, post(direct_launch_token::post)),
        )
        .layer(DefaultBodyLimit::max(Parameters::MAX_BYTES))
        .layer(middleware::from_fn(around))
        .with_state(ehr)
}

/// A deadline for the EHR's own work. Delays of the fault script come on top.
async fn in_time(request: Request, next: Next) -> Response {
    tokio::time::timeout(DEADLINE, next.run(request))
        .await
        .unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response())
}

/// A line in the log without query, and headers for every answer.
async fn around(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
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
    text(headers, &AUTHORIZATION)
}

fn write_back_headers(headers: &HeaderMap) -> WriteBackHeaders<'_> {
    WriteBackHeaders {
        authorization: authorization(headers),
        epic_client_id: text(headers, &EPIC_CLIENT_ID),
        idempotency_key: text(headers, &IDEMPOTENCY_KEY),
    }
}

/// The value of a header. One that is not ASCII is as wrong as any other that
/// means nothing.
fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers
        .get(name)
        .map(|value| value.to_str().unwrap_or_default())
}

/// Whether the body is a posted form.
fn is_form(headers: &HeaderMap) -> bool {
    is_of_type(headers, "application/x-www-form-urlencoded")
}

/// Whether the body is JSON.
fn is_json(headers: &HeaderMap) -> bool {
    is_of_type(headers, "application/json")
}

fn is_of_type(headers: &HeaderMap, expected: &str) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case(expected))
}
