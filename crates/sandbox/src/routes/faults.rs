//! Plays the fault script around an endpoint.

use std::{io, iter, sync::Arc, time::Duration};

use axum::{
    Json,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{
        StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER},
    },
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use futures_util::stream;
use serde_json::json;

use crate::{ehr::Ehr, endpoint::Endpoint, fault::FaultAnswer};

/// The EHR's own answers are far shorter.
const ANSWER_MAX: usize = 1024 * 1024;
/// How much of an oversized body is made at a time.
const CHUNK: usize = 64 * 1024;

const MAINTENANCE_PAGE: &str = "<!doctype html>\n<html lang=\"en\">\n<title>Maintenance</title>\n<h1>We will be back soon</h1>\n</html>\n";

/// Counts a request of the endpoint and answers it as the fault script says.
pub(super) async fn play(
    State((ehr, endpoint)): State<(Arc<Ehr>, Endpoint)>,
    request: Request,
    next: Next,
) -> Response {
    let Some(met) = ehr.meet_fault(endpoint) else {
        return next.run(request).await;
    };
    tokio::time::sleep(met.delay).await;
    match met.answer {
        FaultAnswer::Usual => next.run(request).await,
        FaultAnswer::Status {
            status,
            retry_after,
        } => {
            let mut response = (status, "the simulated EHR was told to fail\n").into_response();
            if let Some(value) = retry_after {
                response.headers_mut().insert(RETRY_AFTER, value);
            }
            response
        }
        FaultAnswer::Drip { interval } => {
            rewritten(next.run(request).await, |body| drip(body, interval)).await
        }
        FaultAnswer::Html => Html(MAINTENANCE_PAGE).into_response(),
        FaultAnswer::Truncated => {
            let cut = |body: Bytes| Body::from(body.slice(..body.len() / 2));
            let mut response = rewritten(next.run(request).await, cut).await;
            response.headers_mut().remove(CONTENT_LENGTH);
            response
        }
        FaultAnswer::BrokenOff => rewritten(next.run(request).await, |body| break_off(&body)).await,
        FaultAnswer::Oversized { bytes } => {
            ([(CONTENT_TYPE, "application/json")], oversized(bytes)).into_response()
        }
        FaultAnswer::Drop => no_answer(),
        FaultAnswer::LoseAnswer => {
            next.run(request).await;
            no_answer()
        }
        FaultAnswer::InvalidGrant => oauth_error(StatusCode::BAD_REQUEST, "invalid_grant"),
        FaultAnswer::InvalidClient => oauth_error(StatusCode::UNAUTHORIZED, "invalid_client"),
    }
}

fn oauth_error(status: StatusCode, error: &str) -> Response {
    let body = json!({
        "error": error,
        "error_description": "the simulated EHR was told to refuse",
    });
    (status, Json(body)).into_response()
}

/// The same answer with another body; its length stays announced as it was.
async fn rewritten(response: Response, change: impl FnOnce(Bytes) -> Body) -> Response {
    let (mut parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, ANSWER_MAX)
        .await
        .expect("the EHR's own answers are short and complete");
    parts.headers.insert(CONTENT_LENGTH, body.len().into());
    Response::from_parts(parts, change(body))
}

fn drip(body: Bytes, interval: Duration) -> Body {
    Body::from_stream(stream::unfold(0, move |sent| {
        let byte = (sent < body.len()).then(|| body.slice(sent..=sent));
        async move {
            tokio::time::sleep(interval).await;
            Some((Ok::<_, io::Error>(byte?), sent + 1))
        }
    }))
}

/// Half of the body, then the end of the connection.
fn break_off(body: &Bytes) -> Body {
    let half = body.slice(..body.len() / 2);
    Body::from_stream(stream::unfold(Some(half), |half| async move {
        match half {
            Some(half) => Some((Ok(half), None)),
            None => {
                // What was sent must be on its way before the connection ends.
                tokio::time::sleep(Duration::from_millis(50)).await;
                Some((Err(ended()), None))
            }
        }
    }))
}

/// A JSON object of this many bytes, made as it is read.
fn oversized(bytes: usize) -> Body {
    const BEGIN: &str = "{\"padding\":\"";
    const END: &str = "\"}";
    static PADDING: [u8; CHUNK] = [b'a'; CHUNK];
    let mut left = bytes.saturating_sub(BEGIN.len() + END.len());
    let padding = iter::from_fn(move || {
        let chunk = &PADDING[..left.min(CHUNK)];
        left -= chunk.len();
        (!chunk.is_empty()).then_some(Bytes::from_static(chunk))
    });
    let chunks = iter::once(Bytes::from_static(BEGIN.as_bytes()))
        .chain(padding)
        .chain(iter::once(Bytes::from_static(END.as_bytes())));
    Body::from_stream(stream::iter(chunks.map(Ok::<_, io::Error>)))
}

/// The connection ends: a body that fails before its first byte takes the head,
/// which is not sent yet, with it.
fn no_answer() -> Response {
    Body::from_stream(stream::iter([Err::<Bytes, _>(ended())])).into_response()
}

fn ended() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}
