use std::{fs, future::poll_fn, pin::Pin, task::Poll};

use sqlx::{ConnectOptions as _, Row as _, sqlite::SqliteConnectOptions};

use super::*;
use crate::{SqliteStore, Store as _};

type Writing<'a> = Pin<Box<dyn Future<Output = Result<Vec<SqliteRow>, StoreError>> + 'a>>;

/// A new store, and the folder of its file.
async fn opened() -> (tempfile::TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("state.db")).await;
    (folder, store.unwrap())
}

/// Adds a row. Its key must have 32 bytes.
fn insert(key: &[u8]) -> Query<'static, Sqlite, SqliteArguments> {
    let query = "INSERT INTO buckets (key, full_at) VALUES (?1, 0) RETURNING full_at";
    sqlx::query(query).bind(key.to_vec())
}

fn key(number: u8) -> [u8; 32] {
    [number; 32]
}

/// Asks for all of it before any of it is begun: the tests run on one thread.
async fn asked_at_once<'a>(writer: &'a Writer, keys: &[&[u8]]) -> Vec<Writing<'a>> {
    let writing = |key: &&[u8]| Box::pin(writer.write(insert(key))) as Writing<'a>;
    let mut all: Vec<_> = keys.iter().map(writing).collect();
    poll_fn(|context| {
        for one in &mut all {
            assert!(one.as_mut().poll(context).is_pending());
        }
        Poll::Ready(())
    })
    .await;
    all
}

/// What there is to be had without waiting.
async fn polled(writing: &mut Writing<'_>) -> Poll<Result<Vec<SqliteRow>, StoreError>> {
    poll_fn(|context| Poll::Ready(writing.as_mut().poll(context))).await
}

/// The first bytes of the keys that are there.
async fn kept(store: &SqliteStore) -> Vec<u8> {
    let keys = sqlx::query("SELECT key FROM buckets ORDER BY key");
    let rows = keys.fetch_all(&store.finding).await.unwrap();
    rows.iter()
        .map(|row| row.get::<Vec<u8>, _>("key")[0])
        .collect()
}

#[tokio::test]
async fn what_many_ask_for_at_the_same_time_is_committed_at_once() {
    let (folder, store) = opened().await;
    let log = folder.path().join("state.db-wal");
    store.ready().await.unwrap();
    let before = fs::metadata(&log).unwrap().len();
    let keys: Vec<_> = (0..30).map(key).collect();
    let keys: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
    for writing in asked_at_once(&store.writer, &keys).await {
        assert_eq!(writing.await.unwrap().len(), 1);
    }
    assert_eq!(kept(&store).await.len(), 30);
    // A commit writes each page that it has changed into the log, and these are few.
    let pages = (fs::metadata(&log).unwrap().len() - before) / 4_096;
    assert!((1..10).contains(&pages), "{pages} pages");
}

#[tokio::test]
async fn what_cannot_be_done_is_no_matter_to_those_beside_it() {
    let (_folder, store) = opened().await;
    let keys: [&[u8]; 4] = [&key(1), b"too short", &key(1), &key(2)];
    let mut outcomes = Vec::new();
    for writing in asked_at_once(&store.writer, &keys).await {
        outcomes.push(writing.await.map_err(|error| error.to_string()));
    }
    assert!(outcomes[0].is_ok());
    let reasons = ["CHECK constraint failed", "UNIQUE constraint failed"];
    for (outcome, reason) in outcomes[1..3].iter().zip(reasons) {
        let error = outcome.as_ref().err().unwrap();
        assert!(error.contains(reason), "{error}");
    }
    assert!(outcomes[3].is_ok());
    assert_eq!(kept(&store).await, [1, 2]);
}

#[tokio::test]
async fn of_several_statements_all_are_done_or_none() {
    let (_folder, store) = opened().await;
    let both = |first: u8, second: &[u8]| {
        let query = "INSERT INTO buckets (key, full_at) VALUES ($1, 0);
             INSERT INTO buckets (key, full_at) VALUES ($2, 0)";
        let query = sqlx::query(query).bind(key(first).to_vec());
        store.writer.write_all(query.bind(second.to_vec()))
    };
    both(1, b"too short").await.unwrap_err();
    assert!(kept(&store).await.is_empty());
    both(1, &key(2)).await.unwrap();
    assert_eq!(kept(&store).await, [1, 2]);
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_not_begun() {
    let (_folder, store) = opened().await;
    let mut all = asked_at_once(&store.writer, &[&key(1), &key(2), &key(3)]).await;
    drop(all.remove(1));
    for writing in all {
        writing.await.unwrap();
    }
    assert_eq!(kept(&store).await, [1, 3]);
}

#[tokio::test]
async fn what_is_given_up_while_the_connection_is_in_use_is_not_begun() {
    let (_folder, store) = opened().await;
    let held = store.pool.acquire().await.unwrap();
    let mut all = asked_at_once(&store.writer, &[&key(1), &key(2)]).await;
    // Somebody waits for the connection for both.
    tokio::task::yield_now().await;
    drop(all.remove(0));
    drop(held);
    all.remove(0).await.unwrap();
    assert_eq!(kept(&store).await, [2]);
}

#[tokio::test]
async fn where_another_program_writes_all_learn_of_it_at_once_and_can_try_again() {
    let (folder, store) = opened().await;
    let other = SqliteConnectOptions::new().filename(folder.path().join("state.db"));
    let mut other = other.connect().await.unwrap();
    let held = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let mut all = asked_at_once(&store.writer, &[&key(1), &key(2)]).await;
    let first = all.remove(0).await;
    // Whoever waits for the second has waited already.
    let Poll::Ready(second) = polled(&mut all[0]).await else {
        panic!("it waits by itself");
    };
    for refused in [first, second] {
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("database is locked"), "{error}");
    }
    held.rollback().await.unwrap();
    store.writer.write(insert(&key(3))).await.unwrap();
    assert_eq!(kept(&store).await, [3]);
}

#[tokio::test]
async fn writers_beside_each_other_take_turns() {
    let (folder, store) = opened().await;
    store.counts.write(insert(&key(0))).await.unwrap();
    let is_idle = || store.counts.pool.num_idle() == 1;
    while !is_idle() {
        tokio::task::yield_now().await;
    }
    let turn = store.writer.turn.lock().await;
    let mut counting = asked_at_once(&store.counts, &[&key(1)]).await;
    // It has its connection, and would have time enough to write.
    while is_idle() {
        tokio::task::yield_now().await;
    }
    for _ in 0..10 {
        assert_eq!(kept(&store).await, [0]);
    }
    assert!(polled(&mut counting[0]).await.is_pending());
    let other = SqliteConnectOptions::new().filename(folder.path().join("state.db"));
    let mut other = other.connect().await.unwrap();
    let held = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    held.rollback().await.unwrap();
    drop(turn);
    counting.remove(0).await.unwrap();
    assert_eq!(kept(&store).await, [0, 1]);
}

#[tokio::test]
async fn what_is_not_begun_in_time_is_refused_and_so_are_too_many() {
    let (_folder, store) = opened().await;
    let held = store.pool.acquire().await.unwrap();
    let keys = vec![&[7; 32][..]; MOST_WAITING];
    let mut all = asked_at_once(&store.writer, &keys).await;
    let too_many = store.writer.write(insert(&key(1))).await.unwrap_err();
    assert!(too_many.to_string().contains("timed out"), "{too_many}");
    // The attendant waits for the connection as long as everybody else may.
    let last = all.pop().unwrap().await.unwrap_err();
    assert!(last.to_string().contains("timed out"), "{last}");
    drop(all);
    drop(held);
    store.writer.write(insert(&key(2))).await.unwrap();
    assert_eq!(kept(&store).await, [2]);
}

#[test]
fn nobody_waits_for_ever_where_the_program_stops_and_the_next_is_served() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let (first, second) = (runtime(), runtime());
    let (_folder, store) = second.block_on(opened());
    let held = second.block_on(store.pool.acquire()).unwrap();
    // It takes what is asked first, and waits for the connection.
    let mut all = first.block_on(async {
        let mut all = asked_at_once(&store.writer, &[&key(1)]).await;
        tokio::task::yield_now().await;
        all.extend(asked_at_once(&store.writer, &[&key(2)]).await);
        all
    });
    drop(first);
    second.block_on(async {
        for writing in all.drain(..) {
            let error = writing.await.unwrap_err();
            assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        }
        drop(held);
        store.writer.write(insert(&key(3))).await.unwrap();
        assert_eq!(kept(&store).await, [3]);
    });
}
