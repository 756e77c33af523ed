//! Join links that were given out a moment ago, so that a double click, a reload or a
//! second tab gets the same one. In the memory of this server only: after a restart, or
//! on another server, the launch is told as used.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use http::HeaderValue;
use tokio::sync::OwnedMutexGuard;
use vestibule_launch::{RequestId, UnixTime};
use vestibule_store::Fingerprint;

use super::browser::{Browser, REPEAT};
use crate::expiring::Expiring;

/// Most launches that are remembered.
const MOST: usize = 10_000;

/// The join links of the last minute. A link may carry name and PIN.
pub struct Repeats(Mutex<Inner>);

/// What one request at a time goes on with.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Turn {
    /// A launch, from its return to its join link.
    Launch(RequestId),
    /// An EHR's launch token, of which several launches may have begun: from their
    /// completion until their join link can be found here.
    Token(Fingerprint),
}

struct Inner {
    turns: Expiring<Turn, Arc<tokio::sync::Mutex<()>>>,
    links: Expiring<RequestId, HeaderValue>,
    launches: Expiring<Fingerprint, RequestId>,
}

impl Repeats {
    /// Waits until it is this request's turn; until the result is dropped.
    pub(super) async fn turn(&self, turn: Turn, now: UnixTime) -> OwnedMutexGuard<()> {
        let lock = self.with(|inner| Arc::clone(inner.turns.touch(&turn, now, Arc::default)));
        lock.lock_owned().await
    }

    /// Remembers the join link of a launch, and of the EHR's launch token.
    pub(super) fn given(
        &self,
        request_id: RequestId,
        token: Fingerprint,
        link: &HeaderValue,
        now: UnixTime,
    ) {
        self.with(|inner| {
            inner.links.put(request_id, link.clone(), now);
            inner.launches.put(token, request_id, now);
        });
    }

    /// The join link of this launch, for the browser in which it began.
    pub(super) fn of_launch(
        &self,
        request_id: RequestId,
        browser: &Browser<'_>,
        now: UnixTime,
    ) -> Option<HeaderValue> {
        if !browser.began(request_id) {
            return None;
        }
        self.with(|inner| inner.links.get(&request_id, now).cloned())
    }

    /// The join link that this launch token has led to, for the browser in which that
    /// launch began. To be asked in the token's turn.
    pub(super) fn of_token(
        &self,
        token: Fingerprint,
        browser: &Browser<'_>,
        now: UnixTime,
    ) -> Option<HeaderValue> {
        let request_id = self.with(|inner| inner.launches.get(&token, now).copied())?;
        self.of_launch(request_id, browser, now)
    }

    fn with<T>(&self, look: impl FnOnce(&mut Inner) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Default for Repeats {
    fn default() -> Self {
        Self(Mutex::new(Inner {
            turns: Expiring::new(REPEAT, MOST),
            links: Expiring::new(REPEAT, MOST),
            launches: Expiring::new(REPEAT, MOST),
        }))
    }
}

impl fmt::Debug for Repeats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Repeats(…)")
    }
}
