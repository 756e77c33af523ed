//! One log line a request, and its counts. The route stands in it, never the address:
//! that may carry a ciphertext, a code or an alias.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use vestibule_launch::RequestId;

use crate::{
    telemetry::{Answered, Telemetry},
    tools::Tools,
};

/// Of which listener requests are logged.
#[derive(Clone)]
pub struct RequestLog {
    listener: &'static str,
    telemetry: Arc<Telemetry>,
}

impl RequestLog {
    /// The name of the listener stands among the labels of its counts.
    pub fn new(listener: &'static str, tools: &Tools) -> Self {
        Self {
            listener,
            telemetry: Arc::clone(&tools.telemetry),
        }
    }
}

/// Logs and counts a request when its response begins. Of requests that are refused, so
/// many lines and no more.
pub async fn log(State(log): State<RequestLog>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let begun = Instant::now();
    let response = next.run(request).await;
    let took = begun.elapsed();
    let route = route.as_ref().map_or("-", MatchedPath::as_str);
    let status = response.status().as_u16();
    log.telemetry.request(Answered {
        listener: log.listener,
        method: &method,
        route,
        status,
        took,
    });
    if response.status().is_client_error() && !log.telemetry.may_log_refusal() {
        return response;
    }
    let milliseconds = took.as_millis();
    match response.extensions().get::<RequestId>() {
        Some(request_id) => {
            tracing::info!(%method, route, status, milliseconds, %request_id, "request");
        }
        None => tracing::info!(%method, route, status, milliseconds, "request"),
    }
    response
}
