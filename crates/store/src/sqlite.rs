//! The embedded back-end: one SQLite file.

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use sqlx::{
    Row, SqlSafeStr, Sqlite, SqlitePool, Transaction,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
    },
};
use uuid::Uuid;
use vestibule_launch::{EhrRole, ErrorName, RequestId, UnixTime};

use crate::{
    AliasHash, Appointment, AppointmentId, Begun, BrowserHash, Completed, Completion, Consumed,
    EncounterKey, FailureSource, FoundAlias, Launch, LaunchState, NewAppointment, NewLaunch,
    Redeemed, Redemption, Store, StoreError, TicketHash, ticket::REPEAT_WITHIN,
};

/// How long a statement waits for another one's write, and a caller for a connection.
const PATIENCE: Duration = Duration::from_secs(2);

/// One file takes one write at a time; more connections would only wait.
const CONNECTIONS: u32 = 4;

/// A store in one SQLite file. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    pool: SqlitePool,
}

impl SqliteStore {
    /// Opens the database file, makes it where there is none, and brings its tables
    /// up to date.
    ///
    /// # Errors
    /// Where the file cannot be opened or was written by a newer version.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A consumed state must stay consumed when the power fails.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(PATIENCE)
            .foreign_keys(true);
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            .connect_with(options)
            .await
            .map_err(|source| StoreError::Open {
                path: path.display().to_string(),
                source,
            })?;
        migrations().run(&pool).await?;
        Ok(Self { pool })
    }

    /// Closes the connections and writes the log back into the database file.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// A transaction that takes the right to write at once, so that it never finds
    /// itself behind what another one wrote meanwhile.
    async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn begin_launch(&self, launch: NewLaunch, now: UnixTime) -> Result<Begun, StoreError> {
        let inserted = sqlx::query(
            "INSERT INTO launches
                 (request_id, profile, role, fingerprint, state, sealed, created_at, expires_at)
             SELECT ?1, ?2, ?3, ?4, 'started', ?5, ?6, ?7
             WHERE NOT EXISTS
                 (SELECT 1 FROM launches WHERE fingerprint = ?4 AND completed_at IS NOT NULL)",
        )
        .bind(bytes(launch.request_id.as_bytes()))
        .bind(bytes(launch.profile.as_bytes()))
        .bind(launch.role.as_str())
        .bind(bytes(launch.fingerprint.as_bytes()))
        .bind(launch.sealed)
        .bind(now.as_millis())
        .bind(launch.expires_at.as_millis())
        .execute(&self.pool)
        .await?
        .rows_affected();
        Ok(if inserted == 1 {
            Begun::New
        } else {
            Begun::AlreadyUsed
        })
    }

    async fn consume_state(
        &self,
        request_id: RequestId,
        profile: Uuid,
        role: EhrRole,
        now: UnixTime,
    ) -> Result<Consumed, StoreError> {
        let consumed = sqlx::query(
            "UPDATE launches SET state = 'authorised'
             WHERE request_id = ?1 AND profile = ?2 AND role = ?3
                 AND state = 'started' AND expires_at > ?4 AND sealed IS NOT NULL
             RETURNING sealed",
        )
        .bind(bytes(request_id.as_bytes()))
        .bind(bytes(profile.as_bytes()))
        .bind(role.as_str())
        .bind(now.as_millis())
        .fetch_optional(&self.pool)
        .await?;
        if let Some(row) = consumed {
            let sealed: Option<Vec<u8>> = row.try_get("sealed")?;
            return Ok(Consumed::Now(sealed.ok_or(StoreError::Damaged("launch"))?));
        }
        let launch = self.find_launch(request_id).await?;
        let before = launch.is_some_and(|launch| {
            launch.profile == profile && launch.role == role && launch.state != LaunchState::Started
        });
        Ok(if before {
            Consumed::Before
        } else {
            Consumed::Never
        })
    }

    async fn find_or_create_appointment(
        &self,
        appointment: NewAppointment,
        now: UnixTime,
    ) -> Result<Appointment, StoreError> {
        let row = sqlx::query(
            "INSERT INTO appointments (profile, encounter_key, sealed, created_at, last_used_at)
             VALUES (?1, ?2, ?3, ?4, ?4)
             ON CONFLICT (profile, encounter_key) DO UPDATE SET last_used_at = excluded.last_used_at
             RETURNING id AS appointment_id, profile, encounter_key, sealed, created_at",
        )
        .bind(bytes(appointment.profile.as_bytes()))
        .bind(bytes(appointment.encounter.as_bytes()))
        .bind(appointment.sealed)
        .bind(now.as_millis())
        .fetch_one(&self.pool)
        .await?;
        appointment_of(&row)
    }

    async fn complete_launch(
        &self,
        completion: Completion,
        now: UnixTime,
    ) -> Result<Completed, StoreError> {
        let mut transaction = self.write().await?;
        let completed = sqlx::query(
            "UPDATE launches
             SET state = 'completed', completed_at = ?2, appointment = ?3, sealed = NULL
             WHERE request_id = ?1 AND state = 'authorised' AND NOT EXISTS
                 (SELECT 1 FROM launches AS other
                  WHERE other.fingerprint = launches.fingerprint AND other.completed_at IS NOT NULL)",
        )
        .bind(bytes(completion.request_id.as_bytes()))
        .bind(now.as_millis())
        .bind(completion.appointment.0)
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        if completed == 0 {
            return Ok(Completed::Refused);
        }
        sqlx::query("INSERT INTO aliases (alias_hash, request_id, expires_at) VALUES (?1, ?2, ?3)")
            .bind(bytes(completion.alias.as_bytes()))
            .bind(bytes(completion.request_id.as_bytes()))
            .bind(completion.alias_expires_at.as_millis())
            .execute(&mut *transaction)
            .await?;
        if let Some(ticket) = completion.ticket {
            sqlx::query(
                "INSERT INTO tickets (ticket_hash, request_id, sealed, expires_at)
                 VALUES (?1, ?2, ?3, ?4)",
            )
            .bind(bytes(ticket.hash.as_bytes()))
            .bind(bytes(completion.request_id.as_bytes()))
            .bind(ticket.sealed)
            .bind(ticket.expires_at.as_millis())
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(Completed::Now)
    }

    async fn find_alias(
        &self,
        alias: AliasHash,
        now: UnixTime,
    ) -> Result<Option<FoundAlias>, StoreError> {
        sqlx::query(
            "SELECT launches.request_id, launches.role, aliases.expires_at,
                    appointments.id AS appointment_id, appointments.profile,
                    appointments.encounter_key, appointments.sealed, appointments.created_at
             FROM aliases
             JOIN launches ON launches.request_id = aliases.request_id
             JOIN appointments ON appointments.id = launches.appointment
             WHERE aliases.alias_hash = ?1 AND aliases.expires_at > ?2",
        )
        .bind(bytes(alias.as_bytes()))
        .bind(now.as_millis())
        .fetch_optional(&self.pool)
        .await?
        .map(|row| {
            Ok(FoundAlias {
                request_id: request_id_of(&row)?,
                role: role_of(&row)?,
                expires_at: time_of(&row, "expires_at")?,
                appointment: appointment_of(&row)?,
            })
        })
        .transpose()
    }

    async fn redeem_ticket(
        &self,
        ticket: TicketHash,
        browser: BrowserHash,
        now: UnixTime,
    ) -> Result<Redemption, StoreError> {
        let mut transaction = self.write().await?;
        let redeemed = sqlx::query(
            "UPDATE tickets
             SET redeemed_at = coalesce(redeemed_at, ?3), browser_hash = coalesce(browser_hash, ?2)
             WHERE ticket_hash = ?1 AND CASE
                 WHEN redeemed_at IS NULL THEN expires_at > ?3
                 ELSE browser_hash = ?2 AND redeemed_at > ?4
             END",
        )
        .bind(bytes(ticket.as_bytes()))
        .bind(bytes(browser.as_bytes()))
        .bind(now.as_millis())
        .bind((now - REPEAT_WITHIN).as_millis())
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        let row = sqlx::query(
            "SELECT launches.request_id, launches.profile, launches.role,
                    tickets.sealed, tickets.redeemed_at
             FROM tickets JOIN launches ON launches.request_id = tickets.request_id
             WHERE tickets.ticket_hash = ?1",
        )
        .bind(bytes(ticket.as_bytes()))
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        match row {
            Some(row) if redeemed == 1 => Ok(Redemption::Redeemed(Redeemed {
                request_id: request_id_of(&row)?,
                profile: profile_of(&row)?,
                role: role_of(&row)?,
                sealed: row.try_get("sealed")?,
            })),
            Some(row) if row.try_get::<Option<i64>, _>("redeemed_at")?.is_some() => {
                Ok(Redemption::Used)
            }
            _ => Ok(Redemption::Unknown),
        }
    }

    async fn record_failure(
        &self,
        request_id: RequestId,
        source: FailureSource,
        error_name: ErrorName,
        now: UnixTime,
    ) -> Result<bool, StoreError> {
        let statement = match source {
            FailureSource::Server => {
                "UPDATE launches SET state = 'failed', error_name = ?2, failed_at = ?3, sealed = NULL
                 WHERE request_id = ?1 AND state IN ('started', 'authorised')"
            }
            FailureSource::Browser => {
                "UPDATE launches SET state = 'failed', error_name = ?2, failed_at = ?3
                 WHERE request_id = ?1 AND state = 'completed'"
            }
        };
        let recorded = sqlx::query(statement)
            .bind(bytes(request_id.as_bytes()))
            .bind(error_name.as_str())
            .bind(now.as_millis())
            .execute(&self.pool)
            .await?
            .rows_affected();
        Ok(recorded == 1)
    }

    async fn find_launch(&self, request_id: RequestId) -> Result<Option<Launch>, StoreError> {
        sqlx::query("SELECT * FROM launches WHERE request_id = ?1")
            .bind(bytes(request_id.as_bytes()))
            .fetch_optional(&self.pool)
            .await?
            .map(|row| launch_of(&row))
            .transpose()
    }

    async fn find_launch_by_alias(&self, alias: AliasHash) -> Result<Option<Launch>, StoreError> {
        sqlx::query(
            "SELECT launches.* FROM launches
             JOIN aliases ON aliases.request_id = launches.request_id
             WHERE aliases.alias_hash = ?1",
        )
        .bind(bytes(alias.as_bytes()))
        .fetch_optional(&self.pool)
        .await?
        .map(|row| launch_of(&row))
        .transpose()
    }

    async fn purge(&self, before: UnixTime, now: UnixTime) -> Result<u64, StoreError> {
        let mut transaction = self.write().await?;
        let purged = sqlx::query("DELETE FROM launches WHERE created_at < ?1")
            .bind(before.as_millis())
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        sqlx::query(
            "DELETE FROM appointments WHERE last_used_at < ?1 AND NOT EXISTS
                 (SELECT 1 FROM launches WHERE launches.appointment = appointments.id)",
        )
        .bind(before.as_millis())
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "UPDATE launches SET sealed = NULL WHERE sealed IS NOT NULL AND expires_at <= ?1",
        )
        .bind(now.as_millis())
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "DELETE FROM tickets WHERE CASE
                 WHEN redeemed_at IS NULL THEN expires_at <= ?1
                 ELSE redeemed_at <= ?2
             END",
        )
        .bind(now.as_millis())
        .bind((now - REPEAT_WITHIN).as_millis())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(purged)
    }
}

fn migrations() -> Migrator {
    let migration = |version, description: &'static str, sql: &'static str| {
        Migration::new(
            version,
            description.into(),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    };
    Migrator::with_migrations(vec![migration(
        1,
        "launches",
        include_str!("../../../migrations/sqlite/0001_launches.sql"),
    )])
}

/// The driver binds vectors, not arrays.
fn bytes(array: &[u8]) -> Vec<u8> {
    array.to_vec()
}

fn array_of<const N: usize>(row: &SqliteRow, column: &'static str) -> Result<[u8; N], StoreError> {
    let bytes: Vec<u8> = row.try_get(column)?;
    bytes.try_into().map_err(|_| StoreError::Damaged(column))
}

fn request_id_of(row: &SqliteRow) -> Result<RequestId, StoreError> {
    Ok(RequestId::from_bytes(array_of(row, "request_id")?))
}

fn profile_of(row: &SqliteRow) -> Result<Uuid, StoreError> {
    Ok(Uuid::from_bytes(array_of(row, "profile")?))
}

fn role_of(row: &SqliteRow) -> Result<EhrRole, StoreError> {
    let name: String = row.try_get("role")?;
    [EhrRole::Patient, EhrRole::Provider]
        .into_iter()
        .find(|role| role.as_str() == name)
        .ok_or(StoreError::Damaged("role"))
}

fn time_of(row: &SqliteRow, column: &'static str) -> Result<UnixTime, StoreError> {
    Ok(UnixTime::from_millis(row.try_get(column)?))
}

fn appointment_of(row: &SqliteRow) -> Result<Appointment, StoreError> {
    Ok(Appointment {
        id: AppointmentId(row.try_get("appointment_id")?),
        profile: profile_of(row)?,
        encounter: EncounterKey::from_bytes(array_of(row, "encounter_key")?),
        sealed: row.try_get("sealed")?,
        created_at: time_of(row, "created_at")?,
    })
}

fn launch_of(row: &SqliteRow) -> Result<Launch, StoreError> {
    let state: String = row.try_get("state")?;
    Ok(Launch {
        request_id: request_id_of(row)?,
        profile: profile_of(row)?,
        role: role_of(row)?,
        state: match state.as_str() {
            "started" => LaunchState::Started,
            "authorised" => LaunchState::Authorised,
            "completed" => LaunchState::Completed,
            "failed" => LaunchState::Failed {
                error_name: row
                    .try_get::<String, _>("error_name")?
                    .parse()
                    .map_err(|_| StoreError::Damaged("error_name"))?,
                at: time_of(row, "failed_at")?,
            },
            _ => return Err(StoreError::Damaged("state")),
        },
        created_at: time_of(row, "created_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_database_waits_logs_ahead_and_keeps_its_references() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("state.db"))
            .await
            .unwrap();
        for (pragma, expected) in [
            ("journal_mode", "wal"),
            ("foreign_keys", "1"),
            ("busy_timeout", "2000"),
        ] {
            let statement = sqlx::AssertSqlSafe(format!("PRAGMA {pragma}"));
            let row = sqlx::query(statement).fetch_one(&store.pool).await.unwrap();
            let value = row
                .try_get::<String, _>(0)
                .or_else(|_| row.try_get::<i64, _>(0).map(|number| number.to_string()));
            assert_eq!(value.unwrap(), expected, "{pragma}");
        }
    }

    #[tokio::test]
    async fn what_was_stored_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let appointment = NewAppointment {
            profile: Uuid::from_u128(1),
            encounter: EncounterKey::from_bytes([1; 32]),
            sealed: b"first".to_vec(),
        };
        let now = UnixTime::from_millis(0);
        let store = SqliteStore::open(&path).await.unwrap();
        let first = store
            .find_or_create_appointment(appointment.clone(), now)
            .await
            .unwrap();
        store.close().await;
        let store = SqliteStore::open(&path).await.unwrap();
        assert_eq!(
            store
                .find_or_create_appointment(appointment, now)
                .await
                .unwrap(),
            first
        );
    }

    #[tokio::test]
    async fn a_folder_that_does_not_exist_is_named_in_the_error() {
        let error = SqliteStore::open(Path::new("/does/not/exist/state.db"))
            .await
            .unwrap_err();
        assert!(
            error.to_string().contains("/does/not/exist/state.db"),
            "{error}"
        );
    }
}
