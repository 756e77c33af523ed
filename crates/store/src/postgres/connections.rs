//! Connections, and who has which.
//!
//! The driver's pool asks a connection whether it lives each time that one is put back: a
//! round trip more for each operation. So those that were brought to their end as they should
//! go straight to whoever comes next, and into the pool now and then only, which sorts out
//! what has grown old.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sqlx::{Connection as _, PgConnection, PgPool, Postgres, pool::PoolConnection};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

/// How long a connection may have been unused and still be taken for alive. In such a time
/// a database is not back that went away; and what is sent to one that does not answer, while
/// its caller is told that it failed, may be done when it wakes.
pub(super) const FRESH: Duration = Duration::from_millis(5);

/// How long one goes from hand to hand before the pool has it again, and how long one may be
/// unused before it is closed: who knows what is at its other end by then.
const ROUND: Duration = Duration::from_secs(300);

/// The connections of a store. Cheap to clone; clones share them.
#[derive(Clone)]
pub(super) struct Connections {
    pub(super) pool: PgPool,
    /// One for each connection that there may be: whoever has one finds a connection that
    /// was put by, or a place for it in the pool.
    turns: Arc<Semaphore>,
    put_by: Arc<Mutex<Vec<PutBy>>>,
}

/// A connection that nobody uses.
struct PutBy {
    connection: PoolConnection<Postgres>,
    /// When it came from the pool.
    since: Instant,
    used_at: Instant,
}

/// A connection that is closed, and not put by, where the operation on it was not brought to
/// its end: it may have no other end any more, and to find that out would keep its place.
pub(super) struct InUse {
    connection: Option<PoolConnection<Postgres>>,
    since: Instant,
    connections: Connections,
    _turn: Arc<OwnedSemaphorePermit>,
}

impl PutBy {
    fn is_fresh(&self) -> bool {
        self.used_at.elapsed() < FRESH
    }

    fn is_old(&self) -> bool {
        self.used_at.elapsed() >= ROUND
    }

    /// Not by way of the pool, which would ask it whether it lives, and wait until the network
    /// gives it up.
    fn close(mut self) {
        self.connection.close_on_drop();
    }
}

impl Connections {
    /// Those of a pool, which has at most so many and tests them as it gives them out.
    pub(super) fn new(pool: PgPool, most: u32) -> Self {
        Self {
            pool,
            turns: Arc::new(Semaphore::new(most as usize)),
            put_by: Arc::default(),
        }
    }

    /// A connection, as soon as there is one. One that was used a moment ago is not asked
    /// whether it lives, unless `doubted`.
    pub(super) async fn acquire(&self, doubted: bool) -> Result<InUse, sqlx::Error> {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = Arc::new(turn.map_err(|_| sqlx::Error::PoolClosed)?);
        loop {
            let last = self.put_by().pop();
            let last = match last {
                Some(old) if old.is_old() => {
                    old.close();
                    continue;
                }
                last => last,
            };
            let is_fresh = last.as_ref().is_none_or(PutBy::is_fresh);
            let (connection, since) = match last {
                Some(last) => (last.connection, last.since),
                None => (self.pooled().await?, Instant::now()),
            };
            // From here on it is closed by whoever stops waiting.
            let mut in_use = InUse {
                connection: Some(connection),
                since,
                connections: self.clone(),
                _turn: Arc::clone(&turn),
            };
            if is_fresh && !doubted || in_use.connection().ping().await.is_ok() {
                return Ok(in_use);
            }
        }
    }

    async fn pooled(&self) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        match self.pool.acquire().await {
            Err(sqlx::Error::Io(_)) => self.pool.acquire().await,
            acquired => acquired,
        }
    }

    /// Closes them, once nobody uses them any more.
    pub(super) async fn close(&self) {
        // From here on none is put by.
        let closing = self.pool.close();
        drop(mem::take(&mut *self.put_by()));
        closing.await;
    }

    fn put_by(&self) -> MutexGuard<'_, Vec<PutBy>> {
        self.put_by.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InUse {
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        self.connection
            .as_mut()
            .expect("it is taken at its end only")
    }

    /// The operation was brought to its end: somebody else may have the connection.
    pub(super) fn done(mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        // A transaction that was dropped is still open then, with its locks: the pool ends it
        // at once.
        let is_open = connection.should_flush();
        let is_round_over = self.since.elapsed() >= ROUND;
        let mut put_by = self.connections.put_by();
        put_by
            .extract_if(.., |old| old.is_old())
            .for_each(PutBy::close);
        if is_open || is_round_over || self.connections.pool.is_closed() {
            return;
        }
        put_by.push(PutBy {
            connection,
            since: self.since,
            used_at: Instant::now(),
        });
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        if let Some(connection) = &mut self.connection {
            connection.close_on_drop();
        }
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Row as _;
    use tokio::time;

    use super::*;
    use crate::{PostgresAddress, PostgresStore, Store as _};

    async fn opened(connections: u32) -> (PostgresAddress, PostgresStore) {
        let address = vestibule_test_postgres::database().parse().unwrap();
        let store = PostgresStore::open(&address, connections).await.unwrap();
        (address, store)
    }

    /// What the server calls the connection.
    async fn number(in_use: &mut InUse) -> i32 {
        let query = sqlx::query("SELECT pg_backend_pid() AS pid");
        let row = query.fetch_one(in_use.connection()).await.unwrap();
        row.get("pid")
    }

    #[tokio::test]
    async fn a_connection_goes_from_one_operation_to_the_next() {
        let (_, store) = opened(1).await;
        let mut first = store.connections.acquire(false).await.unwrap();
        let before = number(&mut first).await;
        first.done();
        assert_eq!(store.connections.pool.num_idle(), 0, "not by the pool");
        let mut second = store.connections.acquire(true).await.unwrap();
        assert_eq!(number(&mut second).await, before);
        // Not brought to its end, it is given to nobody.
        drop(second);
        let mut third = store.connections.acquire(false).await.unwrap();
        assert_ne!(number(&mut third).await, before);
    }

    #[tokio::test]
    async fn a_transaction_that_was_dropped_keeps_no_lock() {
        let (_, store) = opened(2).await;
        let lock = sqlx::query("LOCK TABLE buckets IN EXCLUSIVE MODE");
        let mut first = store.connections.acquire(false).await.unwrap();
        let mut transaction = first.connection().begin().await.unwrap();
        lock.execute(&mut *transaction).await.unwrap();
        drop(transaction);
        let mut second = store.connections.acquire(false).await.unwrap();
        first.done();
        let add = sqlx::query("INSERT INTO buckets (key, full_at) VALUES (sha256('a'), 0)");
        add.execute(second.connection()).await.unwrap();
    }

    #[tokio::test]
    async fn a_connection_that_broke_while_nobody_used_it_is_replaced() {
        let (address, store) = opened(1).await;
        let mut first = store.connections.acquire(false).await.unwrap();
        let pid = number(&mut first).await;
        first.done();
        // One that has no deadline.
        let mut other = PgConnection::connect_with(address.options()).await.unwrap();
        let mut end = async |pid: i32| {
            let end = sqlx::query("SELECT pg_terminate_backend($1, 60000)").bind(pid);
            end.execute(&mut other).await.unwrap();
        };
        end(pid).await;
        let mut next = store.connections.acquire(true).await.unwrap();
        let pid_of_next = number(&mut next).await;
        assert_ne!(pid_of_next, pid);
        next.done();
        end(pid_of_next).await;
        // Where nobody doubts it, the operation finds out, and is done again.
        store.ready().await.unwrap();
    }

    #[tokio::test]
    async fn a_connection_that_nobody_has_used_for_long_is_not_used_again() {
        let (_, store) = opened(1).await;
        let mut first = store.connections.acquire(false).await.unwrap();
        let before = number(&mut first).await;
        first.done();
        // Nothing else goes by this clock meanwhile.
        time::pause();
        time::advance(ROUND).await;
        time::resume();
        let mut second = store.connections.acquire(false).await.unwrap();
        assert_ne!(number(&mut second).await, before);
    }

    #[tokio::test]
    async fn what_was_put_by_is_closed_with_the_store() {
        let (_, store) = opened(2).await;
        let first = store.connections.acquire(false).await.unwrap();
        store.connections.acquire(false).await.unwrap().done();
        let closing = store.close();
        let ending = async {
            tokio::task::yield_now().await;
            first.done();
        };
        tokio::join!(closing, ending);
        assert_eq!(store.connections.pool.size(), 0);
        assert!(store.ready().await.is_err());
    }
}
