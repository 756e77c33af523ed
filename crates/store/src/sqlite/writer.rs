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
    Execute as _, SqlStr, Sqlite, SqlitePool,
    query::Query,
    sqlite::{SqliteArguments, SqliteRow},
};
use tokio::sync::oneshot;

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

    /// Commits what was asked for; one by one where that cannot be done at once, so that
    /// each caller learns of what is wrong with their own.
    async fn commit(&self, together: Vec<Asked>) {
        let mut rest = match self.try_commit(&together).await {
            Ok(rows) => return answer(together, rows),
            Err(Failed::Within(_)) if together.len() > 1 => together.into_iter(),
            Err(Failed::Within(error) | Failed::Before(error)) => return refuse(together, error),
        };
        while let Some(one) = rest.next() {
            let one = [one];
            match self.try_commit(&one).await {
                Ok(rows) => answer(one, rows),
                Err(Failed::Within(error)) => refuse(one, error),
                Err(Failed::Before(error)) => return refuse(one.into_iter().chain(rest), error),
            }
        }
    }

    async fn try_commit(&self, together: &[Asked]) -> Result<Vec<Vec<SqliteRow>>, Failed> {
        let mut connection = self.pool.acquire().await.map_err(Failed::Before)?;
        let _turn = self.turn.lock().await;
        if let [alone] = together
            && !alone.are_several
        {
            // A statement is a transaction by itself.
            let rows = alone.query().fetch_all(&mut *connection).await;
            let rows = rows.map_err(|error| match error {
                sqlx::Error::Database(refusal) if is_busy(&*refusal) => {
                    Failed::Before(sqlx::Error::Database(refusal))
                }
                error => Failed::Within(error),
            });
            return Ok(vec![rows?]);
        }
        let beginning = sqlx::Connection::begin_with(&mut *connection, "BEGIN IMMEDIATE");
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
}

impl Asked {
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
        while let Some(together) = self.next() {
            self.writer.commit(together).await;
        }
    }

    /// What is to be committed next.
    fn next(&mut self) -> Option<Vec<Asked>> {
        let mut queue = self.writer.queue();
        let late = |asked: &mut Asked| asked.at.elapsed() >= PATIENCE;
        refuse(queue.asked.extract_if(.., late), sqlx::Error::PoolTimedOut);
        queue.asked.retain(|asked| !asked.answer.is_closed());
        let many = queue.asked.len().min(MOST);
        self.is_done = many == 0;
        queue.is_attended = !self.is_done;
        (many > 0).then(|| queue.asked.drain(..many).collect())
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
