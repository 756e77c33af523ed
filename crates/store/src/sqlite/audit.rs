//! The audit log in SQLite.

use async_trait::async_trait;
use sqlx::SqliteConnection;
use vestibule_launch::UnixTime;

use super::{SqliteStore, purge};
use crate::{
    Audit, AuditEntry, AuditFilter, NewAuditEntry, Page, StoreError, listing::page_of_entries,
    rows::entry_of,
};

#[async_trait]
impl Audit for SqliteStore {
    async fn record_audit(&self, entry: NewAuditEntry, now: UnixTime) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await?;
        insert(&mut connection, entry, now).await
    }

    async fn record_audit_all(
        &self,
        entries: Vec<NewAuditEntry>,
        now: UnixTime,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        for entry in entries {
            insert(&mut transaction, entry, now).await?;
        }
        Ok(transaction.commit().await?)
    }

    async fn list_audit(
        &self,
        filter: &AuditFilter,
        page: Page<i64>,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let mut query = page_of_entries(filter, page);
        query
            .build()
            .fetch_all(&mut *self.reading().await?)
            .await?
            .iter()
            .map(entry_of)
            .collect()
    }

    async fn purge_audit(&self, before: UnixTime) -> Result<u64, StoreError> {
        let before = before.as_millis();
        let kept = "UPDATE audit_retention SET kept_since = ?1 WHERE kept_since < ?1";
        self.writer.write(sqlx::query(kept).bind(before)).await?;
        purge::delete(&self.writer, "audit_log", "number", "at < ?1", before).await
    }
}

/// Adds an entry, where there is one to be added.
pub(super) async fn record(
    connection: &mut SqliteConnection,
    entry: Option<NewAuditEntry>,
    now: UnixTime,
) -> Result<(), StoreError> {
    match entry {
        Some(entry) => insert(connection, entry, now).await,
        None => Ok(()),
    }
}

async fn insert(
    connection: &mut SqliteConnection,
    entry: NewAuditEntry,
    now: UnixTime,
) -> Result<(), StoreError> {
    let subject = entry.subject;
    sqlx::query(
        "INSERT INTO audit_log
             (at, administrator, identity, role, source, action, subject_kind, subject, details)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )
    .bind(now.as_millis())
    .bind(entry.administrator)
    .bind(entry.identity)
    .bind(entry.role)
    .bind(entry.source)
    .bind(entry.action.as_str())
    .bind(subject.as_ref().map(|subject| subject.kind.as_str()))
    .bind(subject.map(|subject| subject.id))
    .bind(entry.details)
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AuditAction;

    #[tokio::test]
    async fn the_database_itself_refuses_to_change_the_audit_log() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("state.db"))
            .await
            .unwrap();
        let now = UnixTime::from_millis(1_000);
        let entry = NewAuditEntry {
            administrator: Some("ada".into()),
            identity: None,
            role: None,
            source: "192.0.2.1".into(),
            action: AuditAction::SignedIn,
            subject: None,
            details: String::new(),
        };
        store.record_audit(entry, now).await.unwrap();
        store.purge_audit(now).await.unwrap();
        for statement in [
            "UPDATE audit_log SET administrator = 'grace'",
            "DELETE FROM audit_log",
            "REPLACE INTO audit_log (number, at, source, action, details)
             VALUES (1, 1, '192.0.2.2', 'signed_out', '')",
            "UPDATE audit_retention SET kept_since = 999",
        ] {
            let refused = sqlx::query(statement).execute(&store.pool).await;
            assert!(refused.is_err(), "{statement}");
        }
        let kept: Vec<String> = sqlx::query_scalar("SELECT administrator FROM audit_log")
            .fetch_all(&store.pool)
            .await
            .unwrap();
        assert_eq!(kept, ["ada"]);
    }
}
