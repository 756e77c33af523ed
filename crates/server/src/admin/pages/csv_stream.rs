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
    let goes_on = {
        let (admin, who) = (Arc::clone(admin), who.clone());
        move || {
            let (admin, who) = (Arc::clone(&admin), who.clone());
            async move { session::goes_on(&admin, &who).await }
        }
    };
    admin.downloads.begin(sheet, goes_on, read)
}

impl Downloads {
    pub(in crate::admin) fn new() -> Self {
        Self(Arc::new(Semaphore::new(MOST)))
    }

    /// `goes_on` says whether whoever downloads is still signed in.
    fn begin<I, G, H, R, F>(&self, sheet: &Sheet, goes_on: G, read: R) -> Response
    where
        I: Send + 'static,
        G: FnMut() -> H + Send + 'static,
        H: Future<Output = Result<bool, StoreError>> + Send + 'static,
        R: FnMut(Page<I>) -> F + Send + 'static,
        F: Future<Output = Lines<I>> + Send + 'static,
    {
        let Ok(permit) = Arc::clone(&self.0).try_acquire_owned() else {
            return busy();
        };
        let head = Csv::new(sheet.columns).into_text();
        let (sender, receiver) = mpsc::channel(1);
        let name = sheet.name;
        tokio::spawn(async move {
            let _permit = permit;
            match timeout(LONGEST, send(head, goes_on, read, &sender)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(%error, name, "admin pages: a download breaks off");
                }
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
        file(name, Body::from_stream(parts))
    }
}

async fn send<I, H, F>(
    head: String,
    mut goes_on: impl FnMut() -> H,
    mut read: impl FnMut(Page<I>) -> F,
    sender: &mpsc::Sender<Part>,
) -> Result<(), BreaksOff>
where
    H: Future<Output = Result<bool, StoreError>>,
    F: Future<Output = Lines<I>>,
{
    let put = async |part| sender.send(part).await.map_err(|_| BreaksOff::Gone);
    put(Part::Lines(head.into())).await?;
    let mut after = None;
    loop {
        if !goes_on().await? {
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

#[cfg(test)]
mod tests {
    use std::future::ready;

    use axum::body::to_bytes;
    use tokio::time::sleep;
    use vestibule_launch::UnixTime;

    use super::*;

    const SHEET: Sheet = Sheet {
        name: "numbers",
        columns: &["number"],
    };

    const A_MOMENT: Duration = Duration::from_millis(1);

    /// One row a page, the next number each: as many as there are asked for.
    fn numbers(most: u32) -> impl FnMut(Page<u32>) -> std::future::Ready<Lines<u32>> + Send {
        move |page| {
            let number = page.after.map_or(1, |after| after.id + 1);
            let last = (number <= most).then_some(Position {
                at: UnixTime::from_millis(0),
                id: number,
            });
            let lines = last.iter().map(|_| vec![number.to_string()]).collect();
            ready(Ok((lines, last)))
        }
    }

    fn endless(downloads: &Downloads) -> Response {
        downloads.begin(&SHEET, || ready(Ok(true)), numbers(u32::MAX))
    }

    async fn text(response: Response) -> Result<String, axum::Error> {
        let bytes = to_bytes(response.into_body(), usize::MAX).await?;
        Ok(String::from_utf8(bytes.into()).unwrap())
    }

    #[tokio::test]
    async fn a_download_is_the_columns_and_every_page() {
        let whole = Downloads::new().begin(&SHEET, || ready(Ok(true)), numbers(3));
        assert_eq!(whole.status(), StatusCode::OK);
        assert_eq!(text(whole).await.unwrap(), "number\r\n1\r\n2\r\n3\r\n");
    }

    #[tokio::test(start_paused = true)]
    async fn a_download_that_takes_too_long_breaks_off_and_makes_room() {
        let downloads = Downloads::new();
        let begun: Vec<_> = (0..MOST).map(|_| endless(&downloads)).collect();
        sleep(LONGEST - A_MOMENT).await;
        let refused = endless(&downloads);
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        sleep(2 * A_MOMENT).await;
        assert_eq!(endless(&downloads).status(), StatusCode::OK);
        for response in begun {
            assert_eq!(response.status(), StatusCode::OK);
            text(response).await.unwrap_err();
        }
    }

    #[tokio::test]
    async fn a_download_breaks_off_where_the_administrator_signs_out_or_the_store_fails() {
        let downloads = Downloads::new();
        let mut asked = 0;
        let signs_out = move || {
            asked += 1;
            ready(Ok(asked < 3))
        };
        let signed_out = downloads.begin(&SHEET, signs_out, numbers(3));
        text(signed_out).await.unwrap_err();
        let mut before = numbers(3);
        let fails = move |page: Page<u32>| match page.after {
            Some(after) if after.id == 2 => ready(Err(StoreError::TooSlow)),
            _ => before(page),
        };
        let failed = downloads.begin(&SHEET, || ready(Ok(true)), fails);
        text(failed).await.unwrap_err();
        assert_eq!(downloads.0.available_permits(), MOST);
    }
}
