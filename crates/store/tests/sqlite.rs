//! The SQLite back-end against the conformance suite.

use std::sync::Arc;

use vestibule_store::SqliteStore;

mod conformance;

async fn with_store<F: Future<Output = ()>>(check: impl FnOnce(Arc<SqliteStore>) -> F) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let store = SqliteStore::open(&folder.path().join("state.db"))
        .await
        .expect("a new database opens");
    check(Arc::new(store)).await;
}

conformance::conforms!(with_store);
