//! The PostgreSQL back-end on a real server: against the conformance suite, and what
//! only happens where there are several servers and a network.

use std::{sync::Arc, time::Duration};

use sqlx::PgPool;
use vestibule_store::{PostgresStore, Store as _};

#[path = "../conformance/mod.rs"]
mod conformance;
mod faults;
mod several_servers;
mod start;
mod tls;

/// More than one, and fewer than the callers that race for them.
const CONNECTIONS: u32 = 8;

const PATIENCE: Duration = Duration::from_secs(60);

async fn open(url: &str) -> PostgresStore {
    let address = url.parse().expect("the address is good");
    let opened = PostgresStore::open(&address, CONNECTIONS).await;
    opened.expect("the database opens")
}

/// The same on a machine that does much else: what is judged is not how fast it is.
async fn open_patiently(url: &str) -> PostgresStore {
    let address = url.parse().expect("the address is good");
    let opened = PostgresStore::open_within(&address, CONNECTIONS, PATIENCE).await;
    opened.expect("the database opens")
}

async fn with_store<F: Future<Output = ()>>(check: impl FnOnce(Arc<PostgresStore>) -> F) {
    let store = open_patiently(&vestibule_test_postgres::database()).await;
    check(Arc::new(store.clone())).await;
    store.close().await;
}

conformance::conforms!(with_store);

/// The check, with another way to the same database.
async fn with_visits<F: Future<Output = ()>>(check: impl FnOnce(Arc<PostgresStore>, PgPool) -> F) {
    let url = vestibule_test_postgres::database();
    let other = PgPool::connect(&url).await.expect("the database opens");
    let store = open_patiently(&url).await;
    check(Arc::new(store.clone()), other.clone()).await;
    store.close().await;
    other.close().await;
}

/// Makes every write-back in the store one of an earlier version, of no known kind.
async fn as_before(other: &PgPool) {
    let done = sqlx::query("UPDATE write_backs SET kind = 'visit'").execute(other);
    assert!(done.await.expect("it can be changed").rows_affected() > 0);
}

conformance::conforms_after_the_upgrade!(with_visits, as_before);
