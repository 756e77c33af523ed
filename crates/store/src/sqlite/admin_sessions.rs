//! Sessions of administrators in SQLite.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::{Row, sqlite::SqliteRow};
use vestibule_launch::UnixTime;

use super::{
    SqliteStore,
    rows::{array_of, bytes, time_of},
};
use crate::{AdminSession, AdminSessionHash, AdminSessions, StoreError, admin_session::EXACT};

#[async_trait]
impl AdminSessions for SqliteStore {
    async fn begin_admin_session(
        &self,
        hash: AdminSessionHash,
        session: AdminSession,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO admin_sessions
                 (id_hash, administrator, identity, role, may_see_names, credential,
                  created_at, used_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )
        .bind(bytes(hash.as_bytes()))
        .bind(session.administrator)
        .bind(session.identity)
        .bind(session.role)
        .bind(session.may_see_names)
        .bind(bytes(&session.credential))
        .bind(session.created_at.as_millis())
        .bind(session.used_at.as_millis())
        .bind(session.expires_at.as_millis())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    async fn use_admin_session(
        &self,
        hash: AdminSessionHash,
        idle: Duration,
        now: UnixTime,
    ) -> Result<Option<AdminSession>, StoreError> {
        let Some(session) = self.find_admin_session(hash, idle, now).await? else {
            return Ok(None);
        };
        if now.since(session.used_at) >= EXACT {
            sqlx::query("UPDATE admin_sessions SET used_at = ?2 WHERE id_hash = ?1")
                .bind(bytes(hash.as_bytes()))
                .bind(now.as_millis())
                .execute(&self.pool)
                .await?;
        }
        Ok(Some(session))
    }

    async fn find_admin_session(
        &self,
        hash: AdminSessionHash,
        idle: Duration,
        now: UnixTime,
    ) -> Result<Option<AdminSession>, StoreError> {
        let row = sqlx::query(
            "SELECT * FROM admin_sessions
             WHERE id_hash = ?1 AND expires_at > ?2 AND used_at > ?3",
        )
        .bind(bytes(hash.as_bytes()))
        .bind(now.as_millis())
        .bind((now - idle).as_millis())
        .fetch_optional(&self.finding)
        .await?;
        row.map(|row| session_of(&row)).transpose()
    }

    async fn end_admin_session(&self, hash: AdminSessionHash) -> Result<bool, StoreError> {
        let ended = sqlx::query("DELETE FROM admin_sessions WHERE id_hash = ?1")
            .bind(bytes(hash.as_bytes()))
            .execute(&self.pool)
            .await?
            .rows_affected();
        Ok(ended == 1)
    }
}

fn session_of(row: &SqliteRow) -> Result<AdminSession, StoreError> {
    Ok(AdminSession {
        administrator: row.try_get("administrator")?,
        identity: row.try_get("identity")?,
        role: row.try_get("role")?,
        may_see_names: row.try_get("may_see_names")?,
        credential: array_of(row, "credential")?,
        created_at: time_of(row, "created_at")?,
        used_at: time_of(row, "used_at")?,
        expires_at: time_of(row, "expires_at")?,
    })
}
