//! The SQLite back-end against the conformance suite.

use std::{path::Path, process::Command, sync::Arc};

use vestibule_store::{SqliteStore, Store as _};

mod conformance;

async fn with_store<F: Future<Output = ()>>(check: impl FnOnce(Arc<SqliteStore>) -> F) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let store = SqliteStore::open(&folder.path().join("state.db"))
        .await
        .expect("a new database opens");
    check(Arc::new(store)).await;
}

conformance::conforms!(with_store);

/// Makes files such that nobody who opens them can write them; says whether that is possible
/// here. Who has them open may or may not.
fn protect(files: &[&Path], is_protected: bool) -> bool {
    let change = |program: &str, how: &str| {
        let changed = Command::new(program).arg(how).args(files).output();
        changed.is_ok_and(|output| output.status.success())
    };
    // To root modes mean nothing.
    let how = if is_protected { "+i" } else { "-i" };
    change("chattr", how) || change("chmod", if is_protected { "a-w" } else { "u+w" })
}

#[tokio::test]
async fn row_18_what_was_opened_while_the_file_was_read_only_fails_no_write_afterwards() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("state.db");
    let store = SqliteStore::open(&path).await.expect("it opens");
    let log = folder.path().join("state.db-wal");
    assert!(protect(&[&path, &log], true));
    // So many at once need more connections than there are.
    let several = async || {
        let mut writes = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let store = store.clone();
            writes.spawn(async move { store.ready().await });
        }
        writes.join_all().await
    };
    several().await;
    assert!(protect(&[&path, &log], false));
    for ready in several().await {
        ready.expect("it can be written again");
    }
}
