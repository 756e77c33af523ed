//! The one connection that writes.
//!
//! A file takes one write at a time, and each commit waits for the disk: what many callers
//! ask for at the same time is committed at once. So it is with the steps of a launch, and
//! with counts.

use std::{
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use sqlx::{
    Connection as _, Execute as _, SqlStr, Sqlite, SqliteConnection, SqlitePool,
    pool::PoolConnection,
    query::Query,
    sqlite::{SqliteArguments, SqliteRow},
};
use tokio::{sync::oneshot, time::timeout};

use super::PATIENCE;
use crate::{StoreError, store::is_busy};

/// Most statements that are committed at once: their callers wait for each other.
const MOST: usize = 64;

/// Most callers that wait. More would wait in vain: see [`PATIENCE`].
const MOST_WAITING: usize = 4_096;

/// Writes what callers ask for, in the order in which they ask. Cheap to clone; clones are
/// the same writer.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    /// A pool of one connection.
    pool: SqlitePool,
    queue: Arc<Mutex<Queue>>,
    /// Whoever of two writers holds it writes: in SQLite they would wait for each other longer,
    /// and without an order.
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Queue {
    asked: Vec<Asked>,
    /// Whether somebody takes care of it.
    is_attended: bool,
}

/// A caller's statements.
struct Asked {
    at: Instant,
    are_several: bool,
    sql: SqlStr,
    arguments: SqliteArguments,
    answer: oneshot::Sender<Result<Vec<SqliteRow>, Arc<sqlx::Error>>>,
}

/// Why statements are not committed.
enum Failed {
    /// None of them was looked at.
    Before(sqlx::Error),
    /// One of them may be the reason.
    Within(sqlx::Error),
}

impl Writer {
    /// A writer with the connection of this pool.
    pub(super) fn new(pool: SqlitePool) -> Self {
        Self {
            pool,
            queue: Arc::default(),
            turn: Arc::default(),
        }
    }

    /// Another writer for the same file, with the connection of this pool. They take turns.
    pub(super) fn beside(&self, pool: SqlitePool) -> Self {
        Self {
            pool,
            queue: Arc::default(),
            turn: Arc::clone(&self.turn),
        }
    }

    /// Runs a statement, and gives the rows that it returns. Then it is committed. Whoever
    /// stops waiting before it is begun has it not done.
    ///
    /// # Errors
    /// Where SQLite cannot do or commit it, or it was not begun for too long. Then it is not
    /// done, unless the error is that the program stops.
    pub(super) async fn write(
        &self,
        query: Query<'static, Sqlite, SqliteArguments>,
    ) -> Result<Vec<SqliteRow>, StoreError> {
        self.ask(query, false).await
    }

    /// The same, of several statements of which all are done or none.
    ///
    /// They have their parameters as `$1`: of those as `?1`, the driver counts what a
    /// statement leaves out.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub(super) async fn write_all(
        &self,
        query: Query<'static, Sqlite, SqliteArguments>,
    ) -> Result<Vec<SqliteRow>, StoreError> {
        self.ask(query, true).await
    }

    async fn ask(
        &self,
        mut query: Query<'static, Sqlite, SqliteArguments>,
        are_several: bool,
    ) -> Result<Vec<SqliteRow>, StoreError> {
        let arguments = query.take_arguments().map_err(sqlx::Error::Encode)?;
        let (answer, answered) = oneshot::channel();
        let asked = Asked {
            at: Instant::now(),
            are_several,
            sql: query.sql(),
            arguments: arguments.unwrap_or_default(),
            answer,
        };
        let was_attended = {
            let mut queue = self.queue();
            if queue.asked.len() >= MOST_WAITING {
                return Err(sqlx::Error::PoolTimedOut.into());
            }
            queue.asked.push(asked);
            mem::replace(&mut queue.is_attended, true)
        };
        if !was_attended {
            // Not here: whoever asks first may stop waiting while others still do.
            let attendant = Attendant {
                writer: self.clone(),
                is_done: false,
            };
            tokio::spawn(attendant.attend());
        }
        let stopped = |_| Err(Arc::new(sqlx::Error::WorkerCrashed));
        Ok(answered.await.unwrap_or_else(stopped)?)
    }

    /// Closes the connection, once nobody uses it any more.
    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection, and the turn to write by it.
    async fn ready(
        &self,
    ) -> Result<(PoolConnection<Sqlite>, tokio::sync::MutexGuard<'_, ()>), sqlx::Error> {
        let ready = async { Ok((self.pool.acquire().await?, self.turn.lock().await)) };
        let ready = timeout(PATIENCE, ready).await;
        ready.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }
}

/// Commits what was asked for; one by one where that cannot be done at once, so that each
/// caller learns of what is wrong with their own.
async fn commit(connection: &mut SqliteConnection, together: Vec<Asked>) {
    let rest = match try_commit(connection, &together).await {
        Ok(rows) => return answer(together, rows),
        Err(Failed::Within(_)) if together.len() > 1 => together,
        Err(Failed::Within(error) | Failed::Before(error)) => return refuse(together, error),
    };
    let mut rest = rest.into_iter();
    while let Some(one) = rest.next() {
        if one.answer.is_closed() {
            continue;
        }
        if one.is_late() {
            refuse([one], sqlx::Error::PoolTimedOut);
            continue;
        }
        let one = [one];
        match try_commit(connection, &one).await {
            Ok(rows) => answer(one, rows),
            Err(Failed::Within(error)) => refuse(one, error),
            Err(Failed::Before(error)) => return refuse(one.into_iter().chain(rest), error),
        }
    }
}

async fn try_commit(
    connection: &mut SqliteConnection,
    together: &[Asked],
) -> Result<Vec<Vec<SqliteRow>>, Failed> {
    if let [alone] = together
        && !alone.are_several
    {
        // A statement is a transaction by itself.
        let rows = alone.query().fetch_all(connection).await;
        let rows = rows.map_err(|error| match error {
            sqlx::Error::Database(refusal) if is_busy(&*refusal) => {
                Failed::Before(sqlx::Error::Database(refusal))
            }
            error => Failed::Within(error),
        });
        return Ok(vec![rows?]);
    }
    let beginning = connection.begin_with("BEGIN IMMEDIATE");
    let mut transaction = beginning.await.map_err(Failed::Before)?;
    let mut rows = Vec::with_capacity(together.len());
    for asked in together {
        let query = asked.query();
        rows.push(
            query
                .fetch_all(&mut *transaction)
                .await
                .map_err(Failed::Within)?,
        );
    }
    transaction.commit().await.map_err(Failed::Within)?;
    Ok(rows)
}

impl Asked {
    /// Whether its caller has waited as long as anybody may.
    fn is_late(&self) -> bool {
        self.at.elapsed() >= PATIENCE
    }

    fn query(&self) -> Query<'static, Sqlite, SqliteArguments> {
        sqlx::query_with(self.sql.clone(), self.arguments.clone())
    }
}

/// Shows nothing of what is written.
impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asked = self.asked.len();
        f.debug_struct("Queue").field("asked", &asked).finish()
    }
}

fn answer(asked: impl IntoIterator<Item = Asked>, rows: Vec<Vec<SqliteRow>>) {
    for (asked, rows) in asked.into_iter().zip(rows) {
        // Whoever has stopped waiting has it done all the same.
        let _ = asked.answer.send(Ok(rows));
    }
}

fn refuse(asked: impl IntoIterator<Item = Asked>, error: sqlx::Error) {
    let error = Arc::new(error);
    for asked in asked {
        let _ = asked.answer.send(Err(Arc::clone(&error)));
    }
}

/// Takes care of a queue until nothing is in it.
struct Attendant {
    writer: Writer,
    is_done: bool,
}

impl Attendant {
    async fn attend(mut self) {
        while self.is_needed() {
            match self.writer.ready().await {
                // Only now: until then its callers may give it up, and others come along.
                Ok((mut connection, _turn)) => {
                    let together = self.writer.queue().next();
                    if !together.is_empty() {
                        commit(&mut connection, together).await;
                    }
                }
                // Who has waited for as long is refused, and not who has just come.
                Err(sqlx::Error::PoolTimedOut) => {}
                Err(error) => refuse(mem::take(&mut self.writer.queue().asked), error),
            }
        }
    }

    /// Whether anything is asked for; otherwise it is not the attendant any more.
    fn is_needed(&mut self) -> bool {
        let mut queue = self.writer.queue();
        queue.shed();
        self.is_done = queue.asked.is_empty();
        queue.is_attended = !self.is_done;
        !self.is_done
    }
}

impl Queue {
    /// Refuses what has waited for too long, and forgets what nobody waits for any more.
    fn shed(&mut self) {
        let late = self.asked.extract_if(.., |asked| asked.is_late());
        refuse(late, sqlx::Error::PoolTimedOut);
        self.asked.retain(|asked| !asked.answer.is_closed());
    }

    /// What is to be committed next.
    fn next(&mut self) -> Vec<Asked> {
        self.shed();
        let many = self.asked.len().min(MOST);
        self.asked.drain(..many).collect()
    }
}

/// Where its runtime ends it before it is done, nobody waits for ever.
impl Drop for Attendant {
    fn drop(&mut self) {
        if !self.is_done {
            *self.writer.queue() = Queue::default();
        }
    }
}

#[cfg(test)]
mod tests;
