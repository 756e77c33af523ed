//! Launches, appointments and aliases.

use std::{sync::Arc, time::Duration};

use uuid::Uuid;
use vestibule_launch::{EhrRole, ErrorName};
use vestibule_store::{
    Begun, Change, Completed, Consumed, Course, FailedLaunch, FailureSource, LaunchFilter,
    LaunchState, LaunchStep, NewAppointment, NewLaunch, NewLaunchEvent, Page, Recorded, Reported,
    StepTaken, Store, VisitEvent,
};

use super::{
    MINUTE, NOW, PROFILE, SECOND, alias, appointment, begin, complete, completed, consume, launch,
    race, request_id, state, visit,
    visits::{apply, event},
};

/// A launch goes from started by way of authorised to completed, and is found at each.
pub(crate) async fn a_launch_is_found_in_each_of_its_states(store: &dyn Store) {
    assert_eq!(state(store, 1).await, None);
    assert_eq!(begin(store, launch(1, 1)).await, Begun::New);
    assert_eq!(state(store, 1).await, Some(LaunchState::Started));
    assert_eq!(
        complete(store, 1, NOW).await,
        Completed::Refused,
        "not authorised yet"
    );
    assert_eq!(
        consume(store, 1, NOW).await,
        Consumed::Now(vec![1, 1, 2, 3])
    );
    assert_eq!(state(store, 1).await, Some(LaunchState::Authorised));
    assert_eq!(complete(store, 1, NOW).await, Completed::Now);
    assert_eq!(state(store, 1).await, Some(LaunchState::Completed));
    assert_eq!(
        complete(store, 1, NOW).await,
        Completed::Refused,
        "complete already"
    );
}

/// A launch without sign-in is authorised at once: there is no state to consume.
pub(crate) async fn a_launch_without_sign_in_is_authorised_at_once(store: &dyn Store) {
    let begin = async |new| {
        let begun = store.begin_authorised(new, NOW).await;
        begun.expect("the store begins a launch")
    };
    assert_eq!(begin(launch(1, 1)).await, Begun::New);
    assert_eq!(state(store, 1).await, Some(LaunchState::Authorised));
    assert_eq!(consume(store, 1, NOW).await, Consumed::Before);
    assert_eq!(complete(store, 1, NOW).await, Completed::Now);
    assert_eq!(state(store, 1).await, Some(LaunchState::Completed));
    assert_eq!(begin(launch(2, 1)).await, Begun::AlreadyUsed);
    assert_eq!(state(store, 2).await, None);
}

/// A state is good for its own profile and role, in time, once.
pub(crate) async fn a_state_is_consumed_once_by_its_own_profile_and_role_in_time(
    store: &dyn Store,
) {
    begin(store, launch(1, 1)).await;
    assert_eq!(
        consume(store, 2, NOW).await,
        Consumed::Never,
        "another launch"
    );
    let foreign = Uuid::from_u128(2);
    for (profile, role) in [(foreign, EhrRole::Provider), (PROFILE, EhrRole::Patient)] {
        let consumed = store.consume_state(request_id(1), profile, role, NOW).await;
        assert_eq!(consumed.expect("the store answers"), Consumed::Never);
    }
    assert_eq!(
        consume(store, 1, NOW + MINUTE).await,
        Consumed::Never,
        "too late"
    );
    assert!(matches!(consume(store, 1, NOW).await, Consumed::Now(_)));
    assert_eq!(consume(store, 1, NOW).await, Consumed::Before);
    let consumed = store
        .consume_state(request_id(1), foreign, EhrRole::Provider, NOW)
        .await;
    assert_eq!(
        consumed.expect("the store answers"),
        Consumed::Never,
        "not theirs to know"
    );
}

/// One EHR launch token completes one launch; until then it may be tried again.
pub(crate) async fn one_fingerprint_completes_one_launch(store: &dyn Store) {
    for number in [1, 2] {
        assert_eq!(begin(store, launch(number, 7)).await, Begun::New);
        consume(store, number, NOW).await;
    }
    assert_eq!(complete(store, 1, NOW).await, Completed::Now);
    assert_eq!(complete(store, 2, NOW).await, Completed::Refused);
    assert_eq!(begin(store, launch(3, 7)).await, Begun::AlreadyUsed);
    assert_eq!(state(store, 3).await, None);
    assert_eq!(begin(store, launch(4, 8)).await, Begun::New);
}

/// Everybody gets the appointment of whoever came first.
pub(crate) async fn the_first_writer_of_an_appointment_wins(store: &dyn Store) {
    let find = async |new| {
        store
            .find_or_create_appointment(new, NOW)
            .await
            .expect("the store has appointments")
    };
    let first = find(appointment(1, b"first")).await;
    assert_eq!(find(appointment(1, b"second")).await, first);
    assert_eq!(first.sealed, b"first");
    assert_ne!(find(appointment(2, b"other")).await.id, first.id);
    let elsewhere = NewAppointment {
        profile: Uuid::from_u128(2),
        ..appointment(1, b"elsewhere")
    };
    assert_eq!(find(elsewhere).await.sealed, b"elsewhere");
}

/// An alias leads to its appointment until it expires, and to its launch for longer.
pub(crate) async fn an_alias_leads_to_its_appointment_until_it_expires(store: &dyn Store) {
    completed(store, 1).await;
    let find = async |hash, now| {
        store
            .find_alias(hash, now)
            .await
            .expect("the store answers")
    };
    let found = find(alias(1), NOW).await.expect("the alias is live");
    assert_eq!(found.request_id, request_id(1));
    assert_eq!(found.role, EhrRole::Provider);
    assert_eq!(found.appointment.sealed, b"shared");
    assert!(find(alias(2), NOW).await.is_none());
    assert!(find(alias(1), NOW + MINUTE).await.is_none());
    let launch = store
        .find_launch_by_alias(alias(1))
        .await
        .expect("the store answers");
    assert_eq!(
        launch
            .expect("an expired alias names its launch")
            .request_id,
        request_id(1)
    );
}

/// A browser can speak of a launch that has completed and stops none under way.
pub(crate) async fn failures_are_recorded_on_the_launch(store: &dyn Store) {
    let record = async |number, source| {
        let error = ErrorName::HostDidNotJoin;
        let recorded = store
            .record_failure(request_id(number), source, error, Course::default(), NOW)
            .await;
        recorded.expect("the store answers")
    };
    let failed = LaunchState::Failed {
        error_name: ErrorName::HostDidNotJoin,
        at: NOW,
    };
    assert!(!record(1, FailureSource::Server).await, "no such launch");
    begin(store, launch(1, 1)).await;
    assert!(!record(1, FailureSource::Browser).await, "under way");
    assert!(record(1, FailureSource::Server).await);
    assert_eq!(state(store, 1).await, Some(failed));
    assert_eq!(consume(store, 1, NOW).await, Consumed::Before);
    completed(store, 2).await;
    assert!(!record(2, FailureSource::Server).await, "complete");
    assert!(record(2, FailureSource::Browser).await);
    assert_eq!(state(store, 2).await, Some(failed));
    let again = store
        .record_failure(
            request_id(2),
            FailureSource::Browser,
            ErrorName::SessionLost,
            Course::default(),
            NOW + MINUTE,
        )
        .await;
    assert!(!again.expect("the store answers"), "the first report wins");
    assert_eq!(state(store, 2).await, Some(failed));
    assert_eq!(
        begin(store, launch(3, 2)).await,
        Begun::AlreadyUsed,
        "it completed once"
    );
}

/// Of fifty callers at once, one consumes the state.
pub(crate) async fn one_of_fifty_consumes_a_state(store: Arc<dyn Store>) {
    begin(&*store, launch(1, 1)).await;
    let outcomes = race(
        &store,
        |store, _| async move { consume(&*store, 1, NOW).await },
    )
    .await;
    let winners = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Consumed::Now(_)))
        .count();
    assert_eq!(winners, 1);
    assert!(!outcomes.contains(&Consumed::Never));
}

/// Fifty callers at once make one appointment.
pub(crate) async fn fifty_make_one_appointment(store: Arc<dyn Store>) {
    let outcomes = race(&store, |store, number| async move {
        let new = appointment(1, &[number]);
        store
            .find_or_create_appointment(new, NOW)
            .await
            .expect("the store has appointments")
    })
    .await;
    assert!(
        outcomes
            .iter()
            .all(|appointment| *appointment == outcomes[0])
    );
}

/// Of fifty launches with the same EHR launch token, one completes.
pub(crate) async fn one_of_fifty_completes(store: Arc<dyn Store>) {
    let outcomes = race(&store, |store, number| async move {
        begin(&*store, launch(number, 200)).await;
        consume(&*store, number, NOW).await;
        complete(&*store, number, NOW).await
    })
    .await;
    let winners = outcomes
        .iter()
        .filter(|outcome| **outcome == Completed::Now)
        .count();
    assert_eq!(winners, 1);
}

fn taken(step: LaunchStep, ok: bool) -> StepTaken {
    StepTaken {
        step,
        at: NOW + SECOND,
        took: Duration::from_millis(340),
        ok,
    }
}

/// A course of steps, of this department.
fn course(department: Option<&str>, steps: &[StepTaken]) -> Course {
    Course {
        department: department.map(str::to_owned),
        steps: steps.to_vec(),
    }
}

/// Each write of a launch adds its steps to those before; when its user came back is kept,
/// and its department, also where it fails.
pub(crate) async fn the_course_of_a_launch_is_kept_with_it(store: &dyn Store) {
    let metadata = taken(LaunchStep::Metadata, true);
    let token = taken(LaunchStep::Token, false);
    let new = NewLaunch {
        course: course(None, &[metadata]),
        ..launch(1, 1)
    };
    begin(store, new).await;
    let row = async || {
        let row = store.launch_row(request_id(1)).await;
        row.expect("the store answers").expect("it is there")
    };
    assert_eq!(row().await.steps, [metadata]);
    assert_eq!(row().await.authorised_at, None);
    consume(store, 1, NOW + SECOND).await;
    assert_eq!(row().await.authorised_at, Some(NOW + SECOND));
    let (source, error) = (FailureSource::Server, ErrorName::EhrTimeout);
    let failed = course(Some("Radiology"), &[token]);
    let recorded = store.record_failure(request_id(1), source, error, failed, NOW + MINUTE);
    assert!(recorded.await.expect("the store records it"));
    assert_eq!(row().await.steps, [metadata, token]);
    assert_eq!(row().await.department.as_deref(), Some("Radiology"));
}

/// A launch that failed before it began is found by its id, listed and counted, also where
/// neither profile nor role is known; one that is there already is left as it is.
pub(crate) async fn a_launch_that_never_began_is_stored_as_failed(store: &dyn Store) {
    let error_name = ErrorName::MetadataFetch;
    let new = |number, profile, role| FailedLaunch {
        request_id: request_id(number),
        profile,
        role,
        error_name,
        course: course(None, &[taken(LaunchStep::Metadata, false)]),
    };
    let record = async |launch| {
        let recorded = store.record_failed_launch(launch, NOW).await;
        recorded.expect("the store records it")
    };
    assert!(record(new(1, Some(PROFILE), Some(EhrRole::Patient))).await);
    assert!(record(new(2, None, None)).await);
    assert!(!record(new(2, Some(PROFILE), None)).await);
    begin(store, launch(3, 3)).await;
    assert!(!record(new(3, Some(PROFILE), None)).await);
    assert_eq!(state(store, 3).await, Some(LaunchState::Started));
    let failed = LaunchState::Failed {
        error_name,
        at: NOW,
    };
    for number in [1, 2] {
        assert_eq!(state(store, number).await, Some(failed), "{number}");
    }
    let filter = LaunchFilter {
        error_name: Some(error_name),
        ..LaunchFilter::default()
    };
    let page = Page {
        after: None,
        limit: 9,
    };
    let rows = store.list_launches(&filter, page).await;
    let rows = rows.expect("the store lists launches");
    let who: Vec<_> = rows
        .iter()
        .map(|row| (row.launch.profile, row.launch.role, row.steps.len()))
        .collect();
    assert_eq!(
        who,
        [(None, None, 1), (Some(PROFILE), Some(EhrRole::Patient), 1),]
    );
    let of_no_profile = LaunchFilter {
        profile: Some(Uuid::nil()),
        ..filter.clone()
    };
    let none = store.list_launches(&of_no_profile, page).await;
    assert_eq!(none.expect("the store lists launches").len(), 0);
    let of_patients = LaunchFilter {
        role: Some(EhrRole::Patient),
        ..filter
    };
    let rows = store.list_launches(&of_patients, page).await;
    assert_eq!(rows.expect("the store lists launches").len(), 1);
}

/// Where somebody joins after the landing page told of a failure, by its word or by the
/// node's, the launch has not failed; what it got over stays known. Who was there before
/// the failure has overcome nothing, however late the node says so.
pub(crate) async fn a_failure_after_which_somebody_joins_is_overcome(store: &dyn Store) {
    let error_name = ErrorName::NodeUnavailable;
    let report = async |number, event| {
        let event = NewLaunchEvent {
            request_id: request_id(number),
            event,
            browser_time: None,
        };
        let recorded = store.record_event(event, vec![], 64, NOW).await;
        assert_eq!(recorded.expect("the store takes events"), Recorded::Now);
    };
    for number in [1, 2, 3, 4] {
        completed(store, number).await;
        report(number, Reported::Failed(error_name)).await;
        let failed = LaunchState::Failed {
            error_name,
            at: NOW,
        };
        assert_eq!(state(store, number).await, Some(failed));
    }
    report(1, Reported::Joined).await;
    let appointment = visit(store, 1, NOW).await;
    for (number, at) in [(2, NOW + SECOND), (4, NOW - SECOND)] {
        let change = Change::ParticipantConnected {
            participant: Uuid::from_u128(number.into()),
            alias: alias(number),
            sealed: vec![],
        };
        let connected = VisitEvent {
            at,
            ..event(number, Some(appointment), change)
        };
        apply(store, connected, vec![], vec![]).await;
    }
    for number in [1, 2] {
        assert_eq!(state(store, number).await, Some(LaunchState::Completed));
        let row = store.launch_row(request_id(number)).await;
        let row = row.expect("the store answers").expect("it is there");
        assert_eq!(row.overcome, Some(error_name), "{number}");
    }
    for number in [3, 4] {
        let state = state(store, number).await;
        assert!(
            matches!(state, Some(LaunchState::Failed { .. })),
            "{number}"
        );
    }
    let other = NewLaunchEvent {
        request_id: request_id(3),
        event: Reported::OtherBrowser,
        browser_time: None,
    };
    let most = store.record_event(other, vec![], 2, NOW).await;
    assert_eq!(most.expect("the store takes events"), Recorded::Now);
    let events = store.events_of(request_id(3)).await;
    let last = events.expect("the store has events").pop();
    assert_eq!(last.expect("it is there").event, Reported::OtherBrowser);
}
