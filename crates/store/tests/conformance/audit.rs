//! The audit log.

use std::{sync::Arc, time::Duration};

use vestibule_store::{
    AuditAction, AuditEntry, AuditFilter, AuditSubject, EncounterKey, NewAuditEntry, Page, Store,
    SubjectKind, TimeRange,
};

use super::{MINUTE, NOW, PROFILE, SECOND, race, request_id};

fn entry(administrator: &str, action: AuditAction) -> NewAuditEntry {
    NewAuditEntry {
        administrator: Some(administrator.into()),
        identity: None,
        role: Some("view".into()),
        source: "192.0.2.1".into(),
        action,
        subject: None,
        details: String::new(),
    }
}

async fn record(store: &dyn Store, entry: NewAuditEntry, after: Duration) {
    let recorded = store.record_audit(entry, NOW + after).await;
    recorded.expect("the store takes entries");
}

async fn list(store: &dyn Store, filter: AuditFilter) -> Vec<AuditEntry> {
    let page = Page {
        after: None,
        limit: 100,
    };
    let entries = store.list_audit(&filter, page).await;
    entries.expect("the store lists entries")
}

/// An entry is read as it was written, the newest first.
pub(crate) async fn entries_are_read_as_they_were_written(store: &dyn Store) {
    let stranger = NewAuditEntry {
        administrator: None,
        role: None,
        ..entry("", AuditAction::SignInFailed)
    };
    let changed = NewAuditEntry {
        identity: Some("248289 at https://id.example.org".into()),
        subject: Some(AuditSubject::profile(PROFILE)),
        details: "name, epic_encryption_key".into(),
        ..entry("ada", AuditAction::ProfileChanged)
    };
    record(store, stranger.clone(), Duration::ZERO).await;
    record(store, changed.clone(), SECOND).await;
    let all = list(store, AuditFilter::default()).await;
    let read: Vec<_> = all.iter().map(|it| it.entry.clone()).collect();
    assert_eq!(read, [changed, stranger]);
    assert_eq!((all[0].at, all[1].at), (NOW + SECOND, NOW));
    assert!(all[0].number > all[1].number);
}

/// Entries of one moment are there together, in their order.
pub(crate) async fn entries_are_recorded_together(store: &dyn Store) {
    let some = |count: usize| -> Vec<_> {
        let seen = |number| NewAuditEntry {
            subject: Some(AuditSubject::write_back(number)),
            ..entry("ada", AuditAction::NamesSeen)
        };
        (1..).map(seen).take(count).collect()
    };
    let record = async |entries| {
        let recorded = store.record_audit_all(entries, NOW).await;
        recorded.expect("the store takes entries");
    };
    record(Vec::new()).await;
    assert!(list(store, AuditFilter::default()).await.is_empty());
    record(some(1200)).await;
    let page = Page {
        after: None,
        limit: 3000,
    };
    let entries = store.list_audit(&AuditFilter::default(), page).await;
    let entries = entries.expect("the store lists entries");
    let read: Vec<_> = entries.into_iter().rev().map(|it| it.entry).collect();
    assert_eq!(read, some(1200));
}

/// Each filter takes away what it does not ask for.
pub(crate) async fn entries_are_listed_by_what_is_asked_for(store: &dyn Store) {
    let seen = NewAuditEntry {
        subject: Some(AuditSubject::launch(request_id(1))),
        ..entry("ada", AuditAction::NamesSeen)
    };
    record(store, seen, Duration::ZERO).await;
    record(store, entry("grace", AuditAction::SignedIn), SECOND).await;
    record(store, entry("ada", AuditAction::SignedIn), MINUTE).await;
    let count = async |filter| list(store, filter).await.len();
    let none = AuditFilter::default;
    let by = |name: &str| Some(name.to_owned());
    for (filter, expected) in [
        (none(), 3),
        (
            AuditFilter {
                administrator: by("ada"),
                ..none()
            },
            2,
        ),
        (
            AuditFilter {
                administrator: by("eve"),
                ..none()
            },
            0,
        ),
        (
            AuditFilter {
                action: Some(AuditAction::SignedIn),
                ..none()
            },
            2,
        ),
        (
            AuditFilter {
                subject: Some(AuditSubject::launch(request_id(1))),
                ..none()
            },
            1,
        ),
        (
            AuditFilter {
                subject: Some(AuditSubject::launch(request_id(2))),
                ..none()
            },
            0,
        ),
        (
            AuditFilter {
                kind: Some(SubjectKind::Launch),
                ..none()
            },
            1,
        ),
        (
            AuditFilter {
                kind: Some(SubjectKind::Profile),
                ..none()
            },
            0,
        ),
        (
            AuditFilter {
                time: Some(TimeRange {
                    from: NOW + SECOND,
                    until: NOW + MINUTE,
                }),
                ..none()
            },
            1,
        ),
    ] {
        assert_eq!(count(filter.clone()).await, expected, "{filter:?}");
    }
}

/// Who looked at an encounter is found by it, whatever became of the appointment.
pub(crate) async fn entries_are_found_by_their_encounter(store: &dyn Store) {
    let key = |number| EncounterKey::from_bytes([number; 32]);
    let seen = |number| NewAuditEntry {
        subject: Some(AuditSubject::encounter(key(number))),
        details: "appointment 7".into(),
        ..entry("ada", AuditAction::NamesSeen)
    };
    record(store, seen(1), Duration::ZERO).await;
    record(store, seen(0xAB), SECOND).await;
    let filter = AuditFilter {
        subject: Some(AuditSubject::encounter(key(0xAB))),
        ..AuditFilter::default()
    };
    let found = list(store, filter).await;
    let found: Vec<_> = found.into_iter().map(|it| it.entry).collect();
    assert_eq!(found, [seen(0xAB)]);
    let id = &found[0].subject.as_ref().expect("a subject").id;
    assert_eq!(*id, "ab".repeat(32));
}

/// Page after page every entry comes once, also where all are of the same moment.
pub(crate) async fn pages_of_entries_have_each_entry_once(store: &dyn Store) {
    for _ in 0..5 {
        let entry = entry("ada", AuditAction::Exported);
        record(store, entry, Duration::ZERO).await;
    }
    let mut numbers = Vec::new();
    let mut after = None;
    loop {
        let page = Page { after, limit: 2 };
        let entries = store.list_audit(&AuditFilter::default(), page).await;
        let entries = entries.expect("the store lists entries");
        numbers.extend(entries.iter().map(|it| it.number));
        let Some(last) = entries.last() else { break };
        after = Some(last.position());
    }
    assert_eq!(numbers.len(), 5);
    assert!(numbers.is_sorted_by(|a, b| a > b), "{numbers:?}");
}

/// Only age takes entries away; the purge of launches does not.
pub(crate) async fn entries_are_kept_until_they_are_old(store: &dyn Store) {
    record(store, entry("ada", AuditAction::SignedIn), Duration::ZERO).await;
    record(store, entry("ada", AuditAction::SignedOut), MINUTE).await;
    let purged = store.purge(NOW + MINUTE, NOW + MINUTE).await;
    purged.expect("the store purges");
    assert_eq!(list(store, AuditFilter::default()).await.len(), 2);
    let purge = async |before| {
        let purged = store.purge_audit(before).await;
        purged.expect("the store purges")
    };
    assert_eq!(purge(NOW).await, 0);
    assert_eq!(purge(NOW + MINUTE).await, 1);
    assert_eq!(purge(NOW).await, 0, "an earlier time takes nothing");
    let left = list(store, AuditFilter::default()).await;
    assert_eq!(left[0].entry.action, AuditAction::SignedOut);
    assert_eq!(left.len(), 1);
}

/// Fifty entries at once are fifty entries, each with a number of its own.
pub(crate) async fn fifty_entries_at_once_are_all_kept(store: Arc<dyn Store>) {
    race(&store, |store, _| async move {
        record(&*store, entry("ada", AuditAction::Exported), Duration::ZERO).await;
    })
    .await;
    let mut numbers: Vec<_> = list(&*store, AuditFilter::default())
        .await
        .iter()
        .map(|it| it.number)
        .collect();
    numbers.dedup();
    assert_eq!(numbers.len(), 50);
}
