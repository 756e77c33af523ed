//! EHR sessions in SQLite.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::{Row, sqlite::SqliteRow};
use vestibule_launch::{RequestId, UnixTime};

use super::{
    SqliteStore,
    rows::{bytes, maybe_time_of, profile_of, request_id_of, role_of, time_of},
};
use crate::{Session, Sessions, StoreError, session::NOT_LEASED};

/// Whether a session is of use to anybody at `?1`.
macro_rules! of_use {
    () => {
        $crate::session::of_use!(
            "?1",
            "(later.created_at, later.id) > (given_up.created_at, given_up.id)"
        )
    };
}

pub(super) use of_use;

#[async_trait]
impl Sessions for SqliteStore {
    async fn find_session(&self, request_id: RequestId) -> Result<Option<Session>, StoreError> {
        sqlx::query("SELECT * FROM sessions WHERE request_id = ?1")
            .bind(bytes(request_id.as_bytes()))
            .fetch_optional(&self.finding)
            .await?
            .map(|row| session_of(&row, NOT_LEASED))
            .transpose()
    }

    async fn claim_renewals(
        &self,
        now: UnixTime,
        lease: Duration,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError> {
        // As in `claim_write_backs`.
        let rows = sqlx::query(concat!(
            "UPDATE sessions SET lease = lease + 1, leased_until = ?2
             WHERE request_id IN
                 (SELECT request_id FROM sessions
                  WHERE renew_at <= ?1 AND (leased_until IS NULL OR leased_until <= ?1) AND ",
            of_use!(),
            "     ORDER BY renew_at, request_id LIMIT ?3 + 0)
             RETURNING *"
        ))
        .bind(now.as_millis())
        .bind((now + lease).as_millis())
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        let mut claimed = rows
            .iter()
            .map(|row| session_of(row, row.try_get("lease")?))
            .collect::<Result<Vec<_>, StoreError>>()?;
        claimed.sort_by_key(|session| session.renew_at);
        Ok(claimed)
    }

    async fn claim_renewal(
        &self,
        request_id: RequestId,
        now: UnixTime,
        lease: Duration,
    ) -> Result<Option<Session>, StoreError> {
        sqlx::query(
            "UPDATE sessions SET lease = lease + 1, leased_until = ?3
             WHERE request_id = ?1 AND (leased_until IS NULL OR leased_until <= ?2)
             RETURNING *",
        )
        .bind(bytes(request_id.as_bytes()))
        .bind(now.as_millis())
        .bind((now + lease).as_millis())
        .fetch_optional(&self.pool)
        .await?
        .map(|row| session_of(&row, row.try_get("lease")?))
        .transpose()
    }

    async fn renewed(
        &self,
        session: &Session,
        sealed: Vec<u8>,
        renew_at: Option<UnixTime>,
        expires_at: UnixTime,
    ) -> Result<bool, StoreError> {
        let stored = sqlx::query(
            "UPDATE sessions
             SET sealed = ?3, renew_at = ?4, expires_at = ?5, leased_until = NULL
             WHERE request_id = ?1 AND lease = ?2 AND leased_until IS NOT NULL",
        )
        .bind(bytes(session.request_id.as_bytes()))
        .bind(session.lease)
        .bind(sealed)
        .bind(renew_at.map(UnixTime::as_millis))
        .bind(expires_at.as_millis())
        .execute(&self.pool)
        .await?
        .rows_affected();
        Ok(stored == 1)
    }

    async fn renewal_failed(
        &self,
        session: &Session,
        try_again_at: Option<UnixTime>,
    ) -> Result<bool, StoreError> {
        let recorded = sqlx::query(
            "UPDATE sessions SET renew_at = ?3, leased_until = NULL
             WHERE request_id = ?1 AND lease = ?2 AND leased_until IS NOT NULL",
        )
        .bind(bytes(session.request_id.as_bytes()))
        .bind(session.lease)
        .bind(try_again_at.map(UnixTime::as_millis))
        .execute(&self.pool)
        .await?
        .rows_affected();
        Ok(recorded == 1)
    }

    async fn end_session(&self, request_id: RequestId, now: UnixTime) -> Result<bool, StoreError> {
        let ended = sqlx::query(concat!(
            "DELETE FROM sessions WHERE request_id = ?2 AND NOT ",
            of_use!()
        ))
        .bind(now.as_millis())
        .bind(bytes(request_id.as_bytes()))
        .execute(&self.pool)
        .await?
        .rows_affected();
        Ok(ended == 1)
    }
}

fn session_of(row: &SqliteRow, lease: i64) -> Result<Session, StoreError> {
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
