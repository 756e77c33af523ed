//! What every `Store` must do, as tests that a back-end runs against itself.
//!
//! Each function takes an empty store and panics where the store is wrong.

use std::{future::Future, sync::Arc, time::Duration};

use uuid::Uuid;
use vestibule_launch::{EhrRole, ErrorName, RequestId, UnixTime};

use vestibule_store::{
    AliasHash, Begun, BrowserHash, Completed, Completion, Consumed, EncounterKey, FailureSource,
    Fingerprint, LaunchState, NewAppointment, NewLaunch, NewTicket, Redemption, Store, TicketHash,
};

const NOW: UnixTime = UnixTime::from_millis(1_800_000_000_000);
const PROFILE: Uuid = Uuid::from_u128(0x12da_aebc_ea75_43c1_a6c7_c044_be66_a36e);
const MINUTE: Duration = Duration::from_secs(60);

fn request_id(number: u8) -> RequestId {
    RequestId::from_bytes([number; 16])
}

fn alias(number: u8) -> AliasHash {
    AliasHash::from_bytes([number; 32])
}

fn ticket(number: u8) -> TicketHash {
    TicketHash::from_bytes([number; 32])
}

fn browser(number: u8) -> BrowserHash {
    BrowserHash::from_bytes([number; 32])
}

fn launch(number: u8, fingerprint: u8) -> NewLaunch {
    NewLaunch {
        request_id: request_id(number),
        profile: PROFILE,
        role: EhrRole::Provider,
        fingerprint: Fingerprint::from_bytes([fingerprint; 32]),
        sealed: vec![number, 1, 2, 3],
        expires_at: NOW + MINUTE,
    }
}

fn appointment(encounter: u8, sealed: &[u8]) -> NewAppointment {
    NewAppointment {
        profile: PROFILE,
        encounter: EncounterKey::from_bytes([encounter; 32]),
        sealed: sealed.to_vec(),
    }
}

async fn begin(store: &dyn Store, launch: NewLaunch) -> Begun {
    store
        .begin_launch(launch, NOW)
        .await
        .expect("the store begins a launch")
}

async fn consume(store: &dyn Store, number: u8, now: UnixTime) -> Consumed {
    store
        .consume_state(request_id(number), PROFILE, EhrRole::Provider, now)
        .await
        .expect("the store answers")
}

async fn complete(store: &dyn Store, number: u8, now: UnixTime) -> Completed {
    let appointment = store
        .find_or_create_appointment(appointment(1, b"shared"), now)
        .await
        .expect("the store has appointments");
    let completion = Completion {
        request_id: request_id(number),
        appointment: appointment.id,
        alias: alias(number),
        alias_expires_at: NOW + MINUTE,
        ticket: Some(NewTicket {
            hash: ticket(number),
            sealed: b"redeemed".to_vec(),
            expires_at: NOW + MINUTE,
        }),
    };
    store
        .complete_launch(completion, now)
        .await
        .expect("the store completes a launch")
}

async fn completed(store: &dyn Store, number: u8) {
    begin(store, launch(number, number)).await;
    consume(store, number, NOW).await;
    assert_eq!(complete(store, number, NOW).await, Completed::Now);
}

async fn redeem(store: &dyn Store, tab: u8, now: UnixTime) -> Redemption {
    store
        .redeem_ticket(ticket(1), browser(tab), now)
        .await
        .expect("the store answers")
}

async fn state(store: &dyn Store, number: u8) -> Option<LaunchState> {
    let launch = store
        .find_launch(request_id(number))
        .await
        .expect("the store answers");
    launch.map(|launch| launch.state)
}

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

/// A ticket is for the first browser, which may ask again within a minute.
pub(crate) async fn a_ticket_is_for_the_first_browser(store: &dyn Store) {
    assert_eq!(redeem(store, 1, NOW).await, Redemption::Unknown);
    completed(store, 1).await;
    assert_eq!(
        redeem(store, 1, NOW + MINUTE).await,
        Redemption::Unknown,
        "expired"
    );
    let later = NOW + Duration::from_secs(59);
    let Redemption::Redeemed(first) = redeem(store, 1, later).await else {
        panic!("the first browser redeems the ticket")
    };
    assert_eq!(first.request_id, request_id(1));
    assert_eq!(first.profile, PROFILE);
    assert_eq!(first.role, EhrRole::Provider);
    assert_eq!(first.sealed, b"redeemed");
    assert_eq!(redeem(store, 2, later).await, Redemption::Used);
    let repeat = later + Duration::from_secs(59);
    assert_eq!(redeem(store, 1, repeat).await, Redemption::Redeemed(first));
    assert_eq!(
        redeem(store, 1, later + MINUTE).await,
        Redemption::Used,
        "a minute is over"
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

/// Purging forgets old launches and the appointments that only they led to.
pub(crate) async fn purging_forgets_what_is_old_and_only_that(store: &dyn Store) {
    completed(store, 1).await;
    let purge = async |before| store.purge(before, NOW).await.expect("the store purges");
    assert_eq!(purge(NOW).await, 0);
    assert!(state(store, 1).await.is_some());
    let later = NOW + MINUTE;
    begin(store, launch(2, 2)).await;
    consume(store, 2, NOW).await;
    assert_eq!(complete(store, 2, later).await, Completed::Now);
    assert_eq!(purge(later).await, 2);
    assert!(state(store, 1).await.is_none());
    let launch = store
        .find_launch_by_alias(alias(1))
        .await
        .expect("the store answers");
    assert!(launch.is_none());
    assert_eq!(redeem(store, 1, NOW).await, Redemption::Unknown);
    let find = async |new, now| {
        store
            .find_or_create_appointment(new, now)
            .await
            .expect("the store has appointments")
    };
    let kept = find(appointment(1, b"new"), NOW).await;
    assert_eq!(kept.sealed, b"shared", "used since");
    purge(later + MINUTE).await;
    assert_eq!(find(appointment(1, b"new"), later).await.sealed, b"new");
}

/// Purging forgets what is sealed as soon as it is of no use, and the launch not yet.
pub(crate) async fn purging_forgets_what_is_sealed_once_it_is_of_no_use(store: &dyn Store) {
    let purge = async |now| {
        let forgotten = store.purge(NOW - MINUTE, now).await;
        assert_eq!(forgotten.expect("the store purges"), 0, "launches are kept");
    };
    let just_before = NOW + MINUTE - Duration::from_millis(1);
    for number in [2, 3] {
        begin(store, launch(number, number)).await;
    }
    purge(just_before).await;
    assert!(matches!(consume(store, 3, NOW).await, Consumed::Now(_)));
    purge(NOW + MINUTE).await;
    // As if the clock went back: there is nothing left to go on with.
    let consumed = store
        .consume_state(request_id(2), PROFILE, EhrRole::Provider, NOW)
        .await;
    assert_eq!(consumed.expect("the store answers"), Consumed::Never);
    assert_eq!(state(store, 2).await, Some(LaunchState::Started));
    assert_eq!(state(store, 3).await, Some(LaunchState::Authorised));

    completed(store, 4).await;
    let redeem_4 = async |now| {
        let redeemed = store.redeem_ticket(ticket(4), browser(1), now).await;
        redeemed.expect("the store answers")
    };
    purge(just_before).await;
    assert!(matches!(
        redeem_4(just_before).await,
        Redemption::Redeemed(_)
    ));
    purge(NOW + MINUTE).await;
    assert!(
        matches!(redeem_4(NOW + MINUTE).await, Redemption::Redeemed(_)),
        "the same browser within a minute"
    );
    purge(just_before + MINUTE).await;
    assert_eq!(redeem_4(NOW + MINUTE).await, Redemption::Unknown);

    completed(store, 1).await;
    purge(NOW + MINUTE).await;
    assert_eq!(redeem(store, 1, NOW).await, Redemption::Unknown, "expired");
    assert_eq!(state(store, 1).await, Some(LaunchState::Completed));
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

/// Of fifty browsers at once, one redeems the ticket.
pub(crate) async fn one_of_fifty_redeems_a_ticket(store: Arc<dyn Store>) {
    completed(&*store, 1).await;
    let outcomes = race(&store, |store, tab| async move {
        redeem(&*store, tab, NOW).await
    })
    .await;
    let used = outcomes
        .iter()
        .filter(|outcome| **outcome == Redemption::Used)
        .count();
    assert_eq!(used, outcomes.len() - 1);
    assert!(
        outcomes
            .iter()
            .any(|outcome| matches!(outcome, Redemption::Redeemed(_)))
    );
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

async fn race<T, F>(store: &Arc<dyn Store>, run: impl Fn(Arc<dyn Store>, u8) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = (0..50)
        .map(|number| tokio::spawn(run(Arc::clone(store), number)))
        .collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.expect("no caller panics"));
    }
    outcomes
}
