//! A listing as CSV, read from the store page by page while it is sent: however long it
//! is, only one page is held. Few are sent at once, each for a limited time, and to nobody
//! who has signed out meanwhile.

use std::{future::Future, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use tokio::{
    sync::{Semaphore, mpsc},
    time::timeout,
};
use vestibule_store::{Page, Position, StoreError};

use super::{csv::Csv, frame};
use crate::admin::{Admin, Administrator, session};

/// Rows that are read at once.
const ROWS: u32 = 500;

/// Most downloads at once.
const MOST: usize = 4;

/// How long one may take, however slowly it is taken.
const LONGEST: Duration = Duration::from_secs(10 * 60);

/// A permit for each download that may be under way.
pub(in crate::admin) struct Downloads(Arc<Semaphore>);

/// A file that is downloaded.
pub(super) struct Sheet {
    /// Its name, without `.csv`.
    pub(super) name: &'static str,
    /// The names of its columns.
    pub(super) columns: &'static [&'static str],
}

/// The lines of one page, and where the last row stands.
pub(super) type Lines<I> = Result<(Vec<Vec<String>>, Option<Position<I>>), StoreError>;

/// What is sent on.
enum Part {
    Lines(Bytes),
    /// That was all.
    End,
}

/// Why a download is not whole. Whoever downloads sees only that it broke off.
#[derive(Debug, thiserror::Error)]
enum BreaksOff {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("who downloads is not signed in any more")]
    SignedOut,
    #[error("nobody takes it any more")]
    Gone,
    #[error("the download broke off")]
    NotWhole,
}

impl Downloads {
    pub(in crate::admin) fn new() -> Self {
        Self(Arc::new(Semaphore::new(MOST)))
    }
}

/// `read` reads a page: an empty one is the end. Where the store fails, `who` has signed out
/// or the time is over, the download breaks off, so that nobody takes a part for the whole.
pub(super) fn download<I, R, F>(
    admin: &Arc<Admin>,
    who: &Administrator,
    sheet: &Sheet,
    read: R,
) -> Response
where
    I: Send + 'static,
    R: FnMut(Page<I>) -> F + Send + 'static,
    F: Future<Output = Lines<I>> + Send + 'static,
{
    let Ok(permit) = Arc::clone(&admin.downloads.0).try_acquire_owned() else {
        return busy();
    };
    let head = Csv::new(sheet.columns).into_text();
    let (sender, receiver) = mpsc::channel(1);
    let (admin, who, name) = (Arc::clone(admin), who.clone(), sheet.name);
    tokio::spawn(async move {
        let _permit = permit;
        match timeout(LONGEST, send(&admin, &who, head, read, &sender)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, name, "admin pages: a download breaks off"),
            Err(_) => tracing::warn!(name, "admin pages: a download takes too long"),
        }
    });
    let parts = stream::unfold(Some(receiver), |receiver| async move {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Part::Lines(text)) => Some((Ok(text), Some(receiver))),
            Some(Part::End) => None,
            None => Some((Err(BreaksOff::NotWhole), None)),
        }
    });
    file(sheet.name, Body::from_stream(parts))
}

async fn send<I, R, F>(
    admin: &Admin,
    who: &Administrator,
    head: String,
    mut read: R,
    sender: &mpsc::Sender<Part>,
) -> Result<(), BreaksOff>
where
    R: FnMut(Page<I>) -> F,
    F: Future<Output = Lines<I>>,
{
    let put = async |part| sender.send(part).await.map_err(|_| BreaksOff::Gone);
    put(Part::Lines(head.into())).await?;
    let mut after = None;
    loop {
        if !session::goes_on(admin, who).await? {
            return Err(BreaksOff::SignedOut);
        }
        let page = Page { after, limit: ROWS };
        let (lines, Some(last)) = read(page).await? else {
            return put(Part::End).await;
        };
        let mut csv = Csv::default();
        for line in &lines {
            csv.row(line);
        }
        put(Part::Lines(csv.into_text().into())).await?;
        after = Some(last);
    }
}

fn busy() -> Response {
    let mut response = frame::message(
        StatusCode::SERVICE_UNAVAILABLE,
        "Too many downloads",
        "As many tables are being downloaded as may be at once. Try again soon.",
    );
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
    response
}

/// A CSV file to keep.
pub(super) fn file(name: &str, body: impl Into<Body>) -> Response {
    let mut response = body.into().into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/csv; charset=utf-8; header=present"),
    );
    let disposition = format!("attachment; filename=\"{name}.csv\"");
    if let Ok(disposition) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    frame::protected(response)
}
