//! `GET|POST /api/telehealth/v1/{patient|provider}/oauth2smartlaunch/{uuid}`: the
//! EHR's button. Answers 303 to the EHR's sign-in.

use axum::{
    body::Bytes,
    extract::{Path, RawQuery, State, rejection::BytesRejection},
    response::{IntoResponse, Redirect, Response},
    routing::{MethodRouter, get},
};
use vestibule_launch::{EhrRole, RequestId};

use super::{no_head, parameters};
use crate::{
    launch::{self, BeginError},
    state::AppState,
};

/// Why a launch URL leads to an error page.
#[derive(Debug, thiserror::Error)]
pub enum SmartLaunchError {
    /// No telehealth profile has this uuid.
    #[error("no telehealth profile has the uuid of the launch URL")]
    Profile,
    /// The form is too long.
    #[error("the launch is longer than 64 KiB")]
    TooLarge,
    /// The launch does not begin.
    #[error(transparent)]
    Begin(#[from] BeginError),
}

pub(super) fn route(role: EhrRole) -> MethodRouter<AppState> {
    let handler = move |State(state): State<AppState>,
                        Path(uuid): Path<String>,
                        RawQuery(query): RawQuery,
                        body: Result<Bytes, BytesRejection>| async move {
        handle(&state, role, &uuid, query, body).await
    };
    get(handler).post(handler).head(no_head)
}

async fn handle(
    state: &AppState,
    role: EhrRole,
    uuid: &str,
    query: Option<String>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let request_id = state.tools.request_id();
    match begin(state, role, uuid, query, body, request_id).await {
        Ok(mut response) => {
            response.extensions_mut().insert(request_id);
            response
        }
        Err(error) => state.failed(&error, request_id).page(state.profile(uuid)),
    }
}

async fn begin(
    state: &AppState,
    role: EhrRole,
    uuid: &str,
    query: Option<String>,
    body: Result<Bytes, BytesRejection>,
    request_id: RequestId,
) -> Result<Response, SmartLaunchError> {
    let profile = state.profile(uuid).ok_or(SmartLaunchError::Profile)?;
    let parameters = parameters(query, body).ok_or(SmartLaunchError::TooLarge)?;
    let sign_in = launch::begin(&state.tools, profile, role, request_id, &parameters).await?;
    Ok(Redirect::to(sign_in.as_str()).into_response())
}
