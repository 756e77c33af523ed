//! What is forgotten in PostgreSQL: a batch at a time, each in a transaction of its own,
//! so that nobody waits for long and a million rows are no long transaction.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use tokio::time::timeout;
use vestibule_launch::UnixTime;

use super::{PostgresStore, sessions::of_use};
use crate::{StoreError, limit::now_micros, ticket::REPEAT_WITHIN};

/// Rows a batch: some milliseconds' work.
const BATCH: i64 = 500;

/// Nothing lasts longer.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// How long it may take. What is left then is for the next time.
const LIMIT: Duration = Duration::from_secs(600);

/// Held by the server that purges. A lock of the connection: it is free again when the
/// server is gone.
const ALONE: &str = "SELECT pg_try_advisory_lock(hashtext('purge')) AS alone";
const NO_LONGER_ALONE: &str = "SELECT pg_advisory_unlock(hashtext('purge'))";

/// What began `$2` or earlier and never ended: the event that ends it was lost.
const END_LOST: [&str; 2] = [
    "UPDATE conferences SET ended_at = $1 WHERE ended_at IS NULL AND started_at <= $2",
    "UPDATE participants SET disconnected_at = $1
     WHERE disconnected_at IS NULL AND connected_at <= $2",
];

/// What is sealed of launches whose sign-in took too long, and join links that have
/// expired.
pub(super) const UNSEAL: &str = "UPDATE launches SET sealed = NULL WHERE request_id IN
     (SELECT request_id FROM launches WHERE sealed IS NOT NULL AND expires_at <= $1
      LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED)";

/// Rows of a table that are of no use any more by a condition on `$1`. Those that
/// somebody else has locked are left for the next time.
fn delete_where(table: &str, condition: &str) -> String {
    format!(
        "DELETE FROM {table} WHERE ctid = ANY(ARRAY
             (SELECT ctid FROM {table} WHERE {condition} LIMIT $2 FOR UPDATE SKIP LOCKED))"
    )
}

/// Purges, unless another server does.
pub(super) async fn purge(
    store: &PostgresStore,
    before: UnixTime,
    now: UnixTime,
) -> Result<u64, StoreError> {
    let acquired = timeout(store.patience, store.connections.acquire(false)).await;
    // Whatever becomes of this: the lock goes with the connection.
    let mut in_use = acquired.map_err(|_| StoreError::TooSlow)??;
    let connection = in_use.connection();
    let alone = sqlx::query(ALONE).fetch_one(&mut *connection).await?;
    if !alone.try_get::<bool, _>("alone")? {
        in_use.done();
        return Ok(0);
    }
    // One batch that takes its time must not keep the others from being forgotten.
    sqlx::query("SET statement_timeout = '60s'")
        .execute(&mut *connection)
        .await?;
    let purged = timeout(LIMIT, purge_alone(connection, before, now)).await;
    let purged = purged.map_err(|_| StoreError::TooSlow)??;
    sqlx::query(NO_LONGER_ALONE)
        .execute(&mut *connection)
        .await?;
    Ok(purged)
}

async fn purge_alone(
    connection: &mut PgConnection,
    before: UnixTime,
    now: UnixTime,
) -> Result<u64, StoreError> {
    for statement in END_LOST {
        sqlx::query(statement)
            .bind(now.as_millis())
            .bind((now - LONGEST).as_millis())
            .execute(&mut *connection)
            .await?;
    }
    let expired_sessions = concat!("expires_at <= $1 AND NOT ", of_use!());
    let redeemed_until = now - REPEAT_WITHIN;
    delete(
        connection,
        "write_backs",
        "finished_at < $1",
        before.as_millis(),
    )
    .await?;
    let purged = launches(connection, before).await?;
    while batch(connection, UNSEAL, now.as_millis()).await? {}
    let unredeemed = "redeemed_at IS NULL AND expires_at <= $1";
    delete(connection, "tickets", unredeemed, now.as_millis()).await?;
    delete(
        connection,
        "tickets",
        "redeemed_at <= $1",
        redeemed_until.as_millis(),
    )
    .await?;
    delete(connection, "bearers", "expires_at <= $1", now.as_millis()).await?;
    delete(connection, "sessions", expired_sessions, now.as_millis()).await?;
    delete(
        connection,
        "admin_sessions",
        "expires_at <= $1",
        now.as_millis(),
    )
    .await?;
    delete(
        connection,
        "applied_events",
        "applied_at < $1",
        before.as_millis(),
    )
    .await?;
    delete(
        connection,
        "conferences",
        "ended_at < $1",
        before.as_millis(),
    )
    .await?;
    delete(
        connection,
        "participants",
        "disconnected_at < $1",
        before.as_millis(),
    )
    .await?;
    appointments(connection, before).await?;
    let expired = "expires_at <= $1";
    delete(connection, "attempts", expired, now.as_millis()).await?;
    delete(connection, "buckets", "full_at <= $1", now_micros(now)).await?;
    Ok(purged)
}

async fn delete(
    connection: &mut PgConnection,
    table: &'static str,
    condition: &'static str,
    until: i64,
) -> Result<(), StoreError> {
    let statement = delete_where(table, condition);
    while batch(connection, &statement, until).await? {}
    Ok(())
}

/// One batch; whether there may be more.
async fn batch(
    connection: &mut PgConnection,
    statement: &str,
    until: i64,
) -> Result<bool, StoreError> {
    let done = sqlx::query(AssertSqlSafe(statement))
        .bind(until)
        .bind(BATCH)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == BATCH.unsigned_abs())
}

/// Forgets launches that began before `before`, but for those that a running visit or an
/// unsent write-back needs. Each is looked at once, in the order in which they began.
///
/// The rows are locked first: what the second statement sees of visits and write-backs is
/// as those left it who held a lock before.
async fn launches(connection: &mut PgConnection, before: UnixTime) -> Result<u64, StoreError> {
    let mut purged = 0;
    let mut after = (i64::MIN, Vec::<u8>::new());
    loop {
        let mut transaction = connection.begin().await?;
        let candidates = sqlx::query(
            "SELECT request_id, created_at FROM launches
             WHERE created_at < $1 AND (created_at, request_id) > ($2, $3)
             ORDER BY created_at, request_id LIMIT $4 FOR UPDATE SKIP LOCKED",
        )
        .bind(before.as_millis())
        .bind(after.0)
        .bind(&after.1)
        .bind(BATCH)
        .fetch_all(&mut *transaction)
        .await?;
        let Some(last) = candidates.last() else {
            return Ok(purged);
        };
        after = (last.try_get("created_at")?, last.try_get("request_id")?);
        let ids = candidates
            .iter()
            .map(|row| row.try_get("request_id"))
            .collect::<Result<Vec<Vec<u8>>, _>>()?;
        let deleted = sqlx::query(
            "DELETE FROM launches
             WHERE request_id = ANY($1)
                 AND NOT EXISTS (SELECT 1 FROM running_visits
                     WHERE running_visits.appointment = launches.appointment)
                 AND NOT EXISTS (SELECT 1 FROM write_backs
                     WHERE write_backs.request_id = launches.request_id AND state = 'unsent')",
        )
        .bind(ids)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        purged += deleted.rows_affected();
    }
}

/// Forgets the appointments last used before `before` that nothing leads to any more.
/// They are locked first, as launches are: whatever would lead to one waits, and then
/// finds it gone or there.
async fn appointments(connection: &mut PgConnection, before: UnixTime) -> Result<(), StoreError> {
    let mut after = (i64::MIN, i64::MIN);
    loop {
        let mut transaction = connection.begin().await?;
        let candidates = sqlx::query(
            "SELECT id, last_used_at FROM appointments
             WHERE last_used_at < $1 AND (last_used_at, id) > ($2, $3)
             ORDER BY last_used_at, id LIMIT $4 FOR UPDATE SKIP LOCKED",
        )
        .bind(before.as_millis())
        .bind(after.0)
        .bind(after.1)
        .bind(BATCH)
        .fetch_all(&mut *transaction)
        .await?;
        let Some(last) = candidates.last() else {
            return Ok(());
        };
        after = (last.try_get("last_used_at")?, last.try_get("id")?);
        let ids = candidates
            .iter()
            .map(|row| row.try_get("id"))
            .collect::<Result<Vec<i64>, _>>()?;
        sqlx::query(
            "DELETE FROM appointments
             WHERE id = ANY($1)
                 AND NOT EXISTS (SELECT 1 FROM launches
                     WHERE launches.appointment = appointments.id)
                 AND NOT EXISTS (SELECT 1 FROM conferences
                     WHERE conferences.appointment = appointments.id)
                 AND NOT EXISTS (SELECT 1 FROM participants
                     WHERE participants.appointment = appointments.id)",
        )
        .bind(ids)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
    }
}
