//! The outbox in SQLite.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::{Row, SqliteConnection};
use vestibule_launch::{RequestId, UnixTime};

use super::{SqliteStore, rows::bytes};
use crate::{
    NewWriteBack, NotTold, Reason, StoreError, Unsent, WriteBack, WriteBackRecord, WriteBacks,
    rows::write_backs::{record_of, write_back_of},
    write_back::ATTEMPTS_KEPT,
};

#[async_trait]
impl WriteBacks for SqliteStore {
    async fn claim_write_backs(
        &self,
        now: UnixTime,
        lease: Duration,
        limit: u32,
        of_profile: u32,
    ) -> Result<Vec<WriteBack>, StoreError> {
        // SQLite plans a statement anew for every value of a bare parameter after LIMIT.
        let rows = sqlx::query(
            "WITH leased AS
                 (SELECT profile, count(*) AS places FROM write_backs
                  WHERE state = 'unsent' AND leased_until > ?1
                  GROUP BY profile),
             ready AS
                 (SELECT id, profile, due_at, created_at,
                      row_number() OVER
                          (PARTITION BY profile ORDER BY due_at, created_at, id) AS place
                  FROM write_backs AS oldest
                  WHERE state = 'unsent' AND due_at <= ?1
                      AND (leased_until IS NULL OR leased_until <= ?1)
                      AND NOT EXISTS
                          (SELECT 1 FROM write_backs AS older
                           WHERE older.state = 'unsent' AND older.request_id = oldest.request_id
                               AND (older.kind = 'device_test') = (oldest.kind = 'device_test')
                               AND (older.created_at, older.id) < (oldest.created_at, oldest.id)))
             UPDATE write_backs
             SET attempts = attempts + 1, lease = lease + 1, leased_until = ?2
             WHERE id IN
                 (SELECT ready.id FROM ready LEFT JOIN leased USING (profile)
                  WHERE ready.place + coalesce(leased.places, 0) <= ?4
                  ORDER BY ready.due_at, ready.created_at, ready.id LIMIT ?3 + 0)
             RETURNING *",
        )
        .bind(now.as_millis())
        .bind((now + lease).as_millis())
        .bind(limit)
        .bind(of_profile)
        .fetch_all(&self.pool)
        .await?;
        let mut claimed = rows
            .iter()
            .map(write_back_of)
            .collect::<Result<Vec<_>, _>>()?;
        claimed.sort_by_key(|write_back| (write_back.created_at, write_back.id));
        Ok(claimed)
    }

    async fn write_back_sent(
        &self,
        write_back: &WriteBack,
        status: u16,
        now: UnixTime,
    ) -> Result<bool, StoreError> {
        let answered = (Some(status), None);
        self.finish(write_back, "sent", answered, now).await
    }

    async fn write_back_failed(
        &self,
        write_back: &WriteBack,
        status: Option<u16>,
        reason: Reason,
        then: NotTold,
        now: UnixTime,
    ) -> Result<bool, StoreError> {
        let outcome = (status, Some(reason));
        let due_at = match then {
            NotTold::TryAgain { at } => at,
            NotTold::GiveUp => return self.finish(write_back, "given_up", outcome, now).await,
            NotTold::NotNeeded => return self.finish(write_back, "not_needed", outcome, now).await,
        };
        let mut transaction = self.write().await?;
        let recorded = sqlx::query(
            "UPDATE write_backs
             SET last_status = ?3, last_reason = ?5, due_at = ?4, leased_until = NULL
             WHERE id = ?1 AND lease = ?2 AND leased_until IS NOT NULL",
        )
        .bind(write_back.id)
        .bind(write_back.lease)
        .bind(status)
        .bind(due_at.as_millis())
        .bind(reason.as_str())
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        if recorded == 1 {
            record_attempt(&mut transaction, write_back, outcome, now).await?;
        }
        transaction.commit().await?;
        Ok(recorded == 1)
    }

    async fn unsent_write_backs(&self) -> Result<Unsent, StoreError> {
        let row = sqlx::query(
            "SELECT count(*) AS count, min(created_at) AS oldest
             FROM write_backs WHERE state = 'unsent'",
        )
        .fetch_one(&self.finding)
        .await?;
        let count: i64 = row.try_get("count")?;
        let oldest: Option<i64> = row.try_get("oldest")?;
        Ok(Unsent {
            count: count.unsigned_abs(),
            oldest: oldest.map(UnixTime::from_millis),
        })
    }

    async fn write_backs_of(
        &self,
        request_id: RequestId,
    ) -> Result<Vec<WriteBackRecord>, StoreError> {
        sqlx::query("SELECT * FROM write_backs WHERE request_id = ?1 ORDER BY created_at, id")
            .bind(bytes(request_id.as_bytes()))
            .fetch_all(&self.finding)
            .await?
            .iter()
            .map(record_of)
            .collect()
    }
}

/// The status of the EHR's answer, and why it came to nothing.
type Outcome = (Option<u16>, Option<Reason>);

impl SqliteStore {
    async fn finish(
        &self,
        write_back: &WriteBack,
        state: &'static str,
        outcome: Outcome,
        now: UnixTime,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.write().await?;
        let recorded = sqlx::query(
            "UPDATE write_backs
             SET state = ?3, last_status = ?4, last_reason = ?6, finished_at = ?5,
                 leased_until = NULL
             WHERE id = ?1 AND lease = ?2 AND leased_until IS NOT NULL",
        )
        .bind(write_back.id)
        .bind(write_back.lease)
        .bind(state)
        .bind(outcome.0)
        .bind(now.as_millis())
        .bind(outcome.1.map(Reason::as_str))
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        if recorded == 1 {
            record_attempt(&mut transaction, write_back, outcome, now).await?;
        }
        transaction.commit().await?;
        Ok(recorded == 1)
    }
}

/// Keeps the attempt that is over, and the latest of those before it.
async fn record_attempt(
    connection: &mut SqliteConnection,
    write_back: &WriteBack,
    (status, reason): Outcome,
    now: UnixTime,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO write_back_attempts (write_back, number, at, status, reason)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )
    .bind(write_back.id)
    .bind(write_back.attempts)
    .bind(now.as_millis())
    .bind(status)
    .bind(reason.map(Reason::as_str))
    .execute(&mut *connection)
    .await?;
    if let Some(forgotten) = write_back
        .attempts
        .checked_sub(ATTEMPTS_KEPT.unsigned_abs())
    {
        sqlx::query("DELETE FROM write_back_attempts WHERE write_back = ?1 AND number <= ?2")
            .bind(write_back.id)
            .bind(forgotten)
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// Stores a write-back, unless the same one is here already.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    write_back: NewWriteBack,
    now: UnixTime,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO write_backs (dedupe, profile, request_id, sealed, created_at, due_at, kind)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (dedupe) DO NOTHING",
    )
    .bind(bytes(&write_back.dedupe))
    .bind(bytes(write_back.profile.as_bytes()))
    .bind(bytes(write_back.request_id.as_bytes()))
    .bind(write_back.sealed)
    .bind(now.as_millis())
    .bind(write_back.due_at.as_millis())
    .bind(write_back.kind.as_str())
    .execute(connection)
    .await?;
    Ok(())
}
