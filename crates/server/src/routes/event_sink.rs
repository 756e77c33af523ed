//! The event sink that Pexip Infinity's conferencing nodes report to (its documentation,
//! "Using event sinks to monitor conference and participant status"). The path is
//! Vestibule's own: in Pexip any URL can be set.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Request, State, rejection::BytesRejection},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::post,
};
use vestibule_store::StoreError;

use super::door::{self, Door};
use crate::conferencing::{Attendance, SinkMessage};

/// Longest message, in bytes: bulk holds many events.
const BODY_LIMIT: usize = 1024 * 1024;

/// How long a message may take, its body included.
const DEADLINE: Duration = Duration::from_secs(15);

/// The route; none where nobody may tell events.
pub(crate) fn router(attendance: Attendance, door: Option<Door>) -> Router {
    let Some(door) = door else {
        return Router::new();
    };
    Router::new()
        .route("/api/telehealth/v1/event_sink", post(take))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn(in_time))
        .with_state(attendance)
        .route_layer(middleware::from_fn_with_state(
            Arc::new(door),
            door::authenticate,
        ))
}

async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(DEADLINE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            tracing::error!("a message of the event sink took too long");
            (StatusCode::SERVICE_UNAVAILABLE, "try again soon\n").into_response()
        }
    }
}

/// 204 once all events are stored. A node that hears anything else sends the message
/// again, and no later one before.
async fn take(
    State(attendance): State<Attendance>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(rejection) => {
            tracing::error!(%rejection, "a message of the event sink cannot be taken");
            return rejection.into_response();
        }
    };
    let Ok(message) = SinkMessage::parse(&body) else {
        tracing::warn!("the event sink was told something that is no message of Pexip's");
        return (StatusCode::BAD_REQUEST, "not a message of an event sink\n").into_response();
    };
    if message.ignored > 0 {
        tracing::debug!(
            events = message.ignored,
            "events of other kinds are let pass"
        );
    }
    if message.unreadable > 0 {
        tracing::warn!(
            events = message.unreadable,
            "events cannot be read and are lost"
        );
    }
    for event in &message.events {
        match attendance.apply(event).await {
            Ok(()) => {}
            Err(error @ StoreError::Damaged(_)) => {
                // It would be so each time, and stop everything that comes after it.
                tracing::error!(%error, event = event.name(), "an event is lost");
            }
            Err(error) => {
                tracing::error!(%error, event = event.name(), "an event cannot be recorded yet");
                return (StatusCode::SERVICE_UNAVAILABLE, "try again soon\n").into_response();
            }
        }
    }
    StatusCode::NO_CONTENT.into_response()
}
