//! Limits in SQLite.
//!
//! Their connection does not wait for the disk at each commit (`synchronous = NORMAL`):
//! with a write-ahead log the file stays whole, and what is lost when the power fails are
//! the last counts.

use async_trait::async_trait;
use sqlx::Row;
use vestibule_launch::UnixTime;

use super::{
    SqliteStore,
    rows::{bytes, maybe_time_of},
};
use crate::{
    AttemptLimit, Attempted, Bucket, LimitKey, Limits, StoreError, Taken, limit::now_micros,
};

#[async_trait]
impl Limits for SqliteStore {
    async fn take(
        &self,
        key: LimitKey,
        bucket: Bucket,
        now: UnixTime,
    ) -> Result<Taken, StoreError> {
        let taking = sqlx::query(
            "INSERT INTO buckets (key, full_at) SELECT ?1, ?2 + ?3 WHERE ?3 <= ?4
             ON CONFLICT (key) DO UPDATE SET full_at = max(full_at, ?2) + ?3
                 WHERE max(full_at, ?2) + ?3 <= ?2 + ?4
             RETURNING 1",
        )
        .bind(bytes(key.as_bytes()))
        .bind(now_micros(now))
        .bind(bucket.refill_micros())
        .bind(bucket.full_micros());
        if !self.counts.write(taking).await?.is_empty() {
            return Ok(Taken::Now);
        }
        let row = sqlx::query("SELECT full_at FROM buckets WHERE key = ?1")
            .bind(bytes(key.as_bytes()))
            .fetch_optional(&self.finding)
            .await?;
        let full_at = row.map_or(Ok(now_micros(now)), |row| row.try_get("full_at"))?;
        Ok(Taken::Empty {
            retry_after: bucket.retry_after(full_at, now),
        })
    }

    async fn attempt(
        &self,
        key: LimitKey,
        limit: AttemptLimit,
        now: UnixTime,
    ) -> Result<Attempted, StoreError> {
        let counting = sqlx::query(
            "INSERT INTO attempts (key, times, expires_at) VALUES (?1, json_array(?2), ?5)
             ON CONFLICT (key) DO UPDATE SET
                 times = (SELECT json_group_array(value)
                     FROM (SELECT value FROM json_each(times) WHERE value > ?3
                           UNION ALL SELECT ?2)),
                 expires_at = max(expires_at, ?5)
             WHERE (SELECT count(*) FROM json_each(times) WHERE value > ?3) < ?4
             RETURNING 1",
        )
        .bind(bytes(key.as_bytes()))
        .bind(now.as_millis())
        .bind(limit.since(now))
        .bind(limit.most())
        .bind((now + limit.window).as_millis());
        if !self.counts.write(counting).await?.is_empty() {
            return Ok(Attempted::Now);
        }
        // Where an attempt was withdrawn meanwhile, the next may be made at once.
        let until = self.locked_until(key, limit, now).await?.unwrap_or(now);
        Ok(Attempted::Locked { until })
    }

    async fn withdraw(&self, key: LimitKey, at: UnixTime) -> Result<(), StoreError> {
        let withdrawing = sqlx::query(
            "UPDATE attempts SET times = json_remove(times, (SELECT fullkey
                 FROM json_each(attempts.times) WHERE value = ?2 LIMIT 1))
             WHERE key = ?1 AND EXISTS (SELECT 1 FROM json_each(times) WHERE value = ?2)",
        )
        .bind(bytes(key.as_bytes()))
        .bind(at.as_millis());
        self.counts.write(withdrawing).await?;
        Ok(())
    }

    async fn locked_until(
        &self,
        key: LimitKey,
        limit: AttemptLimit,
        now: UnixTime,
    ) -> Result<Option<UnixTime>, StoreError> {
        let row = sqlx::query(
            "SELECT value AS failed_at FROM attempts, json_each(attempts.times)
             WHERE attempts.key = ?1 AND value > ?2 ORDER BY value DESC LIMIT 1 OFFSET ?3 - 1",
        )
        .bind(bytes(key.as_bytes()))
        .bind(limit.since(now))
        .bind(limit.most())
        .fetch_optional(&self.finding)
        .await?;
        let failed_at = row
            .map(|row| maybe_time_of(&row, "failed_at"))
            .transpose()?;
        Ok(failed_at
            .flatten()
            .map(|failed_at| failed_at + limit.window))
    }
}
