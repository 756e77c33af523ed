//! `/api/openapi.json`: what this server answers, in OpenAPI.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::answer;

pub(super) async fn document() -> Response {
    match serde_json::to_value(crate::openapi::document()) {
        Ok(document) => Json(document).into_response(),
        Err(error) => answer::error(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}
