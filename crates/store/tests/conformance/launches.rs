//! Launches, appointments and aliases.

use std::sync::Arc;

use uuid::Uuid;
use vestibule_launch::{EhrRole, ErrorName};
use vestibule_store::{
    Begun, Completed, Consumed, FailureSource, LaunchState, NewAppointment, Store,
};

use super::{
    MINUTE, NOW, PROFILE, alias, appointment, begin, complete, completed, consume, launch, race,
    request_id, state,
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
            .record_failure(request_id(number), source, error, NOW)
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
