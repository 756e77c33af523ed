//! What landing pages report of their launches.

use std::sync::Arc;

use vestibule_launch::{DeviceTest, ErrorName, TestResult};
use vestibule_store::{LaunchState, NewLaunchEvent, NewWriteBack, Recorded, Reported, Store};

use super::{
    MINUTE, NOW, SECOND, completed, race, request_id, state,
    write_backs::{told, write_back},
};

const MOST: u32 = 64;

const TEST: DeviceTest = DeviceTest {
    camera: TestResult::Passed,
    microphone: TestResult::Denied,
    speaker: TestResult::Skipped,
    connection: TestResult::Missing,
};

fn event(launch: u8, event: Reported) -> NewLaunchEvent {
    NewLaunchEvent {
        request_id: request_id(launch),
        event,
        browser_time: None,
    }
}

async fn record(store: &dyn Store, new: NewLaunchEvent) -> Recorded {
    record_with(store, new, vec![]).await
}

async fn record_with(
    store: &dyn Store,
    new: NewLaunchEvent,
    write_backs: Vec<NewWriteBack>,
) -> Recorded {
    let recorded = store.record_event(new, write_backs, MOST, NOW).await;
    recorded.expect("the store takes events")
}

pub(super) async fn events(store: &dyn Store, launch: u8) -> Vec<Reported> {
    let records = store.events_of(request_id(launch)).await;
    let records = records.expect("the store has events");
    records.iter().map(|record| record.event).collect()
}

/// They are kept as they came, whatever the browser's clock says.
pub(crate) async fn events_are_kept_in_the_order_of_their_arrival(store: &dyn Store) {
    completed(store, 1).await;
    completed(store, 2).await;
    let all = [
        Reported::DeviceTest(TEST),
        Reported::Connecting,
        Reported::Waiting,
        Reported::Joined,
        Reported::Left,
        Reported::Failed(ErrorName::SessionLost),
    ];
    for (seconds, reported) in (0_u32..).zip(all) {
        let mut new = event(1, reported);
        new.browser_time = Some(NOW - seconds * SECOND);
        let recorded = store.record_event(new, vec![], MOST, NOW + seconds * SECOND);
        assert_eq!(recorded.await.expect("it takes events"), Recorded::Now);
        assert_eq!(
            record(store, event(2, Reported::Joined)).await,
            Recorded::Now
        );
    }
    assert_eq!(events(store, 1).await, all);
    let records = store.events_of(request_id(1)).await.expect("has events");
    for (seconds, record) in (0_u32..).zip(records) {
        assert_eq!(record.number, seconds + 1);
        assert_eq!(record.received_at, NOW + seconds * SECOND);
        assert_eq!(record.browser_time, Some(NOW - seconds * SECOND));
    }
    let unknown = record(store, event(3, Reported::Joined)).await;
    assert_eq!(unknown, Recorded::NoLaunch);
}

/// Of another launch they do not count.
pub(crate) async fn a_launch_has_so_many_events_and_no_more(store: &dyn Store) {
    completed(store, 1).await;
    completed(store, 2).await;
    for _ in 0..MOST {
        assert_eq!(
            record(store, event(1, Reported::Waiting)).await,
            Recorded::Now
        );
    }
    let one_more = event(1, Reported::Failed(ErrorName::SessionLost));
    let refused = record_with(store, one_more, vec![write_back(1, 1)]).await;
    assert_eq!(refused, Recorded::TooMany);
    assert_eq!(events(store, 1).await.len(), 64);
    assert_eq!(state(store, 1).await, Some(LaunchState::Completed));
    assert!(told(store, 1).await.is_empty());
    assert_eq!(
        record(store, event(2, Reported::Waiting)).await,
        Recorded::Now
    );
}

/// A second one is an event only.
pub(crate) async fn the_first_failure_that_is_reported_stays_on_the_launch(store: &dyn Store) {
    completed(store, 1).await;
    for name in [ErrorName::HostDidNotJoin, ErrorName::SessionLost] {
        record(store, event(1, Reported::Failed(name))).await;
    }
    let failed = LaunchState::Failed {
        error_name: ErrorName::HostDidNotJoin,
        at: NOW,
    };
    assert_eq!(state(store, 1).await, Some(failed));
    assert_eq!(events(store, 1).await.len(), 2);
}

/// Earlier ones stay on record.
pub(crate) async fn the_newest_device_test_counts(store: &dyn Store) {
    completed(store, 1).await;
    let newest = async || {
        let newest = store.device_test_of(request_id(1)).await;
        newest.expect("the store answers")
    };
    assert_eq!(newest().await, None);
    let again = DeviceTest {
        microphone: TestResult::Passed,
        ..TEST
    };
    for test in [TEST, again] {
        record(store, event(1, Reported::DeviceTest(test))).await;
        assert_eq!(newest().await, Some(test));
    }
    record(store, event(1, Reported::Joined)).await;
    assert_eq!(newest().await, Some(again));
    assert_eq!(events(store, 1).await.len(), 3);
}

/// What is to be told is told once, however often the page reports it.
pub(crate) async fn an_event_and_its_write_backs_are_stored_together_or_not_at_all(
    store: &dyn Store,
) {
    completed(store, 1).await;
    let tested = event(1, Reported::DeviceTest(TEST));
    for _ in 0..2 {
        record_with(store, tested, vec![write_back(1, 1)]).await;
    }
    assert_eq!(told(store, 1).await, [1]);
    assert_eq!(events(store, 1).await.len(), 2);
    let unknown = event(9, Reported::DeviceTest(TEST));
    assert_eq!(
        record_with(store, unknown, vec![write_back(9, 9)]).await,
        Recorded::NoLaunch
    );
    assert!(told(store, 9).await.is_empty());
}

/// Of fifty at once as many as there may be are kept, each with a number of its own.
pub(crate) async fn events_at_once_have_each_their_number(store: Arc<dyn Store>) {
    completed(&*store, 1).await;
    let outcomes = race(&store, |store, _| async move {
        store
            .record_event(event(1, Reported::Waiting), vec![], 40, NOW + MINUTE)
            .await
            .expect("the store takes events")
    })
    .await;
    let taken = outcomes.iter().filter(|it| **it == Recorded::Now).count();
    assert_eq!(taken, 40);
    let records = store.events_of(request_id(1)).await.expect("has events");
    let numbers: Vec<_> = records.iter().map(|record| record.number).collect();
    assert_eq!(numbers, (1..=40).collect::<Vec<_>>());
}
