//! The audit log in PostgreSQL.

use async_trait::async_trait;
use sqlx::{Connection as _, PgConnection, Postgres, QueryBuilder};
use vestibule_launch::UnixTime;

use super::{
    PostgresStore,
    attempt::{Again, run},
};
use crate::{
    Audit, AuditEntry, AuditFilter, NewAuditEntry, Page, StoreError, listing::page_of_entries,
    rows::entry_of,
};

/// Entries that are forgotten at a time: some milliseconds' work.
const BATCH: u64 = 500;

/// Entries that are added by one statement.
const AT_ONCE: usize = 1000;

/// Those of another server that purges are left to it.
const FORGET: &str = "DELETE FROM audit_log WHERE ctid = ANY(ARRAY
     (SELECT ctid FROM audit_log WHERE at < $1 ORDER BY at, number LIMIT $2
      FOR UPDATE SKIP LOCKED))";

#[async_trait]
impl Audit for PostgresStore {
    /// Where the answer was lost, nobody knows whether the entry is there: the caller
    /// hears of it and does nothing, and the entry tells at worst of an attempt.
    async fn record_audit(&self, entry: NewAuditEntry, now: UnixTime) -> Result<(), StoreError> {
        run!(self, Again::WhenUndone, |connection, _| {
            insert(connection, std::slice::from_ref(&entry), now).await
        })
    }

    /// As [`Self::record_audit`]: at worst the entries tell of an attempt.
    async fn record_audit_all(
        &self,
        entries: Vec<NewAuditEntry>,
        now: UnixTime,
    ) -> Result<(), StoreError> {
        run!(self, Again::WhenUndone, |connection, _| {
            let mut transaction = connection.begin().await?;
            for entries in entries.chunks(AT_ONCE) {
                insert(&mut transaction, entries, now).await?;
            }
            Ok(transaction.commit().await?)
        })
    }

    /// Each filter has an index that gives the newest first: `audit_log_at`, or that of
    /// administrator, action or subject.
    async fn list_audit(
        &self,
        filter: &AuditFilter,
        page: Page<i64>,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let _turn = self.reading().await?;
        run!(self, Again::Always, |connection, _| {
            let mut query = page_of_entries(filter, page);
            let rows = query.build().fetch_all(connection).await?;
            rows.iter().map(entry_of).collect()
        })
    }

    /// `audit_log_at` gives the oldest entries, a batch at a time.
    async fn purge_audit(&self, before: UnixTime) -> Result<u64, StoreError> {
        run!(self, Again::Always, |connection, _| {
            sqlx::query("UPDATE audit_retention SET kept_since = $1 WHERE kept_since < $1")
                .bind(before.as_millis())
                .execute(connection)
                .await?;
            Ok(())
        })?;
        let mut purged = 0;
        loop {
            let forgotten = run!(self, Again::Always, |connection, _| {
                let done = sqlx::query(FORGET)
                    .bind(before.as_millis())
                    .bind(BATCH.cast_signed())
                    .execute(connection)
                    .await?;
                Ok(done.rows_affected())
            })?;
            purged += forgotten;
            if forgotten < BATCH {
                return Ok(purged);
            }
        }
    }
}

/// Adds an entry, where there is one to be added.
pub(super) async fn record(
    connection: &mut PgConnection,
    entry: Option<&NewAuditEntry>,
    now: UnixTime,
) -> Result<(), StoreError> {
    match entry {
        Some(entry) => insert(connection, std::slice::from_ref(entry), now).await,
        None => Ok(()),
    }
}

/// Adds entries, one at least and [`AT_ONCE`] at most.
async fn insert(
    connection: &mut PgConnection,
    entries: &[NewAuditEntry],
    now: UnixTime,
) -> Result<(), StoreError> {
    let mut query = QueryBuilder::<Postgres>::new(
        "INSERT INTO audit_log
             (at, administrator, identity, role, source, action, subject_kind, subject, details) ",
    );
    query.push_values(entries, |mut row, entry| {
        let subject = entry.subject.as_ref();
        row.push_bind(now.as_millis())
            .push_bind(entry.administrator.as_deref())
            .push_bind(entry.identity.as_deref())
            .push_bind(entry.role.as_deref())
            .push_bind(entry.source.as_str())
            .push_bind(entry.action.as_str())
            .push_bind(subject.map(|subject| subject.kind.as_str()))
            .push_bind(subject.map(|subject| subject.id.as_str()))
            .push_bind(entry.details.as_str());
    });
    query.build().execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AuditAction;

    #[tokio::test]
    async fn the_database_itself_refuses_to_change_the_audit_log() {
        let address = vestibule_test_postgres::database().parse().unwrap();
        let store = PostgresStore::open(&address, 2).await.unwrap();
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
            "TRUNCATE audit_log",
            "INSERT INTO audit_log (number, at, source, action, details)
             OVERRIDING SYSTEM VALUE VALUES (1, 1, '192.0.2.2', 'signed_out', '')
             ON CONFLICT (number) DO UPDATE SET administrator = 'grace'",
            "UPDATE audit_retention SET kept_since = 999",
            "DELETE FROM audit_retention",
            "TRUNCATE audit_retention",
        ] {
            let refused = sqlx::query(statement)
                .execute(&store.connections.pool)
                .await;
            let error = refused.expect_err(statement).to_string();
            let told = ["only added to", "does not come back"];
            assert!(
                told.iter().any(|told| error.contains(told)),
                "{statement}: {error}"
            );
        }
        let kept: Vec<String> = sqlx::query_scalar("SELECT administrator FROM audit_log")
            .fetch_all(&store.connections.pool)
            .await
            .unwrap();
        assert_eq!(kept, ["ada"]);
    }
}
