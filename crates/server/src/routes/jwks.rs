//! `GET /api/telehealth/v1/jwks/{uuid}`: the public keys of a profile's backend
//! application, for its EHR. The address never changes, and nobody signs in for it.

use axum::{
    Json,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};

use crate::{backend::JWKS_MAX_AGE, state::AppState};

pub(super) fn route() -> MethodRouter<AppState> {
    get(jwks)
}

async fn jwks(State(state): State<AppState>, Path(uuid): Path<String>) -> Response {
    let profile = state.profile(&uuid);
    let backend = profile
        .as_ref()
        .and_then(|profile| profile.backend.as_ref());
    let Some(backend) = backend else {
        return (StatusCode::NOT_FOUND, "There are no such keys here.\n").into_response();
    };
    let max_age = format!("public, max-age={}", JWKS_MAX_AGE.as_secs());
    let keys = Json(backend.jwks(state.tools.now()));
    ([(header::CACHE_CONTROL, max_age)], keys).into_response()
}
