//! What reading the folder anew has changed, for the audit log. Who changed a file, nobody
//! here knows: an entry says which file it was.

use std::{path::Path, sync::Arc};

use vestibule_store::{AuditAction, AuditSubject, NewAuditEntry};

use super::{Entry, Kept, ProfileDocument, changed_fields};

/// An entry for each profile that was added, changed or removed, and none for one that says
/// the same in other words. What is in `all` lives on, if not in a file.
pub(super) fn changes(
    before: &[Arc<Entry>],
    after: &[Arc<Entry>],
    all: &[Arc<Entry>],
) -> Vec<NewAuditEntry> {
    let nothing = ProfileDocument::default();
    let mut changes = Vec::new();
    for entry in after {
        let (action, old) = match same(before, entry) {
            Some(old) => (AuditAction::ProfileChanged, &old.document),
            None => (AuditAction::ProfileCreated, &nothing),
        };
        let fields = changed_fields(old, &entry.document);
        if !fields.is_empty() {
            changes.push(change(action, entry, fields.join(", ")));
        }
    }
    let is_gone = |entry: &&Arc<Entry>| same(after, entry).or(same(all, entry)).is_none();
    let removed = before.iter().filter(is_gone);
    let told = |entry: &Arc<Entry>| change(AuditAction::ProfileRemoved, entry, String::new());
    changes.extend(removed.map(told));
    changes
}

fn same<'a>(entries: &'a [Arc<Entry>], wanted: &Entry) -> Option<&'a Arc<Entry>> {
    let uuid = wanted.document.uuid;
    entries.iter().find(|entry| entry.document.uuid == uuid)
}

fn change(action: AuditAction, entry: &Entry, details: String) -> NewAuditEntry {
    NewAuditEntry {
        administrator: None,
        identity: None,
        role: None,
        source: source(&entry.kept),
        action,
        subject: Some(AuditSubject::profile(entry.document.uuid)),
        details,
    }
}

fn source(kept: &Kept) -> String {
    match kept {
        Kept::File(path) => {
            let name = path.file_name().map(Path::new).unwrap_or(path);
            format!("file {}", name.display())
        }
        Kept::Database(_) => "database".to_owned(),
    }
}
