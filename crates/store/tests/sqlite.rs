//! The SQLite back-end against the conformance suite.

use std::{fs::OpenOptions, path::Path, process::Command, sync::Arc};

use sqlx::{SqlitePool, sqlite::SqliteConnectOptions};
use vestibule_store::{SqliteStore, Store as _, StoreError};

mod conformance;

async fn with_store<F: Future<Output = ()>>(check: impl FnOnce(Arc<SqliteStore>) -> F) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let store = SqliteStore::open(&folder.path().join("state.db"))
        .await
        .expect("a new database opens");
    check(Arc::new(store)).await;
}

conformance::conforms!(with_store);

/// The check, with another way to the same file.
async fn with_visits<F: Future<Output = ()>>(
    check: impl FnOnce(Arc<SqliteStore>, SqlitePool) -> F,
) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("state.db");
    let store = SqliteStore::open(&path).await.expect("it opens");
    let options = SqliteConnectOptions::new().filename(&path);
    let other = SqlitePool::connect_with(options).await.expect("it opens");
    check(Arc::new(store), other).await;
}

/// Makes every write-back in the store one of an earlier version, of no known kind.
async fn as_before(other: &SqlitePool) {
    let done = sqlx::query("UPDATE write_backs SET kind = 'visit'").execute(other);
    assert!(done.await.expect("it can be changed").rows_affected() > 0);
}

conformance::conforms_after_the_upgrade!(with_visits, as_before);

/// Files that nobody who opens them can write, until it is dropped. Who has them open may or
/// may not.
struct Protected<'a>(Vec<&'a Path>);

impl<'a> Protected<'a> {
    /// None where that is not possible here: to root modes mean nothing, and not every
    /// file can be made immutable.
    fn make(files: &[&'a Path]) -> Option<Self> {
        let protected = Self(files.to_vec());
        if !protected.change("chattr", "+i") {
            assert!(protected.change("chmod", "a-w"));
        }
        let may_write = |file: &&Path| OpenOptions::new().write(true).open(file).is_ok();
        if protected.0.iter().any(may_write) {
            eprintln!("skipped: no file here is read-only to who runs this");
            return None;
        }
        Some(protected)
    }

    fn change(&self, program: &str, how: &str) -> bool {
        let changed = Command::new(program).arg(how).args(&self.0).output();
        changed.is_ok_and(|output| output.status.success())
    }
}

impl Drop for Protected<'_> {
    fn drop(&mut self) {
        self.change("chattr", "-i");
        self.change("chmod", "u+w");
    }
}

#[tokio::test]
async fn row_18_what_was_opened_while_the_file_was_read_only_fails_no_write_afterwards() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("state.db");
    let store = SqliteStore::open(&path).await.expect("it opens");
    let log = folder.path().join("state.db-wal");
    let Some(protected) = Protected::make(&[&path, &log]) else {
        return;
    };
    // So many at once need more connections than there are.
    let several = async || {
        let mut writes = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let store = store.clone();
            writes.spawn(async move { store.ready().await });
        }
        writes.join_all().await
    };
    for _ in 0..3 {
        let failed: Vec<_> = several()
            .await
            .into_iter()
            .filter_map(Result::err)
            .collect();
        let read_only = |error: &StoreError| matches!(error, StoreError::ReadOnly);
        assert!(failed.iter().any(read_only), "{failed:?}");
        for error in failed {
            // Who has the file open may be told that it cannot be written, and waits for
            // nothing either.
            let told = error.to_string().contains("disk I/O error");
            assert!(read_only(&error) || told, "{error}");
        }
    }
    drop(protected);
    for ready in several().await {
        ready.expect("it can be written again");
    }
}

#[tokio::test]
async fn row_18_a_file_that_is_read_only_is_not_opened_and_the_error_says_why() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("state.db");
    let store = SqliteStore::open(&path).await.expect("it opens");
    store.close().await;
    let Some(protected) = Protected::make(&[&path]) else {
        return;
    };
    let opened = SqliteStore::open(&path).await;
    let error = opened.expect_err("it is read-only").to_string();
    assert!(error.contains("readonly"), "{error}");
    assert!(error.contains("state.db"), "{error}");
    drop(protected);
    let store = SqliteStore::open(&path).await.expect("it opens again");
    store.ready().await.expect("it can be written again");
}
