//! `POST /api/telehealth/v1/launch/redeem`: the landing page redeems its one-time
//! ticket.

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    response::{IntoResponse, Response},
    routing::{MethodRouter, post},
};
use vestibule_launch::launch_api::RedeemRequest;

use crate::{
    launch::{self, RedeemError},
    serving::body,
    state::AppState,
};

pub(super) fn route() -> MethodRouter<AppState> {
    post(redeem)
}

async fn redeem(
    State(state): State<AppState>,
    body: Result<Json<RedeemRequest>, JsonRejection>,
) -> Response {
    let redeemed = match body {
        Ok(Json(request)) => launch::redeem(&state.tools, &request).await,
        Err(rejection) => Err(RedeemError::Body(body::status(
            &rejection,
            rejection.status(),
        ))),
    };
    match redeemed {
        Ok(launch) => {
            let request_id = launch.telehealth_request_id;
            let mut response = Json(launch).into_response();
            response.extensions_mut().insert(request_id);
            response
        }
        Err(error) => state.failed(&error, state.tools.request_id()).problem(),
    }
}
