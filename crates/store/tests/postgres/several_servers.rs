//! Several servers on one database, each with connections of its own.

use std::{collections::HashSet, sync::Arc, time::Duration};

use uuid::Uuid;
use vestibule_launch::{EhrRole, RequestId, UnixTime};
use vestibule_store::{
    AliasHash, AppointmentId, Change, Completed, Completion, Consumed, Course, EncounterKey,
    EventId, Fingerprint, Launches as _, NewAppointment, NewLaunch, NewSession, NewWriteBack,
    PostgresStore, Sessions as _, Store as _, VisitEvent, Visits as _, WriteBackKind,
    WriteBacks as _,
};
use vestibule_test_postgres::database;

use crate::open_patiently;

pub(crate) const NOW: UnixTime = UnixTime::from_millis(1_800_000_000_000);
pub(crate) const PROFILE: Uuid = Uuid::from_u128(7);
const MINUTE: Duration = Duration::from_secs(60);

/// Of a number, as many as are needed.
fn bytes<const N: usize>(number: u32) -> [u8; N] {
    let mut bytes = [0; N];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    bytes
}

pub(crate) fn request_id(number: u32) -> RequestId {
    RequestId::from_bytes(bytes(number))
}

pub(crate) fn launch(number: u32, fingerprint: u32) -> NewLaunch {
    NewLaunch {
        request_id: request_id(number),
        profile: PROFILE,
        role: EhrRole::Provider,
        fingerprint: Fingerprint::from_bytes(bytes(fingerprint)),
        sealed: number.to_be_bytes().to_vec(),
        expires_at: NOW + MINUTE,
        course: Course::default(),
    }
}

pub(crate) async fn appointment(store: &PostgresStore, encounter: u32) -> AppointmentId {
    let appointment = NewAppointment {
        profile: PROFILE,
        encounter: EncounterKey::from_bytes(bytes(encounter)),
        sealed: b"shared".to_vec(),
    };
    let found = store.find_or_create_appointment(appointment, NOW).await;
    found.expect("the store has appointments").id
}

pub(crate) async fn consume(store: &PostgresStore, number: u32) -> Consumed {
    let consumed = store.consume_state(request_id(number), PROFILE, EhrRole::Provider, NOW);
    consumed.await.expect("the store answers")
}

pub(crate) fn completion(number: u32, appointment: AppointmentId) -> Completion {
    Completion {
        request_id: request_id(number),
        appointment,
        course: Course::default(),
        alias: AliasHash::from_bytes(bytes(number)),
        alias_expires_at: NOW + MINUTE,
        ticket: None,
        session: Some(NewSession {
            sealed: b"tokens".to_vec(),
            renew_at: Some(NOW),
            expires_at: NOW + MINUTE,
        }),
        link: None,
    }
}

/// Stores write-backs by an event that changes nothing else.
async fn store_write_backs(store: &PostgresStore, write_backs: Vec<NewWriteBack>) {
    let event = VisitEvent {
        id: EventId {
            node: "a".into(),
            seq: 1,
            second: 1,
        },
        appointment: None,
        change: Change::ConferenceEnded,
        at: NOW,
    };
    let applied = store.apply_event(event, write_backs, vec![], vec![], NOW);
    applied.await.expect("the store takes events");
}

fn write_back(number: u32) -> NewWriteBack {
    NewWriteBack {
        dedupe: bytes(number),
        profile: PROFILE,
        request_id: request_id(number),
        kind: WriteBackKind::EndOfCall,
        sealed: number.to_be_bytes().to_vec(),
        due_at: NOW,
    }
}

/// Four servers.
async fn servers() -> Vec<PostgresStore> {
    let url = database();
    let mut servers = Vec::new();
    for _ in 0..4 {
        servers.push(open_patiently(&url).await);
    }
    servers
}

/// What 48 callers of the servers get, all at once.
async fn race<T, F>(servers: &[PostgresStore], run: impl Fn(PostgresStore, u32) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = servers
        .iter()
        .cycle()
        .zip(0..48)
        .map(|(server, caller)| tokio::spawn(run(server.clone(), caller)))
        .collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.expect("no caller panics"));
    }
    outcomes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_is_consumed_once_whichever_server_the_browser_comes_back_to() {
    let servers = servers().await;
    let begun = servers[0].begin_launch(launch(1, 1), NOW).await;
    begun.expect("a launch begins");
    let outcomes = race(
        &servers,
        |server, _| async move { consume(&server, 1).await },
    )
    .await;
    let is_now = |consumed: &&Consumed| matches!(consumed, Consumed::Now(_));
    assert_eq!(outcomes.iter().filter(is_now).count(), 1);
    assert!(!outcomes.contains(&Consumed::Never));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_launch_of_an_ehrs_launch_token_completes_on_any_server() {
    let servers = servers().await;
    let here = appointment(&servers[0], 1).await;
    let outcomes = race(&servers, |server, caller| async move {
        let begun = server.begin_authorised(launch(caller, 1), NOW).await;
        begun.expect("the store begins a launch");
        let completed = server.complete_launch(completion(caller, here), NOW).await;
        completed.expect("the store completes a launch")
    })
    .await;
    let completed = outcomes.iter().filter(|it| **it == Completed::Now);
    assert_eq!(completed.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_is_for_one_server() {
    let servers = servers().await;
    let here = appointment(&servers[0], 1).await;
    for number in 0..20 {
        let begun = servers[0].begin_authorised(launch(number, number), NOW);
        begun.await.expect("the store begins a launch");
        let completed = servers[0].complete_launch(completion(number, here), NOW);
        completed.await.expect("the store completes a launch");
    }
    let claims = race(&servers, |server, _| async move {
        let claimed = server.claim_renewals(NOW, MINUTE, 3).await;
        claimed.expect("the store leases renewals")
    })
    .await;
    let claimed: Vec<_> = claims.into_iter().flatten().collect();
    let different: HashSet<_> = claimed.iter().map(|session| session.request_id).collect();
    assert_eq!(claimed.len(), 20);
    assert_eq!(different.len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ehr_has_its_places_once_and_not_once_a_server() {
    let servers = servers().await;
    store_write_backs(&servers[0], (0..100).map(write_back).collect()).await;
    let claims = race(&servers, |server, _| async move {
        let claimed = server.claim_write_backs(NOW, MINUTE, 5, 7).await;
        claimed.expect("the store leases write-backs")
    })
    .await;
    let claimed: Vec<_> = claims.iter().flatten().collect();
    assert_eq!(claimed.len(), 7);
    let different: HashSet<_> = claimed.iter().map(|write_back| write_back.id).collect();
    assert_eq!(different.len(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn write_backs_of_one_launch_are_sent_in_order_whichever_server_sends_them() {
    let servers = servers().await;
    let of_launch = |number: u32| NewWriteBack {
        request_id: request_id(number % 3),
        ..write_back(number)
    };
    store_write_backs(&servers[0], (0..30).map(of_launch).collect()).await;
    let sent = Arc::new(std::sync::Mutex::new(Vec::new()));
    let outcomes = race(&servers, |server, _| {
        let sent = Arc::clone(&sent);
        async move {
            // Until nothing is left that nobody else sends.
            loop {
                let claimed = server.claim_write_backs(NOW, MINUTE, 2, 50).await;
                let claimed = claimed.expect("the store leases write-backs");
                if claimed.is_empty() {
                    break;
                }
                for write_back in claimed {
                    let number = u32::from_be_bytes(write_back.sealed[..4].try_into().expect("4"));
                    sent.lock().expect("nobody panics").push(number);
                    let recorded = server.write_back_sent(&write_back, 200, NOW).await;
                    assert!(recorded.expect("the store records it"), "it is ours");
                }
            }
        }
    })
    .await;
    assert_eq!(outcomes.len(), 48);
    let rest = servers[0].claim_write_backs(NOW, MINUTE, 50, 50).await;
    assert_eq!(rest.expect("the store answers").len(), 0);
    let sent = sent.lock().expect("nobody panics");
    assert_eq!(sent.len(), 30);
    for launch in 0..3 {
        let of_launch: Vec<_> = sent.iter().filter(|it| *it % 3 == launch).collect();
        assert!(of_launch.is_sorted(), "{of_launch:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_purge_at_once_forget_each_launch_once_and_more_than_a_batch() {
    let servers = servers().await;
    let launches = 48 * 25;
    let begun = race(&servers, |server, caller| async move {
        for number in 0..25 {
            let number = caller * 25 + number;
            let begun = server.begin_launch(launch(number, number), NOW).await;
            begun.expect("the store begins a launch");
        }
    });
    begun.await;
    let later = NOW + MINUTE;
    let purged = race(&servers, |server, _| async move {
        server.purge(later, later).await.expect("the store purges")
    })
    .await;
    assert_eq!(purged.iter().sum::<u64>(), launches);
    let launch = servers[0].find_launch(request_id(0)).await;
    assert_eq!(launch.expect("the store answers"), None);
}
