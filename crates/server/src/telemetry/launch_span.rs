//! The span of a launch's request: log lines below it carry the request id, and traces
//! begin with it.

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use tracing::{Instrument as _, Span, field};
use vestibule_launch::RequestId;

use super::traces;
use crate::state::AppState;

/// The field that holds the request id, in log lines and in traces.
const REQUEST_ID: &str = "telehealth_request_id";

/// Puts a request of a launch into a span. A trace that was begun before is continued for
/// trusted proxies only: anybody else could choose which trace a launch is put into.
pub async fn surround(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("-", MatchedPath::as_str);
    // At this level it is there for lines of every level.
    let span = tracing::error_span!(
        "launch",
        http.route = route,
        http.response.status_code = field::Empty,
        telehealth_request_id = field::Empty,
    );
    let proxies = &state.launch_rules.trusted_proxies;
    if proxies.trusts_peer(request.extensions()) {
        traces::continue_trace(&span, request.headers());
    }
    let response = next.run(request).instrument(span.clone()).await;
    span.record("http.response.status_code", response.status().as_u16());
    if let Some(request_id) = response.extensions().get::<RequestId>() {
        span.record(REQUEST_ID, field::display(request_id));
    }
    response
}

/// Says which launch a request's span is of, as soon as that is known.
pub(crate) fn name_launch(span: &Span, request_id: RequestId) {
    span.record(REQUEST_ID, field::display(request_id));
}
