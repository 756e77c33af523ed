//! Join links that were given out a moment ago, so that a double click, a reload or a
//! second tab gets the same one, whichever server it comes to. They stand sealed in the
//! store for a minute.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::HeaderValue;
use tokio::{sync::OwnedMutexGuard, time::Instant};
use uuid::Uuid;
use vestibule_launch::{RequestId, UnixTime};
use vestibule_store::{Fingerprint, GivenLink, LaunchState, StoreError};

use super::browser::{Browser, REPEAT};
use crate::{
    expiring::Expiring,
    profile::Profile,
    sealing::{NotSealedHere, Purpose},
    tools::Tools,
};

/// Most launches whose turns are remembered.
const MOST: usize = 10_000;

/// How long another server may take to go on with a launch: somewhat longer than the EHR
/// has for its tokens.
const PATIENCE: Duration = Duration::from_secs(9);

/// How often the store is asked whether it has.
const INTERVAL: Duration = Duration::from_millis(100);

/// Lets one request at a time go on with a launch on this server. That spares questions
/// to the store, which decides among servers.
pub struct Repeats(Mutex<Expiring<RequestId, Arc<tokio::sync::Mutex<()>>>>);

impl Repeats {
    /// Waits until it is this request's turn; until the result is dropped.
    pub(super) async fn turn(&self, request_id: RequestId, now: UnixTime) -> OwnedMutexGuard<()> {
        let lock = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.touch(&request_id, now, Arc::default))
        };
        lock.lock_owned().await
    }
}

impl Default for Repeats {
    fn default() -> Self {
        Self(Mutex::new(Expiring::new(REPEAT, MOST)))
    }
}

impl fmt::Debug for Repeats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Repeats(…)")
    }
}

/// Why a join link is not given again.
#[derive(Debug, thiserror::Error)]
pub enum RepeatError {
    /// What was sealed cannot be opened.
    #[error("what was stored {0}")]
    Sealed(#[from] NotSealedHere),
    /// The store failed.
    #[error("the server cannot get at its database; try again soon")]
    Store(#[from] StoreError),
}

/// Join links of one profile's launches.
#[derive(Clone, Copy)]
pub(super) struct JoinLinks<'a> {
    pub(super) tools: &'a Tools,
    pub(super) profile: &'a Profile,
}

impl JoinLinks<'_> {
    /// A join link that is about to be given, for the store. It may carry name and PIN.
    pub(super) fn given(
        self,
        request_id: RequestId,
        link: &HeaderValue,
        now: UnixTime,
    ) -> Option<GivenLink> {
        let Tools { sealer, random, .. } = self.tools;
        let link = link.to_str().ok()?;
        let id = request_id.as_bytes();
        let sealed = random.with(|rng| sealer.seal(Purpose::JoinLink, self.uuid(), id, &link, rng));
        Some(GivenLink {
            sealed,
            expires_at: now + REPEAT,
        })
    }

    /// The join link of this launch, for the browser in which it began.
    pub(super) async fn of_launch(
        self,
        request_id: RequestId,
        browser: &Browser<'_>,
    ) -> Result<Option<HeaderValue>, RepeatError> {
        if !browser.began(request_id) {
            return Ok(None);
        }
        let Tools {
            store, telemetry, ..
        } = self.tools;
        let finding = store.join_link_of(request_id, self.tools.now());
        let sealed = telemetry.stored("join_link_of", finding).await?;
        let link = sealed.map(|sealed| self.open(request_id, &sealed));
        Ok(link.transpose()?)
    }

    /// The same, where another request goes on with the launch: as soon as that has come
    /// to its end.
    pub(super) async fn of_launch_under_way(
        self,
        request_id: RequestId,
        browser: &Browser<'_>,
    ) -> Result<Option<HeaderValue>, RepeatError> {
        if !browser.began(request_id) {
            return Ok(None);
        }
        let end = Instant::now() + PATIENCE;
        loop {
            let finding = self.tools.store.find_launch(request_id);
            let launch = self.tools.telemetry.stored("find_launch", finding).await?;
            let is_under_way = launch.is_some_and(|it| it.state == LaunchState::Authorised);
            if !is_under_way || Instant::now() >= end {
                return self.of_launch(request_id, browser).await;
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// The join link that an EHR's launch token has led to, for the browser in which that
    /// launch began.
    pub(super) async fn of_token(
        self,
        token: Fingerprint,
        browser: &Browser<'_>,
    ) -> Result<Option<HeaderValue>, RepeatError> {
        let Tools {
            store, telemetry, ..
        } = self.tools;
        let finding = store.join_link_by_fingerprint(token, self.tools.now());
        let found = telemetry.stored("join_link_by_fingerprint", finding);
        match found.await? {
            Some((request_id, sealed)) if browser.began(request_id) => {
                Ok(Some(self.open(request_id, &sealed)?))
            }
            _ => Ok(None),
        }
    }

    fn open(self, request_id: RequestId, sealed: &[u8]) -> Result<HeaderValue, NotSealedHere> {
        let Tools { sealer, .. } = self.tools;
        let id = request_id.as_bytes();
        let link: String = sealer.open(Purpose::JoinLink, self.uuid(), id, sealed)?;
        let mut link = HeaderValue::try_from(link).map_err(|_| NotSealedHere)?;
        link.set_sensitive(true);
        Ok(link)
    }

    fn uuid(self) -> Uuid {
        self.profile.uuid
    }
}
