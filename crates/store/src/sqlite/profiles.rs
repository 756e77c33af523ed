//! Profiles in SQLite.

use async_trait::async_trait;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;
use vestibule_launch::UnixTime;

use super::{
    SqliteStore, audit,
    rows::{array_of, bytes, time_of},
};
use crate::{Inserted, NewAuditEntry, ProfileNumber, Profiles, StoreError, StoredProfile, Updated};

#[async_trait]
impl Profiles for SqliteStore {
    async fn profile_number(&self, uuid: Uuid) -> Result<ProfileNumber, StoreError> {
        let known = sqlx::query("SELECT number FROM profiles WHERE uuid = ?1")
            .bind(bytes(uuid.as_bytes()))
            .fetch_optional(&self.finding)
            .await?;
        let row = match known {
            Some(row) => row,
            // The update changes nothing: it makes the row of another caller, who was
            // faster, come back.
            None => {
                sqlx::query(
                    "INSERT INTO profiles (uuid) VALUES (?1)
                     ON CONFLICT (uuid) DO UPDATE SET uuid = excluded.uuid
                     RETURNING number",
                )
                .bind(bytes(uuid.as_bytes()))
                .fetch_one(&self.pool)
                .await?
            }
        };
        Ok(ProfileNumber(row.try_get("number")?))
    }

    async fn insert_profile(
        &self,
        uuid: Uuid,
        sealed: Vec<u8>,
        entry: Option<NewAuditEntry>,
        now: UnixTime,
    ) -> Result<Inserted, StoreError> {
        let mut transaction = self.write().await?;
        let inserted = sqlx::query(
            "INSERT INTO profiles (uuid, sealed, updated_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (uuid) DO UPDATE SET sealed = excluded.sealed,
                 updated_at = max(excluded.updated_at,
                     coalesce(profiles.updated_at + 1, excluded.updated_at))
             WHERE profiles.sealed IS NULL
             RETURNING number",
        )
        .bind(bytes(uuid.as_bytes()))
        .bind(sealed)
        .bind(now.as_millis())
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = inserted else {
            return Ok(Inserted::Exists);
        };
        count_change(&mut transaction).await?;
        audit::record(&mut transaction, entry, now).await?;
        transaction.commit().await?;
        Ok(Inserted::New(ProfileNumber(row.try_get("number")?)))
    }

    async fn update_profile(
        &self,
        uuid: Uuid,
        sealed: Vec<u8>,
        read_at: UnixTime,
        entry: Option<NewAuditEntry>,
        now: UnixTime,
    ) -> Result<Updated, StoreError> {
        let mut transaction = self.write().await?;
        let updated = sqlx::query(
            "UPDATE profiles SET sealed = ?2, updated_at = max(?4, updated_at + 1)
             WHERE uuid = ?1 AND sealed IS NOT NULL AND updated_at = ?3",
        )
        .bind(bytes(uuid.as_bytes()))
        .bind(sealed)
        .bind(read_at.as_millis())
        .bind(now.as_millis())
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        if updated == 1 {
            count_change(&mut transaction).await?;
            audit::record(&mut transaction, entry, now).await?;
            transaction.commit().await?;
            return Ok(Updated::Now);
        }
        let here = sqlx::query("SELECT 1 FROM profiles WHERE uuid = ?1 AND sealed IS NOT NULL")
            .bind(bytes(uuid.as_bytes()))
            .fetch_optional(&mut *transaction)
            .await?;
        Ok(if here.is_some() {
            Updated::Conflict
        } else {
            Updated::Missing
        })
    }

    async fn delete_profile(
        &self,
        uuid: Uuid,
        entry: Option<NewAuditEntry>,
        now: UnixTime,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.write().await?;
        let deleted =
            sqlx::query("UPDATE profiles SET sealed = NULL WHERE uuid = ?1 AND sealed IS NOT NULL")
                .bind(bytes(uuid.as_bytes()))
                .execute(&mut *transaction)
                .await?
                .rows_affected();
        if deleted == 0 {
            return Ok(false);
        }
        count_change(&mut transaction).await?;
        audit::record(&mut transaction, entry, now).await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn profiles(&self) -> Result<Vec<StoredProfile>, StoreError> {
        sqlx::query("SELECT * FROM profiles WHERE sealed IS NOT NULL ORDER BY number")
            .fetch_all(&self.finding)
            .await?
            .iter()
            .map(|row| {
                Ok(StoredProfile {
                    number: ProfileNumber(row.try_get("number")?),
                    uuid: Uuid::from_bytes(array_of(row, "uuid")?),
                    sealed: row.try_get("sealed")?,
                    updated_at: time_of(row, "updated_at")?,
                })
            })
            .collect()
    }

    async fn profiles_revision(&self) -> Result<i64, StoreError> {
        let row = sqlx::query("SELECT revision FROM profiles_revision")
            .fetch_one(&self.finding)
            .await?;
        Ok(row.try_get("revision")?)
    }
}

async fn count_change(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query("UPDATE profiles_revision SET revision = revision + 1")
        .execute(connection)
        .await?;
    Ok(())
}
