//! One request of a connection: its limits on the way in, and what every answer is given
//! on the way out.

use std::{
    net::SocketAddr,
    num::NonZeroU32,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::ConnectInfo,
    http::{HeaderValue, Request, Response, StatusCode, Version, header},
    response::IntoResponse as _,
};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::{Buf, Incoming};
use tower::ServiceExt as _;

use super::{
    activity::{Activity, Answering},
    body::{self, Late},
    limits::ConnectionLimits,
};
use crate::{in_flight::InFlight, security_headers};

/// What requests of one listener are answered with.
#[derive(Debug)]
pub(super) struct Answers {
    pub(super) router: Router,
    pub(super) limits: ConnectionLimits,
    /// Requests until their answer begins.
    pub(super) under_way: InFlight,
    /// What browsers are told of connections without TLS, where there is TLS.
    pub(super) strict_transport_security: Option<HeaderValue>,
}

/// The body of an answer; the request is being answered until all of it is written.
pub(super) struct Held {
    body: Body,
    answering: Arc<Answering>,
}

/// Bytes of an answer until they are written.
pub(super) struct Piece {
    bytes: Bytes,
    answering: Arc<Answering>,
}

/// Answers a request of the connection from `peer`.
pub(super) async fn answer(
    answers: Arc<Answers>,
    activity: Activity,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Response<Held> {
    let _one = answers.under_way.more();
    let answering = Arc::new(activity.answering());
    let request = with_host(request);
    // Where a request's end is open to opinions, nothing may follow on its connection
    // (RFC 9112 section 6.1): whoever gave it a Content-Length too means to smuggle.
    let is_last = request.headers().contains_key(header::TRANSFER_ENCODING);
    let mut response = answer_in_time(&answers, peer, request).await;
    if let Some(value) = &answers.strict_transport_security {
        let headers = response.headers_mut();
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value.clone());
    }
    if is_last {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    answering.offered();
    response.map(|body| Held { body, answering })
}

/// With HTTP/2 the host that is asked for is in `:authority`, and there need be no `Host`
/// (RFC 9113 section 8.3.1). Routes find it in `Host` in either case.
fn with_host<B>(mut request: Request<B>) -> Request<B> {
    if request.version() == Version::HTTP_2 {
        let authority = request.uri().authority();
        let host = authority.and_then(|it| HeaderValue::from_str(it.as_str()).ok());
        if let Some(host) = host {
            request.headers_mut().insert(header::HOST, host);
        }
    }
    request
}

async fn answer_in_time(
    answers: &Answers,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Response<Body> {
    let limits = &answers.limits;
    // HTTP/1 has refused it already.
    if more_than(request.headers().len(), limits.most_headers) {
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        return plain(status, "The request has too many headers.\n");
    }
    let late = Late::default();
    let mut request = request.map(|incoming| body::limited(incoming, limits.body(), &late));
    request.extensions_mut().insert(ConnectInfo(peer));
    let answered = answers.router.clone().oneshot(request);
    match tokio::time::timeout(limits.request(), answered).await {
        Ok(Ok(mut response)) => {
            // Not every route knows why it got no body.
            if late.is_late() && response.status().is_client_error() {
                *response.status_mut() = StatusCode::REQUEST_TIMEOUT;
            }
            response
        }
        Ok(Err(never)) => match never {},
        Err(_) => {
            tracing::error!("a request took too long");
            let status = StatusCode::SERVICE_UNAVAILABLE;
            let mut response = plain(status, "The request took too long. Try again.\n");
            let soon = HeaderValue::from_static("5");
            response.headers_mut().insert(header::RETRY_AFTER, soon);
            response
        }
    }
}

fn more_than(count: usize, most: NonZeroU32) -> bool {
    u32::try_from(count).map_or(true, |count| count > most.get())
}

/// An answer that no route gives.
fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = (status, text).into_response();
    security_headers::of_no_page(response.headers_mut());
    response
}

impl HttpBody for Held {
    type Data = Piece;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Piece>, Self::Error>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
            // Whoever writes asks only when there is room.
            self.answering.awaited();
            return Poll::Pending;
        };
        self.answering.offered();
        let piece = |bytes| Piece {
            bytes,
            answering: Arc::clone(&self.answering),
        };
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        self.answering.taken();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_that_is_asked_for_is_found_with_either_version() {
        let host_of = |version: Version, uri: &str, host: Option<&str>| {
            let mut request = Request::builder().version(version).uri(uri);
            if let Some(host) = host {
                request = request.header(header::HOST, host);
            }
            let request = with_host(request.body(()).unwrap());
            let host = request.headers().get(header::HOST);
            host.map(|host| host.to_str().unwrap().to_owned())
        };
        let name = Some("admin.example.org:8443".to_owned());
        let uri = "https://admin.example.org:8443/admin";
        assert_eq!(host_of(Version::HTTP_2, uri, None), name);
        assert_eq!(
            host_of(Version::HTTP_2, uri, Some("evil.example.org")),
            name
        );
        assert_eq!(
            host_of(Version::HTTP_11, "/admin", Some("admin.example.org:8443")),
            name
        );
        assert_eq!(host_of(Version::HTTP_11, "/admin", None), None);
    }
}
