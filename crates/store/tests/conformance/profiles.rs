//! Telehealth profiles.

use std::{collections::HashSet, sync::Arc};

use uuid::Uuid;
use vestibule_launch::UnixTime;
use vestibule_store::{
    AuditAction, AuditFilter, Inserted, NewAuditEntry, Page, ProfileNumber, Store, StoredProfile,
    Updated,
};

use super::{MINUTE, NOW, PROFILE, SECOND, race};

const OTHER: Uuid = Uuid::from_u128(2);

async fn number(store: &dyn Store, uuid: Uuid) -> ProfileNumber {
    let number = store.profile_number(uuid).await;
    number.expect("the store numbers profiles")
}

async fn insert(store: &dyn Store, uuid: Uuid, sealed: &[u8], now: UnixTime) -> Inserted {
    let inserted = store.insert_profile(uuid, sealed.to_vec(), None, now).await;
    inserted.expect("the store inserts a profile")
}

async fn update(store: &dyn Store, sealed: &[u8], read_at: UnixTime, now: UnixTime) -> Updated {
    let sealed = sealed.to_vec();
    let updated = store
        .update_profile(PROFILE, sealed, read_at, None, now)
        .await;
    updated.expect("the store updates a profile")
}

async fn delete(store: &dyn Store, uuid: Uuid) -> bool {
    let deleted = store.delete_profile(uuid, None, NOW).await;
    deleted.expect("the store deletes a profile")
}

async fn all(store: &dyn Store) -> Vec<StoredProfile> {
    store.profiles().await.expect("the store lists profiles")
}

/// A profile has one number, whether it lives in a file, is kept here or was here once.
pub(crate) async fn a_profile_has_one_number_for_ever(store: &dyn Store) {
    let first = number(store, PROFILE).await;
    assert_eq!(number(store, PROFILE).await, first);
    assert!(all(store).await.is_empty(), "it lives in a file");
    let Inserted::New(second) = insert(store, OTHER, b"other", NOW).await else {
        panic!("it was not here")
    };
    assert!(first < second);
    assert_eq!(number(store, OTHER).await, second);
    assert_eq!(
        insert(store, PROFILE, b"moved here", NOW).await,
        Inserted::New(first)
    );
    assert!(delete(store, OTHER).await);
    let third = number(store, Uuid::from_u128(3)).await;
    assert!(second < third, "numbers are not given twice");
    assert_eq!(
        insert(store, OTHER, b"again", NOW).await,
        Inserted::New(second)
    );
}

/// A profile is inserted once, and listed by number as it was inserted.
pub(crate) async fn a_profile_is_inserted_once(store: &dyn Store) {
    let mut expected = Vec::new();
    for (uuid, sealed) in [(PROFILE, b"first"), (OTHER, b"other")] {
        let Inserted::New(number) = insert(store, uuid, sealed, NOW).await else {
            panic!("it was not here")
        };
        expected.push(StoredProfile {
            number,
            uuid,
            sealed: sealed.to_vec(),
            updated_at: NOW,
        });
    }
    assert_eq!(
        insert(store, PROFILE, b"second", NOW + SECOND).await,
        Inserted::Exists
    );
    assert_eq!(all(store).await, expected);
}

/// Who read an older state than the last one replaces nothing.
pub(crate) async fn a_profile_is_replaced_by_those_who_read_its_last_state(store: &dyn Store) {
    assert_eq!(update(store, b"x", NOW, NOW).await, Updated::Missing);
    number(store, PROFILE).await;
    assert_eq!(
        update(store, b"x", NOW, NOW).await,
        Updated::Missing,
        "it only has a number"
    );
    insert(store, PROFILE, b"first", NOW).await;
    insert(store, OTHER, b"other", NOW).await;
    // The clock stands still, or goes back: each change is later all the same.
    let mut read_at = NOW;
    for now in [NOW, NOW, NOW - MINUTE, NOW + MINUTE] {
        assert_eq!(update(store, b"next", read_at, now).await, Updated::Now);
        assert_eq!(
            update(store, b"late", read_at, now).await,
            Updated::Conflict
        );
        let profiles = all(store).await;
        assert_eq!(profiles[0].sealed, b"next");
        assert!(profiles[0].updated_at > read_at);
        assert_eq!(profiles[1].sealed, b"other");
        assert_eq!(profiles[1].updated_at, NOW);
        read_at = profiles[0].updated_at;
    }
    assert_eq!(read_at, NOW + MINUTE);
    assert!(delete(store, PROFILE).await);
    assert_eq!(update(store, b"x", read_at, NOW).await, Updated::Missing);
}

/// Who read a profile before it was forgotten does not replace the one that came after.
pub(crate) async fn a_forgotten_profile_that_returns_is_not_taken_for_its_past(store: &dyn Store) {
    insert(store, PROFILE, b"first", NOW).await;
    assert!(delete(store, PROFILE).await);
    assert!(!delete(store, PROFILE).await);
    assert!(all(store).await.is_empty());
    insert(store, PROFILE, b"second", NOW).await;
    assert_eq!(update(store, b"late", NOW, NOW).await, Updated::Conflict);
    let profiles = all(store).await;
    assert_eq!(profiles[0].sealed, b"second");
    assert!(profiles[0].updated_at > NOW);
}

/// The revision grows with what changes a profile, and with nothing else.
pub(crate) async fn every_change_of_a_profile_grows_the_revision(store: &dyn Store) {
    let revision = async || store.profiles_revision().await.expect("there is one");
    let mut last = revision().await;
    let mut grew = async || {
        let before = std::mem::replace(&mut last, revision().await);
        assert!(before <= last);
        before < last
    };
    number(store, PROFILE).await;
    assert!(!grew().await, "a number");
    insert(store, PROFILE, b"first", NOW).await;
    assert!(grew().await, "an insertion");
    insert(store, PROFILE, b"second", NOW).await;
    assert!(!grew().await, "it was here");
    update(store, b"second", NOW, NOW + SECOND).await;
    assert!(grew().await, "an update");
    update(store, b"late", NOW, NOW + SECOND).await;
    assert!(!grew().await, "a conflict");
    delete(store, OTHER).await;
    assert!(!grew().await, "it was not here");
    delete(store, PROFILE).await;
    assert!(grew().await, "a deletion");
}

/// Fifty callers at once, half of them for another profile, get two numbers.
pub(crate) async fn fifty_get_one_number(store: Arc<dyn Store>) {
    let numbers = race(&store, |store, caller| async move {
        let uuid = if caller % 2 == 0 { PROFILE } else { OTHER };
        (uuid, number(&*store, uuid).await)
    })
    .await;
    let different: HashSet<_> = numbers.into_iter().collect();
    assert_eq!(different.len(), 2);
}

/// Of fifty callers at once, one inserts the profile.
pub(crate) async fn one_of_fifty_inserts_a_profile(store: Arc<dyn Store>) {
    let outcomes = race(&store, |store, caller| async move {
        (caller, insert(&*store, PROFILE, &[caller], NOW).await)
    })
    .await;
    let winners: Vec<_> = outcomes
        .iter()
        .filter(|(_, inserted)| *inserted != Inserted::Exists)
        .collect();
    assert_eq!(winners.len(), 1);
    let profiles = all(&*store).await;
    assert_eq!(profiles[0].sealed, [winners[0].0]);
    assert_eq!(winners[0].1, Inserted::New(profiles[0].number));
}

/// Of fifty callers at once that read the same state, one replaces the profile.
pub(crate) async fn one_of_fifty_replaces_a_profile(store: Arc<dyn Store>) {
    insert(&*store, PROFILE, b"first", NOW).await;
    let outcomes = race(&store, |store, caller| async move {
        (caller, update(&*store, &[caller], NOW, NOW + SECOND).await)
    })
    .await;
    let winners: Vec<_> = outcomes
        .iter()
        .filter(|(_, updated)| *updated == Updated::Now)
        .collect();
    assert_eq!(winners.len(), 1);
    assert!(
        outcomes
            .iter()
            .all(|(_, updated)| *updated != Updated::Missing)
    );
    assert_eq!(all(&*store).await[0].sealed, [winners[0].0]);
}

fn entry(details: &str) -> Option<NewAuditEntry> {
    Some(NewAuditEntry {
        administrator: Some("ada".into()),
        identity: None,
        role: Some("configure".into()),
        source: "192.0.2.1".into(),
        action: AuditAction::ProfileChanged,
        subject: None,
        details: details.into(),
    })
}

/// A change is in the audit log, and one that was not made is not.
pub(crate) async fn a_change_and_its_entry_are_stored_together_or_not_at_all(store: &dyn Store) {
    let sealed = || b"sealed".to_vec();
    let insert = async |told| {
        let inserted = store.insert_profile(PROFILE, sealed(), entry(told), NOW);
        inserted.await.expect("the store inserts a profile")
    };
    assert!(matches!(insert("new").await, Inserted::New(_)));
    assert_eq!(insert("twice").await, Inserted::Exists);
    let update = async |read_at, told| {
        let updated = store.update_profile(PROFILE, sealed(), read_at, entry(told), NOW + SECOND);
        updated.await.expect("the store updates a profile")
    };
    assert_eq!(update(NOW + MINUTE, "late").await, Updated::Conflict);
    assert_eq!(update(NOW, "changed").await, Updated::Now);
    let delete = async |told| {
        let deleted = store.delete_profile(PROFILE, entry(told), NOW + MINUTE);
        deleted.await.expect("the store deletes a profile")
    };
    assert!(delete("gone").await);
    assert!(!delete("gone already").await);
    assert_eq!(update(NOW + SECOND, "missing").await, Updated::Missing);
    let page = Page {
        after: None,
        limit: 10,
    };
    let entries = store.list_audit(&AuditFilter::default(), page).await;
    let entries = entries.expect("the store lists entries");
    let told: Vec<_> = entries
        .iter()
        .map(|it| (it.entry.details.as_str(), it.at))
        .collect();
    let expected = [
        ("gone", NOW + MINUTE),
        ("changed", NOW + SECOND),
        ("new", NOW),
    ];
    assert_eq!(told, expected);
}
