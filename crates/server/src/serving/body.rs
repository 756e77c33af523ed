//! A request's body: not longer than [`LONGEST`], and there in time.

use std::{
    error::Error,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    http::StatusCode,
};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::Limited;
use tokio::time::{Sleep, sleep};

/// Longest body of any request, in bytes; most routes take less.
const LONGEST: usize = 2 * 1024 * 1024;

/// A body that did not come in time.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the request's body did not come in time")]
struct TooSlow;

/// Whether a body did not come in time. Clones speak of the same one.
#[derive(Clone, Debug, Default)]
pub(super) struct Late(Arc<AtomicBool>);

impl Late {
    pub(super) fn is_late(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// A body with a deadline.
struct Timed<B> {
    body: B,
    late: Late,
    deadline: Pin<Box<Sleep>>,
}

/// The body with its limits; `longest` is how long it may take from now on, and `late` is
/// told where it takes longer.
pub(super) fn limited<B>(body: B, longest: Duration, late: &Late) -> Body
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    if body.is_end_stream() {
        return Body::empty();
    }
    Body::new(Limited::new(
        Timed {
            body,
            late: late.clone(),
            deadline: Box::pin(sleep(longest)),
        },
        LONGEST,
    ))
}

/// The status of a request whose body could not be read: that of the rejection, or 408
/// where it did not come in time.
pub(crate) fn status(rejection: &(dyn Error + 'static), status: StatusCode) -> StatusCode {
    let mut causes = std::iter::successors(Some(rejection), |error| (**error).source());
    if causes.any(<dyn Error>::is::<TooSlow>) {
        StatusCode::REQUEST_TIMEOUT
    } else {
        status
    }
}

impl<B> HttpBody for Timed<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let ended = self.deadline.as_mut().poll(context);
        ended.map(|()| {
            self.late.0.store(true, Ordering::SeqCst);
            Some(Err(TooSlow.into()))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use axum::extract::{FromRequest as _, Request, rejection::BytesRejection};
    use futures_util::{StreamExt as _, stream};

    use super::*;

    async fn read(body: Body) -> Result<Bytes, (StatusCode, BytesRejection)> {
        let body = limited(body, Duration::from_secs(20), &Late::default());
        let read = Bytes::from_request(Request::new(body), &()).await;
        read.map_err(|rejection| (status(&rejection, rejection.status()), rejection))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_drips_for_ever_ends_with_408() {
        let drips = stream::repeat(()).then(|()| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok::<_, std::io::Error>(Bytes::from_static(b"a"))
        });
        let begun = tokio::time::Instant::now();
        let (status, _) = read(Body::from_stream(drips.boxed())).await.unwrap_err();
        assert_eq!(status, StatusCode::REQUEST_TIMEOUT);
        assert_eq!(begun.elapsed().as_secs(), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn other_faults_keep_their_status_and_good_bodies_their_bytes() {
        let breaks = stream::once(async { Err::<Bytes, _>(std::io::Error::other("gone")) });
        let (status, _) = read(Body::from_stream(breaks)).await.unwrap_err();
        assert_eq!(status, StatusCode::BAD_REQUEST);
        let (status, _) = read(Body::from(vec![b'a'; LONGEST + 1])).await.unwrap_err();
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(read(Body::from("all")).await.unwrap(), "all");
        assert_eq!(read(Body::empty()).await.unwrap(), "");
    }
}
