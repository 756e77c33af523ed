//! A database that goes away, breaks connections or does not answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{Connection as _, PgConnection};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use vestibule_store::{
    AttemptLimit, Begun, Completed, Consumed, Launches as _, LimitKey, Limits as _, PostgresStore,
    Profiles as _, Sessions as _, Store as _, StoreError,
};
use vestibule_test_postgres::{Cluster, Durability};

use crate::{
    open,
    several_servers::{NOW, PROFILE, appointment, completion, consume, launch, request_id},
};

/// Only against hanging for ever: the machine may be busy.
const GENEROUS: Duration = Duration::from_secs(30);

async fn began(store: &PostgresStore, number: u32) {
    let begun = store.begin_launch(launch(number, number), NOW).await;
    assert_eq!(begun.expect("the store begins a launch"), Begun::New);
}

/// Waits until a connection of the database waits for a lock, and gives its number.
async fn blocked(connection: &mut PgConnection) -> i32 {
    let begun = Instant::now();
    loop {
        let waits: Option<i32> = sqlx::query_scalar(
            "SELECT pid FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock' LIMIT 1",
        )
        .fetch_optional(&mut *connection)
        .await
        .expect("the server answers");
        if let Some(pid) = waits {
            return pid;
        }
        assert!(begun.elapsed() < GENEROUS, "nobody waits for a lock");
        tokio::task::yield_now().await;
    }
}

/// Calls an operation, breaks its connection while it waits for a lock on the launch of
/// this number, and gives what the caller gets.
async fn broken_off<T: Send + 'static>(
    url: &str,
    number: u32,
    operation: impl Future<Output = T> + Send + 'static,
) -> T {
    let connect = PgConnection::connect(url);
    let mut holder = connect.await.expect("the server answers");
    let mut watcher = PgConnection::connect(url).await.expect("it answers");
    let mut held = holder.begin().await.expect("it begins");
    sqlx::query("SELECT 1 FROM launches WHERE request_id = $1 FOR UPDATE")
        .bind(request_id(number).as_bytes().as_slice())
        .execute(&mut *held)
        .await
        .expect("the row is there");
    let caller = tokio::spawn(operation);
    let pid = blocked(&mut watcher).await;
    sqlx::query("SELECT pg_terminate_backend($1)")
        .bind(pid)
        .execute(&mut watcher)
        .await
        .expect("it is ended");
    held.rollback().await.expect("it lets go");
    caller.await.expect("it does not panic")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_whose_connection_breaks_is_done_on_another_one() {
    let cluster = Cluster::start(Durability::Off);
    let url = cluster.database();
    let store = open(&url).await;
    began(&store, 1).await;
    let one = store.clone();
    let consumed = broken_off(&url, 1, async move { consume(&one, 1).await }).await;
    assert!(matches!(consumed, Consumed::Now(_)), "{consumed:?}");
    assert_eq!(consume(&store, 1).await, Consumed::Before);

    let here = appointment(&store, 1).await;
    let one = store.clone();
    let completed = broken_off(&url, 1, async move {
        one.complete_launch(completion(1, here), NOW).await
    });
    assert_eq!(completed.await.expect("it completes"), Completed::Now);
    let session = store.find_session(request_id(1)).await;
    assert!(session.expect("it answers").is_some(), "stored with it");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_connection_that_broke_is_replaced() {
    let cluster = Cluster::start(Durability::Off);
    let url = cluster.database();
    let store = open(&url).await;
    let many = || async {
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { store.profiles_revision().await })
            })
            .collect();
        for task in tasks {
            let revision = task.await.expect("it does not panic");
            assert_eq!(revision.expect("it answers"), 0);
        }
    };
    many().await;
    cluster.query(
        &url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    many().await;
}

/// What would be done twice is not tried again by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_broke_is_no_matter_to_the_next_caller() {
    let cluster = Cluster::start(Durability::Off);
    let url = cluster.database();
    let address = url.parse().expect("the address is good");
    let store = PostgresStore::open(&address, 1).await;
    let store = store.expect("the database opens");
    let limit = AttemptLimit {
        most: 9,
        window: Duration::from_secs(60),
    };
    let attempt = || store.attempt(LimitKey::from_bytes([1; 32]), limit, NOW);
    attempt().await.expect("it is counted");
    cluster.query(
        &url,
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    // This one finds out, unless somebody looked before.
    let _ = attempt().await;
    attempt().await.expect("it is counted");
}

/// A way to the database on which connections can be lost without a word: both ends stay
/// open, and nothing comes through any more. Gives its port.
async fn lossy(to: u16, lost: watch::Sender<()>) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await;
    let listener = listener.expect("it has a port");
    let port = listener.local_addr().expect("it has a port").port();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut lost = lost.subscribe();
            tokio::spawn(async move {
                let mut far = TcpStream::connect(("127.0.0.1", to)).await?;
                tokio::select! {
                    through = copy_bidirectional(&mut near, &mut far) => through.map(|_| ()),
                    _ = lost.changed() => std::future::pending().await,
                }
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_were_lost_without_a_word_are_replaced() {
    let cluster = Cluster::start(Durability::Off);
    let url = cluster.database();
    let (before, rest) = url.split_once("127.0.0.1:").expect("it is local");
    let (port, rest) = rest.split_once('/').expect("it names a database");
    let (lost, _) = watch::channel(());
    let port = lossy(port.parse().expect("it is a port"), lost.clone()).await;
    let address = format!("{before}127.0.0.1:{port}/{rest}");
    let address = address.parse().expect("the address is good");
    let store = PostgresStore::open_within(&address, 1, Duration::from_secs(1)).await;
    let store = store.expect("the database opens");
    began(&store, 1).await;
    lost.send(()).expect("a connection is open");
    let begun = Instant::now();
    while store.find_launch(request_id(1)).await.is_err() {
        assert!(begun.elapsed() < GENEROUS, "its place is lost too");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_fails_and_comes_back_without_a_restart() {
    let cluster = Cluster::start(Durability::Off);
    let store = open(&cluster.database()).await;
    began(&store, 1).await;
    cluster.kill();
    let begun = Instant::now();
    let away = store.find_launch(request_id(1)).await;
    assert!(away.is_err());
    assert!(store.ready().await.is_err());
    assert!(begun.elapsed() < GENEROUS);
    cluster.start_again();
    let launch = store.find_launch(request_id(1)).await;
    assert!(launch.expect("it answers again").is_some());
    store.ready().await.expect("it answers again");
    began(&store, 2).await;
}

/// Row 18: what only asks a question is still answered then.
#[tokio::test(flavor = "multi_thread")]
async fn row_18_a_database_whose_disk_is_full_is_not_ready_until_there_is_room_again() {
    let cluster = Cluster::start(Durability::Off);
    let store = open(&cluster.database()).await;
    began(&store, 1).await;
    store.ready().await.expect("there is room");
    cluster.fill_disk();
    let error = store
        .ready()
        .await
        .expect_err("nothing more can be written");
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    let launch = store.find_launch(request_id(1)).await;
    assert!(launch.expect("it answers").is_some());
    cluster.free_disk();
    store.ready().await.expect("there is room again");
    began(&store, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn to_ask_whether_it_is_ready_is_a_write_and_the_database_does_not_grow_by_it() {
    let cluster = Cluster::start(Durability::Off);
    let url = cluster.database();
    let store = open(&url).await;
    let written = || cluster.query(&url, "SELECT xmin FROM _sqlx_migrations WHERE version = 1");
    let size = || cluster.query(&url, "SELECT pg_database_size(current_database())");
    store.ready().await.expect("it is ready");
    let (first, before) = (written(), size());
    for _ in 0..500 {
        store.ready().await.expect("it is ready");
    }
    assert_ne!(written(), first, "nothing was committed");
    assert_eq!(size(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_does_not_answer_is_given_up_in_time_and_comes_back() {
    let cluster = Cluster::start(Durability::Off);
    let store = open(&cluster.database()).await;
    began(&store, 1).await;
    cluster.freeze();
    // More callers than connections: those that wait for one are given up too.
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let asked = tokio::time::timeout(GENEROUS, store.profiles_revision());
                asked.await.expect("it is given up in time")
            })
        })
        .collect();
    for caller in callers {
        let error = caller.await.expect("it does not panic");
        let error = error.expect_err("nobody answers");
        assert!(
            matches!(error, StoreError::TooSlow | StoreError::Unavailable(_)),
            "{error:?}"
        );
    }
    cluster.thaw();
    assert!(matches!(consume(&store, 1).await, Consumed::Now(_)));
}

/// Row 19: however many ask while the database does not answer, only so many wait.
#[tokio::test(flavor = "multi_thread")]
async fn row_19_whoever_would_wait_behind_too_many_is_turned_away_at_once() {
    let cluster = Cluster::start(Durability::Off);
    let address = cluster.database().parse().expect("the address is good");
    let store = PostgresStore::open_within(&address, 2, 2 * GENEROUS).await;
    let store = store.expect("the database opens");
    let ask = || {
        let store = store.clone();
        async move { store.profiles_revision().await }
    };
    ask().await.expect("it answers");
    cluster.freeze();
    let mut callers = JoinSet::new();
    for _ in 0..500 {
        callers.spawn(ask());
    }
    // The others wait as long as they may: these do not.
    for _ in 0..300 {
        let caller = tokio::time::timeout(GENEROUS, callers.join_next()).await;
        let turned_away = caller.expect("at once").expect("there are more");
        let error = turned_away.expect("it does not panic");
        assert!(matches!(error, Err(StoreError::TooSlow)), "{error:?}");
    }
    cluster.thaw();
    let answers = callers.join_all().await;
    let answered = answers.iter().filter(|answer| answer.is_ok()).count();
    assert!(answered >= 100, "who waited was answered: {answered}");
    ask().await.expect("there is room again");
}

/// Row 20: the database is killed and started again under a stream of launches.
#[tokio::test(flavor = "multi_thread")]
async fn row_20_nothing_is_consumed_twice_while_the_database_breaks_down() {
    let cluster = Cluster::start(Durability::On);
    let url = cluster.database();
    let servers = [open(&url).await, open(&url).await];
    let launches = 60;
    for number in 0..launches {
        began(&servers[0], number).await;
    }
    let over = Arc::new(AtomicBool::new(false));
    // Both servers try each launch for as long as the database breaks down, and then once
    // more.
    let streams: Vec<_> = servers
        .iter()
        .map(|server| {
            let (server, over) = (server.clone(), Arc::clone(&over));
            tokio::spawn(async move {
                let mut won = Vec::new();
                loop {
                    let last = over.load(Ordering::SeqCst);
                    for number in 0..launches {
                        let role = vestibule_launch::EhrRole::Provider;
                        let consumed = server.consume_state(request_id(number), PROFILE, role, NOW);
                        if let Ok(Consumed::Now(_)) = consumed.await {
                            won.push(number);
                        }
                    }
                    if last {
                        return won;
                    }
                }
            })
        })
        .collect();
    for _ in 0..3 {
        cluster.kill();
        cluster.start_again();
    }
    over.store(true, Ordering::SeqCst);
    let mut won = Vec::new();
    for stream in streams {
        won.extend(stream.await.expect("it does not panic"));
    }
    let winners = won.len();
    won.sort_unstable();
    won.dedup();
    assert_eq!(won.len(), winners, "none was consumed twice");
    // Of each the state is gone: by a winner, or by an attempt whose answer was lost.
    for number in 0..launches {
        assert_eq!(consume(&servers[0], number).await, Consumed::Before);
    }
}
