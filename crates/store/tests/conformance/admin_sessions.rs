//! Sessions of administrators.

use std::{sync::Arc, time::Duration};

use vestibule_launch::UnixTime;
use vestibule_store::{AdminSession, AdminSessionHash, Store};

use super::{MINUTE, NOW, SECOND, race};

const IDLE: Duration = Duration::from_secs(30 * 60);
const HOUR: Duration = Duration::from_secs(60 * 60);

fn hash(number: u8) -> AdminSessionHash {
    AdminSessionHash::from_bytes([number; 32])
}

fn session(administrator: &str) -> AdminSession {
    AdminSession {
        administrator: administrator.into(),
        identity: Some("248289 at https://id.example.org".into()),
        role: "operate".into(),
        may_see_names: true,
        credential: [7; 32],
        created_at: NOW,
        used_at: NOW,
        expires_at: NOW + HOUR,
    }
}

async fn begun(store: &dyn Store, number: u8) {
    let begun = store.begin_admin_session(hash(number), session("ada"));
    begun.await.expect("the store takes a session");
}

async fn used(store: &dyn Store, number: u8, now: UnixTime) -> Option<AdminSession> {
    let used = store.use_admin_session(hash(number), IDLE, now).await;
    used.expect("the store answers")
}

async fn ended(store: &dyn Store, number: u8) -> bool {
    let ended = store.end_admin_session(hash(number)).await;
    ended.expect("the store answers")
}

/// A session is found by its own hash until it is ended.
pub(crate) async fn a_session_lasts_until_it_is_ended(store: &dyn Store) {
    begun(store, 1).await;
    begun(store, 2).await;
    assert_eq!(used(store, 1, NOW).await, Some(session("ada")));
    assert_eq!(used(store, 3, NOW).await, None);
    assert!(ended(store, 1).await);
    assert!(!ended(store, 1).await);
    assert_eq!(used(store, 1, NOW).await, None);
    assert!(used(store, 2, NOW).await.is_some(), "another one's lasts");
}

/// A session that is used goes on until its end, and one that is not is over before.
pub(crate) async fn a_session_that_is_not_used_is_over(store: &dyn Store) {
    begun(store, 1).await;
    begun(store, 2).await;
    let instant = Duration::from_millis(1);
    assert!(used(store, 1, NOW + IDLE - instant).await.is_some());
    assert_eq!(used(store, 2, NOW + IDLE).await, None);
    assert!(used(store, 1, NOW + HOUR - 2 * MINUTE).await.is_some());
    assert!(used(store, 1, NOW + HOUR - instant).await.is_some());
    assert_eq!(used(store, 1, NOW + HOUR).await, None, "used or not");
}

/// When it was last used is known to a minute.
pub(crate) async fn use_is_noted_once_a_minute(store: &dyn Store) {
    begun(store, 1).await;
    let used_at = async |now| used(store, 1, now).await.map(|it| it.used_at);
    assert_eq!(used_at(NOW + MINUTE - SECOND).await, Some(NOW));
    assert_eq!(used_at(NOW + MINUTE).await, Some(NOW));
    assert_eq!(used_at(NOW + MINUTE + SECOND).await, Some(NOW + MINUTE));
}

/// Looking for a session is no use of it, and finds none that is over.
pub(crate) async fn a_session_that_is_only_looked_for_is_not_used(store: &dyn Store) {
    begun(store, 1).await;
    let found = async |now| {
        let found = store.find_admin_session(hash(1), IDLE, now).await;
        found.expect("the store answers")
    };
    assert_eq!(found(NOW + 2 * MINUTE).await, Some(session("ada")));
    assert_eq!(found(NOW + 3 * MINUTE).await, Some(session("ada")));
    assert_eq!(found(NOW + IDLE).await, None);
    assert!(used(store, 1, NOW + 4 * MINUTE).await.is_some());
    assert!(found(NOW + IDLE).await.is_some(), "now it was used");
    assert_eq!(found(NOW + HOUR).await, None);
    assert!(ended(store, 1).await);
    assert_eq!(found(NOW + 5 * MINUTE).await, None);
}

/// Purging forgets sessions that are over, and no others.
pub(crate) async fn purging_forgets_sessions_that_are_over(store: &dyn Store) {
    begun(store, 1).await;
    let purge = async |now| store.purge(NOW, now).await.expect("the store purges");
    purge(NOW + HOUR - SECOND).await;
    assert!(used(store, 1, NOW).await.is_some());
    purge(NOW + HOUR).await;
    assert!(!ended(store, 1).await, "it is forgotten");
}

/// Of fifty that end a session at once one has ended it.
pub(crate) async fn one_of_fifty_ends_a_session(store: Arc<dyn Store>) {
    begun(&*store, 1).await;
    let ended = race(&store, |store, _| async move { ended(&*store, 1).await }).await;
    assert_eq!(ended.iter().filter(|ended| **ended).count(), 1);
}
