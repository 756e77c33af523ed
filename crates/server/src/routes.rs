//! The routes, one file each, and what surrounds them.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Request, State, rejection::BytesRejection},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use tower_http::catch_panic::CatchPanicLayer;
use vestibule_launch::{EhrRole, ErrorName};

use crate::{
    access_log::{self, RequestLog},
    backend::JWKS_ROUTE,
    conferencing::{Attendance, BasicCredentials, PexipConfig},
    dialect,
    failure::Failure,
    in_flight::{self, InFlight},
    landing_page::LandingPage,
    language,
    plain::PlainVisits,
    readiness::Readiness,
    security_headers::{self, Policies},
    serving::body,
    source_address::TrustedProxies,
    state::AppState,
    telemetry::{self, LaunchSpan},
    tools::Tools,
};
use door::Door;

mod assets;
mod caller;
mod direct_link;
mod door;
mod entrance;
mod event_sink;
mod health;
mod jwks;
mod launch_bearer;
mod launch_error;
mod launch_events;
mod not_begun;
mod oauth2authorized;
mod plain;
mod policy;
mod redeem;
mod resume;

pub use direct_link::DirectLinkRouteError;
pub(crate) use direct_link::path as direct_link_path;
pub use entrance::EntranceError;
pub use launch_error::ReportError;
pub use launch_events::EventError;
pub use oauth2authorized::AuthorizedError;
pub use plain::PlainError;
pub use resume::ResumeRouteError;

/// Longest body of a request, in bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// How long a step of a launch may take. Outbound calls end earlier: nine seconds are the
/// most for all that one step asks of the EHR.
const LAUNCH_DEADLINE: Duration = Duration::from_secs(10);

/// How long a plain page of a visit may take.
const PAGE_DEADLINE: Duration = Duration::from_secs(15);

const ROLES: [EhrRole; 2] = [EhrRole::Patient, EhrRole::Provider];

/// Everything that the server answers. `node` is the conferencing node's own router.
pub fn router(
    state: &AppState,
    node: Router,
    landing_page: &LandingPage,
    pexip: &PexipConfig,
    policies: Policies,
    in_flight: &InFlight,
) -> Router {
    let mut launches = Router::new()
        .route("/api/telehealth/v1/launch/redeem", redeem::route())
        .route(
            "/api/telehealth/v1/launch/error",
            launch_error::report_route(),
        )
        .route(
            "/api/telehealth/v1/launch/{telehealth_request_id}/error",
            launch_error::known_route(),
        )
        .route(
            "/api/telehealth/v1/launch/{telehealth_request_id}/resume",
            resume::route(),
        )
        .route(
            "/api/telehealth/v1/launch/{telehealth_request_id}/events",
            launch_events::route(),
        );
    launches = launches.route(JWKS_ROUTE, jwks::route());
    for slash in ["", "/"] {
        for entrance in dialect::entrances() {
            launches = launches.route(
                &format!("{}{slash}", entrance.path),
                entrance::route(entrance),
            );
        }
        for role in ROLES {
            let path = format!(
                "/api/telehealth/v1/{}/oauth2authorized/{{uuid}}{slash}",
                role.as_str()
            );
            launches = launches.route(&path, oauth2authorized::route(role));
            let path = format!("{}{slash}", direct_link::path(role));
            launches = launches.route(&path, direct_link::route(role));
        }
    }
    let visits = PlainVisits::new(
        landing_page.configuration(),
        pexip,
        node.clone(),
        &state.tools,
    );
    let within =
        |deadline| middleware::from_fn_with_state((state.clone(), deadline), end_at_deadline);
    let launches = launches
        .layer(within(LAUNCH_DEADLINE))
        .merge(plain::router(visits).layer(within(PAGE_DEADLINE)))
        .layer(middleware::from_fn_with_state(
            in_flight.clone(),
            in_flight::count,
        ))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            telemetry::surround,
        ))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(state.clone());
    let panicked = state.clone();
    Router::new()
        .merge(launches)
        .route("/healthz", get(health::health))
        .merge(assets::router(landing_page))
        .merge(node)
        .fallback(not_found)
        .layer(CatchPanicLayer::custom(
            move |panic: Box<dyn std::any::Any + Send>| {
                drop(panic);
                let failure = Unexpected::Panic;
                panicked
                    .failed(&failure, panicked.tools.request_id())
                    .page(None, None)
            },
        ))
        .layer(middleware::from_fn_with_state(
            Arc::new(policies),
            security_headers::set,
        ))
        .layer(middleware::from_fn_with_state(
            RequestLog::new("launches", &state.tools),
            access_log::log,
        ))
}

/// What Pexip Infinity asks and tells: nothing, unless somebody may.
pub fn pexip(
    tools: &Tools,
    attendance: Attendance,
    config: &PexipConfig,
    trusted_proxies: &TrustedProxies,
    in_flight: &InFlight,
) -> Router {
    let door = |credentials: &Option<BasicCredentials>, name| {
        let credentials = credentials.clone()?;
        Some(Door::new(credentials, name, tools, trusted_proxies))
    };
    let policy = door(&config.policy, "policy");
    let event_sink = door(&config.event_sink, "event_sink");
    policy::router(tools.clone(), config.clone(), policy)
        .merge(event_sink::router(attendance, event_sink))
        .layer(middleware::from_fn_with_state(
            in_flight.clone(),
            in_flight::count,
        ))
}

/// Whether the server can work, for whoever asks.
pub fn readiness(readiness: &Arc<Readiness>, log: RequestLog) -> Router {
    with_headers(health::readiness(Arc::clone(readiness)), log)
}

/// Whether the server lives, for whoever asks. The router of launches has it already.
pub fn health(log: RequestLog) -> Router {
    with_headers(Router::new().route("/healthz", get(health::health)), log)
}

fn with_headers(routes: Router, log: RequestLog) -> Router {
    without_pages(routes).layer(middleware::from_fn_with_state(log, access_log::log))
}

/// Routes with the headers of answers that are no pages.
pub(crate) fn without_pages(routes: Router) -> Router {
    routes.layer(middleware::from_fn_with_state(
        Arc::new(Policies::new(&[])),
        security_headers::set,
    ))
}

/// The parameters of a launch or of a return from the EHR: those of the query, and
/// those of a form.
///
/// # Errors
/// Where the form is too long or broke off, its status.
fn parameters(
    query: Option<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<String, StatusCode> {
    let body = body.map_err(|rejection| body::status(&rejection, rejection.status()))?;
    let body = String::from_utf8_lossy(&body);
    let mut parameters = query.unwrap_or_default();
    if !body.is_empty() {
        parameters.push('&');
        parameters.push_str(&body);
    }
    Ok(parameters)
}

/// A GET here is a step of a launch; looking at the headers alone must not take it.
async fn no_head() -> StatusCode {
    StatusCode::METHOD_NOT_ALLOWED
}

async fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "There is no such page here.\n").into_response()
}

async fn end_at_deadline(
    State((state, deadline)): State<(AppState, Duration)>,
    request: Request,
    next: Next,
) -> Response {
    let language = language::preferred(request.headers());
    let launch = request.extensions().get::<LaunchSpan>().cloned();
    match tokio::time::timeout(deadline, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let known = launch.and_then(|launch| launch.request_id());
            let request_id = known.unwrap_or_else(|| state.tools.request_id());
            state
                .failed(&Unexpected::Deadline, request_id)
                .page(None, language)
        }
    }
}

/// What no route expects of itself.
#[derive(Debug, thiserror::Error)]
enum Unexpected {
    #[error("the request took too long")]
    Deadline,
    #[error("an error in the server; its log has more")]
    Panic,
}

impl Failure for Unexpected {
    fn answer(&self) -> (StatusCode, ErrorName) {
        match self {
            Self::Deadline => (StatusCode::SERVICE_UNAVAILABLE, ErrorName::Internal),
            Self::Panic => (StatusCode::INTERNAL_SERVER_ERROR, ErrorName::Internal),
        }
    }
}
