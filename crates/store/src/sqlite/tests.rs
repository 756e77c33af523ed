use std::path::PathBuf;

use sqlx::{Row, migrate::Migrator};
use uuid::Uuid;
use vestibule_launch::{EhrRole, ErrorName, RequestId};

use super::*;
use crate::{
    AppointmentFilter, AppointmentId, AuditAction, AuditFilter, Course, EncounterKey, Fingerprint,
    LaunchFilter, Launches as _, NewAppointment, NewLaunch, Overview as _, Profiles as _,
    SentAgain, VisitProgress, Visits as _, WriteBackKind, WriteBackState, listing,
};

/// A new store, and the folder of its file.
async fn opened() -> (tempfile::TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = SqliteStore::open(&path).await.unwrap();
    (folder, store)
}

/// The changes to the tables that come before the one of this name.
fn before(name: &str) -> Migrator {
    migrations::before(&migrations::of_sqlite(), name)
}

/// A new database file to which these changes were made, and its folder.
async fn with_changes(changes: Migrator) -> (tempfile::TempDir, PathBuf, SqlitePool) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let options = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    changes.run(&pool).await.unwrap();
    (folder, path, pool)
}

#[tokio::test]
async fn the_database_waits_logs_ahead_and_keeps_its_references() {
    let (_folder, store) = opened().await;
    for (pragma, expected) in [
        ("journal_mode", "wal"),
        ("foreign_keys", "1"),
        ("busy_timeout", "2000"),
    ] {
        let statement = sqlx::AssertSqlSafe(format!("PRAGMA {pragma}"));
        let row = sqlx::query(statement).fetch_one(&store.pool).await.unwrap();
        let value = row
            .try_get::<String, _>(0)
            .or_else(|_| row.try_get::<i64, _>(0).map(|number| number.to_string()));
        assert_eq!(value.unwrap(), expected, "{pragma}");
    }
}

#[tokio::test]
async fn counts_do_not_wait_for_the_disk() {
    let (_folder, store) = opened().await;
    let pragma = async |writer: &Writer| {
        let rows = writer.write(sqlx::query("PRAGMA synchronous")).await;
        rows.unwrap()[0].get::<i64, _>(0)
    };
    let (full, normal) = (2, 1);
    assert_eq!(pragma(&store.writer).await, full);
    assert_eq!(pragma(&store.counts).await, normal);
}

#[tokio::test]
async fn what_is_sealed_of_launches_is_found_without_reading_all_of_them() {
    let (_folder, store) = opened().await;
    let statement = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", purge::unseal()));
    let plan = sqlx::query(statement).bind(0_i64).fetch_all(&store.pool);
    let steps: Vec<String> = plan
        .await
        .unwrap()
        .iter()
        .map(|row| row.try_get("detail").unwrap())
        .collect();
    let found = "SEARCH launches USING INDEX launches_sealed (expires_at<?)";
    assert!(steps.iter().any(|step| step == found), "{steps:?}");
    assert!(!steps.iter().any(|step| step.starts_with("SCAN launches")));
}

/// The steps by which a listing is found.
async fn plan(store: &SqliteStore, mut query: sqlx::QueryBuilder<Sqlite>) -> Vec<String> {
    use sqlx::Execute as _;
    let statement = format!("EXPLAIN QUERY PLAN {}", query.sql().as_str());
    let arguments = query.build().take_arguments().unwrap().unwrap();
    let plan = sqlx::query_with(sqlx::AssertSqlSafe(statement), arguments);
    let rows = plan.fetch_all(&store.reading).await.unwrap();
    rows.iter()
        .map(|row| row.try_get("detail").unwrap())
        .collect()
}

#[tokio::test]
async fn an_appointment_is_shown_without_reading_every_visit() {
    let (_folder, store) = opened().await;
    for which in ["TRUE", "appointments.id = 1"] {
        let mut query = listing::select_appointments();
        query.push(" FROM appointments WHERE ").push(which);
        query.push(" ORDER BY appointments.created_at DESC, appointments.id DESC LIMIT 26");
        let steps = plan(&store, query).await;
        for table in ["conferences", "participants", "launches"] {
            let scan = format!("SCAN {table}");
            let scans = steps.iter().any(|step| step.starts_with(&scan));
            assert!(!scans, "{steps:?}");
        }
    }
}

/// Any page but the first.
fn page<I>(id: I) -> crate::Page<I> {
    let at = UnixTime::from_millis(7);
    crate::Page {
        after: Some(crate::Position { at, id }),
        limit: 50,
    }
}

#[tokio::test]
async fn a_page_of_one_profile_is_found_without_reading_the_others() {
    let (_folder, store) = opened().await;
    let launches = LaunchFilter {
        profile: Some(Uuid::nil()),
        ..LaunchFilter::default()
    };
    let of_error = LaunchFilter {
        error_name: Some(ErrorName::EhrTimeout),
        ..launches.clone()
    };
    let of_department = LaunchFilter {
        department: Some("Cardiology".to_owned()),
        ..launches.clone()
    };
    // Where there may be fewer than of the profile, it is another index.
    for (filter, index) in [
        (
            launches,
            "launches_profile (profile=? AND (created_at,request_id)<",
        ),
        (of_error, "launches_error_name (error_name=?"),
        (of_department, "launches_department (department=?"),
    ] {
        let query = listing::page_of_launches(&filter, page(RequestId::from_bytes([0; 16])));
        let steps = plan(&store, query).await;
        let found = format!("SEARCH launches USING INDEX {index}");
        assert!(steps[0].starts_with(&found), "{steps:?}");
        let sorts = steps.iter().any(|step| step.contains("ORDER BY"));
        assert_eq!(sorts, !index.contains("profile"), "{steps:?}");
    }
    let appointments = AppointmentFilter {
        profile: Some(Uuid::nil()),
        ..AppointmentFilter::default()
    };
    let running = AppointmentFilter {
        progress: Some(VisitProgress::Running),
        ..appointments.clone()
    };
    for (filter, index) in [
        (
            appointments,
            "INDEX appointments_profile (profile=? AND created_at<?)",
        ),
        (running, "INTEGER PRIMARY KEY"),
    ] {
        let query = listing::page_of_appointments(&filter, page(AppointmentId(0)));
        let steps = plan(&store, query).await;
        let found = format!("SEARCH appointments USING {index}");
        assert!(steps[0].starts_with(&found), "{steps:?}");
    }
}

/// Those of a time are first those that were launched first not long before, and then of all
/// that are older the few that were used for long.
#[tokio::test]
async fn appointments_of_a_time_are_found_without_reading_older_ones() {
    let (_folder, store) = opened().await;
    let time = Some(crate::TimeRange {
        from: UnixTime::from_millis(5),
        until: UnixTime::from_millis(9),
    });
    for (profile, of_the_time, of_older_ones) in [
        (
            None,
            "appointments_created_at (created_at>? AND created_at<?)",
            "appointments_long (created_at<?)",
        ),
        (
            Some(Uuid::nil()),
            "appointments_profile (profile=? AND created_at>? AND created_at<?)",
            "appointments_profile_long (profile=? AND created_at<?)",
        ),
    ] {
        let expected = [of_the_time, of_older_ones]
            .map(|index| format!("SEARCH appointments USING INDEX {index}"));
        let filter = AppointmentFilter {
            time,
            profile,
            ..AppointmentFilter::default()
        };
        let listed = listing::page_of_appointments(&filter, page(AppointmentId(0)));
        let measured = listing::lengths_of_visits(&filter, page(AppointmentId(0)));
        for query in [listed, measured] {
            let steps = plan(&store, query).await;
            let found = steps
                .iter()
                .filter(|step| step.contains(" appointments USING"));
            assert_eq!(found.collect::<Vec<_>>(), expected.each_ref(), "{steps:?}");
            for table in ["launches", "conferences", "participants"] {
                let scan = format!("SCAN {table}");
                assert!(
                    !steps.iter().any(|step| step.starts_with(&scan)),
                    "{steps:?}"
                );
            }
        }
    }
}

/// However many appointments there are, a page of lengths looks at those of its page: a file
/// of all of them takes as long as there are visits, and not the square of it.
#[tokio::test]
async fn visits_are_measured_by_the_page() {
    let (_folder, store) = opened().await;
    let filter = AppointmentFilter::default();
    let query = listing::lengths_of_visits(&filter, page(AppointmentId(0)));
    let steps = plan(&store, query).await;
    for (table, found) in [
        (
            "appointments",
            "SEARCH appointments USING INDEX appointments_created_at",
        ),
        (
            "conferences",
            "SEARCH conferences USING PRIMARY KEY (appointment=?)",
        ),
        (
            "participants",
            "SEARCH participants USING PRIMARY KEY (appointment=?)",
        ),
    ] {
        let of_table: Vec<_> = steps
            .iter()
            .filter(|step| step.contains(&format!(" {table} USING")))
            .collect();
        assert_eq!(of_table.len(), 1, "{steps:?}");
        assert!(of_table[0].starts_with(found), "{steps:?}");
    }
}

#[tokio::test]
async fn what_an_administrator_asks_the_audit_log_has_an_index() {
    let (_folder, store) = opened().await;
    let by_ada = AuditFilter {
        administrator: Some("ada".to_owned()),
        ..AuditFilter::default()
    };
    let sent_again = AuditFilter {
        action: Some(AuditAction::SentAgain),
        ..AuditFilter::default()
    };
    for (column, filter) in [("administrator", by_ada), ("action", sent_again)] {
        let query = listing::page_of_entries(&filter, page(0));
        let steps = plan(&store, query).await;
        let index = format!("SEARCH audit_log USING INDEX audit_log_{column}");
        assert!(steps[0].starts_with(&index), "{steps:?}");
        assert_eq!(steps.len(), 1, "sorted already: {steps:?}");
    }
}

#[tokio::test]
async fn a_listing_that_takes_too_long_is_ended_and_the_next_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(&folder.path().join("state.db"))
        .await
        .unwrap();
    store.patience = Duration::from_millis(50);
    let endless = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n)
         SELECT count(*) FROM n";
    let mut connection = store.reading().await.unwrap();
    let ended = sqlx::query(endless).fetch_one(&mut *connection).await;
    let error = StoreError::from(ended.err().unwrap());
    assert!(matches!(error, StoreError::TooSlow), "{error}");
    drop(connection);
    store.patience = PATIENCE;
    for _ in 0..READING_CONNECTIONS {
        let departments = crate::Overview::departments(&store, 10).await;
        assert!(departments.unwrap().is_empty());
    }
}

#[tokio::test]
async fn in_memory_what_follows_a_listing_has_not_its_deadline() {
    let mut store = SqliteStore::in_memory().await.unwrap();
    store.patience = Duration::ZERO;
    let long = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 100000)
         SELECT count(*) FROM n";
    let mut connection = store.reading().await.unwrap();
    let ended = sqlx::query(long).fetch_one(&mut *connection).await;
    let error = StoreError::from(ended.err().unwrap());
    assert!(matches!(error, StoreError::TooSlow), "{error}");
    drop(connection);
    let row = sqlx::query(long).fetch_one(store.pool()).await.unwrap();
    assert_eq!(row.get::<i64, _>(0), 100_000);
}

#[tokio::test]
async fn launches_go_on_while_every_listing_hangs() {
    let (_folder, store) = opened().await;
    let mut held = Vec::new();
    for _ in 0..READING_CONNECTIONS {
        held.push(store.reading().await.unwrap());
    }
    store.ready().await.unwrap();
    assert_eq!(store.profiles_revision().await.unwrap(), 0);
    let refused = sqlx::query("DELETE FROM launches").execute(&mut *held[0]);
    assert!(refused.await.is_err(), "a listing changes nothing");
    let listed = crate::Overview::departments(&store, 10).await;
    assert!(matches!(listed, Err(StoreError::TooSlow)), "{listed:?}");
    held.pop();
    assert!(crate::Overview::departments(&store, 10).await.is_ok());
}

#[tokio::test]
async fn what_was_stored_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let appointment = NewAppointment {
        profile: Uuid::from_u128(1),
        encounter: EncounterKey::from_bytes([1; 32]),
        sealed: b"first".to_vec(),
    };
    let now = UnixTime::from_millis(0);
    let store = SqliteStore::open(&path).await.unwrap();
    let first = store
        .find_or_create_appointment(appointment.clone(), now)
        .await
        .unwrap();
    store.close().await;
    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(
        store
            .find_or_create_appointment(appointment, now)
            .await
            .unwrap(),
        first
    );
}

#[tokio::test]
async fn a_database_of_the_first_version_is_brought_up_to_date() {
    let first = migrations::of_sqlite().iter().next().unwrap().clone();
    let first = Migrator::with_migrations(vec![first]);
    let (_folder, path, pool) = with_changes(first).await;
    sqlx::query(
        "INSERT INTO launches
             (request_id, profile, role, fingerprint, state, created_at, expires_at)
         VALUES (zeroblob(16), zeroblob(16), 'patient', zeroblob(32), 'started', 5, 6)",
    )
    .execute(&pool)
    .await
    .unwrap();
    pool.close().await;
    for _ in 0..2 {
        let store = SqliteStore::open(&path).await.unwrap();
        let id = RequestId::from_bytes([0; 16]);
        let launch = store.find_launch(id).await.unwrap().unwrap();
        assert_eq!(launch.created_at, UnixTime::from_millis(5));
        assert_eq!(store.profiles_revision().await.unwrap(), 0);
        store.close().await;
    }
}

#[tokio::test]
async fn write_backs_and_their_attempts_outlive_that_their_table_is_made_anew() {
    let (_folder, path, pool) = with_changes(before("story")).await;
    for statement in [
        "INSERT INTO write_backs (dedupe, profile, request_id, sealed, created_at, due_at,
             state, attempts, last_status, finished_at, lane, sent_again_at, lease)
         VALUES (zeroblob(32), zeroblob(16), zeroblob(16), x'07', 5, 6, 'given_up', 2, 400, 8,
             'device_test', 7, 2),
             (randomblob(32), zeroblob(16), zeroblob(16), x'08', 6, 6, 'sent', 1, 204, 8,
             'visit', NULL, 1)",
        "INSERT INTO write_back_attempts (write_back, number, at, status)
         VALUES (1, 1, 6, 503), (1, 2, 8, 400)",
        "DELETE FROM write_backs WHERE id = 2",
    ] {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    pool.close().await;
    let store = SqliteStore::open(&path).await.unwrap();
    let page = crate::Page {
        after: None,
        limit: 5,
    };
    let every = crate::WriteBackFilter::default();
    let rows = store.list_write_backs(&every, page);
    let rows = rows.await.unwrap();
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!(row.record.sealed, [7]);
    assert_eq!(row.record.attempts, 2);
    assert_eq!(row.record.last_status, Some(400));
    assert_eq!(row.record.last_reason, None);
    let at = UnixTime::from_millis(8);
    assert_eq!(row.record.state, WriteBackState::GivenUp { at });
    assert_eq!(row.kind, Some(WriteBackKind::DeviceTest));
    let attempts = store.attempts_of(&[1]).await.unwrap();
    let statuses: Vec<_> = attempts[&1].iter().map(|attempt| attempt.status).collect();
    assert_eq!(statuses, [Some(503), Some(400)]);
    // Numbers of those that are forgotten are not given again, and attempts still go
    // with their write-back.
    for (statement, expected) in [
        (
            "INSERT INTO write_backs (dedupe, profile, request_id, kind, sealed, created_at,
                 due_at)
             VALUES (randomblob(32), zeroblob(16), zeroblob(16), 'visit', x'09', 7, 7)
             RETURNING id",
            3,
        ),
        ("DELETE FROM write_backs WHERE id = 1 RETURNING id", 1),
        ("SELECT count(*) FROM write_back_attempts", 0),
    ] {
        let found: i64 = sqlx::query_scalar(statement)
            .fetch_one(&store.pool)
            .await
            .unwrap();
        assert_eq!(found, expected, "{statement}");
    }
}

#[tokio::test]
async fn a_change_that_comes_before_others_is_made_where_those_are_made_already() {
    let before = before("lanes");
    let others = before.iter().filter(|it| it.description != "story");
    let before = Migrator::with_migrations(others.cloned().collect());
    let outstanding = migrations::of_sqlite().iter().count() - before.iter().count();
    let (_folder, path, pool) = with_changes(before).await;
    sqlx::query(
        "INSERT INTO launches (request_id, profile, role, fingerprint, state, created_at,
             expires_at)
         VALUES (zeroblob(16), zeroblob(16), 'patient', zeroblob(32), 'started', 5, 6)",
    )
    .execute(&pool)
    .await
    .unwrap();
    pool.close().await;
    let tables = SqliteStore::examine(&path).await.unwrap();
    assert_eq!((tables.outstanding, tables.newer), (outstanding, false));
    let store = SqliteStore::open(&path).await.unwrap();
    let row = store.launch_row(RequestId::from_bytes([0; 16])).await;
    let row = row.unwrap().unwrap();
    assert_eq!(row.launch.role, Some(EhrRole::Patient));
    assert_eq!((row.steps, row.authorised_at), (Vec::new(), None));
    store.close().await;
    let tables = SqliteStore::examine(&path).await.unwrap();
    assert_eq!(tables.outstanding, 0);
}

#[tokio::test]
async fn numbers_that_the_audit_log_names_are_given_to_no_other_after_the_upgrade() {
    let (_folder, path, pool) = with_changes(before("appointment_numbers")).await;
    for statement in [
        "INSERT INTO appointments (id, profile, encounter_key, sealed, created_at,
             last_used_at)
         VALUES (7, zeroblob(16), zeroblob(32), x'01', 5, 6)",
        "INSERT INTO launches (request_id, profile, role, fingerprint, state, appointment,
             created_at, expires_at, completed_at)
         VALUES (zeroblob(16), zeroblob(16), 'patient', zeroblob(32), 'completed', 7, 5, 6, 6)",
        "INSERT INTO audit_log (at, source, action, subject_kind, subject, details)
         VALUES (1, '192.0.2.1', 'names_seen', 'appointment', '41', ''),
             (2, '192.0.2.1', 'names_seen', 'appointment', '8', ''),
             (3, '192.0.2.1', 'exported', 'table', '99', '')",
    ] {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    pool.close().await;
    let store = SqliteStore::open(&path).await.unwrap();
    let appointment = |number| NewAppointment {
        profile: Uuid::nil(),
        encounter: EncounterKey::from_bytes([number; 32]),
        sealed: b"new".to_vec(),
    };
    let now = UnixTime::from_millis(10);
    let kept = store.find_or_create_appointment(appointment(0), now).await;
    let kept = kept.unwrap();
    assert_eq!((kept.id.0, kept.sealed), (7, vec![1]));
    let launch = store.find_launch(RequestId::from_bytes([0; 16])).await;
    let launch = launch.unwrap().unwrap();
    assert_eq!(launch.appointment, Some(kept.id));
    let new = store.find_or_create_appointment(appointment(1), now).await;
    assert_eq!(new.unwrap().id.0, 42);
}

/// Of what was stored as `visit` the kind is not known: whatever came later, but for a
/// device test, may have overtaken it.
#[tokio::test]
async fn write_backs_from_before_the_upgrade_are_sent_again_where_nothing_came_later() {
    let (_folder, path, pool) = with_changes(before("lanes")).await;
    sqlx::query(
        "INSERT INTO write_backs (id, dedupe, profile, request_id, lane, sealed, created_at,
             due_at, state, finished_at)
         VALUES
             (1, randomblob(32), zeroblob(16), zeroblob(16), 'visit', x'', 1, 1, 'given_up', 2),
             (2, randomblob(32), zeroblob(16), zeroblob(16), 'visit', x'', 2, 2, 'given_up', 2),
             (3, randomblob(32), zeroblob(16), zeroblob(16), 'device_test', x'', 3, 3, 'sent', 3)",
    )
    .execute(&pool)
    .await
    .unwrap();
    sqlx::query("INSERT INTO write_back_attempts (write_back, number, at) VALUES (1, 1, 2)")
        .execute(&pool)
        .await
        .unwrap();
    pool.close().await;
    let store = SqliteStore::open(&path).await.unwrap();
    let page = crate::Page {
        after: None,
        limit: 5,
    };
    let every = crate::WriteBackFilter::default();
    let rows = store.list_write_backs(&every, page).await.unwrap();
    let kinds: Vec<_> = rows.iter().map(|row| row.kind).collect();
    assert_eq!(
        kinds,
        [Some(WriteBackKind::DeviceTest), None, None],
        "the newest first"
    );
    assert_eq!(store.attempts_of(&[1]).await.unwrap()[&1].len(), 1);
    let now = UnixTime::from_millis(10);
    let again = async |id| store.send_again(id, now).await.unwrap();
    assert_eq!(again(2).await, SentAgain::Due(1));
    sqlx::query(
        "INSERT INTO write_backs (dedupe, profile, request_id, kind, sealed, created_at,
             due_at, state, finished_at)
         VALUES (randomblob(32), zeroblob(16), zeroblob(16), 'end_of_call', x'', 4, 4, 'sent', 4)",
    )
    .execute(&store.pool)
    .await
    .unwrap();
    assert_eq!(again(1).await, SentAgain::Overtaken);
}

#[tokio::test]
async fn a_database_from_before_write_backs_had_kinds_is_opened_and_keeps_what_is_in_it() {
    let (_folder, path, pool) = with_changes(before("write_back_kinds")).await;
    for statement in [
        "INSERT INTO appointments (id, profile, encounter_key, sealed, created_at,
             last_used_at)
         VALUES (7, zeroblob(16), zeroblob(32), x'01', 5, 6)",
        "INSERT INTO launches (request_id, profile, role, fingerprint, state, appointment,
             created_at, expires_at, completed_at)
         VALUES (zeroblob(16), zeroblob(16), 'patient', zeroblob(32), 'completed', 7, 5, 6, 6)",
        "INSERT INTO write_backs (dedupe, profile, request_id, lane, sealed, created_at, due_at)
         SELECT randomblob(32), zeroblob(16), zeroblob(16), column2, x'07', column1, column1
         FROM (VALUES (1, 'visit'), (2, 'epic_connection_status'), (3, 'end_of_call'),
             (4, 'zoom_notification'), (5, 'device_test'))",
    ] {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    pool.close().await;
    let tables = SqliteStore::examine(&path).await.unwrap();
    assert!(tables.outstanding > 0 && !tables.newer, "{tables:?}");
    let store = SqliteStore::open(&path).await.unwrap();
    let launch = store.find_launch(RequestId::from_bytes([0; 16])).await;
    let launch = launch.unwrap().unwrap();
    assert_eq!(launch.appointment, Some(AppointmentId(7)));
    let appointment = store.find_appointment_by_key(EncounterKey::from_bytes([0; 32]));
    let appointment = appointment.await.unwrap().unwrap();
    assert_eq!((appointment.id.0, appointment.sealed), (7, vec![1]));
    let page = crate::Page {
        after: None,
        limit: 9,
    };
    let every = crate::WriteBackFilter::default();
    let mut rows = store.list_write_backs(&every, page).await.unwrap();
    rows.reverse();
    let kinds: Vec<_> = rows.iter().map(|row| row.kind).collect();
    let mut known = vec![None];
    known.extend(WriteBackKind::ALL.map(Some));
    assert_eq!(kinds, known);
    assert!(rows.iter().all(|row| row.record.sealed == [7]));
    store.close().await;
    let tables = SqliteStore::examine(&path).await.unwrap();
    assert_eq!((tables.outstanding, tables.newer), (0, false));
}

#[tokio::test]
async fn what_nobody_comes_back_for_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let now = UnixTime::from_millis(0);
    let launch = |number| NewLaunch {
        request_id: RequestId::from_bytes([number; 16]),
        profile: Uuid::nil(),
        role: EhrRole::Patient,
        fingerprint: Fingerprint::from_bytes([number; 32]),
        sealed: b"sealed".to_vec(),
        expires_at: now,
        course: Course::default(),
    };
    store.begin_launch(launch(1), now).await.unwrap();
    store.begin_authorised(launch(2), now).await.unwrap();
    let kept: Vec<bool> =
        sqlx::query_scalar("SELECT sealed IS NOT NULL FROM launches ORDER BY request_id")
            .fetch_all(&store.pool)
            .await
            .unwrap();
    assert_eq!(kept, [true, false]);
}

#[tokio::test]
async fn each_store_in_memory_is_one_of_its_own() {
    let appointment = NewAppointment {
        profile: Uuid::from_u128(1),
        encounter: EncounterKey::from_bytes([1; 32]),
        sealed: b"first".to_vec(),
    };
    let now = UnixTime::from_millis(0);
    let store = SqliteStore::in_memory().await.unwrap();
    let made = store.find_or_create_appointment(appointment.clone(), now);
    let made = made.await.unwrap();
    store.purge(now, now).await.unwrap();
    let of = async |store: &SqliteStore| {
        let found = store.find_appointment_by_key(appointment.encounter);
        found.await.unwrap()
    };
    assert_eq!(of(&store.clone()).await, Some(made));
    let other = SqliteStore::in_memory().await.unwrap();
    assert_eq!(of(&other).await, None);
}

#[tokio::test]
async fn a_folder_that_does_not_exist_is_named_in_the_error() {
    let error = SqliteStore::open(Path::new("/does/not/exist/state.db"))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("/does/not/exist/state.db"),
        "{error}"
    );
}
