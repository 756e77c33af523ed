//! `GET /healthz`: the process runs. `GET /readyz`: it can work.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};

use crate::readiness::Readiness;

/// When who found the server not ready may ask again, in seconds.
const AGAIN: HeaderValue = HeaderValue::from_static("5");

pub(super) fn readiness(readiness: Arc<Readiness>) -> Router {
    Router::new()
        .route("/readyz", get(ready))
        .with_state(readiness)
}

/// Answers as long as the process does; it says nothing of the store or the EHR.
pub(super) async fn health() -> &'static str {
    "ok\n"
}

/// 200 where launches can be taken, and 503 with what is in the way.
async fn ready(State(readiness): State<Arc<Readiness>>) -> Response {
    let report = readiness.look().await;
    if report.ready {
        return Json(report).into_response();
    }
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, Json(report)).into_response();
    response.headers_mut().insert(header::RETRY_AFTER, AGAIN);
    response
}
