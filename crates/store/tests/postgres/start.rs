//! How a server begins with a database.

use vestibule_store::{PostgresAddress, PostgresStore, Profiles as _, Store as _, StoreError};
use vestibule_test_postgres::{Cluster, Durability, database};

use crate::open;

#[tokio::test(flavor = "multi_thread")]
async fn four_servers_that_start_at_once_make_the_tables_once() {
    let url = database();
    let starts: Vec<_> = (0..4)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { open(&url).await })
        })
        .collect();
    for start in starts {
        let store = start.await.expect("it starts");
        let revision = store.profiles_revision().await;
        assert_eq!(revision.expect("the tables are there"), 0);
        store.close().await;
    }
    let address: PostgresAddress = url.parse().expect("the address is good");
    let tables = PostgresStore::examine(&address).await.expect("it answers");
    assert_eq!(tables.outstanding, 0);
    assert!(!tables.newer);
}

#[tokio::test]
async fn a_database_is_examined_without_a_change() {
    let address: PostgresAddress = database().parse().expect("the address is good");
    for _ in 0..2 {
        let tables = PostgresStore::examine(&address).await.expect("it answers");
        assert!(tables.outstanding > 0, "no tables were made");
        assert!(!tables.version.is_empty());
    }
}

#[tokio::test]
async fn tables_of_a_newer_version_are_left_alone() {
    let cluster = Cluster::start(Durability::Off);
    let url = cluster.database();
    open(&url).await.close().await;
    cluster.query(
        &url,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'of the future', true, '', 0)",
    );
    let address: PostgresAddress = url.parse().expect("the address is good");
    let tables = PostgresStore::examine(&address).await.expect("it answers");
    assert!(tables.newer);
    let refused = PostgresStore::open(&address, 1).await.err();
    assert!(
        matches!(refused, Some(StoreError::Migrate(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_database_that_is_away_is_told_without_the_password() {
    let cluster = Cluster::start(Durability::Off);
    let url = cluster.database();
    cluster.kill();
    let url = url.replace("vestibule@", "vestibule:canary@");
    let address: PostgresAddress = url.parse().expect("the address is good");
    let error = PostgresStore::open(&address, 1).await.err();
    let shown = format!("{error:?} {}", error.as_ref().expect("nobody is there"));
    assert!(shown.contains("127.0.0.1"), "{shown}");
    assert!(!shown.contains("canary"), "{shown}");
}

#[tokio::test]
async fn a_store_is_shown_without_the_password() {
    let url = database().replace("vestibule@", "vestibule:canary@");
    let shown = format!("{:?}", open(&url).await);
    assert!(!shown.contains("canary"), "{shown}");
}
