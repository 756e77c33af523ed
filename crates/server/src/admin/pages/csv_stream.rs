//! A listing as CSV, read from the store page by page while it is sent: however long it
//! is, only one page is held.

use std::future::Future;

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use vestibule_store::{Position, StoreError};

use super::{csv::Csv, frame};

/// Rows that are read at once.
pub(super) const ROWS: u32 = 500;

/// A file that is downloaded.
pub(super) struct Sheet {
    /// Its name, without `.csv`.
    pub(super) name: &'static str,
    /// The names of its columns.
    pub(super) columns: &'static [&'static str],
}

/// The lines of one page, and where the last row stands.
pub(super) type Lines<I> = Result<(Vec<Vec<String>>, Option<Position<I>>), StoreError>;

/// `read` reads the page behind a position: an empty one is the end. Where the store
/// fails the download breaks off, so that nobody takes a part for the whole.
pub(super) fn download<I, R, F>(sheet: &Sheet, read: R) -> Response
where
    I: Send + 'static,
    R: FnMut(Option<Position<I>>) -> F + Send + 'static,
    F: Future<Output = Lines<I>> + Send,
{
    let head = Csv::new(sheet.columns).into_text();
    let pages = stream::unfold(Some((Some(head), None, read)), |state| async move {
        let (head, after, mut read) = state?;
        if let Some(head) = head {
            return Some((Ok(Bytes::from(head)), Some((None, after, read))));
        }
        match read(after).await {
            Ok((lines, Some(last))) => {
                let mut csv = Csv::default();
                for line in &lines {
                    csv.row(line);
                }
                let text = Bytes::from(csv.into_text());
                Some((Ok(text), Some((None, Some(last), read))))
            }
            Ok((_, None)) => None,
            Err(error) => {
                tracing::error!(%error, "admin pages: a download breaks off");
                Some((Err(error), None))
            }
        }
    });
    file(sheet.name, Body::from_stream(pages))
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
