//! The span of a launch's request: log lines below it carry the request id, and traces
//! begin with it.

use std::sync::{Arc, OnceLock};

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

/// Which launch a request is of, as soon as that is known. Among the request's
/// extensions; clones speak of the same one.
#[derive(Clone, Debug)]
pub struct LaunchSpan {
    span: Span,
    request_id: Arc<OnceLock<RequestId>>,
}

impl LaunchSpan {
    /// Says which launch it is. What is said first stays.
    pub(crate) fn name(&self, request_id: RequestId) {
        if self.request_id.set(request_id).is_ok() {
            self.span.record(REQUEST_ID, field::display(request_id));
        }
    }

    /// Which launch it is, where that was said.
    pub(crate) fn request_id(&self) -> Option<RequestId> {
        self.request_id.get().copied()
    }
}

/// Puts a request of a launch into a span. A trace that was begun before is continued for
/// trusted proxies only: anybody else could choose which trace a launch is put into.
pub async fn surround(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
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
    let launch = LaunchSpan {
        span: span.clone(),
        request_id: Arc::default(),
    };
    request.extensions_mut().insert(launch.clone());
    let response = next.run(request).instrument(span.clone()).await;
    span.record("http.response.status_code", response.status().as_u16());
    if let Some(request_id) = response.extensions().get::<RequestId>() {
        launch.name(*request_id);
    }
    response
}
