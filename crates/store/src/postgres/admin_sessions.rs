//! Sessions of administrators in PostgreSQL.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::{PgConnection, Row};
use vestibule_launch::UnixTime;

use super::{
    PostgresStore,
    attempt::{Again, Attempt, run},
    rows::{array_of, time_of},
};
use crate::{AdminSession, AdminSessionHash, AdminSessions, StoreError, admin_session::EXACT};

#[async_trait]
impl AdminSessions for PostgresStore {
    /// Where the answer was lost, the second attempt finds the session of the first:
    /// nobody else can have made this hash.
    async fn begin_admin_session(
        &self,
        hash: AdminSessionHash,
        session: AdminSession,
    ) -> Result<(), StoreError> {
        run!(self, Again::Always, |connection, attempt| {
            let begun = sqlx::query(
                "INSERT INTO admin_sessions
                     (id_hash, administrator, identity, role, may_see_names, credential,
                      created_at, used_at, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            )
            .bind(hash.as_bytes().as_slice())
            .bind(&session.administrator)
            .bind(session.identity.as_deref())
            .bind(&session.role)
            .bind(session.may_see_names)
            .bind(session.credential.as_slice())
            .bind(session.created_at.as_millis())
            .bind(session.used_at.as_millis())
            .bind(session.expires_at.as_millis())
            .execute(connection)
            .await;
            match begun {
                Err(sqlx::Error::Database(error))
                    if attempt == Attempt::Second && error.is_unique_violation() => {}
                begun => {
                    begun?;
                }
            }
            Ok(())
        })
    }

    async fn use_admin_session(
        &self,
        hash: AdminSessionHash,
        idle: Duration,
        now: UnixTime,
    ) -> Result<Option<AdminSession>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            let Some(session) = find(&mut *connection, hash, idle, now).await? else {
                return Ok(None);
            };
            if now.since(session.used_at) >= EXACT {
                // Another server's clock may be ahead.
                sqlx::query(
                    "UPDATE admin_sessions SET used_at = $2 WHERE id_hash = $1 AND used_at < $2",
                )
                .bind(hash.as_bytes().as_slice())
                .bind(now.as_millis())
                .execute(connection)
                .await?;
            }
            Ok(Some(session))
        })
    }

    async fn find_admin_session(
        &self,
        hash: AdminSessionHash,
        idle: Duration,
        now: UnixTime,
    ) -> Result<Option<AdminSession>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            find(connection, hash, idle, now).await
        })
    }

    /// Where the answer was lost, the second attempt finds no session any more, and says
    /// so: it is over in either case.
    async fn end_admin_session(&self, hash: AdminSessionHash) -> Result<bool, StoreError> {
        run!(self, Again::Always, |connection, _| {
            let ended = sqlx::query("DELETE FROM admin_sessions WHERE id_hash = $1")
                .bind(hash.as_bytes().as_slice())
                .execute(connection)
                .await?
                .rows_affected();
            Ok(ended == 1)
        })
    }
}

async fn find(
    connection: &mut PgConnection,
    hash: AdminSessionHash,
    idle: Duration,
    now: UnixTime,
) -> Result<Option<AdminSession>, StoreError> {
    let row = sqlx::query(
        "SELECT * FROM admin_sessions
         WHERE id_hash = $1 AND expires_at > $2 AND used_at > $3",
    )
    .bind(hash.as_bytes().as_slice())
    .bind(now.as_millis())
    .bind((now - idle).as_millis())
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    Ok(Some(AdminSession {
        administrator: row.try_get("administrator")?,
        identity: row.try_get("identity")?,
        role: row.try_get("role")?,
        may_see_names: row.try_get("may_see_names")?,
        credential: array_of(&row, "credential")?,
        created_at: time_of(&row, "created_at")?,
        used_at: time_of(&row, "used_at")?,
        expires_at: time_of(&row, "expires_at")?,
    }))
}
