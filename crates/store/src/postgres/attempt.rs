//! One operation on the database: its deadline, and a second attempt where the first was
//! cut off.

use std::time::Duration;

use sqlx::postgres::{PgDatabaseError, PgSeverity};
use tokio::time::{Instant, timeout_at};

use super::{PostgresStore, connections::InUse};
use crate::StoreError;

/// When an operation is done again after the connection was lost, or the server ended,
/// under it: nobody knows then whether it was committed. Where the server says that it
/// was not (a serialisation failure, a deadlock), or nothing had been sent, every
/// operation is done again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// To do it twice does no harm: it reads, or changes only what the first attempt has
    /// left as it was.
    Always,
    /// To do it twice would be seen.
    WhenUndone,
}

/// Which attempt at an operation this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    /// The first one.
    First,
    /// The second one: the first may have been committed.
    Second,
}

/// Does an operation, a second attempt included: `run!(store, again, |connection, attempt|
/// { … })`. It stands for a function that takes a closure: of such a function the compiler
/// cannot tell that what it awaits may move between threads.
///
/// `run!(store, again, patience, …)` has another deadline than the store's usual one.
macro_rules! run {
    ($store:expr, $again:expr, |$connection:ident, $attempt:pat_param| $operation:block) => {
        $crate::postgres::attempt::run!($store, $again, $store.patience, |$connection, $attempt| {
            $operation
        })
    };
    (
        $store:expr,
        $again:expr,
        $patience:expr,
        |$connection:ident, $attempt:pat_param| $operation:block
    ) => {{
        let mut run = $crate::postgres::attempt::Run::new($store, $again, $patience);
        loop {
            let mut pooled = match run.connection().await {
                Ok(pooled) => pooled,
                Err(error) => break Err(error),
            };
            let $attempt = run.attempt();
            let done = {
                let $connection: &mut sqlx::PgConnection = pooled.connection();
                run.within(async { $operation }).await
            };
            if let Some(done) = run.settle(done, pooled) {
                break done;
            }
        }
    }};
}
pub(super) use run;

/// An operation that is being done, within its deadline from the wait for a connection to
/// the last answer, a second attempt included.
pub(super) struct Run<'a> {
    store: &'a PostgresStore,
    again: Again,
    attempt: Attempt,
    deadline: Instant,
}

impl<'a> Run<'a> {
    pub(super) fn new(store: &'a PostgresStore, again: Again, patience: Duration) -> Self {
        Self {
            store,
            again,
            attempt: Attempt::First,
            deadline: Instant::now() + patience,
        }
    }

    pub(super) fn attempt(&self) -> Attempt {
        self.attempt
    }

    /// A connection of the pool. Nothing has been sent yet: where there was none to be
    /// had because one broke, another one is asked for. Whoever finds too many waiting is
    /// turned away at once.
    pub(super) async fn connection(&self) -> Result<InUse, StoreError> {
        let place = self.store.places.try_acquire();
        let _place = place.map_err(|_| StoreError::TooSlow)?;
        // Where one connection broke the others may have as well, a moment after they were
        // used.
        let doubted = self.attempt == Attempt::Second;
        let acquire = async { Ok(self.store.connections.acquire(doubted).await?) };
        let acquired = self.within(acquire).await;
        acquired.unwrap_or(Err(StoreError::TooSlow))
    }

    /// What becomes of an operation until the time is over.
    pub(super) async fn within<T>(
        &self,
        operation: impl Future<Output = Result<T, StoreError>>,
    ) -> Option<Result<T, StoreError>> {
        timeout_at(self.deadline, operation).await.ok()
    }

    /// What the operation came to; `None` where it is to be done again.
    pub(super) fn settle<T>(
        &mut self,
        done: Option<Result<T, StoreError>>,
        in_use: InUse,
    ) -> Option<Result<T, StoreError>> {
        let Some(done) = done else {
            return Some(Err(StoreError::TooSlow));
        };
        let error = match &done {
            Err(StoreError::Unavailable(error)) => error,
            Err(StoreError::ReadOnly) => return Some(done),
            Ok(_) | Err(_) => {
                in_use.done();
                return Some(done);
            }
        };
        if is_of_the_statement(error) {
            in_use.done();
        }
        if self.attempt == Attempt::Second || !allows(self.again, error) {
            return Some(done);
        }
        self.attempt = Attempt::Second;
        None
    }
}

/// Whether an operation that failed may be done again.
fn allows(again: Again, error: &sqlx::Error) -> bool {
    match loss(error) {
        Some(Loss::Undone) => true,
        Some(Loss::Unknown) => again == Again::Always,
        None => false,
    }
}

/// What became of a transaction that another attempt could mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    /// The server has undone it.
    Undone,
    /// Nobody knows.
    Unknown,
}

/// By SQLSTATE: 40001 serialization_failure, 40P01 deadlock_detected; class 08 (connection
/// exceptions), 57P01 admin_shutdown, 57P02 crash_shutdown, 57P03 cannot_connect_now, and
/// 25006 read_only_sql_transaction.
fn loss(error: &sqlx::Error) -> Option<Loss> {
    match error {
        sqlx::Error::Io(_) => Some(Loss::Unknown),
        sqlx::Error::Database(error) => match error.code()?.as_ref() {
            "40001" | "40P01" | "25006" => Some(Loss::Undone),
            "57P01" | "57P02" | "57P03" => Some(Loss::Unknown),
            code if code.starts_with("08") => Some(Loss::Unknown),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the next statement may do better by the same connection. It will not where the
/// server ends it (its severity is FATAL then) or was the primary before a fail-over (25006).
fn is_of_the_statement(error: &sqlx::Error) -> bool {
    let error = error.as_database_error();
    let error = error.and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    error.is_some_and(|error| error.severity() == PgSeverity::Error && error.code() != "25006")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_have_been_committed_is_done_again_only_where_that_does_no_harm() {
        let error = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
        let lost = sqlx::Error::Io(error);
        assert!(allows(Again::Always, &lost));
        assert!(!allows(Again::WhenUndone, &lost));
        assert!(!allows(Again::Always, &sqlx::Error::PoolTimedOut));
        assert!(!allows(Again::Always, &sqlx::Error::RowNotFound));
    }
}
