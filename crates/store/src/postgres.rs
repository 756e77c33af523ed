//! The back-end for many servers: a PostgreSQL database.
//!
//! Everything here is right under READ COMMITTED, PostgreSQL's own default: of callers
//! that race, one wins because a unique index, a condition of the `UPDATE` that changes a
//! row, or the lock of a row that is taken first lets only one through.

mod address;
mod admin_sessions;
mod attempt;
mod audit;
mod connections;
mod join_links;
mod launch_events;
mod launches;
mod limits;
mod overview;
mod profiles;
mod purge;
mod rows;
mod sessions;
mod visits;
mod write_backs;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, postgres::PgPoolOptions};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};
use vestibule_launch::UnixTime;

pub use self::address::PostgresAddress;
use self::{
    attempt::{Again, run},
    connections::{Connections, FRESH},
};
use crate::{Store, StoreError, Tables, migrations, tables};

/// How long an operation may take, unless said otherwise.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many operations may wait for each connection. They are done in a fraction of a
/// second where the database is as it should be; where it is not, more would only wait in
/// vain.
const WAITING: u32 = 64;

/// How long a server waits at its start for a way into the database.
const CONNECT: Duration = Duration::from_secs(10);

/// Most listings and figures that are read at once; fewer where there are fewer than
/// twelve connections.
const MOST_READERS: u32 = 3;

/// How long the tables may take to be brought up to date, by this server or by another
/// one that was faster.
const MIGRATE: Duration = Duration::from_secs(600);

/// Tries a write: one transaction, in one round trip.
///
/// Where the disk is full, what fits into the pages that are there is still written. So there
/// is something first that takes room on the disk of the tables: some hundred kilobytes in a
/// file that is gone with the statement. Then a row is committed as it is, one that no other
/// server tries at the moment, so that nobody waits for it; its old versions make room for
/// the next ones.
const WRITE: &str = "SET LOCAL work_mem = '64kB';
     SET LOCAL temp_tablespaces = '';
     SELECT count(*) FROM generate_series(1, 10000);
     UPDATE _sqlx_migrations SET success = success WHERE version =
         (SELECT version FROM _sqlx_migrations LIMIT 1 FOR UPDATE SKIP LOCKED)";

/// A store in a PostgreSQL database. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct PostgresStore {
    connections: Connections,
    /// Places for those who wait for a connection.
    places: Arc<Semaphore>,
    /// How long an operation may take, from the wait for a connection to the last answer.
    patience: Duration,
    /// Whose turn it is to read listings and figures: what administrators look at leaves
    /// most connections to launches.
    readers: Arc<Semaphore>,
}

impl PostgresStore {
    /// Connects to the database and brings its tables up to date. Several servers may do
    /// so at the same time: one after the other looks what is to be done.
    ///
    /// # Errors
    /// Where there is no way into it, or its tables were written by a newer version.
    pub async fn open(address: &PostgresAddress, connections: u32) -> Result<Self, StoreError> {
        Self::open_within(address, connections, PATIENCE).await
    }

    /// The same, with operations that may take so long: two seconds otherwise.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_within(
        address: &PostgresAddress,
        connections: u32,
        patience: Duration,
    ) -> Result<Self, StoreError> {
        let mut connection = connect(address).await?;
        let migrations = migrations::of_postgres();
        let migrated = migrations.run_direct(None, &mut connection, false);
        let migrated = timeout(MIGRATE, migrated).await;
        migrated.map_err(|_| StoreError::TooSlow)??;
        // All is committed; the server notices that nobody is there any more.
        drop(connection.close().await);
        Ok(Self::lazily(address, connections, patience))
    }

    /// More connections to a database that is open, apart from the others: whoever uses
    /// these gets one also while all the others are in use. None is made before it is
    /// needed.
    pub fn beside(address: &PostgresAddress, connections: u32) -> Self {
        Self::lazily(address, connections, PATIENCE)
    }

    fn lazily(address: &PostgresAddress, connections: u32, patience: Duration) -> Self {
        let limit = patience.as_millis();
        let options = address.options().clone().options([
            ("statement_timeout", limit),
            ("lock_timeout", limit),
            ("idle_in_transaction_session_timeout", 2 * limit),
        ]);
        // A claim is planned as if it read far more than it does, and would be compiled for
        // longer than it runs.
        let options = options.options([("jit", "off")]);
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(patience)
            // A round trip of its own for each operation, were it done always.
            .test_before_acquire(false)
            .before_acquire(|connection, metadata| {
                Box::pin(async move {
                    if metadata.idle_for >= FRESH {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(options);
        let places = usize::try_from(connections.saturating_mul(WAITING));
        let places = places.map_or(Semaphore::MAX_PERMITS, |it| it.min(Semaphore::MAX_PERMITS));
        let readers = (connections / 4).clamp(1, MOST_READERS);
        Self {
            connections: Connections::new(pool, connections),
            places: Arc::new(Semaphore::new(places)),
            patience,
            readers: Arc::new(Semaphore::new(readers as usize)),
        }
    }

    /// Waits for the turn to read a listing.
    async fn reading(&self) -> Result<SemaphorePermit<'_>, StoreError> {
        let turn = timeout(self.patience, self.readers.acquire()).await;
        turn.ok().and_then(Result::ok).ok_or(StoreError::TooSlow)
    }

    /// Looks at a database and changes nothing.
    ///
    /// # Errors
    /// Where there is no way into it.
    pub async fn examine(address: &PostgresAddress) -> Result<Tables, StoreError> {
        let mut connection = connect(address).await?;
        let tables = tables::of_postgres(&mut connection, &migrations::of_postgres()).await;
        drop(connection.close().await);
        tables
    }
}

/// A connection without the deadlines of those in the pool: to change a large table
/// takes its time.
async fn connect(address: &PostgresAddress) -> Result<PgConnection, StoreError> {
    let connected = timeout(CONNECT, address.options().connect()).await;
    let connected = connected.map_err(|_| StoreError::TooSlow)?;
    connected.map_err(|source| StoreError::Connect {
        address: address.to_string(),
        source,
    })
}

impl fmt::Debug for PostgresStore {
    /// The pool's own would show the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn purge(&self, before: UnixTime, now: UnixTime) -> Result<u64, StoreError> {
        purge::purge(self, before, now).await
    }

    /// A replica answers, and so does a database that was made read-only because its disk
    /// is full; neither takes writes.
    async fn ready(&self) -> Result<(), StoreError> {
        run!(self, Again::Always, |connection, _| {
            let read_only: bool =
                sqlx::query_scalar("SELECT current_setting('transaction_read_only')::boolean")
                    .fetch_one(&mut *connection)
                    .await?;
            if read_only {
                return Err(StoreError::ReadOnly);
            }
            sqlx::raw_sql(WRITE).execute(connection).await?;
            Ok(())
        })
    }

    async fn close(&self) {
        self.connections.close().await;
    }
}

#[cfg(test)]
mod tests {
    use sqlx::migrate::Migrator;

    use super::*;
    use crate::{
        EncounterKey, Launches as _, Overview as _, SentAgain, Visits as _, WriteBackKind,
        WriteBacks as _,
    };

    /// How many write-backs wait for an EHR that is away.
    const MANY: i64 = 50_000;

    /// The changes to the tables that come before the one of this name.
    fn before(name: &str) -> Migrator {
        migrations::before(&migrations::of_postgres(), name)
    }

    async fn open(url: &str) -> PostgresStore {
        let address = url.parse().unwrap();
        PostgresStore::open(&address, 4).await.unwrap()
    }

    /// The steps of the plan of a statement that is carried out, with the rows that each
    /// has given.
    async fn plan(store: &PostgresStore, statement: &str, numbers: &[i64]) -> String {
        let statement =
            format!("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) {statement}");
        let mut query = sqlx::query_scalar::<_, String>(sqlx::AssertSqlSafe(statement));
        for number in numbers {
            query = query.bind(number);
        }
        query
            .fetch_all(&store.connections.pool)
            .await
            .unwrap()
            .join("\n")
    }

    /// The rows that a plan's steps have looked at in a table, those passed over included.
    fn rows(plan: &str, alias: &str) -> u64 {
        let number = |text: &str, before: &str| -> u64 {
            let rest = text.split(before).nth(1).unwrap_or("0");
            let digits = rest.split(|it: char| !it.is_ascii_digit()).next();
            digits.and_then(|it| it.parse().ok()).unwrap_or(0)
        };
        let mut sum = 0;
        let mut loops = 0;
        for line in plan.lines() {
            if line.contains("loops=") {
                loops = 0;
                if line.contains(alias) {
                    loops = number(line, "loops=");
                    sum += loops * number(line, "actual rows=");
                }
            } else if line.contains("Rows Removed by") {
                sum += loops * number(line, ": ");
            }
        }
        sum
    }

    #[tokio::test]
    async fn a_change_that_comes_before_others_is_made_where_those_are_made_already() {
        let url = vestibule_test_postgres::database();
        let mut old = PgConnection::connect(&url).await.unwrap();
        let before = before("lanes");
        let others = before.iter().filter(|it| it.description != "story");
        let before = Migrator::with_migrations(others.cloned().collect());
        before.run(&mut old).await.unwrap();
        sqlx::query(
            "INSERT INTO launches (request_id, profile, role, fingerprint, state, created_at,
                 expires_at)
             VALUES (substr(sha256('a'), 1, 16), substr(sha256('a'), 1, 16), 'patient',
                 sha256('a'), 'started', 5, 6)",
        )
        .execute(&mut old)
        .await
        .unwrap();
        let store = open(&url).await;
        let page = crate::Page {
            after: None,
            limit: 5,
        };
        let filter = crate::LaunchFilter::default();
        let rows = crate::Overview::list_launches(&store, &filter, page).await;
        let rows = rows.unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(
            rows[0].launch.role,
            Some(vestibule_launch::EhrRole::Patient)
        );
        assert_eq!((rows[0].steps.len(), rows[0].authorised_at), (0, None));
    }

    #[tokio::test]
    async fn few_write_backs_are_read_however_many_wait() {
        let url = vestibule_test_postgres::database();
        let store = open(&url).await;
        let mut patient = PgConnection::connect(&url).await.unwrap();
        // Of one EHR five wait for each launch; of another one there is one.
        sqlx::query(
            "INSERT INTO write_backs (dedupe, profile, request_id, kind, sealed, created_at, due_at)
             SELECT sha256(n::text::bytea), substr(sha256('a'), 1, 16),
                 substr(sha256((n / 5)::text::bytea), 1, 16), 'visit', ''::bytea, n, n
             FROM generate_series(1, $1) AS n
             UNION ALL
             SELECT sha256('b'), substr(sha256('b'), 1, 16), substr(sha256('b'), 1, 16),
                 'visit', ''::bytea, $1, $1",
        )
        .bind(MANY)
        .execute(&mut patient)
        .await
        .unwrap();
        sqlx::query("ANALYZE write_backs")
            .execute(&mut patient)
            .await
            .unwrap();
        let now = UnixTime::from_millis(MANY);
        let lease = Duration::from_secs(60);
        // Every head is tried, and put off, a while: those behind it are put off with it.
        for _ in 0..20 {
            for claimed in store.claim_write_backs(now, lease, 50, 50).await.unwrap() {
                let later = now + lease;
                let put_off = store.write_back_failed(
                    &claimed,
                    None,
                    crate::Reason::Timeout,
                    crate::NotTold::TryAgain { at: later },
                    now,
                );
                assert!(put_off.await.unwrap());
            }
        }
        let held = store.claim_write_backs(now, lease, 8, 8).await.unwrap();
        assert_eq!(held.len(), 8);
        for of_profile in [8, 16] {
            let numbers = [now.as_millis(), now.as_millis() + 1, 16, of_profile];
            let plan = plan(&store, write_backs::CLAIM, &numbers).await;
            assert!(!plan.contains("Seq Scan on write_backs"), "{plan}");
            assert!(plan.contains("using write_backs_due"), "{plan}");
            let looked_at = rows(&plan, "on write_backs");
            assert!(looked_at < 500, "{looked_at} rows:\n{plan}");
        }
    }

    /// Of what was stored as `visit` the kind is not known: whatever came later, but for a
    /// device test, may have overtaken it.
    #[tokio::test]
    async fn write_backs_from_before_the_upgrade_are_sent_again_where_nothing_came_later() {
        let url = vestibule_test_postgres::database();
        let mut patient = PgConnection::connect(&url).await.unwrap();
        before("lanes").run(&mut patient).await.unwrap();
        let mut insert = async |column: &str, number: i64, kind: &str, state: &str| -> i64 {
            let statement = format!(
                "INSERT INTO write_backs (dedupe, profile, request_id, {column}, sealed,
                     created_at, due_at, state, finished_at)
                 VALUES (sha256($1::text::bytea), substr(sha256('a'), 1, 16),
                     substr(sha256('a'), 1, 16), $2, '', $1, $1, $3, $1)
                 RETURNING id"
            );
            sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
                .bind(number)
                .bind(kind)
                .bind(state)
                .fetch_one(&mut patient)
                .await
                .unwrap()
        };
        let first = insert("lane", 1, "visit", "given_up").await;
        let second = insert("lane", 2, "visit", "given_up").await;
        insert("lane", 3, "device_test", "sent").await;
        let store = open(&url).await;
        let page = crate::Page {
            after: None,
            limit: 5,
        };
        let every = crate::WriteBackFilter::default();
        let rows = store.list_write_backs(&every, page).await.unwrap();
        let kinds: Vec<_> = rows.iter().map(|row| row.kind).collect();
        assert_eq!(
            kinds,
            [Some(WriteBackKind::DeviceTest), None, None],
            "the newest first"
        );
        let now = UnixTime::from_millis(10);
        let again = store.send_again(second, now).await.unwrap();
        assert_eq!(again, SentAgain::Due(1));
        insert("kind", 4, "end_of_call", "sent").await;
        let again = store.send_again(first, now).await.unwrap();
        assert_eq!(again, SentAgain::Overtaken);
    }

    #[tokio::test]
    async fn a_database_from_before_write_backs_had_kinds_is_opened_and_keeps_what_is_in_it() {
        let url = vestibule_test_postgres::database();
        let mut old = PgConnection::connect(&url).await.unwrap();
        before("write_back_kinds").run(&mut old).await.unwrap();
        for statement in [
            "INSERT INTO appointments (profile, encounter_key, sealed, created_at, last_used_at)
             VALUES (substr(sha256('a'), 1, 16), decode(repeat('07', 32), 'hex'), '\\x01', 5, 6)",
            "INSERT INTO launches (request_id, profile, role, fingerprint, state, appointment,
                 created_at, expires_at, completed_at)
             SELECT substr(sha256('a'), 1, 16), profile, 'patient', sha256('a'), 'completed', id,
                 5, 6, 6
             FROM appointments",
            "INSERT INTO write_backs (dedupe, profile, request_id, lane, sealed, created_at, due_at)
             SELECT sha256(lane::bytea), profile, request_id, lane, '\\x07', number, number
             FROM launches, (VALUES (1, 'visit'), (2, 'epic_connection_status'),
                 (3, 'end_of_call'), (4, 'zoom_notification'), (5, 'device_test')
             ) AS known (number, lane)",
        ] {
            sqlx::query(statement).execute(&mut old).await.unwrap();
        }
        let address = url.parse().unwrap();
        let tables = PostgresStore::examine(&address).await.unwrap();
        assert!(tables.outstanding > 0 && !tables.newer, "{tables:?}");
        let store = open(&url).await;
        let page = crate::Page {
            after: None,
            limit: 9,
        };
        let every = crate::WriteBackFilter::default();
        let mut rows = store.list_write_backs(&every, page).await.unwrap();
        rows.reverse();
        let kinds: Vec<_> = rows.iter().map(|row| row.kind).collect();
        let mut known = vec![None];
        known.extend(WriteBackKind::ALL.map(Some));
        assert_eq!(kinds, known);
        assert!(rows.iter().all(|row| row.record.sealed == [7]));
        let launch = store.find_launch(rows[0].request_id).await;
        let appointment = store.find_appointment_by_key(EncounterKey::from_bytes([7; 32]));
        let appointment = appointment.await.unwrap().unwrap();
        assert_eq!(appointment.sealed, [1]);
        assert_eq!(launch.unwrap().unwrap().appointment, Some(appointment.id));
        let tables = PostgresStore::examine(&address).await.unwrap();
        assert_eq!((tables.outstanding, tables.newer), (0, false));
    }

    #[tokio::test]
    async fn what_is_sealed_of_launches_is_found_without_reading_all_of_them() {
        let url = vestibule_test_postgres::database();
        let store = open(&url).await;
        let mut patient = PgConnection::connect(&url).await.unwrap();
        sqlx::query(
            "INSERT INTO launches (request_id, profile, role, fingerprint, state, created_at,
                 expires_at, sealed)
             SELECT substr(sha256(n::text::bytea), 1, 16), substr(sha256('a'), 1, 16), 'patient',
                 sha256(n::text::bytea), 'started', n, n,
                 CASE WHEN n % 1000 = 0 THEN ''::bytea END
             FROM generate_series(1, 20000) AS n",
        )
        .execute(&mut patient)
        .await
        .unwrap();
        sqlx::query("ANALYZE launches")
            .execute(&mut patient)
            .await
            .unwrap();
        let plan = plan(&store, purge::UNSEAL, &[i64::MAX, 500]).await;
        assert!(plan.contains("using launches_sealed"), "{plan}");
        assert!(!plan.contains("Seq Scan on launches"), "{plan}");
    }

    #[tokio::test]
    async fn launches_go_on_while_every_listing_hangs() {
        let address = vestibule_test_postgres::database().parse().unwrap();
        let patience = Duration::from_millis(500);
        let store = PostgresStore::open_within(&address, 16, patience);
        let store = store.await.unwrap();
        let mut held = Vec::new();
        for _ in 0..MOST_READERS {
            held.push(store.reading().await.unwrap());
        }
        let listed = crate::Overview::departments(&store, 10).await;
        assert!(matches!(listed, Err(StoreError::TooSlow)), "{listed:?}");
        let store = PostgresStore {
            patience: PATIENCE,
            ..store.clone()
        };
        assert!(store.unsent_write_backs().await.is_ok());
        held.pop();
        assert!(crate::Overview::departments(&store, 10).await.is_ok());
    }

    #[tokio::test]
    async fn connections_have_the_settings_that_they_should() {
        let store = open(&vestibule_test_postgres::database()).await;
        for (setting, expected) in [
            ("statement_timeout", "2s"),
            ("lock_timeout", "2s"),
            ("idle_in_transaction_session_timeout", "4s"),
            ("transaction_isolation", "read committed"),
            ("synchronous_commit", "on"),
            ("jit", "off"),
        ] {
            let value: String = sqlx::query_scalar("SELECT current_setting($1)")
                .bind(setting)
                .fetch_one(&store.connections.pool)
                .await
                .unwrap();
            assert_eq!(value, expected, "{setting}");
        }
    }
}
