//! `POST /api/telehealth/v1/launch/{telehealth_request_id}/resume`: the landing page
//! takes its launch up again.

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    response::{IntoResponse, Response},
    routing::{MethodRouter, post},
};
use vestibule_launch::launch_api::{RedeemedLaunch, ResumeRequest};

use super::{caller::Caller, launch_bearer::Named};
use crate::{
    launch::{self, BearerError, ResumeError},
    limits::Limited,
    serving::body,
    state::AppState,
};

/// Why a launch is not taken up again.
#[derive(Debug, thiserror::Error)]
pub enum ResumeRouteError {
    /// Too many requests.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// The launch is not taken up again.
    #[error(transparent)]
    Resume(#[from] ResumeError),
}

pub(super) fn route() -> MethodRouter<AppState> {
    post(resume)
}

async fn resume(
    State(state): State<AppState>,
    caller: Caller,
    named: Named,
    body: Result<Json<ResumeRequest>, JsonRejection>,
) -> Response {
    match resumed(&state, &caller, &named, body).await {
        Ok(launch) => {
            let request_id = launch.telehealth_request_id;
            let mut response = Json(launch).into_response();
            response.extensions_mut().insert(request_id);
            response
        }
        Err(error) => state.failed(&error, state.tools.request_id()).problem(),
    }
}

/// Counts with the launches that name no profile: what it names is looked up only
/// afterwards.
async fn resumed(
    state: &AppState,
    caller: &Caller,
    named: &Named,
    body: Result<Json<ResumeRequest>, JsonRejection>,
) -> Result<RedeemedLaunch, ResumeRouteError> {
    caller.count_launch(state, None).await?;
    let Json(request) =
        body.map_err(|rejection| ResumeError::Body(body::status(&rejection, rejection.status())))?;
    let both = named.both().map_err(BearerError::from);
    let (request_id, token) = both.map_err(ResumeError::from)?;
    Ok(launch::resume(&state.tools, request_id, token, &request).await?)
}
