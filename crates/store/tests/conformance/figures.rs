//! Figures: how many, and how long.

use std::time::Duration;

use vestibule_launch::{EhrRole, ErrorName, UnixTime};
use vestibule_store::{
    AppointmentFilter, Group, Grouping, LaunchDurations, LaunchFilter, Measure, Page, Part, Per,
    Reported, Step, Store, Summary, TimeRange,
};

use super::{
    MINUTE, NOW, PROFILE, SECOND,
    overview::{DAY, OTHER_PROFILE, comes, fail, goes, launched, led, page, report},
    request_id,
};

async fn durations(store: &dyn Store, number: u8) -> LaunchDurations {
    let filter = LaunchFilter::default();
    let durations = store.launch_durations(&filter, page(50)).await;
    let durations = durations.expect("the store has durations");
    let mut durations = durations.into_iter();
    let one = durations.find(|one| one.request_id == request_id(number));
    one.expect("the launch has completed")
}

/// Launches are counted by hour or day, and by error name, profile or department.
pub(crate) async fn launches_are_counted_by_time_and_group(store: &dyn Store) {
    let midnight = NOW.as_millis() - NOW.as_millis() % Step::Day.as_millis();
    let midnight = UnixTime::from_millis(midnight);
    let hour = 60 * MINUTE;
    led(store, 1, EhrRole::Patient, (1, Some("Radiology")), midnight).await;
    launched(store, 2, EhrRole::Patient, PROFILE, midnight + hour).await;
    fail(store, 2, ErrorName::LinkNotValid).await;
    launched(store, 3, EhrRole::Patient, OTHER_PROFILE, midnight + hour).await;
    launched(store, 4, EhrRole::Patient, PROFILE, midnight + DAY).await;
    let count = async |step, grouping| {
        let filter = LaunchFilter::default();
        let counted = store.count_launches(&filter, step, grouping).await;
        let counted = counted.expect("the store counts").into_iter();
        let short = |it: vestibule_store::LaunchCount| {
            (
                it.at.since(midnight) / 3600,
                it.group,
                it.launches,
                it.failed,
            )
        };
        counted.map(short).collect::<Vec<_>>()
    };
    let hours = |hours: u64| Duration::from_secs(hours);
    let failed = Group::ErrorName(Some(ErrorName::LinkNotValid));
    let fine = Group::ErrorName(None);
    assert_eq!(
        count(Step::Day, Grouping::ErrorName).await,
        [
            (hours(0), fine.clone(), 2, 0),
            (hours(0), failed.clone(), 1, 1),
            (hours(24), fine.clone(), 1, 0),
        ]
    );
    assert_eq!(
        count(Step::Hour, Grouping::ErrorName).await,
        [
            (hours(0), fine.clone(), 1, 0),
            (hours(1), fine.clone(), 1, 0),
            (hours(1), failed, 1, 1),
            (hours(24), fine, 1, 0),
        ]
    );
    assert_eq!(
        count(Step::Day, Grouping::Department).await,
        [
            (hours(0), Group::Department(None), 2, 1),
            (hours(0), Group::Department(Some("Radiology".into())), 1, 0),
            (hours(24), Group::Department(None), 1, 0),
        ]
    );
}

/// The landing page's word counts, or else the conferencing node's; a patient waits for
/// the provider, and a provider for nobody.
pub(crate) async fn durations_are_told_by_the_page_or_by_the_node(store: &dyn Store) {
    let at = led(store, 1, EhrRole::Patient, (1, None), NOW).await;
    led(store, 2, EhrRole::Provider, (1, None), NOW).await;
    led(store, 3, EhrRole::Patient, (2, None), NOW).await;
    report(store, 3, Reported::Waiting, NOW + 5 * SECOND).await;
    report(store, 3, Reported::Joined, NOW + 65 * SECOND).await;
    led(store, 4, EhrRole::Patient, (2, None), NOW).await;
    report(store, 4, Reported::Joined, NOW + 7 * SECOND).await;
    led(store, 5, EhrRole::Patient, (2, None), NOW).await;
    comes(store, 10, at, 1).await;
    comes(store, 40, at, 2).await;
    for (number, joined_after, waited) in [
        (1, Some(10_000), Some(30_000)),
        (2, Some(40_000), None),
        (3, Some(65_000), Some(60_000)),
        (4, Some(7_000), Some(0)),
        (5, None, None),
    ] {
        let durations = durations(store, number).await;
        assert_eq!(durations.joined_after, joined_after, "{number}");
        assert_eq!(durations.waited, waited, "{number}");
    }
    let row = store.launch_row(request_id(1)).await;
    let row = row.expect("the store answers").expect("it is there");
    assert_eq!(row.joined_at, Some(NOW + 10 * SECOND));
    launched(store, 6, EhrRole::Patient, PROFILE, NOW).await;
    let all = store
        .launch_durations(&LaunchFilter::default(), page(50))
        .await;
    assert_eq!(
        all.expect("there are durations").len(),
        5,
        "of completed ones"
    );
}

/// A visit is as long as somebody was there; one that runs has no length yet.
pub(crate) async fn a_visit_that_is_over_has_a_length(store: &dyn Store) {
    let over = led(store, 1, EhrRole::Provider, (1, Some("Radiology")), NOW).await;
    let running = led(store, 2, EhrRole::Provider, (2, None), NOW).await;
    led(store, 3, EhrRole::Provider, (3, None), NOW).await;
    comes(store, 10, over, 1).await;
    goes(store, 70, over, 1).await;
    comes(store, 20, running, 2).await;
    let lengths = store
        .visit_lengths(&AppointmentFilter::default(), page(50))
        .await;
    let lengths = lengths.expect("there are lengths").lengths;
    let [length] = lengths.as_slice() else {
        panic!("one visit is over: {lengths:?}");
    };
    assert_eq!((length.appointment, length.profile), (over, PROFILE));
    assert_eq!(length.ended_at.since(length.began_at), MINUTE);
    assert_eq!(length.department.as_deref(), Some("Radiology"));
}

/// Figures are by the nearest rank, of everything, by step of time and by department; of
/// what nobody can say there are none.
pub(crate) async fn durations_are_summarised_by_time_and_department(store: &dyn Store) {
    let midnight = NOW.as_millis() - NOW.as_millis() % Step::Day.as_millis();
    let midnight = UnixTime::from_millis(midnight);
    let radiology = Some("Radiology");
    for (number, department, at, seconds) in [
        (1, radiology, midnight, 10),
        (2, radiology, midnight + MINUTE, 30),
        (3, None, midnight + DAY, 20),
    ] {
        led(store, number, EhrRole::Patient, (number, department), at).await;
        report(store, number, Reported::Waiting, at + 5 * SECOND).await;
        report(store, number, Reported::Joined, at + seconds * SECOND).await;
    }
    led(store, 4, EhrRole::Patient, (4, None), midnight).await;
    let summarise = async |measure, per| {
        let filter = LaunchFilter::default();
        let summaries = store.summarise_launches(&filter, measure, per).await;
        summaries.expect("the store has figures")
    };
    let summary = |part, count, median: i64, high: i64| Summary {
        part,
        count,
        median: median * 1000,
        high: high * 1000,
    };
    assert_eq!(
        summarise(Measure::Joined, Per::All).await,
        [summary(Part::All, 3, 20, 30)]
    );
    assert_eq!(
        summarise(Measure::Waited, Per::Step(Step::Day)).await,
        [
            summary(Part::Step(midnight), 2, 5, 25),
            summary(Part::Step(midnight + DAY), 1, 15, 15),
        ]
    );
    assert_eq!(
        summarise(Measure::Joined, Per::Department).await,
        [
            summary(Part::Department(None), 1, 20, 20),
            summary(Part::Department(radiology.map(str::to_owned)), 2, 10, 30),
        ]
    );
    let oldest = store.oldest_launch().await;
    assert_eq!(oldest.expect("the store answers"), Some(midnight));
}

/// The time in which nobody was there does not count; times that overlap count once. A
/// visit is of the day on which it began, and not on which it was launched first.
pub(crate) async fn a_visit_is_as_long_as_somebody_was_there(store: &dyn Store) {
    let at = led(store, 1, EhrRole::Provider, (1, None), NOW - DAY).await;
    for number in [2, 3] {
        led(store, number, EhrRole::Patient, (1, None), NOW).await;
    }
    // Ten to thirty, twenty to forty, and fifty to sixty.
    for (seq, launch) in [(10, 1), (20, 2), (50, 3)] {
        comes(store, seq, at, launch).await;
    }
    for (seq, launch) in [(30, 1), (40, 2), (60, 3)] {
        goes(store, seq, at, launch).await;
    }
    let since = |from: UnixTime| AppointmentFilter {
        time: Some(TimeRange {
            from,
            until: NOW + DAY,
        }),
        ..AppointmentFilter::default()
    };
    let lengths = store.visit_lengths(&since(NOW), page(50)).await;
    let lengths = lengths.expect("there are lengths").lengths;
    assert_eq!(lengths.len(), 1);
    assert_eq!(lengths[0].began_at, NOW + 10 * SECOND);
    assert_eq!(lengths[0].ended_at, NOW + 60 * SECOND);
    assert_eq!(lengths[0].present, 40_000);
    let summaries = store.summarise_visits(&since(NOW), Per::All).await;
    assert_eq!(
        summaries.expect("there are figures"),
        [Summary {
            part: Part::All,
            count: 1,
            median: 40_000,
            high: 40_000,
        }]
    );
    let later = store.visit_lengths(&since(NOW + MINUTE), page(50)).await;
    assert_eq!(later.expect("the store answers").lengths, []);
}

/// A page has the visits of so many appointments: those of all pages are all that are over,
/// each once.
pub(crate) async fn pages_of_lengths_have_each_visit_once(store: &dyn Store) {
    let mut all = Vec::new();
    for number in 1..=5 {
        all.push(led(store, number, EhrRole::Provider, (number, None), NOW).await);
    }
    for (seq, number) in [(10, 1), (11, 2), (12, 4)] {
        comes(store, seq, all[usize::from(number) - 1], number).await;
    }
    goes(store, 20, all[0], 1).await;
    goes(store, 30, all[3], 4).await;
    let every = AppointmentFilter::default();
    let of_the_day = AppointmentFilter {
        time: Some(TimeRange {
            from: NOW,
            until: NOW + DAY,
        }),
        profile: Some(PROFILE),
        ..every.clone()
    };
    for filter in [every, of_the_day] {
        let mut after = None;
        let mut found = Vec::new();
        loop {
            let visits = store.visit_lengths(&filter, Page { after, limit: 2 }).await;
            let visits = visits.expect("there are lengths");
            found.extend(
                visits
                    .lengths
                    .iter()
                    .map(|one| (one.appointment, one.present)),
            );
            if visits.last.is_none() {
                break;
            }
            after = visits.last;
        }
        assert_eq!(found, [(all[3], 18_000), (all[0], 10_000)]);
    }
}
