//! The embedded back-end: one SQLite file.

mod admin_sessions;
mod audit;
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
mod writer;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use sqlx::{
    ConnectOptions as _, Connection as _, Sqlite, SqliteConnection, SqlitePool, Transaction,
    pool::PoolConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use vestibule_launch::UnixTime;

use self::writer::Writer;
use crate::{Store, StoreError, Tables, migrations, store::is_read_only, tables};

/// How long a statement waits for another one's write, and a caller for a connection.
const PATIENCE: Duration = Duration::from_secs(2);

/// Those that find what a launch needs: single rows, and short lists.
const FINDING_CONNECTIONS: u32 = 2;

/// Those for listings and figures: what administrators look at waits for each other, and
/// no launch for it.
const READING_CONNECTIONS: u32 = 2;

/// How often it is looked whether a listing takes too long, in steps of SQLite's virtual
/// machine: some tenths of a millisecond.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;

/// A store in one SQLite file. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    /// The connection that writes, but for counts: one file takes one write at a time.
    pool: SqlitePool,
    /// Writes by that connection for several callers at once.
    writer: Writer,
    /// For what may be forgotten when the power fails.
    counts: Writer,
    /// For single rows and short lists. It writes nothing.
    finding: SqlitePool,
    /// For listings and figures. They write nothing, and end in time: see
    /// [`Self::reading`].
    reading: SqlitePool,
    /// How long one of these may take.
    patience: Duration,
    /// Whether a connection has had the deadline of a listing since this was last looked at:
    /// in memory, where listings have no connections of their own.
    listed: Arc<AtomicBool>,
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
        let failed = |source| StoreError::Open {
            path: path.display().to_string(),
            source,
        };
        // The tables are brought up to date before the pool has a connection: one that
        // knows them as they were before would not read them as they are now.
        let mut connection = options.connect().await.map_err(failed)?;
        if let Some(source) = reads_only(&mut connection).await.map_err(failed)? {
            return Err(failed(source));
        }
        migrations::of_sqlite()
            .run_direct(None, &mut connection, false)
            .await?;
        connection.close().await.map_err(failed)?;
        let pool = writing()
            .connect_with(options.clone())
            .await
            .map_err(failed)?;
        let writer = Writer::new(pool.clone());
        let counting = options.synchronous(SqliteSynchronous::Normal);
        let counts = writer.beside(writing().connect_lazy_with(counting));
        let read_only = SqliteConnectOptions::new()
            .filename(path)
            .read_only(true)
            .busy_timeout(PATIENCE);
        let reading = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .test_before_acquire(false)
                .acquire_timeout(PATIENCE)
        };
        // A launch that begins finds what it needs also where no file can be opened any more:
        // these are open from the start to the end.
        let finding = reading(FINDING_CONNECTIONS)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(read_only.clone());
        tokio::try_join!(finding.acquire(), finding.acquire()).map_err(failed)?;
        Ok(Self {
            pool,
            writer,
            counts,
            finding,
            reading: reading(READING_CONNECTIONS).connect_lazy_with(read_only),
            patience: PATIENCE,
            listed: Arc::default(),
        })
    }

    /// An empty store in memory, which is gone with its last clone. There is one
    /// connection, for the memory is that connection's own.
    ///
    /// # Errors
    /// Where SQLite gets no memory.
    pub async fn in_memory() -> Result<Self, StoreError> {
        let listed = Arc::<AtomicBool>::default();
        let lent = Arc::clone(&listed);
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            // A connection that is replaced takes everything with it.
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            // The connection is that of listings too, whose deadline is theirs alone.
            .before_acquire(move |connection, _| {
                let lent = Arc::clone(&lent);
                Box::pin(async move {
                    if lent.swap(false, Ordering::SeqCst) {
                        connection.lock_handle().await?.remove_progress_handler();
                    }
                    Ok(true)
                })
            })
            .acquire_timeout(PATIENCE)
            .connect_with(SqliteConnectOptions::new().foreign_keys(true))
            .await?;
        migrations::of_sqlite().run(&pool).await?;
        let writer = Writer::new(pool.clone());
        Ok(Self {
            counts: writer.clone(),
            writer,
            finding: pool.clone(),
            reading: pool.clone(),
            pool,
            patience: PATIENCE,
            listed,
        })
    }

    /// The connection that launches use: for tests that look behind the store, or change
    /// what none of its methods does.
    #[doc(hidden)]
    #[must_use]
    pub fn pool(&self) -> &SqlitePool {
        &self.pool
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
        let tables = tables::of_sqlite(&mut connection, &migrations::of_sqlite()).await;
        connection.close().await?;
        tables
    }

    /// A transaction that takes the right to write at once, so that it never finds
    /// itself behind what another one wrote meanwhile.
    async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// A connection for one listing, which the database itself ends when it takes too
    /// long: nobody else could.
    async fn reading(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        let acquired = self.reading.acquire().await;
        let mut connection = acquired.map_err(|error| match error {
            // Others read for as long: what is waited for is their end.
            sqlx::Error::PoolTimedOut => StoreError::TooSlow,
            error => error.into(),
        })?;
        let deadline = Instant::now() + self.patience;
        self.listed.store(true, Ordering::SeqCst);
        connection
            .lock_handle()
            .await?
            .set_progress_handler(STEPS_BETWEEN_LOOKS, move || Instant::now() < deadline);
        Ok(connection)
    }
}

/// Where a disk takes no write, SQLite may end a transaction by itself; the connection then
/// counts as in it for ever, and begins no other one.
async fn is_free(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    Ok(!connection.is_in_transaction())
}

/// How many connections of a pool read only, of those that are there.
///
/// A connection that is made while the file cannot be written reads only, for as long as it
/// lives: it would fail writes long after the file can be written again. Where there is one,
/// it is used once. The pool must not refuse it: it would try again until nobody waits any
/// more, and keep to itself why.
#[derive(Clone, Debug, Default)]
struct ReadOnly(Arc<AtomicU32>);

impl ReadOnly {
    /// Those who made the connection get it nevertheless: SQLite tells them.
    async fn made(self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        if reads_only(connection).await?.is_some() {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }

    /// Whether others may use the connection too.
    async fn used(self, connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
        if self.0.load(Ordering::SeqCst) == 0 || reads_only(connection).await?.is_none() {
            return Ok(true);
        }
        let fewer = |there: u32| Some(there.saturating_sub(1));
        let _ = self
            .0
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer);
        Ok(false)
    }
}

/// A pool of one connection that writes. A file has no other end that could go away: it is
/// not tested.
fn writing() -> SqlitePoolOptions {
    let read_only = ReadOnly::default();
    let of_made = read_only.clone();
    SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .acquire_timeout(PATIENCE)
        .after_connect(move |connection, _| Box::pin(of_made.clone().made(connection)))
        .before_acquire(|connection, _| Box::pin(is_free(connection)))
        .after_release(move |connection, _| Box::pin(read_only.clone().used(connection)))
}

/// What SQLite says where a connection reads only; it says so to a write alone, before that
/// waits for anybody else's. This one changes no row.
async fn reads_only(connection: &mut SqliteConnection) -> Result<Option<sqlx::Error>, sqlx::Error> {
    sqlx::query("PRAGMA busy_timeout = 0")
        .execute(&mut *connection)
        .await?;
    let tried = sqlx::query("UPDATE _sqlx_migrations SET success = success WHERE version < 0")
        .execute(&mut *connection)
        .await;
    let restored = format!("PRAGMA busy_timeout = {}", PATIENCE.as_millis());
    sqlx::query(sqlx::AssertSqlSafe(restored))
        .execute(&mut *connection)
        .await?;
    Ok(match tried {
        Err(sqlx::Error::Database(error)) if is_read_only(&*error) => {
            Some(sqlx::Error::Database(error))
        }
        // There are no tables yet, or somebody else writes.
        _ => None,
    })
}

#[async_trait]
impl Store for SqliteStore {
    async fn purge(&self, before: UnixTime, now: UnixTime) -> Result<u64, StoreError> {
        purge::purge(self, before, now).await
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
        self.reading.close().await;
        self.finding.close().await;
        self.counts.close().await;
        self.writer.close().await;
    }
}

#[cfg(test)]
mod tests;
