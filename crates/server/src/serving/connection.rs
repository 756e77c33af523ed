//! One connection, from its first byte to its last: HTTP/1.1, or HTTP/2 where TLS has
//! agreed on it (RFC 7301, RFC 9113 section 3.2).

use std::{convert::Infallible, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::http::{Request, Response};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::GracefulConnection,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

use super::{
    activity::{Activity, Patience, TooLong},
    answer::{Answers, Held, answer},
    drain::Draining,
    limits::ConnectionLimits,
    tls::{HTTP2, Tls},
    watched::Watched,
};

/// How long a connection that was told to end may take for it.
const FAREWELL: Duration = Duration::from_secs(5);

/// Most bytes of answers that wait in one stream of HTTP/2.
const STREAM_BUFFER: usize = 64 * 1024;

/// Most streams that the other side may have opened and reset before they were looked at
/// (RFC 9113 section 10.5), and most that this side reset because of faults in them.
const RESET_STREAMS: usize = 20;

/// There was no TLS on a connection, and so nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HandshakeFailed;

/// Serves a connection until it ends.
pub(super) async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    answers: Arc<Answers>,
    tls: Option<Arc<Tls>>,
    draining: Draining,
) -> Result<(), HandshakeFailed> {
    // Answers are small, and each is written at once.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else {
        http1(stream, peer, answers, draining).await;
        return Ok(());
    };
    let handshake = tls.accept(stream);
    match tokio::time::timeout(answers.limits.handshake(), handshake).await {
        Ok(Ok(stream)) => {
            if stream.get_ref().1.alpn_protocol() == Some(HTTP2) {
                http2(stream, peer, answers, draining).await;
            } else {
                http1(stream, peer, answers, draining).await;
            }
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, "a TLS handshake failed");
            return Err(HandshakeFailed);
        }
        Err(_) => {
            tracing::debug!("a TLS handshake took too long");
            return Err(HandshakeFailed);
        }
    }
    Ok(())
}

async fn http1<S>(stream: S, peer: SocketAddr, answers: Arc<Answers>, draining: Draining)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let limits = answers.limits;
    let activity = Activity::counting(answers.under_way.clone());
    let watched = Watched::new(stream, Some(activity.clone()), limits.stall());
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // It would count the pauses between requests as well; the activity tells them apart.
        .header_read_timeout(None)
        .max_headers(usize::try_from(limits.most_headers.get()).unwrap_or(usize::MAX))
        .max_header_size(header_bytes(&limits));
    let service = service(answers, activity.clone(), peer);
    let connection = builder.serve_connection(TokioIo::new(watched), service);
    until_it_ends(connection, &activity, &limits, draining).await;
}

async fn http2<S>(stream: S, peer: SocketAddr, answers: Arc<Answers>, draining: Draining)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let limits = answers.limits;
    let activity = Activity::new();
    // Bytes between requests are of use here: settings, windows, pings. The first ones are
    // awaited by HTTP/2 itself.
    activity.received();
    let watched = Watched::new(stream, None, limits.stall());
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.most_streams.get())
        .max_header_list_size(limits.header_bytes.get())
        .max_pending_accept_reset_streams(RESET_STREAMS)
        .max_local_error_reset_streams(RESET_STREAMS)
        .max_send_buf_size(STREAM_BUFFER)
        .keep_alive_interval(limits.stall())
        .keep_alive_timeout(limits.stall());
    let service = service(answers, activity.clone(), peer);
    let connection = builder.serve_connection(TokioIo::new(watched), service);
    until_it_ends(connection, &activity, &limits, draining).await;
}

/// What answers the requests of one connection.
fn service(
    answers: Arc<Answers>,
    activity: Activity,
    peer: SocketAddr,
) -> impl Service<Request<Incoming>, Response = Response<Held>, Error = Infallible, Future: Send + 'static>
{
    service_fn(move |request| {
        let answered = answer(Arc::clone(&answers), activity.clone(), peer, request);
        async move { Ok(answered.await) }
    })
}

fn header_bytes(limits: &ConnectionLimits) -> usize {
    usize::try_from(limits.header_bytes.get()).unwrap_or(usize::MAX)
}

/// Drives a connection until it ends by itself, does nothing for too long, or everything
/// ends: then it is told so (`Connection: close`, GOAWAY), and what it is about goes on.
async fn until_it_ends<C>(
    connection: C,
    activity: &Activity,
    limits: &ConnectionLimits,
    mut draining: Draining,
) where
    C: GracefulConnection,
    C::Error: std::fmt::Display,
{
    let mut connection = pin!(connection);
    let patience = Patience {
        head: limits.header(),
        idle: limits.idle(),
        stall: limits.stall(),
    };
    let farewell = Patience {
        idle: FAREWELL,
        ..patience
    };
    let too_long = tokio::select! {
        ended = connection.as_mut() => return tell(ended),
        too_long = activity.too_long(patience) => too_long,
        () = draining.begun() => {
            // One that was told to end before its first bytes are read would be closed
            // with a request in it.
            tokio::select! {
                ended = connection.as_mut() => return tell(ended),
                () = activity.begun() => {}
                () = tokio::time::sleep(limits.header()) => {}
            }
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection.as_mut() => return tell(ended),
                too_long = activity.too_long(farewell) => too_long,
            }
        }
    };
    match too_long {
        // Nobody is answered who has not asked.
        TooLong::Head => tracing::debug!("a request's headers took too long"),
        TooLong::Stall => tracing::debug!("nothing of an answer is taken"),
        TooLong::Idle => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection.as_mut() => tell(ended),
                _ = activity.too_long(farewell) => {}
            }
        }
    }
}

fn tell<E: std::fmt::Display>(ended: Result<(), E>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}
