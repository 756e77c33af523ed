//! Launches that fail before there is anything of them in the store: they are stored as
//! failed, so that the request id on the error page leads somewhere.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tracing::Instrument as _;
use uuid::Uuid;
use vestibule_launch::{EhrRole, ErrorName, RequestId};
use vestibule_store::{Bucket, FailedLaunch, NewLaunchEvent, Reported, StoreError, Taken};

use super::Trail;
use crate::tools::Tools;

/// Most that are stored in a minute of one profile, and of those that name none, whichever
/// server they come to: whoever sends them need not have signed in.
const PER_MINUTE: u32 = 10;

/// Most that a server stores at once. Where the database is slow others are left out.
const AT_ONCE: usize = 8;

/// Events of a launch up to which another browser is recorded on it: whoever has the
/// address can come as often as they like.
const OTHER_BROWSERS: u32 = 4;

/// How long it may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// How many are being stored. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct TurnedAway(Arc<AtomicUsize>);

/// One place of those that there are.
struct Place(TurnedAway);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A launch that does not begin.
#[derive(Clone, Copy, Debug)]
pub struct TurnedAwayLaunch {
    /// That of the error page.
    pub request_id: RequestId,
    /// The profile, where there is one.
    pub profile: Option<Uuid>,
    /// Who launches, where that is known.
    pub role: Option<EhrRole>,
    /// What went wrong.
    pub error_name: ErrorName,
}

impl TurnedAway {
    /// Stores a launch that does not begin, while its error page is on its way. Where that
    /// fails, or too many come, the log alone knows of it. `under_way` is dropped when it
    /// is over.
    pub fn store(
        &self,
        tools: &Tools,
        launch: TurnedAwayLaunch,
        trail: &Trail,
        under_way: impl Send + 'static,
    ) {
        let Some(place) = self.place() else {
            return;
        };
        let launch = FailedLaunch {
            request_id: launch.request_id,
            profile: launch.profile,
            role: launch.role,
            error_name: launch.error_name,
            course: trail.take(),
        };
        let tools = tools.clone();
        let storing = async move {
            let request_id = launch.request_id;
            let stored = tokio::time::timeout(DEADLINE, store(&tools, launch)).await;
            if let Ok(Err(error)) = stored {
                tracing::warn!(%request_id, %error, "a failed launch cannot be recorded");
            }
            drop((place, under_way));
        };
        tokio::spawn(storing.in_current_span());
    }

    /// Records on a launch that another browser came back from the EHR's sign-in. The
    /// launch itself goes on.
    pub(super) fn record_other_browser(&self, tools: &Tools, request_id: RequestId) {
        let Some(place) = self.place() else {
            return;
        };
        let tools = tools.clone();
        let recording = async move {
            let event = NewLaunchEvent {
                request_id,
                event: Reported::OtherBrowser,
                browser_time: None,
            };
            let now = tools.now();
            let recording = tools
                .store
                .record_event(event, Vec::new(), OTHER_BROWSERS, now);
            let recording = tools.telemetry.stored("record_event", recording);
            let recorded = tokio::time::timeout(DEADLINE, recording).await;
            if let Ok(Err(error)) = recorded {
                tracing::warn!(%request_id, %error, "another browser cannot be recorded");
            }
            drop(place);
        };
        tokio::spawn(recording.in_current_span());
    }

    fn place(&self) -> Option<Place> {
        let place = Place(self.clone());
        let taken = self.0.fetch_add(1, Ordering::SeqCst);
        (taken < AT_ONCE).then_some(place)
    }
}

async fn store(tools: &Tools, launch: FailedLaunch) -> Result<(), StoreError> {
    let profile = launch.profile.unwrap_or_default().into_bytes();
    let key = tools.sealer.limit_key("turned away", &[&profile]);
    let now = tools.now();
    let bucket = Bucket::per_minute(PER_MINUTE);
    let Tools {
        store, telemetry, ..
    } = tools;
    let taking = store.take(key, bucket, now);
    if telemetry.stored("take", taking).await? == Taken::Now {
        let recording = store.record_failed_launch(launch, now);
        telemetry.stored("record_failed_launch", recording).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_stored_at_once_than_there_are_places() {
        let turned_away = TurnedAway::default();
        let mut places: Vec<_> = (0..AT_ONCE).filter_map(|_| turned_away.place()).collect();
        assert_eq!(places.len(), AT_ONCE);
        assert!(turned_away.place().is_none());
        assert!(turned_away.clone().place().is_none());
        places.pop();
        assert!(turned_away.place().is_some());
    }
}
