//! One log line a request. The route stands in it, never the address: that may
//! carry a ciphertext, a code or an alias.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use vestibule_launch::RequestId;

/// Logs a request when its response begins.
pub async fn log(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let begun = Instant::now();
    let response = next.run(request).await;
    let route = route.as_ref().map_or("-", MatchedPath::as_str);
    let status = response.status().as_u16();
    let milliseconds = begun.elapsed().as_millis();
    match response.extensions().get::<RequestId>() {
        Some(request_id) => {
            tracing::info!(%method, route, status, milliseconds, %request_id, "request");
        }
        None => tracing::info!(%method, route, status, milliseconds, "request"),
    }
    response
}
