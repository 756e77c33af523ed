//! Limits in PostgreSQL, in tables that are not logged: nobody waits for the disk, and
//! counts are forgotten when the server breaks down.

use async_trait::async_trait;
use sqlx::PgConnection;
use vestibule_launch::UnixTime;

use super::{
    PostgresStore,
    attempt::{Again, run},
    rows::time_of,
};
use crate::{
    AttemptLimit, Attempted, Bucket, LimitKey, Limits, StoreError, Taken, limit::now_micros,
};

#[async_trait]
impl Limits for PostgresStore {
    async fn take(
        &self,
        key: LimitKey,
        bucket: Bucket,
        now: UnixTime,
    ) -> Result<Taken, StoreError> {
        run!(self, Again::Always, |connection, _| {
            let taken = sqlx::query(
                "INSERT INTO buckets (key, full_at) SELECT $1, $2 + $3 WHERE $3 <= $4
                 ON CONFLICT (key) DO UPDATE SET full_at = greatest(buckets.full_at, $2) + $3
                     WHERE greatest(buckets.full_at, $2) + $3 <= $2 + $4",
            )
            .bind(key.as_bytes().as_slice())
            .bind(now_micros(now))
            .bind(bucket.refill_micros())
            .bind(bucket.full_micros())
            .execute(&mut *connection)
            .await?
            .rows_affected();
            if taken == 1 {
                return Ok(Taken::Now);
            }
            let full_at: Option<i64> =
                sqlx::query_scalar("SELECT full_at FROM buckets WHERE key = $1")
                    .bind(key.as_bytes().as_slice())
                    .fetch_optional(&mut *connection)
                    .await?;
            let full_at = full_at.unwrap_or(now_micros(now));
            Ok(Taken::Empty {
                retry_after: bucket.retry_after(full_at, now),
            })
        })
    }

    /// Not done again where it may have been committed: an attempt would count twice, and
    /// be withdrawn once.
    async fn attempt(
        &self,
        key: LimitKey,
        limit: AttemptLimit,
        now: UnixTime,
    ) -> Result<Attempted, StoreError> {
        run!(self, Again::WhenUndone, |connection, _| {
            let counted = sqlx::query(
                "INSERT INTO attempts (key, times, expires_at) VALUES ($1, ARRAY[$2::bigint], $5)
                 ON CONFLICT (key) DO UPDATE SET
                     times = ARRAY(SELECT at FROM unnest(attempts.times) AS at WHERE at > $3)
                         || $2,
                     expires_at = greatest(attempts.expires_at, $5)
                 WHERE (SELECT count(*) FROM unnest(attempts.times) AS at WHERE at > $3) < $4",
            )
            .bind(key.as_bytes().as_slice())
            .bind(now.as_millis())
            .bind(limit.since(now))
            .bind(limit.most())
            .bind((now + limit.window).as_millis())
            .execute(&mut *connection)
            .await?
            .rows_affected();
            if counted == 1 {
                return Ok(Attempted::Now);
            }
            // Where an attempt was withdrawn meanwhile, the next may be made at once.
            let until = locked_until(connection, key, limit, now).await?;
            Ok(Attempted::Locked {
                until: until.unwrap_or(now),
            })
        })
    }

    /// Not done again where it may have been committed: two attempts may have been made
    /// in the same millisecond.
    async fn withdraw(&self, key: LimitKey, at: UnixTime) -> Result<(), StoreError> {
        run!(self, Again::WhenUndone, |connection, _| {
            sqlx::query(
                "UPDATE attempts
                 SET times = times[:array_position(times, $2) - 1]
                     || times[array_position(times, $2) + 1:]
                 WHERE key = $1 AND $2 = ANY(times)",
            )
            .bind(key.as_bytes().as_slice())
            .bind(at.as_millis())
            .execute(connection)
            .await?;
            Ok(())
        })
    }

    async fn locked_until(
        &self,
        key: LimitKey,
        limit: AttemptLimit,
        now: UnixTime,
    ) -> Result<Option<UnixTime>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            locked_until(connection, key, limit, now).await
        })
    }
}

async fn locked_until(
    connection: &mut PgConnection,
    key: LimitKey,
    limit: AttemptLimit,
    now: UnixTime,
) -> Result<Option<UnixTime>, StoreError> {
    let row = sqlx::query(
        "SELECT at AS failed_at FROM attempts, unnest(attempts.times) AS at
         WHERE key = $1 AND at > $2 ORDER BY at DESC LIMIT 1 OFFSET $3 - 1",
    )
    .bind(key.as_bytes().as_slice())
    .bind(limit.since(now))
    .bind(limit.most())
    .fetch_optional(connection)
    .await?;
    let failed_at = row.map(|row| time_of(&row, "failed_at")).transpose()?;
    Ok(failed_at.map(|failed_at| failed_at + limit.window))
}
