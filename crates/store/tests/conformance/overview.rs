//! Listings.

use std::time::Duration;

use uuid::Uuid;
use vestibule_launch::{EhrRole, ErrorName, UnixTime};
use vestibule_store::{
    AppointmentFilter, AppointmentId, AppointmentRow, Change, Completed, Completion, Course,
    FailureSource, LaunchFilter, LaunchProgress, LaunchRow, Measure, NewLaunch, NewLaunchEvent,
    Page, Per, Recorded, Reported, Store, TimeRange, VisitProgress, WriteBackFilter,
    WriteBackProgress, WriteBackRow,
};

use super::{
    MINUTE, NOW, PROFILE, SECOND, alias, begin, completed, launch, request_id, visit,
    visits::{apply, event},
    write_backs::{claim, failed, sent, store_all, write_back},
};

pub(super) const DAY: Duration = Duration::from_secs(24 * 60 * 60);
pub(super) const OTHER_PROFILE: Uuid = Uuid::from_u128(2);

pub(super) fn page<I>(limit: u32) -> Page<I> {
    Page { after: None, limit }
}
/// A launch of this number that began at `at`.
pub(super) async fn launched(
    store: &dyn Store,
    number: u8,
    role: EhrRole,
    profile: Uuid,
    at: UnixTime,
) {
    let new = NewLaunch {
        profile,
        role,
        expires_at: at + MINUTE,
        ..launch(number, number)
    };
    let begun = store.begin_authorised(new, at).await;
    begun.expect("the store begins a launch");
}

/// The same, led to the appointment of an encounter at once.
pub(super) async fn led(
    store: &dyn Store,
    number: u8,
    role: EhrRole,
    (encounter, department): (u8, Option<&str>),
    at: UnixTime,
) -> AppointmentId {
    launched(store, number, role, PROFILE, at).await;
    let appointment = visit(store, encounter, at).await;
    let completion = Completion {
        request_id: request_id(number),
        appointment,
        course: Course {
            department: department.map(str::to_owned),
            ..Course::default()
        },
        alias: alias(number),
        alias_expires_at: at + DAY,
        ticket: None,
        session: None,
        link: None,
    };
    let completed = store.complete_launch(completion, at + SECOND).await;
    assert_eq!(completed.expect("the store completes"), Completed::Now);
    appointment
}

pub(super) async fn fail(store: &dyn Store, number: u8, error_name: ErrorName) {
    let source = FailureSource::Server;
    let recorded = store.record_failure(
        request_id(number),
        source,
        error_name,
        Course::default(),
        NOW,
    );
    assert!(recorded.await.expect("the store records it"));
}

pub(super) async fn report(store: &dyn Store, number: u8, reported: Reported, at: UnixTime) {
    let new = NewLaunchEvent {
        request_id: request_id(number),
        event: reported,
        browser_time: None,
    };
    let recorded = store.record_event(new, vec![], 64, at).await;
    assert_eq!(recorded.expect("the store takes events"), Recorded::Now);
}

/// Somebody dials the alias of a launch, or leaves, so many seconds from [`NOW`].
pub(super) async fn comes(store: &dyn Store, seq: u8, appointment: AppointmentId, launch: u8) {
    let change = Change::ParticipantConnected {
        participant: Uuid::from_bytes([launch; 16]),
        alias: alias(launch),
        sealed: vec![launch],
    };
    apply(store, event(seq, Some(appointment), change), vec![], vec![]).await;
}

pub(super) async fn goes(store: &dyn Store, seq: u8, appointment: AppointmentId, launch: u8) {
    let change = Change::ParticipantDisconnected {
        participant: Uuid::from_bytes([launch; 16]),
    };
    apply(store, event(seq, Some(appointment), change), vec![], vec![]).await;
}

async fn launches(store: &dyn Store, filter: LaunchFilter) -> Vec<u8> {
    let rows = store.list_launches(&filter, page(50)).await;
    let rows = rows.expect("the store lists launches");
    rows.iter().map(number_of).collect()
}

fn number_of(row: &LaunchRow) -> u8 {
    row.launch.request_id.as_bytes()[0]
}

async fn appointments(store: &dyn Store, filter: AppointmentFilter) -> Vec<AppointmentRow> {
    let rows = store.list_appointments(&filter, page(50)).await;
    rows.expect("the store lists appointments")
}

/// Page after page every launch comes once, the newest first, also where several began at
/// the same time and where others begin meanwhile.
pub(crate) async fn pages_of_launches_have_each_launch_once(store: &dyn Store) {
    for (number, seconds) in [(1, 0), (2, 5), (3, 5), (4, 5), (5, 9)] {
        let at = NOW + seconds * SECOND;
        launched(store, number, EhrRole::Patient, PROFILE, at).await;
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = Page { after, limit: 2 };
        let filter = LaunchFilter::default();
        let rows = store.list_launches(&filter, page).await;
        let rows = rows.expect("the store lists launches");
        seen.extend(rows.iter().map(number_of));
        let Some(last) = rows.last() else { break };
        after = Some(last.position());
        let newer = 100 + u8::try_from(seen.len()).expect("there are few");
        launched(store, newer, EhrRole::Patient, PROFILE, NOW + MINUTE).await;
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
}

/// Each filter takes away what it does not ask for.
pub(crate) async fn launches_are_listed_by_what_is_asked_for(store: &dyn Store) {
    let at = led(store, 1, EhrRole::Provider, (1, Some("Radiology")), NOW).await;
    led(store, 2, EhrRole::Patient, (2, None), NOW + SECOND).await;
    launched(store, 3, EhrRole::Patient, OTHER_PROFILE, NOW + 2 * SECOND).await;
    launched(store, 4, EhrRole::Patient, PROFILE, NOW + 3 * SECOND).await;
    fail(store, 4, ErrorName::LinkNotValid).await;
    begin(store, launch(5, 5)).await;
    let all = LaunchFilter::default();
    assert_eq!(launches(store, all.clone()).await, [4, 3, 2, 5, 1]);
    let with = |change: fn(&mut LaunchFilter)| {
        let mut filter = LaunchFilter::default();
        change(&mut filter);
        filter
    };
    for (filter, expected) in [
        (with(|it| it.profile = Some(OTHER_PROFILE)), &[3][..]),
        (with(|it| it.role = Some(EhrRole::Provider)), &[5, 1]),
        (with(|it| it.progress = Some(LaunchProgress::Started)), &[5]),
        (
            with(|it| it.progress = Some(LaunchProgress::Authorised)),
            &[3],
        ),
        (
            with(|it| it.progress = Some(LaunchProgress::Completed)),
            &[2, 1],
        ),
        (with(|it| it.progress = Some(LaunchProgress::Failed)), &[4]),
        (
            with(|it| it.error_name = Some(ErrorName::LinkNotValid)),
            &[4],
        ),
        (with(|it| it.error_name = Some(ErrorName::SessionLost)), &[]),
        (with(|it| it.department = Some("Radiology".into())), &[1]),
        (
            with(|it| {
                it.time = Some(TimeRange {
                    from: NOW + SECOND,
                    until: NOW + 3 * SECOND,
                });
            }),
            &[3, 2],
        ),
        (
            LaunchFilter {
                appointment: Some(at),
                ..all
            },
            &[1],
        ),
    ] {
        assert_eq!(
            launches(store, filter.clone()).await,
            expected,
            "{filter:?}"
        );
    }
    let row = store.launch_row(request_id(1)).await;
    let row = row.expect("the store answers").expect("it is there");
    assert_eq!(row.department.as_deref(), Some("Radiology"));
    assert_eq!(row.completed_at, Some(NOW + SECOND));
    assert_eq!(row.joined_at, None);
    let none = store.launch_row(request_id(9)).await;
    assert_eq!(none.expect("the store answers"), None);
}

/// Departments are listed once each, by name.
pub(crate) async fn departments_are_listed_once(store: &dyn Store) {
    let radiology = Some("Radiology");
    led(store, 1, EhrRole::Patient, (1, radiology), NOW).await;
    led(store, 2, EhrRole::Patient, (2, Some("Cardiology")), NOW).await;
    led(store, 3, EhrRole::Patient, (3, radiology), NOW).await;
    led(store, 4, EhrRole::Patient, (4, None), NOW).await;
    let names = async |limit| store.departments(limit).await.expect("there are names");
    assert_eq!(names(9).await, ["Cardiology", "Radiology"]);
    assert_eq!(names(1).await, ["Cardiology"]);
}

/// An appointment is without anybody, running or over; its listing says when and how many
/// launches led there.
pub(crate) async fn appointments_are_listed_with_their_times(store: &dyn Store) {
    let radiology = Some("Radiology");
    let over = led(store, 1, EhrRole::Provider, (1, None), NOW).await;
    led(store, 2, EhrRole::Patient, (1, radiology), NOW + SECOND).await;
    let running = led(store, 3, EhrRole::Patient, (2, None), NOW + SECOND).await;
    let nobody = led(store, 4, EhrRole::Patient, (3, None), NOW + 2 * SECOND).await;
    comes(store, 10, over, 1).await;
    comes(store, 20, over, 2).await;
    goes(store, 30, over, 1).await;
    goes(store, 40, over, 2).await;
    comes(store, 50, running, 3).await;
    let all = appointments(store, AppointmentFilter::default()).await;
    let ids: Vec<_> = all.iter().map(|row| row.appointment.id).collect();
    assert_eq!(ids, [nobody, running, over], "the newest first");
    assert_eq!(all[0].progress, VisitProgress::Nobody);
    assert_eq!((all[0].began_at, all[0].ended_at), (None, None));
    assert_eq!(all[1].progress, VisitProgress::Running);
    assert_eq!(all[1].began_at, Some(NOW + 50 * SECOND));
    assert_eq!(all[1].ended_at, None);
    assert_eq!(all[2].progress, VisitProgress::Over);
    assert_eq!(all[2].began_at, Some(NOW + 10 * SECOND));
    assert_eq!(all[2].ended_at, Some(NOW + 40 * SECOND));
    assert_eq!(all[2].launches, 2);
    assert_eq!(all[2].department.as_deref(), radiology);
    let row = store.appointment_row(over).await;
    assert_eq!(row.expect("the store answers").as_ref(), Some(&all[2]));
    for (progress, id) in [
        (VisitProgress::Nobody, nobody),
        (VisitProgress::Running, running),
        (VisitProgress::Over, over),
    ] {
        let filter = AppointmentFilter {
            progress: Some(progress),
            ..AppointmentFilter::default()
        };
        let rows = appointments(store, filter).await;
        let ids: Vec<_> = rows.iter().map(|row| row.appointment.id).collect();
        assert_eq!(ids, [id], "{progress:?}");
    }
    let in_radiology = AppointmentFilter {
        department: radiology.map(str::to_owned),
        ..AppointmentFilter::default()
    };
    assert_eq!(appointments(store, in_radiology).await, [all[2].clone()]);
    let every = AppointmentFilter::default();
    let first = store.list_appointments(&every, page(2));
    let first = first.await.expect("the store lists appointments");
    let after = first.last().map(AppointmentRow::position);
    let rest = Page { after, limit: 2 };
    let rest = store.list_appointments(&every, rest);
    assert_eq!(rest.await.expect("the store lists them"), [all[2].clone()]);
}

/// What an appointment's first launch or last launch says is not when it took place: it is
/// of every time in which it was launched, or somebody was there.
pub(crate) async fn appointments_are_of_the_time_in_which_they_took_place(store: &dyn Store) {
    let long_before = NOW - 10 * DAY;
    let lead = async |number, encounter, at| {
        led(store, number, EhrRole::Patient, (encounter, None), at).await
    };
    let reaches_into_it = lead(1, 1, NOW).await;
    let over_before = lead(2, 2, NOW).await;
    let runs = lead(3, 3, NOW).await;
    let first_launched_in_it = lead(4, 4, NOW + 25 * SECOND).await;
    lead(5, 5, NOW + 50 * SECOND).await;
    let launched_again = lead(6, 6, long_before).await;
    lead(7, 6, NOW + 30 * SECOND).await;
    let before_and_after = lead(8, 7, long_before).await;
    lead(9, 7, NOW + 5 * DAY).await;
    comes(store, 10, reaches_into_it, 1).await;
    comes(store, 11, over_before, 2).await;
    comes(store, 12, runs, 3).await;
    goes(store, 15, over_before, 2).await;
    goes(store, 30, reaches_into_it, 1).await;
    let of = |from: UnixTime, until: UnixTime| AppointmentFilter {
        time: Some(TimeRange { from, until }),
        ..AppointmentFilter::default()
    };
    let asked = of(NOW + 20 * SECOND, NOW + 40 * SECOND);
    let expected = [first_launched_in_it, runs, reaches_into_it, launched_again];
    let with = |profile, progress| AppointmentFilter {
        profile,
        progress,
        ..asked.clone()
    };
    for (filter, expected) in [
        (asked.clone(), &expected[..]),
        (with(Some(PROFILE), None), &expected),
        (with(Some(OTHER_PROFILE), None), &[]),
        (with(None, Some(VisitProgress::Running)), &[runs]),
        (with(None, Some(VisitProgress::Over)), &[reaches_into_it]),
        (
            with(Some(PROFILE), Some(VisitProgress::Nobody)),
            &[first_launched_in_it, launched_again],
        ),
        (of(NOW - 5 * DAY, NOW - 4 * DAY), &[]),
        (
            of(long_before, long_before + DAY),
            &[before_and_after, launched_again],
        ),
        (of(NOW + 5 * DAY, NOW + 6 * DAY), &[before_and_after]),
    ] {
        let rows = appointments(store, filter.clone()).await;
        let found: Vec<_> = rows.iter().map(|row| row.appointment.id).collect();
        assert_eq!(found, expected, "{filter:?}");
        // The same in pages.
        let mut after = None;
        for expected in expected {
            let rows = store.list_appointments(&filter, Page { after, limit: 1 });
            let rows = rows.await.expect("the store lists appointments");
            let found: Vec<_> = rows.iter().map(|row| row.appointment.id).collect();
            assert_eq!(found, [*expected], "{filter:?}");
            after = rows.last().map(AppointmentRow::position);
        }
    }
}

/// Who is at an appointment has the role of the launch that led there; who dialled an
/// alias of no launch has none.
pub(crate) async fn attendees_have_the_role_of_their_launch(store: &dyn Store) {
    let at = led(store, 1, EhrRole::Provider, (1, None), NOW).await;
    led(store, 2, EhrRole::Patient, (1, None), NOW).await;
    for (seq, number) in [(10, 2), (11, 1), (12, 9)] {
        comes(store, seq, at, number).await;
    }
    goes(store, 13, at, 2).await;
    let attendees = store.attendees(at).await.expect("the store knows them");
    let launches: Vec<_> = attendees.iter().map(|it| it.launch).collect();
    assert_eq!(
        launches,
        [
            Some((request_id(2), EhrRole::Patient)),
            Some((request_id(1), EhrRole::Provider)),
            None
        ]
    );
    assert_eq!(attendees[0].participant.sealed, [2]);
    let left = attendees[0].participant.disconnected_at;
    assert_eq!(left, Some(NOW + 13 * SECOND));
}

/// Who joined is told apart from whom the join link was given and who did not. Who joined and
/// failed then has failed, in figures as in listings.
pub(crate) async fn launches_that_joined_are_told_from_those_that_did_not(store: &dyn Store) {
    led(store, 1, EhrRole::Patient, (1, None), NOW).await;
    led(store, 2, EhrRole::Patient, (2, None), NOW).await;
    let at = led(store, 3, EhrRole::Patient, (3, None), NOW).await;
    report(store, 1, Reported::Joined, NOW + SECOND).await;
    comes(store, 1, at, 3).await;
    led(store, 4, EhrRole::Patient, (4, None), NOW).await;
    report(store, 4, Reported::Joined, NOW).await;
    let (source, error_name) = (FailureSource::Browser, ErrorName::NodeUnavailable);
    let later = NOW + MINUTE;
    let failed = store.record_failure(request_id(4), source, error_name, Course::default(), later);
    assert!(failed.await.expect("the store records it"));
    let of = |progress| LaunchFilter {
        progress: Some(progress),
        ..LaunchFilter::default()
    };
    assert_eq!(launches(store, of(LaunchProgress::Joined)).await, [3, 1]);
    assert_eq!(launches(store, of(LaunchProgress::Completed)).await, [2]);
    assert_eq!(launches(store, of(LaunchProgress::Failed)).await, [4]);
    let every = LaunchFilter::default();
    let joined = store.summarise_launches(&every, Measure::Joined, Per::All);
    let joined = joined.await.expect("the store has figures");
    assert_eq!(joined[0].count, 2);
    let durations = store.launch_durations(&every, page(9)).await;
    let durations = durations.expect("the store has durations");
    assert_eq!(durations.len(), 3, "with the one who did not join");
}

fn told(rows: &[WriteBackRow]) -> Vec<u8> {
    rows.iter().map(|row| row.record.sealed[0]).collect()
}

/// Write-backs are listed by how far they came, by launch and appointment.
pub(crate) async fn write_backs_are_listed_by_what_is_asked_for(store: &dyn Store) {
    let at = led(store, 1, EhrRole::Patient, (7, None), NOW).await;
    completed(store, 2).await;
    let all = vec![write_back(1, 1), write_back(2, 2), write_back(3, 3)];
    store_all(store, 1, all, NOW).await;
    let claimed = claim(store, NOW, 2).await;
    assert!(sent(store, &claimed[0], NOW).await);
    assert!(failed(store, &claimed[1], Some(400), None).await);
    let list = async |filter: WriteBackFilter| {
        let rows = store.list_write_backs(&filter, page(50)).await;
        told(&rows.expect("the store lists write-backs"))
    };
    let with = |change: fn(&mut WriteBackFilter)| {
        let mut filter = WriteBackFilter::default();
        change(&mut filter);
        filter
    };
    for (filter, expected) in [
        (WriteBackFilter::default(), &[3, 2, 1][..]),
        (
            with(|it| it.progress = Some(WriteBackProgress::Unsent)),
            &[3],
        ),
        (with(|it| it.progress = Some(WriteBackProgress::Sent)), &[1]),
        (
            with(|it| it.progress = Some(WriteBackProgress::GivenUp)),
            &[2],
        ),
        (with(|it| it.request_id = Some(request_id(3))), &[3]),
        (with(|it| it.profile = Some(OTHER_PROFILE)), &[]),
        (
            with(|it| {
                it.time = Some(TimeRange {
                    from: NOW + SECOND,
                    until: NOW + MINUTE,
                });
            }),
            &[],
        ),
    ] {
        assert_eq!(list(filter.clone()).await, expected, "{filter:?}");
    }
    let of_appointment = WriteBackFilter {
        appointment: Some(at),
        ..WriteBackFilter::default()
    };
    assert_eq!(list(of_appointment).await, [1]);
    let every = WriteBackFilter::default();
    let first = store.list_write_backs(&every, page(2));
    let first = first.await.expect("the store lists write-backs");
    let after = first.last().map(WriteBackRow::position);
    let rest = Page { after, limit: 2 };
    let rest = store.list_write_backs(&every, rest);
    let rest = rest.await.expect("the store lists write-backs");
    assert_eq!((told(&first), told(&rest)), (vec![3, 2], vec![1]));
}
