//! The embedded back-end: one SQLite file.

mod admin_sessions;
mod audit;
mod join_links;
mod launch_events;
mod launches;
mod limits;
mod overview;
mod profiles;
mod rows;
mod sessions;
mod visits;
mod write_backs;

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use sqlx::{
    ConnectOptions as _, Connection as _, SqlSafeStr, Sqlite, SqlitePool, Transaction,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use vestibule_launch::UnixTime;

use crate::{Store, StoreError, Tables, tables};

/// How long a statement waits for another one's write, and a caller for a connection.
const PATIENCE: Duration = Duration::from_secs(2);

/// One file takes one write at a time; more connections would only wait.
const CONNECTIONS: u32 = 4;

/// Those for counts write for microseconds each.
const COUNTING_CONNECTIONS: u32 = 2;

/// A store in one SQLite file. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    pool: SqlitePool,
    /// For what may be forgotten when the power fails.
    counts: SqlitePool,
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
            .connect_with(options.clone())
            .await
            .map_err(|source| StoreError::Open {
                path: path.display().to_string(),
                source,
            })?;
        migrations().run(&pool).await?;
        let counts = SqlitePoolOptions::new()
            .max_connections(COUNTING_CONNECTIONS)
            .acquire_timeout(PATIENCE)
            .connect_lazy_with(options.synchronous(SqliteSynchronous::Normal));
        Ok(Self { pool, counts })
    }

    /// Looks at a database file and changes nothing.
    ///
    /// # Errors
    /// Where there is no such file, or it is no database.
    pub async fn examine(path: &Path) -> Result<Tables, StoreError> {
        let failed = |source| StoreError::Open {
            path: path.display().to_string(),
            source,
        };
        let options = SqliteConnectOptions::new().filename(path).read_only(true);
        let mut connection = options
            .busy_timeout(PATIENCE)
            .connect()
            .await
            .map_err(failed)?;
        let tables = tables::of_sqlite(&mut connection, &migrations()).await;
        connection.close().await?;
        tables
    }

    /// A transaction that takes the right to write at once, so that it never finds
    /// itself behind what another one wrote meanwhile.
    async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn purge(&self, before: UnixTime, now: UnixTime) -> Result<u64, StoreError> {
        let mut transaction = self.write().await?;
        visits::end_lost(&mut transaction, now).await?;
        write_backs::purge(&mut transaction, before).await?;
        let purged = launches::purge(&mut transaction, before, now).await?;
        sessions::purge(&mut transaction, now).await?;
        admin_sessions::purge(&mut transaction, now).await?;
        visits::purge(&mut transaction, before).await?;
        launches::purge_appointments(&mut transaction, before).await?;
        transaction.commit().await?;
        limits::purge(&self.counts, now).await?;
        Ok(purged)
    }

    /// Writes what is there already: a file may give the right to write, and take
    /// nothing.
    async fn ready(&self) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query("PRAGMA user_version = 0")
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// Writes the log back into the database file, too.
    async fn close(&self) {
        self.counts.close().await;
        self.pool.close().await;
    }
}

fn migrations() -> Migrator {
    macro_rules! migrations {
        ($($zeros:literal { $($version:literal $name:literal,)+ })+) => {
            vec![$($(Migration::new(
                $version,
                $name.into(),
                MigrationType::Simple,
                include_str!(concat!("../../../migrations/sqlite/", $zeros, $version, "_", $name, ".sql"))
                    .into_sql_str(),
                false,
            )),+),+]
        };
    }
    Migrator::with_migrations(migrations! { "000" {
        1 "launches",
        2 "profiles",
        3 "sessions",
        4 "visits",
        5 "write_backs",
        6 "sealed_launches",
        7 "launch_events",
        8 "limits",
        9 "overview",
    } "00" {
        10 "audit",
        11 "story",
    } })
}

#[cfg(test)]
mod tests {
    use sqlx::Row;
    use uuid::Uuid;
    use vestibule_launch::{EhrRole, RequestId};

    use super::*;
    use crate::{
        Course, EncounterKey, Fingerprint, Lane, Launches as _, NewAppointment, NewLaunch,
        Overview as _, Profiles as _, WriteBackState,
    };

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
    async fn counts_do_not_wait_for_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("state.db"))
            .await
            .unwrap();
        let pragma = async |pool: &SqlitePool| {
            let row = sqlx::query("PRAGMA synchronous").fetch_one(pool).await;
            row.unwrap().get::<i64, _>(0)
        };
        let (full, normal) = (2, 1);
        assert_eq!(pragma(&store.pool).await, full);
        assert_eq!(pragma(&store.counts).await, normal);
    }

    #[tokio::test]
    async fn what_is_sealed_of_launches_is_found_without_reading_all_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("state.db"))
            .await
            .unwrap();
        let statement = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", launches::UNSEAL));
        let plan = sqlx::query(statement).bind(0_i64).fetch_all(&store.pool);
        let steps: Vec<String> = plan
            .await
            .unwrap()
            .iter()
            .map(|row| row.try_get("detail").unwrap())
            .collect();
        let found = "SEARCH launches USING INDEX launches_sealed (expires_at<?)";
        assert_eq!(steps, [found]);
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
    async fn a_database_of_the_first_version_is_brought_up_to_date() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true);
        let pool = SqlitePool::connect_with(options).await.unwrap();
        let first = migrations().iter().next().unwrap().clone();
        Migrator::with_migrations(vec![first])
            .run(&pool)
            .await
            .unwrap();
        sqlx::query(
            "INSERT INTO launches
                 (request_id, profile, role, fingerprint, state, created_at, expires_at)
             VALUES (zeroblob(16), zeroblob(16), 'patient', zeroblob(32), 'started', 5, 6)",
        )
        .execute(&pool)
        .await
        .unwrap();
        pool.close().await;
        for _ in 0..2 {
            let store = SqliteStore::open(&path).await.unwrap();
            let id = RequestId::from_bytes([0; 16]);
            let launch = store.find_launch(id).await.unwrap().unwrap();
            assert_eq!(launch.created_at, UnixTime::from_millis(5));
            assert_eq!(store.profiles_revision().await.unwrap(), 0);
            store.close().await;
        }
    }

    #[tokio::test]
    async fn write_backs_and_their_attempts_outlive_that_their_table_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .foreign_keys(true);
        let pool = SqlitePool::connect_with(options).await.unwrap();
        let before: Vec<_> = migrations().iter().take(10).cloned().collect();
        Migrator::with_migrations(before).run(&pool).await.unwrap();
        for statement in [
            "INSERT INTO write_backs (dedupe, profile, request_id, sealed, created_at, due_at,
                 state, attempts, last_status, finished_at, lane, sent_again_at, lease)
             VALUES (zeroblob(32), zeroblob(16), zeroblob(16), x'07', 5, 6, 'given_up', 2, 400, 8,
                 'device_test', 7, 2),
                 (randomblob(32), zeroblob(16), zeroblob(16), x'08', 6, 6, 'sent', 1, 204, 8,
                 'visit', NULL, 1)",
            "INSERT INTO write_back_attempts (write_back, number, at, status)
             VALUES (1, 1, 6, 503), (1, 2, 8, 400)",
            "DELETE FROM write_backs WHERE id = 2",
        ] {
            sqlx::query(statement).execute(&pool).await.unwrap();
        }
        pool.close().await;
        let store = SqliteStore::open(&path).await.unwrap();
        let row = store.write_back_row(1).await.unwrap().unwrap();
        assert_eq!(row.record.sealed, [7]);
        assert_eq!(row.record.attempts, 2);
        assert_eq!(row.record.last_status, Some(400));
        assert_eq!(row.record.last_reason, None);
        let at = UnixTime::from_millis(8);
        assert_eq!(row.record.state, WriteBackState::GivenUp { at });
        assert_eq!(row.lane, Lane::DeviceTest);
        let attempts = store.attempts_of(1).await.unwrap();
        let statuses: Vec<_> = attempts.iter().map(|attempt| attempt.status).collect();
        assert_eq!(statuses, [Some(503), Some(400)]);
        // Numbers of those that are forgotten are not given again, and attempts still go
        // with their write-back.
        for (statement, expected) in [
            (
                "INSERT INTO write_backs (dedupe, profile, request_id, lane, sealed, created_at,
                     due_at)
                 VALUES (randomblob(32), zeroblob(16), zeroblob(16), 'visit', x'09', 7, 7)
                 RETURNING id",
                3,
            ),
            ("DELETE FROM write_backs WHERE id = 1 RETURNING id", 1),
            ("SELECT count(*) FROM write_back_attempts", 0),
        ] {
            let found: i64 = sqlx::query_scalar(statement)
                .fetch_one(&store.pool)
                .await
                .unwrap();
            assert_eq!(found, expected, "{statement}");
        }
    }

    #[tokio::test]
    async fn what_nobody_comes_back_for_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let store = SqliteStore::open(&path).await.unwrap();
        let now = UnixTime::from_millis(0);
        let launch = |number| NewLaunch {
            request_id: RequestId::from_bytes([number; 16]),
            profile: Uuid::nil(),
            role: EhrRole::Patient,
            fingerprint: Fingerprint::from_bytes([number; 32]),
            sealed: b"sealed".to_vec(),
            expires_at: now,
            course: Course::default(),
        };
        store.begin_launch(launch(1), now).await.unwrap();
        store.begin_authorised(launch(2), now).await.unwrap();
        let kept: Vec<bool> =
            sqlx::query_scalar("SELECT sealed IS NOT NULL FROM launches ORDER BY request_id")
                .fetch_all(&store.pool)
                .await
                .unwrap();
        assert_eq!(kept, [true, false]);
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
