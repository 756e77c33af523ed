//! The audit log.

use async_trait::async_trait;
use vestibule_launch::UnixTime;

use crate::{AuditEntry, AuditFilter, NewAuditEntry, Page, StoreError};

/// What administrators did. Entries can be added and read. Nothing changes one, and only
/// their age takes them away: the database itself refuses anything else.
#[async_trait]
pub trait Audit {
    /// Adds an entry.
    async fn record_audit(&self, entry: NewAuditEntry, now: UnixTime) -> Result<(), StoreError>;

    /// Adds entries, all or none.
    async fn record_audit_all(
        &self,
        entries: Vec<NewAuditEntry>,
        now: UnixTime,
    ) -> Result<(), StoreError>;

    /// Entries, the newest first.
    async fn list_audit(
        &self,
        filter: &AuditFilter,
        page: Page<i64>,
    ) -> Result<Vec<AuditEntry>, StoreError>;

    /// Forgets entries from before a point in time. Says how many.
    async fn purge_audit(&self, before: UnixTime) -> Result<u64, StoreError>;
}
