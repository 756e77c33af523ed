//! What commands change in the database, for the audit log.

use uuid::Uuid;
use vestibule_store::{AuditAction, AuditSubject, NewAuditEntry};

/// The entry of a change: by whom the system says that the command runs. There is no
/// administrator's name on the command line.
pub(super) fn entry(action: AuditAction, profile: Uuid, details: &str) -> NewAuditEntry {
    let user = nix::unistd::getuid();
    NewAuditEntry {
        administrator: None,
        identity: Some(format!("user {user} of the system")),
        role: None,
        source: "command line".to_owned(),
        action,
        subject: Some(AuditSubject::profile(profile)),
        details: details.to_owned(),
    }
}
