//! The outbox in PostgreSQL.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::{Connection as _, PgConnection, Row};
use vestibule_launch::{RequestId, UnixTime};

use super::{
    PostgresStore,
    attempt::{Again, Attempt, run},
};
use crate::{
    NewWriteBack, NotTold, Reason, StoreError, Unsent, WriteBack, WriteBackRecord, WriteBacks,
    rows::write_backs::{record_of, write_back_of},
    write_back::ATTEMPTS_KEPT,
};

/// Those who claim go one after the other, so that a profile has no more places than it
/// may: each counts the leases of those before it.
pub(super) const ONE_AFTER_THE_OTHER: &str =
    "SELECT pg_advisory_xact_lock(hashtext('claim_write_backs'))";

/// Claims what is due at `$1` until `$2`: at most `$3`, and `$4` of a profile.
///
/// However many wait, few are read. The index `write_backs_due` gives the profiles that
/// wait for anything, one step each, and of each the first that are due, up to its free
/// places. Those that wait behind the head of their order are due no earlier than the head
/// (see [`put_off`] and [`insert`]), so the first of a profile are heads, and
/// `write_backs_unsent_request` says so with one look. `write_backs_leased` counts the
/// places taken.
pub(super) const CLAIM: &str = "WITH RECURSIVE profiles AS (
         (SELECT profile FROM write_backs WHERE state = 'unsent' ORDER BY profile LIMIT 1)
         UNION ALL
         SELECT (SELECT further.profile FROM write_backs AS further
                 WHERE further.state = 'unsent' AND further.profile > profiles.profile
                 ORDER BY further.profile LIMIT 1)
         FROM profiles WHERE profiles.profile IS NOT NULL),
     places AS MATERIALIZED
         (SELECT profile,
              greatest(0, $4 - (SELECT count(*) FROM write_backs AS leased
                                WHERE leased.profile = profiles.profile
                                    AND leased.leased_until > $1)) AS free
          FROM profiles WHERE profile IS NOT NULL),
     due AS MATERIALIZED
         (SELECT heads.id FROM places CROSS JOIN LATERAL
              (SELECT id, due_at, created_at FROM write_backs AS head
               WHERE head.profile = places.profile AND head.state = 'unsent'
                   AND head.due_at <= $1
                   AND (head.leased_until IS NULL OR head.leased_until <= $1)
                   AND NOT EXISTS
                       (SELECT 1 FROM write_backs AS older
                        WHERE older.state = 'unsent' AND older.request_id = head.request_id
                            AND (older.kind = 'device_test') = (head.kind = 'device_test')
                            AND older.id < head.id)
               ORDER BY head.due_at, head.created_at, head.id
               LIMIT places.free
               FOR NO KEY UPDATE SKIP LOCKED) AS heads
          ORDER BY heads.due_at, heads.created_at, heads.id
          LIMIT $3)
     UPDATE write_backs
     SET attempts = attempts + 1, lease = lease + 1, leased_until = $2
     FROM due WHERE write_backs.id = due.id
     RETURNING write_backs.*";

/// Keeps the attempt that is over, of what `recorded` has changed, and the latest of those
/// before it. Where the first answer was lost, it is kept already.
macro_rules! keep_attempt {
    ($at:literal, $status:literal, $reason:literal, $most:literal) => {
        concat!(
            " kept AS
                 (INSERT INTO write_back_attempts (write_back, number, at, status, reason)
                  SELECT id, attempts, ",
            $at,
            ", ",
            $status,
            ", ",
            $reason,
            " FROM recorded ON CONFLICT DO NOTHING),
             forgotten AS
                 (DELETE FROM write_back_attempts USING recorded
                  WHERE write_back = id AND number <= attempts - ",
            $most,
            ") "
        )
    };
}

/// Most that are counted: more say nothing more.
const MOST_COUNTED: i64 = 100_000;

#[async_trait]
impl WriteBacks for PostgresStore {
    /// Of a claim whose answer was lost the leases run out; the second attempt claims
    /// others.
    async fn claim_write_backs(
        &self,
        now: UnixTime,
        lease: Duration,
        limit: u32,
        of_profile: u32,
    ) -> Result<Vec<WriteBack>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            let mut transaction = connection.begin().await?;
            sqlx::query(ONE_AFTER_THE_OTHER)
                .execute(&mut *transaction)
                .await?;
            let rows = sqlx::query(CLAIM)
                .bind(now.as_millis())
                .bind((now + lease).as_millis())
                .bind(i64::from(limit))
                .bind(i64::from(of_profile))
                .fetch_all(&mut *transaction)
                .await?;
            transaction.commit().await?;
            let mut claimed = rows
                .iter()
                .map(write_back_of)
                .collect::<Result<Vec<_>, _>>()?;
            claimed.sort_by_key(|write_back| (write_back.created_at, write_back.id));
            Ok(claimed)
        })
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
        run!(self, Again::Always, |connection, attempt| {
            put_off(connection, attempt, write_back, outcome, due_at, now).await
        })
    }

    /// An index holds those that are unsent, and no others. More than 100,000
    /// are not counted.
    async fn unsent_write_backs(&self) -> Result<Unsent, StoreError> {
        run!(self, Again::Always, |connection, _| {
            let row = sqlx::query(
                "SELECT count(*) AS count, min(created_at) AS oldest
                 FROM (SELECT created_at FROM write_backs WHERE state = 'unsent' LIMIT $1) AS counted",
            )
            .bind(MOST_COUNTED)
            .fetch_one(connection)
            .await?;
            let count: i64 = row.try_get("count")?;
            let oldest: Option<i64> = row.try_get("oldest")?;
            Ok(Unsent {
                count: count.unsigned_abs(),
                oldest: oldest.map(UnixTime::from_millis),
            })
        })
    }

    async fn write_backs_of(
        &self,
        request_id: RequestId,
    ) -> Result<Vec<WriteBackRecord>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            sqlx::query("SELECT * FROM write_backs WHERE request_id = $1 ORDER BY created_at, id")
                .bind(request_id.as_bytes().as_slice())
                .fetch_all(connection)
                .await?
                .iter()
                .map(record_of)
                .collect()
        })
    }
}

/// The status of the EHR's answer, and why it came to nothing.
type Outcome = (Option<u16>, Option<Reason>);

impl PostgresStore {
    /// Where the answer was lost, the second attempt finds what the first has recorded
    /// under the same lease.
    async fn finish(
        &self,
        write_back: &WriteBack,
        state: &'static str,
        (status, reason): Outcome,
        now: UnixTime,
    ) -> Result<bool, StoreError> {
        run!(self, Again::Always, |connection, attempt| {
            let recorded = sqlx::query(concat!(
                "WITH recorded AS
                     (UPDATE write_backs
                      SET state = $3, last_status = $4, last_reason = $8, finished_at = $5,
                          leased_until = NULL
                      WHERE id = $1 AND lease = $2
                          AND (leased_until IS NOT NULL OR $6 AND state = $3)
                      RETURNING id, attempts),",
                keep_attempt!("$5", "$4", "$8", "$7"),
                "SELECT id FROM recorded",
            ))
            .bind(write_back.id)
            .bind(write_back.lease)
            .bind(state)
            .bind(status.map(i32::from))
            .bind(now.as_millis())
            .bind(attempt == Attempt::Second)
            .bind(ATTEMPTS_KEPT)
            .bind(reason.map(Reason::as_str))
            .fetch_optional(connection)
            .await?;
            Ok(recorded.is_some())
        })
    }
}

/// Puts a write-back off, and with it those that wait behind it in its order: they would
/// otherwise be looked at in vain, and could be a million of one EHR that is away.
async fn put_off(
    connection: &mut PgConnection,
    attempt: Attempt,
    write_back: &WriteBack,
    (status, reason): Outcome,
    due_at: UnixTime,
    now: UnixTime,
) -> Result<bool, StoreError> {
    let recorded = sqlx::query(concat!(
        "WITH recorded AS
             (UPDATE write_backs
              SET last_status = $3, last_reason = $8, due_at = $4, leased_until = NULL
              WHERE id = $1 AND lease = $2
                  AND (leased_until IS NOT NULL OR $5 AND state = 'unsent' AND due_at = $4)
              RETURNING id, request_id, kind, attempts),
         behind AS
             (UPDATE write_backs SET due_at = $4
              FROM recorded
              WHERE write_backs.request_id = recorded.request_id
                  AND (write_backs.kind = 'device_test') = (recorded.kind = 'device_test')
                  AND write_backs.state = 'unsent'
                  AND write_backs.id > recorded.id AND write_backs.due_at < $4),",
        keep_attempt!("$6", "$3", "$8", "$7"),
        "SELECT id FROM recorded",
    ))
    .bind(write_back.id)
    .bind(write_back.lease)
    .bind(status.map(i32::from))
    .bind(due_at.as_millis())
    .bind(attempt == Attempt::Second)
    .bind(now.as_millis())
    .bind(ATTEMPTS_KEPT)
    .bind(reason.map(Reason::as_str))
    .fetch_optional(connection)
    .await?;
    Ok(recorded.is_some())
}

/// Stores a write-back, unless the same one is here already. It is due no earlier than
/// the last one that waits in its order.
///
/// The callers hold a lock that those who store write-backs of the same launch take too:
/// so the order of ids is that in which they are committed.
pub(super) async fn insert(
    connection: &mut PgConnection,
    write_back: &NewWriteBack,
    now: UnixTime,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO write_backs (dedupe, profile, request_id, sealed, created_at, due_at, kind)
         VALUES ($1, $2, $3, $4, $5,
             greatest($6, (SELECT due_at FROM write_backs
                           WHERE request_id = $3 AND state = 'unsent'
                               AND (kind = 'device_test') = ($7 = 'device_test')
                           ORDER BY id DESC LIMIT 1)),
             $7)
         ON CONFLICT (dedupe) DO NOTHING",
    )
    .bind(write_back.dedupe.as_slice())
    .bind(write_back.profile.as_bytes().as_slice())
    .bind(write_back.request_id.as_bytes().as_slice())
    .bind(&write_back.sealed)
    .bind(now.as_millis())
    .bind(write_back.due_at.as_millis())
    .bind(write_back.kind.as_str())
    .execute(connection)
    .await?;
    Ok(())
}
