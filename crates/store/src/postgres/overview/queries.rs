//! The statements of listings and figures.
//!
//! Words of the store's own (a state) stand in them as they are, and not as parameters: so
//! an index with a condition is of use.

use sqlx::{Encode, Postgres, QueryBuilder, Type};
use vestibule_launch::RequestId;

use crate::{
    AppointmentFilter, AppointmentId, Grouping, LaunchFilter, LaunchProgress, Measure, Page, Per,
    Step, TimeRange, VisitProgress, WriteBackFilter,
    measure::{self, JOINED, LENGTHS, LONGEST_WAY, SOMEBODY_JOINED, WAITED},
};

/// Of an appointment.
const DEPARTMENT: &str = "
    (SELECT department FROM launches
     WHERE launches.appointment = appointments.id AND department IS NOT NULL
     ORDER BY launches.created_at, launches.request_id LIMIT 1) AS department";

/// Of an appointment: when the first came, when the last went, and whether anybody is
/// there. Each looks at the few rows of the appointment, and never at all that run.
const TIMES: &str = "
    (SELECT min(began_at) FROM visit_times
     WHERE visit_times.appointment = appointments.id) AS began_at,
    (SELECT max(ended_at) FROM visit_times
     WHERE visit_times.appointment = appointments.id) AS ended_at,
    coalesce((SELECT bool_or(ended_at IS NULL) FROM visit_times
     WHERE visit_times.appointment = appointments.id), FALSE) AS runs";

pub(super) fn select_launches() -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("SELECT launches.*,");
    query.push(JOINED).push(" FROM launches WHERE TRUE");
    query
}

pub(super) fn select_appointments() -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "SELECT appointments.id AS appointment_id, profile, encounter_key, sealed, created_at,
         (SELECT count(*)::integer FROM launches
          WHERE launches.appointment = appointments.id) AS launches,",
    );
    query.push(DEPARTMENT).push(",").push(TIMES);
    query.push(" FROM appointments WHERE TRUE");
    query
}

pub(super) fn page_of_launches(
    filter: &LaunchFilter,
    page: Page<RequestId>,
) -> QueryBuilder<Postgres> {
    let mut query = select_launches();
    push_launches(&mut query, filter);
    let columns = ("launches.created_at", "launches.request_id");
    push_page(&mut query, columns, page, |id| id.as_bytes().to_vec());
    query
}

pub(super) fn page_of_appointments(
    filter: &AppointmentFilter,
    page: Page<AppointmentId>,
) -> QueryBuilder<Postgres> {
    let mut query = select_appointments();
    push_appointments(&mut query, filter);
    match filter.progress {
        None => {}
        Some(VisitProgress::Running) => {
            query.push(" AND appointments.id IN (SELECT appointment FROM running_visits)");
        }
        Some(VisitProgress::Over) => push_over(&mut query),
        Some(VisitProgress::Nobody) => {
            query.push(
                " AND NOT EXISTS (SELECT 1 FROM visit_times
                     WHERE visit_times.appointment = appointments.id)",
            );
        }
    }
    let columns = ("appointments.created_at", "appointments.id");
    push_page(&mut query, columns, page, |id| id.0);
    query
}

pub(super) fn page_of_write_backs(
    filter: &WriteBackFilter,
    page: Page<i64>,
) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("SELECT * FROM write_backs WHERE TRUE");
    push_write_backs(&mut query, filter);
    push_page(&mut query, ("created_at", "id"), page, |id| id);
    query
}

pub(super) fn counts_of_launches(
    filter: &LaunchFilter,
    step: Step,
    grouping: Grouping,
) -> QueryBuilder<Postgres> {
    let column = match grouping {
        Grouping::ErrorName => "error_name",
        Grouping::Department => "department",
    };
    let mut query = QueryBuilder::new("SELECT created_at - created_at % ");
    query.push_bind(step.as_millis());
    query.push(" AS at, ").push(column);
    query.push(
        ", count(*) AS launches, count(*) FILTER (WHERE state = 'failed') AS failed
         FROM launches WHERE TRUE",
    );
    push_launches(&mut query, filter);
    query.push(" GROUP BY 1, 2 ORDER BY 1, 2 NULLS FIRST");
    query
}

/// Completed launches, but those that failed afterwards, with what can be measured of them.
fn push_measured(query: &mut QueryBuilder<Postgres>, filter: &LaunchFilter) {
    query.push("SELECT launches.*,");
    query.push(JOINED).push(",").push(WAITED);
    query.push(" FROM launches WHERE launches.state = 'completed'");
    push_launches(query, filter);
}

pub(super) fn durations_of_launches(
    filter: &LaunchFilter,
    page: Page<RequestId>,
) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("");
    push_measured(&mut query, filter);
    let columns = ("launches.created_at", "launches.request_id");
    push_page(&mut query, columns, page, |id| id.as_bytes().to_vec());
    query
}

pub(super) fn summary_of_launches(
    filter: &LaunchFilter,
    measure: Measure,
    per: Per,
) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("WITH completed AS (");
    push_measured(&mut query, filter);
    query.push("), measured AS (SELECT created_at AS began, department, ");
    query.push(measure::value(measure));
    query.push(" AS measured FROM completed)");
    measure::push_summary(&mut query, per);
    query
}

/// The lengths of visits, as `measured`.
fn select_lengths(filter: &AppointmentFilter) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("WITH asked AS (SELECT id FROM appointments WHERE TRUE");
    if let Some(TimeRange { from, until }) = filter.time {
        query.push(" AND created_at < ");
        query.push_bind(until.as_millis());
        query.push(" AND last_used_at >= ");
        query.push_bind((from - LONGEST_WAY).as_millis());
    }
    push_whose(&mut query, filter);
    query.push("),").push(LENGTHS);
    query.push(", measured AS (SELECT appointment, profile, ");
    query.push(DEPARTMENT);
    query.push(
        ", lengths.began_at AS began, lengths.ended_at, present::bigint AS measured
         FROM lengths JOIN appointments ON appointments.id = lengths.appointment WHERE TRUE",
    );
    push_time(&mut query, "lengths.began_at", filter.time);
    query.push(")");
    query
}

pub(super) fn lengths_of_visits(
    filter: &AppointmentFilter,
    page: Page<AppointmentId>,
) -> QueryBuilder<Postgres> {
    let mut query = select_lengths(filter);
    query.push(" SELECT * FROM measured WHERE TRUE");
    push_page(&mut query, ("began", "appointment"), page, |id| id.0);
    query
}

pub(super) fn summary_of_visits(filter: &AppointmentFilter, per: Per) -> QueryBuilder<Postgres> {
    let mut query = select_lengths(filter);
    measure::push_summary(&mut query, per);
    query
}

/// Those of a time.
pub(in crate::postgres) fn push_time(
    query: &mut QueryBuilder<Postgres>,
    column: &'static str,
    time: Option<TimeRange>,
) {
    if let Some(TimeRange { from, until }) = time {
        query.push(" AND ").push(column).push(" >= ");
        query.push_bind(from.as_millis());
        query.push(" AND ").push(column).push(" < ");
        query.push_bind(until.as_millis());
    }
}

/// The newest first, behind the last row of the page before. `columns` are those of time
/// and id.
pub(in crate::postgres) fn push_page<I, V>(
    query: &mut QueryBuilder<Postgres>,
    columns: (&'static str, &'static str),
    page: Page<I>,
    value: impl FnOnce(I) -> V,
) where
    V: for<'q> Encode<'q, Postgres> + Type<Postgres>,
{
    let (time, id) = columns;
    if let Some(after) = page.after {
        query.push(format_args!(" AND ({time}, {id}) < ("));
        query.push_bind(after.at.as_millis()).push(", ");
        query.push_bind(value(after.id)).push(")");
    }
    query.push(format_args!(" ORDER BY {time} DESC, {id} DESC LIMIT "));
    query.push_bind(i64::from(page.limit));
}

/// Those where a column holds a word of the store's own.
fn push_word(query: &mut QueryBuilder<Postgres>, column: &'static str, word: &'static str) {
    query.push(format_args!(" AND {column} = '{word}'"));
}

fn push_launches(query: &mut QueryBuilder<Postgres>, filter: &LaunchFilter) {
    push_time(query, "launches.created_at", filter.time);
    if let Some(profile) = filter.profile {
        query.push(" AND launches.profile = ");
        query.push_bind(profile.as_bytes().as_slice());
    }
    if let Some(role) = filter.role {
        push_word(query, "launches.role", role.as_str());
    }
    match filter.progress {
        None => {}
        Some(LaunchProgress::Joined) => {
            push_word(query, "launches.state", "completed");
            query.push(" AND ").push(SOMEBODY_JOINED);
        }
        Some(LaunchProgress::Completed) => {
            push_word(query, "launches.state", "completed");
            query.push(" AND NOT ").push(SOMEBODY_JOINED);
        }
        Some(progress) => push_word(query, "launches.state", progress.as_str()),
    }
    if let Some(error_name) = filter.error_name {
        query.push(" AND launches.error_name = ");
        query.push_bind(error_name.as_str());
    }
    if let Some(department) = &filter.department {
        query.push(" AND launches.department = ");
        query.push_bind(department.as_str());
    }
    if let Some(appointment) = filter.appointment {
        query.push(" AND launches.appointment = ");
        query.push_bind(appointment.0);
    }
}

/// All but the progress.
fn push_appointments(query: &mut QueryBuilder<Postgres>, filter: &AppointmentFilter) {
    push_time(query, "appointments.created_at", filter.time);
    push_whose(query, filter);
}

/// Those of a profile and of a department.
fn push_whose(query: &mut QueryBuilder<Postgres>, filter: &AppointmentFilter) {
    if let Some(profile) = filter.profile {
        query.push(" AND appointments.profile = ");
        query.push_bind(profile.as_bytes().as_slice());
    }
    if let Some(department) = &filter.department {
        query.push(
            " AND EXISTS (SELECT 1 FROM launches
                 WHERE launches.appointment = appointments.id AND launches.department = ",
        );
        query.push_bind(department.as_str()).push(")");
    }
}

fn push_write_backs(query: &mut QueryBuilder<Postgres>, filter: &WriteBackFilter) {
    push_time(query, "created_at", filter.time);
    if let Some(profile) = filter.profile {
        query.push(" AND profile = ");
        query.push_bind(profile.as_bytes().as_slice());
    }
    if let Some(progress) = filter.progress {
        push_word(query, "state", progress.as_str());
    }
    if let Some(request_id) = filter.request_id {
        query.push(" AND request_id = ");
        query.push_bind(request_id.as_bytes().as_slice());
    }
    if let Some(appointment) = filter.appointment {
        query.push(" AND request_id IN (SELECT request_id FROM launches WHERE appointment = ");
        query.push_bind(appointment.0).push(")");
    }
}

/// Somebody was there, and nobody is.
fn push_over(query: &mut QueryBuilder<Postgres>) {
    query.push(
        " AND (SELECT bool_and(ended_at IS NOT NULL) FROM visit_times
               WHERE visit_times.appointment = appointments.id)",
    );
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Connection as _, Execute as _, PgConnection};
    use uuid::Uuid;
    use vestibule_launch::{ErrorName, UnixTime};

    use super::*;
    use crate::{PostgresStore, WriteBackProgress};

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
        "INSERT INTO write_backs (dedupe, profile, request_id, lane, sealed, created_at, due_at,
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
        let steps: Vec<String> = steps.fetch_all(&store.pool).await.unwrap();
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
}
