//! How listings are found.

use sqlx::{AssertSqlSafe, Connection as _, Execute as _, PgConnection};
use uuid::Uuid;
use vestibule_launch::{ErrorName, UnixTime};

use super::*;
use crate::{LaunchProgress, TimeRange, WriteBackProgress, measure};

/// The profile that has few launches: of `b` the first half of its SHA-256.
const FEW: Uuid = Uuid::from_u128(0x3e23_e816_0039_594a_3389_4f65_64e1_b134);

/// How many launches, appointments and write-backs there are.
const MANY: i64 = 20_000;

/// Of launches one in a hundred has failed and one in a thousand is of a department;
/// of launches and appointments one in a thousand is of [`FEW`]; of write-backs five
/// are unsent and ten were given up.
const FILL: [&str; 4] = [
    "INSERT INTO appointments (profile, encounter_key, sealed, created_at, last_used_at)
     SELECT substr(sha256(CASE WHEN n % 1000 = 7 THEN 'b'::bytea ELSE 'a' END), 1, 16),
         sha256(n::text::bytea), ''::bytea, n, n
     FROM generate_series(1, $1) AS n",
    "INSERT INTO launches (request_id, profile, role, fingerprint, state, created_at,
         expires_at, error_name, failed_at, department)
     SELECT substr(sha256(n::text::bytea), 1, 16),
         substr(sha256(CASE WHEN n % 1000 = 7 THEN 'b'::bytea ELSE 'a' END), 1, 16), 'patient',
         sha256(n::text::bytea), CASE WHEN n % 100 = 0 THEN 'failed' ELSE 'started' END, n, n,
         CASE WHEN n % 1000 = 0 THEN 'ehr_timeout' WHEN n % 100 = 0 THEN 'ehr_dns' END,
         CASE WHEN n % 100 = 0 THEN n END,
         CASE WHEN n % 1000 = 1 THEN 'Cardiology' END
     FROM generate_series(1, $1) AS n",
    "INSERT INTO write_backs (dedupe, profile, request_id, kind, sealed, created_at, due_at,
         state, finished_at)
     SELECT sha256(n::text::bytea), substr(sha256('a'), 1, 16),
         substr(sha256(n::text::bytea), 1, 16), 'visit', ''::bytea, n, n,
         CASE WHEN n <= 5 THEN 'unsent' WHEN n <= 15 THEN 'given_up' ELSE 'sent' END,
         CASE WHEN n > 5 THEN n END
     FROM generate_series(1, $1) AS n",
    "UPDATE launches SET state = 'completed', completed_at = created_at,
         appointment = (SELECT min(id) FROM appointments)
     WHERE created_at = $1 - 1",
];

async fn filled() -> PostgresStore {
    let address = vestibule_test_postgres::database().parse().unwrap();
    let store = PostgresStore::open(&address, 2).await.unwrap();
    let mut patient = PgConnection::connect_with(address.options()).await.unwrap();
    for statement in FILL {
        let filled = sqlx::query(statement).bind(MANY).execute(&mut patient);
        filled.await.unwrap();
    }
    sqlx::query("ANALYZE").execute(&mut patient).await.unwrap();
    store
}

/// The steps of the plan of a query.
async fn plan(store: &PostgresStore, mut query: QueryBuilder<Postgres>) -> String {
    let statement = format!("EXPLAIN (COSTS OFF) {}", query.sql().as_str());
    let arguments = query.build().take_arguments().unwrap().unwrap();
    let steps = sqlx::query_scalar_with(AssertSqlSafe(statement), arguments);
    let steps: Vec<String> = steps.fetch_all(&store.connections.pool).await.unwrap();
    steps.join("\n")
}

/// Any page but the first.
fn page<I>(id: I) -> Page<I> {
    let at = UnixTime::from_millis(MANY / 2);
    Page {
        after: Some(crate::Position { at, id }),
        limit: 50,
    }
}

#[tokio::test]
async fn a_page_is_found_without_reading_the_whole_table() {
    let store = filled().await;
    let none = LaunchFilter::default;
    let failed = LaunchFilter {
        progress: Some(LaunchProgress::Failed),
        ..none()
    };
    let of_error = LaunchFilter {
        error_name: Some(ErrorName::EhrTimeout),
        ..none()
    };
    let of_department = LaunchFilter {
        department: Some("Cardiology".to_owned()),
        ..none()
    };
    for (filter, index) in [
        (none(), "launches_created_at"),
        (failed, "launches_failed"),
        (of_error, "launches_error_name"),
        (of_department, "launches_department"),
    ] {
        let query = page_of_launches(&filter, page(RequestId::from_bytes([0; 16])));
        let plan = plan(&store, query).await;
        assert!(plan.contains(index), "{plan}");
        assert!(!plan.contains("Seq Scan on launches"), "{plan}");
    }
    let query = page_of_appointments(&AppointmentFilter::default(), page(AppointmentId(0)));
    let found = plan(&store, query).await;
    assert!(found.contains("appointments_created_at"), "{found}");
    assert!(!found.contains("Seq Scan on appointments"), "{found}");
    let of_few = LaunchFilter {
        profile: Some(FEW),
        ..none()
    };
    let query = page_of_launches(&of_few, page(RequestId::from_bytes([0; 16])));
    let found = plan(&store, query).await;
    assert!(found.contains("launches_profile"), "{found}");
    let of_few = AppointmentFilter {
        profile: Some(FEW),
        ..AppointmentFilter::default()
    };
    let query = page_of_appointments(&of_few, page(AppointmentId(0)));
    let found = plan(&store, query).await;
    assert!(found.contains("appointments_profile"), "{found}");
    let of = |progress| WriteBackFilter {
        progress,
        ..WriteBackFilter::default()
    };
    for (progress, index) in [
        (None, "write_backs_created_at"),
        (Some(WriteBackProgress::Sent), "write_backs_created_at"),
        (Some(WriteBackProgress::GivenUp), "write_backs_given_up"),
        // The indices of those that are unsent are of one size.
        (Some(WriteBackProgress::Unsent), "write_backs_"),
    ] {
        let plan = plan(&store, page_of_write_backs(&of(progress), page(0))).await;
        assert!(plan.contains(index), "{plan}");
        assert!(!plan.contains("Seq Scan on write_backs"), "{plan}");
    }
}

/// One appointment a minute, of which one in a thousand was used for five days.
const FILL_DAYS: &str =
    "INSERT INTO appointments (profile, encounter_key, sealed, created_at, last_used_at)
     SELECT substr(sha256('a'), 1, 16), sha256(n::text::bytea), ''::bytea, n * 60000,
         n * 60000 + CASE WHEN n % 1000 = 0 THEN 432000000 ELSE 0 END
     FROM generate_series(1, $1) AS n";

#[tokio::test]
async fn appointments_of_a_time_are_found_without_reading_older_ones() {
    let address = vestibule_test_postgres::database().parse().unwrap();
    let store = PostgresStore::open(&address, 2).await.unwrap();
    let mut patient = PgConnection::connect_with(address.options()).await.unwrap();
    let filled = sqlx::query(FILL_DAYS).bind(MANY).execute(&mut patient);
    filled.await.unwrap();
    sqlx::query("ANALYZE").execute(&mut patient).await.unwrap();
    let from = UnixTime::from_millis(MANY / 2 * 60_000);
    let filter = AppointmentFilter {
        time: Some(TimeRange {
            from,
            until: from + measure::LONGEST_WAY / 2,
        }),
        ..AppointmentFilter::default()
    };
    let page = Page {
        after: None,
        limit: 50,
    };
    for query in [
        page_of_appointments(&filter, page),
        lengths_of_visits(&filter, page),
    ] {
        let found = plan(&store, query).await;
        assert!(found.contains("using appointments_created_at"), "{found}");
        assert!(found.contains("appointments_long"), "{found}");
        assert!(!found.contains("Seq Scan on appointments"), "{found}");
    }
}
