//! `GET|POST /api/telehealth/v1/{patient|provider}/oauth2authorized/{uuid}`: the way
//! back from the EHR's sign-in. Answers 303 to the join link.

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, RawQuery, State, rejection::BytesRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use vestibule_launch::{EhrRole, RequestId};
use vestibule_smart::{Callback, CallbackError};

use super::{no_head, parameters};
use crate::{
    in_flight::InFlight,
    launch::{self, JoinError},
    sealing::NotSealedHere,
    state::AppState,
};

/// Why a return from the EHR leads to an error page.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizedError {
    /// No telehealth profile has this uuid.
    #[error("no telehealth profile has the uuid of the redirect URL")]
    Profile,
    /// The form is too long.
    #[error("the EHR's answer is longer than 64 KiB")]
    TooLarge,
    /// The answer is none.
    #[error(transparent)]
    Callback(#[from] CallbackError),
    /// The state was not made for this profile and role.
    #[error("the state {0}")]
    State(#[from] NotSealedHere),
    /// The launch does not go on.
    #[error(transparent)]
    Join(#[from] JoinError),
}

pub(super) fn route(role: EhrRole) -> MethodRouter<AppState> {
    let handler = move |State(state): State<AppState>,
                        Extension(in_flight): Extension<InFlight>,
                        Path(uuid): Path<String>,
                        RawQuery(query): RawQuery,
                        body: Result<Bytes, BytesRejection>| async move {
        // A browser that goes away drops this future. The state is consumed then, so a
        // reload could not go on with the launch: it is brought to its end without.
        let one = in_flight.more();
        let ended = tokio::spawn(async move {
            let _one = one;
            handle(&state, role, &uuid, query, body).await
        });
        match ended.await {
            Ok(response) => response,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
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
    let mut request_id = state.tools.request_id();
    match join(state, role, uuid, query, body, &mut request_id).await {
        Ok(link) => {
            let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, link)]).into_response();
            response.extensions_mut().insert(request_id);
            response
        }
        Err(error) => state.failed(&error, request_id).page(state.profile(uuid)),
    }
}

/// `request_id` becomes the launch's as soon as it is known.
async fn join(
    state: &AppState,
    role: EhrRole,
    uuid: &str,
    query: Option<String>,
    body: Result<Bytes, BytesRejection>,
    request_id: &mut RequestId,
) -> Result<HeaderValue, AuthorizedError> {
    let profile = state.profile(uuid).ok_or(AuthorizedError::Profile)?;
    let parameters = parameters(query, body).ok_or(AuthorizedError::TooLarge)?;
    let parameters = parameters.trim_start_matches('&');
    let callback = Callback::from_query(parameters)?;
    *request_id = state
        .tools
        .sealer
        .open_state(callback.state(), profile.uuid, role)?;
    Ok(launch::join(&state.tools, profile, role, *request_id, callback).await?)
}
