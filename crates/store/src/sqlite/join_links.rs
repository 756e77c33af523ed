//! Join links of completed launches in SQLite: in the launches' `sealed`, for as long as
//! `expires_at` says.

use async_trait::async_trait;
use sqlx::Row;
use vestibule_launch::{RequestId, UnixTime};

use super::{
    SqliteStore,
    rows::{bytes, request_id_of},
};
use crate::{Fingerprint, JoinLinks, StoreError};

#[async_trait]
impl JoinLinks for SqliteStore {
    async fn join_link_of(
        &self,
        request_id: RequestId,
        now: UnixTime,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let row = sqlx::query(
            "SELECT sealed FROM launches
             WHERE request_id = ?1 AND completed_at IS NOT NULL
                 AND sealed IS NOT NULL AND expires_at > ?2",
        )
        .bind(bytes(request_id.as_bytes()))
        .bind(now.as_millis())
        .fetch_optional(&self.finding)
        .await?;
        Ok(row.map(|row| row.try_get("sealed")).transpose()?)
    }

    async fn join_link_by_fingerprint(
        &self,
        fingerprint: Fingerprint,
        now: UnixTime,
    ) -> Result<Option<(RequestId, Vec<u8>)>, StoreError> {
        sqlx::query(
            "SELECT request_id, sealed FROM launches
             WHERE fingerprint = ?1 AND completed_at IS NOT NULL
                 AND sealed IS NOT NULL AND expires_at > ?2",
        )
        .bind(bytes(fingerprint.as_bytes()))
        .bind(now.as_millis())
        .fetch_optional(&self.finding)
        .await?
        .map(|row| Ok((request_id_of(&row)?, row.try_get("sealed")?)))
        .transpose()
    }
}
