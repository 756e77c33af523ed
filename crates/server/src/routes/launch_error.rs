//! `POST /api/telehealth/v1/launch/error`: the landing page reports a failure and
//! learns what to show. `GET /api/telehealth/v1/launch/{telehealth_request_id}/error`:
//! what to show of a failure that is known.

use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, post},
};
use vestibule_launch::{
    EhrRole, ErrorName, RequestId, UnixTime,
    launch_api::{ErrorPage, ErrorReport},
};
use vestibule_store::{Course, FailureSource, Launch, LaunchState, StoreError};

use vestibule_template::defaults;

use super::caller::Caller;
use crate::{
    clock::rfc3339, conferencing::LONGEST_ALIAS, error_reference, launch::alias_hash,
    limits::Limited, profile::Profile, serving::body, state::AppState, tools::Tools,
};

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The body is not an [`ErrorReport`].
    #[error("the body must be a JSON object with `error_name`")]
    Body(StatusCode),
    /// Too many reports.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// The failure is none that a browser can have.
    #[error("`error_name` must be a failure of the landing page")]
    Name,
    /// No launch has this request id, or it has not failed.
    #[error("no failed launch has this telehealth_request_id")]
    Unknown,
    /// The store failed.
    #[error("the server cannot get at its database; try again soon")]
    Store(#[from] StoreError),
}

pub(super) fn report_route() -> MethodRouter<AppState> {
    post(report)
}

pub(super) fn known_route() -> MethodRouter<AppState> {
    get(known)
}

async fn report(
    State(state): State<AppState>,
    caller: Caller,
    body: Result<Json<ErrorReport>, JsonRejection>,
) -> Response {
    answer(&state, reported(&state, &caller, body).await)
}

/// Reports count with the launches that name no profile: what a report names is looked
/// up only afterwards.
async fn reported(
    state: &AppState,
    caller: &Caller,
    body: Result<Json<ErrorReport>, JsonRejection>,
) -> Result<ErrorPage, ReportError> {
    caller.count_launch(state, None).await?;
    let Json(report) =
        body.map_err(|rejection| ReportError::Body(body::status(&rejection, rejection.status())))?;
    if !report.error_name.from_browser() {
        return Err(ReportError::Name);
    }
    Ok(record(state, &report).await?)
}

async fn known(State(state): State<AppState>, Path(request_id): Path<String>) -> Response {
    answer(&state, find(&state, &request_id).await)
}

fn answer(state: &AppState, page: Result<ErrorPage, ReportError>) -> Response {
    match page {
        Ok(page) => {
            let request_id = page.telehealth_request_id;
            let mut response = Json(page).into_response();
            response.extensions_mut().insert(request_id);
            response
        }
        Err(error) => state.failed(&error, state.tools.request_id()).problem(),
    }
}

/// The first report of a launch counts; a later one is answered, and logged, only.
/// A report of a launch that nobody knows gets a request id of its own, so that the
/// help desk finds it in the log.
async fn record(state: &AppState, report: &ErrorReport) -> Result<ErrorPage, StoreError> {
    let launch = find_reported(state, report).await?;
    let now = state.tools.now();
    let request_id = match &launch {
        Some(launch) => launch.request_id,
        None => state.tools.request_id(),
    };
    let error_name = report.error_name;
    let Tools {
        store, telemetry, ..
    } = &state.tools;
    let (source, course) = (FailureSource::Browser, Course::default());
    let recording = store.record_failure(request_id, source, error_name, course, now);
    let recorded = launch.is_some() && telemetry.stored("record_failure", recording).await?;
    telemetry.launch_failed(source, error_name);
    tracing::warn!(%request_id, %error_name, recorded, "the landing page reports a failure");
    Ok(page(state, launch.as_ref(), request_id, error_name, now))
}

async fn find_reported(
    state: &AppState,
    report: &ErrorReport,
) -> Result<Option<Launch>, StoreError> {
    let Tools {
        store, telemetry, ..
    } = &state.tools;
    if let Some(request_id) = report.telehealth_request_id {
        let finding = store.find_launch(request_id);
        if let Some(launch) = telemetry.stored("find_launch", finding).await? {
            return Ok(Some(launch));
        }
    }
    match &report.conference {
        Some(alias) if alias.len() <= LONGEST_ALIAS => {
            let routed = state.tools.routing.known_as(alias);
            let finding = store.find_launch_by_alias(alias_hash(&routed));
            telemetry.stored("find_launch_by_alias", finding).await
        }
        _ => Ok(None),
    }
}

async fn find(state: &AppState, request_id: &str) -> Result<ErrorPage, ReportError> {
    let request_id: RequestId = request_id.parse().map_err(|_| ReportError::Unknown)?;
    let finding = state.tools.store.find_launch(request_id);
    let telemetry = &state.tools.telemetry;
    let launch = telemetry.stored("find_launch", finding).await?;
    let launch = launch.ok_or(ReportError::Unknown)?;
    let LaunchState::Failed { error_name, at } = launch.state else {
        return Err(ReportError::Unknown);
    };
    Ok(page(state, Some(&launch), request_id, error_name, at))
}

fn page(
    state: &AppState,
    launch: Option<&Launch>,
    telehealth_request_id: RequestId,
    error_name: ErrorName,
    at: UnixTime,
) -> ErrorPage {
    let profile = launch.and_then(|launch| launch.profile);
    let profile = profile.and_then(|uuid| state.profiles.now().find(uuid));
    let profile = profile.as_deref();
    let detail = launch
        .filter(|_| profile.is_some_and(|profile| profile.show_debug_information))
        .map(|launch| {
            format!(
                "{} launch of {}",
                launch.role.map_or("unknown", EhrRole::as_str),
                rfc3339(launch.created_at)
            )
        });
    ErrorPage {
        error_name: error_reference::shown(error_name),
        telehealth_request_id,
        utc_time: rfc3339(at),
        detailed_debug_information: detail,
        template: profile
            .map_or(defaults::ERROR_PAGE, Profile::error_page_source)
            .to_owned(),
    }
}
