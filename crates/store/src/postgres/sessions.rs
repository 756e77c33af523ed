//! EHR sessions in PostgreSQL.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::{Row, postgres::PgRow};
use vestibule_launch::{RequestId, UnixTime};

use super::{
    PostgresStore,
    attempt::{Again, Attempt, run},
    rows::{maybe_time_of, profile_of, request_id_of, role_of, time_of},
};
use crate::{Session, Sessions, StoreError, session::NOT_LEASED};

/// Whether a session is of use to anybody at `$1`.
macro_rules! of_use {
    () => {
        $crate::session::of_use!("$1", "later.id > given_up.id")
    };
}
pub(super) use of_use;

#[async_trait]
impl Sessions for PostgresStore {
    async fn find_session(&self, request_id: RequestId) -> Result<Option<Session>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            sqlx::query("SELECT * FROM sessions WHERE request_id = $1")
                .bind(request_id.as_bytes().as_slice())
                .fetch_optional(connection)
                .await?
                .map(|row| session_of(&row, NOT_LEASED))
                .transpose()
        })
    }

    /// Those that another caller claims at this moment are passed over. Of a claim whose
    /// answer was lost the leases run out.
    async fn claim_renewals(
        &self,
        now: UnixTime,
        lease: Duration,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            let rows = sqlx::query(concat!(
                "WITH due AS MATERIALIZED
                     (SELECT request_id FROM sessions
                      WHERE renew_at <= $1 AND (leased_until IS NULL OR leased_until <= $1) AND ",
                of_use!(),
                "     ORDER BY renew_at, request_id LIMIT $3
                      FOR NO KEY UPDATE SKIP LOCKED)
                 UPDATE sessions SET lease = lease + 1, leased_until = $2
                 FROM due WHERE sessions.request_id = due.request_id
                 RETURNING sessions.*"
            ))
            .bind(now.as_millis())
            .bind((now + lease).as_millis())
            .bind(i64::from(limit))
            .fetch_all(connection)
            .await?;
            let mut claimed = rows
                .iter()
                .map(|row| session_of(row, row.try_get("lease")?))
                .collect::<Result<Vec<_>, StoreError>>()?;
            claimed.sort_by_key(|session| session.renew_at);
            Ok(claimed)
        })
    }

    /// Where the answer was lost, the second attempt finds the lease of the first and
    /// gives `None`: nobody renews until the lease is over.
    async fn claim_renewal(
        &self,
        request_id: RequestId,
        now: UnixTime,
        lease: Duration,
    ) -> Result<Option<Session>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            sqlx::query(
                "UPDATE sessions SET lease = lease + 1, leased_until = $3
                 WHERE request_id = $1 AND (leased_until IS NULL OR leased_until <= $2)
                 RETURNING *",
            )
            .bind(request_id.as_bytes().as_slice())
            .bind(now.as_millis())
            .bind((now + lease).as_millis())
            .fetch_optional(connection)
            .await?
            .map(|row| session_of(&row, row.try_get("lease")?))
            .transpose()
        })
    }

    /// The EHR may have made the old tokens useless: where the answer was lost, the second
    /// attempt finds the tokens of the first under the same lease, and they are stored.
    async fn renewed(
        &self,
        session: &Session,
        sealed: Vec<u8>,
        renew_at: Option<UnixTime>,
        expires_at: UnixTime,
    ) -> Result<bool, StoreError> {
        run!(self, Again::Always, |connection, attempt| {
            let stored = sqlx::query(
                "UPDATE sessions
                 SET sealed = $3, renew_at = $4, expires_at = $5, leased_until = NULL
                 WHERE request_id = $1 AND lease = $2
                     AND (leased_until IS NOT NULL OR $6 AND sealed = $3)",
            )
            .bind(session.request_id.as_bytes().as_slice())
            .bind(session.lease)
            .bind(&sealed)
            .bind(renew_at.map(UnixTime::as_millis))
            .bind(expires_at.as_millis())
            .bind(attempt == Attempt::Second)
            .execute(connection)
            .await?
            .rows_affected();
            Ok(stored == 1)
        })
    }

    async fn renewal_failed(
        &self,
        session: &Session,
        try_again_at: Option<UnixTime>,
    ) -> Result<bool, StoreError> {
        run!(self, Again::Always, |connection, attempt| {
            let recorded = sqlx::query(
                "UPDATE sessions SET renew_at = $3, leased_until = NULL
                 WHERE request_id = $1 AND lease = $2
                     AND (leased_until IS NOT NULL OR $4 AND renew_at IS NOT DISTINCT FROM $3)",
            )
            .bind(session.request_id.as_bytes().as_slice())
            .bind(session.lease)
            .bind(try_again_at.map(UnixTime::as_millis))
            .bind(attempt == Attempt::Second)
            .execute(connection)
            .await?
            .rows_affected();
            Ok(recorded == 1)
        })
    }

    async fn end_session(&self, request_id: RequestId, now: UnixTime) -> Result<bool, StoreError> {
        run!(self, Again::Always, |connection, _| {
            let ended = sqlx::query(concat!(
                "DELETE FROM sessions WHERE request_id = $2 AND NOT ",
                of_use!()
            ))
            .bind(now.as_millis())
            .bind(request_id.as_bytes().as_slice())
            .execute(connection)
            .await?
            .rows_affected();
            Ok(ended == 1)
        })
    }
}

fn session_of(row: &PgRow, lease: i64) -> Result<Session, StoreError> {
    Ok(Session {
        request_id: request_id_of(row)?,
        profile: profile_of(row)?,
        role: role_of(row)?,
        sealed: row.try_get("sealed")?,
        renew_at: maybe_time_of(row, "renew_at")?,
        expires_at: time_of(row, "expires_at")?,
        lease,
    })
}
