//! Launches that fail before there is anything of them in the store: they are stored as
//! failed, so that the request id on the error page leads somewhere.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::Semaphore;
use tracing::Instrument as _;
use uuid::Uuid;
use vestibule_launch::{EhrRole, ErrorName, RequestId, UnixTime};
use vestibule_store::{
    Bucket, FailedLaunch, LimitKey, NewLaunchEvent, Reported, StoreError, Taken,
};

use super::Trail;
use crate::{
    empty_buckets::EmptyBuckets, in_flight::One, source_address::SourceAddress, tools::Tools,
};

/// Most that are stored in a minute of one profile, and of those that name none, whichever
/// server they come to: whoever sends them need not have signed in.
const PER_MINUTE: u32 = 10;

/// Most of these that come from one address, so that nobody alone can use them up.
const PER_MINUTE_OF_AN_ADDRESS: u32 = 3;

/// Most that a server stores at once. The others wait.
const AT_ONCE: usize = 2;

/// Most that are stored or wait for it. Where the database is slow others are left out.
const PLACES: usize = 8;

/// Events of a launch up to which another browser is recorded on it: whoever has the
/// address can come as often as they like.
const OTHER_BROWSERS: u32 = 4;

/// How long it may take, the waiting included.
const DEADLINE: Duration = Duration::from_secs(10);

/// What is being stored, and of whom the store takes no more for now. Clones count
/// together.
#[derive(Clone, Default)]
pub struct TurnedAway(Arc<Storing>);

struct Storing {
    /// How many have a place.
    places: AtomicUsize,
    /// Whose turn it is.
    turns: Semaphore,
    /// Buckets about which the database need not be asked.
    empty: EmptyBuckets,
}

impl Default for Storing {
    fn default() -> Self {
        Self {
            places: AtomicUsize::default(),
            turns: Semaphore::new(AT_ONCE),
            empty: EmptyBuckets::default(),
        }
    }
}

impl fmt::Debug for TurnedAway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TurnedAway(…)")
    }
}

/// One place of those that there are.
struct Place(TurnedAway);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.places.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A launch that does not begin.
#[derive(Clone, Copy, Debug)]
pub struct TurnedAwayLaunch {
    /// That of the error page.
    pub request_id: RequestId,
    /// Where it comes from.
    pub source: SourceAddress,
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
    pub fn store(&self, tools: &Tools, launch: TurnedAwayLaunch, trail: &Trail, under_way: One) {
        let buckets = buckets(tools, &launch);
        if self.knows_one_empty(&buckets, tools.now()) {
            return;
        }
        let request_id = launch.request_id;
        let launch = FailedLaunch {
            request_id,
            profile: launch.profile,
            role: launch.role,
            error_name: launch.error_name,
            course: trail.so_far(),
        };
        let (this, tools) = (self.clone(), tools.clone());
        let storing = async move { this.store_now(&tools, &buckets, launch).await };
        self.spawn("a failed launch", request_id, under_way, storing);
    }

    /// Records on a launch that another browser came back from the EHR's sign-in. The
    /// launch itself goes on. `under_way` is dropped when it is over.
    pub(super) fn record_other_browser(
        &self,
        tools: &Tools,
        request_id: RequestId,
        under_way: One,
    ) {
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
            let recorded = tools.telemetry.stored("record_event", recording).await;
            recorded.map(drop)
        };
        self.spawn("another browser", request_id, under_way, recording);
    }

    /// Does it when its turn comes, where there is a place to wait.
    fn spawn(
        &self,
        what: &'static str,
        request_id: RequestId,
        under_way: One,
        work: impl Future<Output = Result<(), StoreError>> + Send + 'static,
    ) {
        let Some(place) = self.place() else {
            return;
        };
        let in_turn = async move {
            // It is never closed.
            let turn = place.0.0.turns.acquire().await;
            let done = work.await;
            drop(turn);
            done
        };
        let ending = async move {
            let done = tokio::time::timeout(DEADLINE, in_turn).await;
            if let Ok(Err(error)) = done {
                tracing::warn!(%request_id, %error, "{what} cannot be recorded");
            }
            drop(under_way);
        };
        tokio::spawn(ending.in_current_span());
    }

    async fn store_now(
        &self,
        tools: &Tools,
        buckets: &[(LimitKey, Bucket)],
        launch: FailedLaunch,
    ) -> Result<(), StoreError> {
        let now = tools.now();
        // Somebody may have learnt of it meanwhile.
        if self.knows_one_empty(buckets, now) {
            return Ok(());
        }
        let Tools {
            store, telemetry, ..
        } = tools;
        for &(key, bucket) in buckets {
            let taking = store.take(key, bucket, now);
            if let Taken::Empty { retry_after } = telemetry.stored("take", taking).await? {
                self.0.empty.remember(key, retry_after, now);
                return Ok(());
            }
        }
        let recording = store.record_failed_launch(launch, now);
        telemetry.stored("record_failed_launch", recording).await?;
        Ok(())
    }

    fn knows_one_empty(&self, buckets: &[(LimitKey, Bucket)], now: UnixTime) -> bool {
        let mut keys = buckets.iter().map(|(key, _)| *key);
        keys.any(|key| self.0.empty.wait(key, now).is_some())
    }

    fn place(&self) -> Option<Place> {
        let place = Place(self.clone());
        let taken = self.0.places.fetch_add(1, Ordering::SeqCst);
        (taken < PLACES).then_some(place)
    }
}

/// From what must be taken: first that of the address and the profile, so that one
/// address that has none left takes nothing from the profile's.
fn buckets(tools: &Tools, launch: &TurnedAwayLaunch) -> [(LimitKey, Bucket); 2] {
    let profile = launch.profile.unwrap_or_default().into_bytes();
    let source = launch.source.octets();
    let key = |parts: &[&[u8]]| tools.sealer.limit_key("turned away", parts);
    [
        (
            key(&[&profile, &source]),
            Bucket::per_minute(PER_MINUTE_OF_AN_ADDRESS),
        ),
        (key(&[&profile]), Bucket::per_minute(PER_MINUTE)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_millis(1_800_000_000_000);

    fn bucket(number: u8) -> (LimitKey, Bucket) {
        let key = LimitKey::from_bytes([number; 32]);
        (key, Bucket::per_minute(PER_MINUTE))
    }

    #[test]
    fn no_more_wait_than_there_are_places() {
        let turned_away = TurnedAway::default();
        let mut places: Vec<_> = (0..PLACES).filter_map(|_| turned_away.place()).collect();
        assert_eq!(places.len(), PLACES);
        assert!(turned_away.place().is_none());
        assert!(turned_away.clone().place().is_none());
        places.pop();
        assert!(turned_away.place().is_some());
    }

    #[test]
    fn one_empty_bucket_is_enough() {
        let turned_away = TurnedAway::default();
        let (of_the_address, of_the_profile) = (bucket(1), bucket(2));
        let buckets = [of_the_address, of_the_profile];
        let soon = Duration::from_secs(6);
        assert!(!turned_away.knows_one_empty(&buckets, NOW));
        turned_away.0.empty.remember(of_the_address.0, soon, NOW);
        assert!(turned_away.clone().knows_one_empty(&buckets, NOW));
        assert!(!turned_away.knows_one_empty(&[bucket(3), of_the_profile], NOW));
        turned_away.0.empty.remember(of_the_profile.0, soon, NOW);
        assert!(turned_away.knows_one_empty(&[bucket(3), of_the_profile], NOW));
        assert!(!turned_away.knows_one_empty(&buckets, NOW + soon));
    }

    #[tokio::test]
    async fn what_is_stored_is_counted_as_under_way_until_it_is_over() {
        let in_flight = crate::in_flight::InFlight::default();
        let (go_on, may) = tokio::sync::oneshot::channel::<()>();
        let turned_away = TurnedAway::default();
        let request_id = RequestId::generate(&mut *crate::random::system());
        let work = async move {
            may.await.expect("it is told");
            Ok(())
        };
        turned_away.spawn("nothing", request_id, in_flight.more(), work);
        tokio::task::yield_now().await;
        assert_eq!(in_flight.now(), 1);
        go_on.send(()).expect("it waits");
        in_flight.none().await;
    }
}
