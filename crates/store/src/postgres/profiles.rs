//! Profiles in PostgreSQL.

use async_trait::async_trait;
use sqlx::{Connection as _, PgConnection, Row};
use uuid::Uuid;
use vestibule_launch::UnixTime;

use super::{
    PostgresStore,
    attempt::{Again, run},
    audit,
    rows::{array_of, time_of},
};
use crate::{Inserted, NewAuditEntry, ProfileNumber, Profiles, StoreError, StoredProfile, Updated};

#[async_trait]
impl Profiles for PostgresStore {
    async fn profile_number(&self, uuid: Uuid) -> Result<ProfileNumber, StoreError> {
        run!(self, Again::Always, |connection, _| {
            let known = sqlx::query("SELECT number FROM profiles WHERE uuid = $1")
                .bind(uuid.as_bytes().as_slice())
                .fetch_optional(&mut *connection)
                .await?;
            let row = match known {
                Some(row) => row,
                // The update changes nothing: it makes the row of another caller, who was
                // faster, come back.
                None => {
                    sqlx::query(
                        "INSERT INTO profiles (uuid) VALUES ($1)
                         ON CONFLICT (uuid) DO UPDATE SET uuid = excluded.uuid
                         RETURNING number",
                    )
                    .bind(uuid.as_bytes().as_slice())
                    .fetch_one(&mut *connection)
                    .await?
                }
            };
            Ok(ProfileNumber(row.try_get("number")?))
        })
    }

    async fn insert_profile(
        &self,
        uuid: Uuid,
        sealed: Vec<u8>,
        entry: Option<NewAuditEntry>,
        now: UnixTime,
    ) -> Result<Inserted, StoreError> {
        run!(self, Again::WhenUndone, |connection, _| {
            let mut transaction = connection.begin().await?;
            count_change(&mut transaction).await?;
            let inserted = sqlx::query(
                "INSERT INTO profiles (uuid, sealed, updated_at) VALUES ($1, $2, $3)
                 ON CONFLICT (uuid) DO UPDATE SET sealed = excluded.sealed,
                     updated_at = greatest(excluded.updated_at, profiles.updated_at + 1)
                 WHERE profiles.sealed IS NULL
                 RETURNING number",
            )
            .bind(uuid.as_bytes().as_slice())
            .bind(&sealed)
            .bind(now.as_millis())
            .fetch_optional(&mut *transaction)
            .await?;
            let Some(row) = inserted else {
                transaction.rollback().await?;
                return Ok(Inserted::Exists);
            };
            audit::record(&mut transaction, entry.as_ref(), now).await?;
            transaction.commit().await?;
            Ok(Inserted::New(ProfileNumber(row.try_get("number")?)))
        })
    }

    async fn update_profile(
        &self,
        uuid: Uuid,
        sealed: Vec<u8>,
        read_at: UnixTime,
        entry: Option<NewAuditEntry>,
        now: UnixTime,
    ) -> Result<Updated, StoreError> {
        run!(self, Again::WhenUndone, |connection, _| {
            let mut transaction = connection.begin().await?;
            count_change(&mut transaction).await?;
            let updated = sqlx::query(
                "UPDATE profiles SET sealed = $2, updated_at = greatest($4, updated_at + 1)
                 WHERE uuid = $1 AND sealed IS NOT NULL AND updated_at = $3",
            )
            .bind(uuid.as_bytes().as_slice())
            .bind(&sealed)
            .bind(read_at.as_millis())
            .bind(now.as_millis())
            .execute(&mut *transaction)
            .await?
            .rows_affected();
            if updated == 1 {
                audit::record(&mut transaction, entry.as_ref(), now).await?;
                transaction.commit().await?;
                return Ok(Updated::Now);
            }
            let here = sqlx::query("SELECT 1 FROM profiles WHERE uuid = $1 AND sealed IS NOT NULL")
                .bind(uuid.as_bytes().as_slice())
                .fetch_optional(&mut *transaction)
                .await?;
            transaction.rollback().await?;
            Ok(if here.is_some() {
                Updated::Conflict
            } else {
                Updated::Missing
            })
        })
    }

    async fn delete_profile(
        &self,
        uuid: Uuid,
        entry: Option<NewAuditEntry>,
        now: UnixTime,
    ) -> Result<bool, StoreError> {
        run!(self, Again::WhenUndone, |connection, _| {
            let mut transaction = connection.begin().await?;
            count_change(&mut transaction).await?;
            let deleted = sqlx::query(
                "UPDATE profiles SET sealed = NULL WHERE uuid = $1 AND sealed IS NOT NULL",
            )
            .bind(uuid.as_bytes().as_slice())
            .execute(&mut *transaction)
            .await?
            .rows_affected();
            if deleted == 0 {
                transaction.rollback().await?;
                return Ok(false);
            }
            audit::record(&mut transaction, entry.as_ref(), now).await?;
            transaction.commit().await?;
            Ok(true)
        })
    }

    async fn profiles(&self) -> Result<Vec<StoredProfile>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            sqlx::query("SELECT * FROM profiles WHERE sealed IS NOT NULL ORDER BY number")
                .fetch_all(connection)
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
        })
    }

    async fn profiles_revision(&self) -> Result<i64, StoreError> {
        run!(self, Again::Always, |connection, _| {
            let row = sqlx::query("SELECT revision FROM profiles_revision")
                .fetch_one(connection)
                .await?;
            Ok(row.try_get("revision")?)
        })
    }
}

/// Comes first in a transaction: whoever changes profiles waits here for the others, so
/// that a server that has seen a revision has seen every change up to it.
async fn count_change(connection: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query("UPDATE profiles_revision SET revision = revision + 1")
        .execute(connection)
        .await?;
    Ok(())
}
