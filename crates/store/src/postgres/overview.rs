//! Listings and figures in PostgreSQL.
//!
//! Words of the store's own (a state) stand in the statements as they are, and not as
//! parameters: so an index with a condition is of use.

use async_trait::async_trait;
use sqlx::{
    Connection as _, Encode, PgConnection, Postgres, QueryBuilder, Row, Type, postgres::PgRow,
};
use vestibule_launch::{RequestId, UnixTime};

use super::{
    PostgresStore,
    attempt::{Again, Attempt as Try, run},
    rows::{
        appointment_of, array_of, count_of, launch_of, maybe_time_of, profile_of, request_id_of,
        role_of, time_of,
    },
    visits,
    write_backs::{self, ONE_AFTER_THE_OTHER},
};
use crate::{
    AppointmentFilter, AppointmentId, AppointmentRow, Attempt, Attendee, Group, Grouping,
    LaunchCount, LaunchDurations, LaunchFilter, LaunchRow, Overview, Page, SentAgain, Step,
    StoreError, TimeRange, VisitLength, VisitProgress, WriteBackFilter, WriteBackRow,
};

/// Of a launch: when the landing page first said so, and when the conferencing node did.
const JOINED: &str = "
    (SELECT min(received_at) FROM launch_events
     WHERE launch_events.request_id = launches.request_id AND event = 'joined') AS joined_at,
    (SELECT min(connected_at) FROM participants
     JOIN aliases ON aliases.alias_hash = participants.alias_hash
     WHERE participants.appointment = launches.appointment
         AND aliases.request_id = launches.request_id) AS connected_at";

/// Of an appointment.
const DEPARTMENT: &str = "
    (SELECT department FROM launches
     WHERE launches.appointment = appointments.id AND department IS NOT NULL
     ORDER BY launches.created_at, launches.request_id LIMIT 1) AS department";

/// Of an appointment: when the first came, when the last went, and whether anybody is
/// there.
const TIMES: &str = "
    (SELECT min(began_at) FROM visit_times
     WHERE visit_times.appointment = appointments.id) AS began_at,
    (SELECT max(ended_at) FROM visit_times
     WHERE visit_times.appointment = appointments.id) AS ended_at,
    EXISTS (SELECT 1 FROM running_visits
     WHERE running_visits.appointment = appointments.id) AS runs";

#[async_trait]
impl Overview for PostgresStore {
    /// `launches_created_at` gives them in the order of the listing, and so do
    /// `launches_failed`, `launches_error_name` and `launches_department` those that they
    /// hold: what is read ends with the page, or with the time that is asked for.
    async fn list_launches(
        &self,
        filter: &LaunchFilter,
        page: Page<RequestId>,
    ) -> Result<Vec<LaunchRow>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            let mut query = page_of_launches(filter, page);
            let rows = query.build().fetch_all(connection).await?;
            rows.iter().map(launch_row_of).collect()
        })
    }

    async fn launch_row(&self, request_id: RequestId) -> Result<Option<LaunchRow>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            let mut query = select_launches();
            query.push(" AND launches.request_id = ");
            query.push_bind(request_id.as_bytes().as_slice());
            let row = query.build().fetch_optional(connection).await?;
            row.map(|row| launch_row_of(&row)).transpose()
        })
    }

    /// `appointments_created_at` gives them in the order of the listing. What is running
    /// is in `conferences_running` and `participants_connected`, which hold nothing else.
    async fn list_appointments(
        &self,
        filter: &AppointmentFilter,
        page: Page<AppointmentId>,
    ) -> Result<Vec<AppointmentRow>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            let mut query = page_of_appointments(filter, page);
            let rows = query.build().fetch_all(connection).await?;
            rows.iter().map(appointment_row_of).collect()
        })
    }

    async fn appointment_row(
        &self,
        appointment: AppointmentId,
    ) -> Result<Option<AppointmentRow>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            let mut query = select_appointments();
            query
                .push(" AND appointments.id = ")
                .push_bind(appointment.0);
            let row = query.build().fetch_optional(connection).await?;
            row.map(|row| appointment_row_of(&row)).transpose()
        })
    }

    async fn attendees(&self, appointment: AppointmentId) -> Result<Vec<Attendee>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            let rows = sqlx::query(
                "SELECT participants.*, launches.request_id, launches.role
                 FROM participants
                 LEFT JOIN aliases ON aliases.alias_hash = participants.alias_hash
                 LEFT JOIN launches ON launches.request_id = aliases.request_id
                 WHERE participants.appointment = $1
                 ORDER BY participants.connected_at, participants.participant",
            )
            .bind(appointment.0)
            .fetch_all(connection)
            .await?;
            rows.iter().map(attendee_of).collect()
        })
    }

    /// Reads every launch of the time that is asked for, by `launches_created_at`. Of a
    /// time with too many of them there is no answer within the deadline.
    async fn count_launches(
        &self,
        filter: &LaunchFilter,
        step: Step,
        grouping: Grouping,
        limit: u32,
    ) -> Result<Vec<LaunchCount>, StoreError> {
        let column = match grouping {
            Grouping::ErrorName => "error_name",
            Grouping::Profile => "profile",
            Grouping::Department => "department",
        };
        run!(self, Again::Always, |connection, _| {
            let mut query = QueryBuilder::new("SELECT created_at - created_at % ");
            query.push_bind(step.as_millis());
            query.push(" AS at, ").push(column);
            query.push(
                ", count(*) AS launches, count(*) FILTER (WHERE state = 'failed') AS failed
                 FROM launches WHERE TRUE",
            );
            push_launches(&mut query, filter);
            query.push(" GROUP BY 1, 2 ORDER BY 1, 2 NULLS FIRST LIMIT ");
            query.push_bind(i64::from(limit));
            let rows = query.build().fetch_all(connection).await?;
            rows.iter().map(|row| count_row_of(row, grouping)).collect()
        })
    }

    /// In the order of `launches_created_at`, as a page of the listing.
    async fn launch_durations(
        &self,
        filter: &LaunchFilter,
        limit: u32,
    ) -> Result<Vec<LaunchDurations>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            let mut query = QueryBuilder::new("SELECT launches.*,");
            query.push(JOINED).push(
                ",
                (SELECT min(received_at) FROM launch_events
                 WHERE launch_events.request_id = launches.request_id
                     AND event = 'waiting') AS waiting_at,
                (SELECT min(participants.connected_at) FROM participants
                 JOIN aliases ON aliases.alias_hash = participants.alias_hash
                 JOIN launches AS other ON other.request_id = aliases.request_id
                 WHERE participants.appointment = launches.appointment
                     AND other.role = 'provider') AS provider_at
                FROM launches WHERE launches.completed_at IS NOT NULL",
            );
            push_launches(&mut query, filter);
            let page = Page::<RequestId> { after: None, limit };
            let columns = ("launches.created_at", "launches.request_id");
            push_page(&mut query, columns, page, |id| id.as_bytes().to_vec());
            let rows = query.build().fetch_all(connection).await?;
            rows.iter().map(durations_of).collect()
        })
    }

    /// In the order of `appointments_created_at`, as a page of the listing.
    async fn visit_lengths(
        &self,
        filter: &AppointmentFilter,
        limit: u32,
    ) -> Result<Vec<VisitLength>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            let mut query = select_appointments();
            push_appointments(&mut query, filter);
            push_over(&mut query);
            let page = Page { after: None, limit };
            let columns = ("appointments.created_at", "appointments.id");
            push_page(&mut query, columns, page, |id: AppointmentId| id.0);
            let rows = query.build().fetch_all(connection).await?;
            rows.iter().map(length_of).collect()
        })
    }

    /// One step of `launches_department` for each name: launches are many, departments
    /// few.
    async fn departments(&self, limit: u32) -> Result<Vec<String>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            let names = sqlx::query_scalar(
                "WITH RECURSIVE names (name) AS (
                     (SELECT department FROM launches WHERE department IS NOT NULL
                      ORDER BY department LIMIT 1)
                     UNION ALL
                     SELECT (SELECT department FROM launches WHERE department > names.name
                             ORDER BY department LIMIT 1)
                     FROM names WHERE names.name IS NOT NULL)
                 SELECT name FROM names WHERE name IS NOT NULL LIMIT $1",
            )
            .bind(i64::from(limit))
            .fetch_all(connection)
            .await?;
            Ok(names)
        })
    }

    /// `write_backs_created_at` gives them in the order of the listing,
    /// `write_backs_given_up` those that were given up, and `write_backs_due` holds the
    /// few that are unsent. Those of launches are found by `write_backs_request_id`.
    async fn list_write_backs(
        &self,
        filter: &WriteBackFilter,
        page: Page<i64>,
    ) -> Result<Vec<WriteBackRow>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            let mut query = page_of_write_backs(filter, page);
            let rows = query.build().fetch_all(connection).await?;
            rows.iter().map(write_backs::row_of).collect()
        })
    }

    async fn write_back_row(&self, id: i64) -> Result<Option<WriteBackRow>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            let row = sqlx::query("SELECT * FROM write_backs WHERE id = $1")
                .bind(id)
                .fetch_optional(connection)
                .await?;
            row.map(|row| write_backs::row_of(&row)).transpose()
        })
    }

    async fn attempts_of(&self, write_back: i64) -> Result<Vec<Attempt>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            let rows = sqlx::query(
                "SELECT * FROM write_back_attempts WHERE write_back = $1 ORDER BY number",
            )
            .bind(write_back)
            .fetch_all(connection)
            .await?;
            rows.iter().map(attempt_of).collect()
        })
    }

    async fn send_again(&self, write_back: i64, now: UnixTime) -> Result<SentAgain, StoreError> {
        run!(self, Again::Always, |connection, attempt| {
            send_again(connection, attempt, write_back, now).await
        })
    }
}

/// Nobody claims meanwhile: of the later ones of the lane none is on its way that was not
/// seen here. Those that are unsent wait with it from now on; see [`write_backs::CLAIM`].
///
/// Where the answer was lost, the second attempt finds what the first has made due.
async fn send_again(
    connection: &mut PgConnection,
    attempt: Try,
    write_back: i64,
    now: UnixTime,
) -> Result<SentAgain, StoreError> {
    let mut transaction = connection.begin().await?;
    sqlx::query(ONE_AFTER_THE_OTHER)
        .execute(&mut *transaction)
        .await?;
    let row =
        sqlx::query("SELECT state, sent_again_at FROM write_backs WHERE id = $1 FOR NO KEY UPDATE")
            .bind(write_back)
            .fetch_optional(&mut *transaction)
            .await?;
    let Some(row) = row else {
        return Ok(SentAgain::Unknown);
    };
    if row.try_get::<&str, _>("state")? != "given_up" {
        let is_ours = maybe_time_of(&row, "sent_again_at")? == Some(now);
        return Ok(if attempt == Try::Second && is_ours {
            SentAgain::Due
        } else {
            SentAgain::NotGivenUp
        });
    }
    let due = sqlx::query(
        "WITH again AS
             (UPDATE write_backs
              SET state = 'unsent', finished_at = NULL, due_at = $2, sent_again_at = $2
              WHERE id = $1 AND NOT EXISTS
                  (SELECT 1 FROM write_backs AS later
                   WHERE later.request_id = write_backs.request_id
                       AND later.lane = write_backs.lane AND later.id > write_backs.id
                       AND (later.state = 'sent' OR later.leased_until > $2))
              RETURNING id, request_id, lane),
         behind AS
             (UPDATE write_backs SET due_at = $2
              FROM again
              WHERE write_backs.request_id = again.request_id
                  AND write_backs.lane = again.lane AND write_backs.state = 'unsent'
                  AND write_backs.id > again.id AND write_backs.due_at < $2)
         SELECT id FROM again",
    )
    .bind(write_back)
    .bind(now.as_millis())
    .fetch_optional(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(if due.is_some() {
        SentAgain::Due
    } else {
        SentAgain::Overtaken
    })
}

fn select_launches() -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("SELECT launches.*,");
    query.push(JOINED).push(" FROM launches WHERE TRUE");
    query
}

fn select_appointments() -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "SELECT appointments.id AS appointment_id, profile, encounter_key, sealed, created_at,
         (SELECT count(*)::integer FROM launches
          WHERE launches.appointment = appointments.id) AS launches,",
    );
    query.push(DEPARTMENT).push(",").push(TIMES);
    query.push(" FROM appointments WHERE TRUE");
    query
}

fn page_of_launches(filter: &LaunchFilter, page: Page<RequestId>) -> QueryBuilder<Postgres> {
    let mut query = select_launches();
    push_launches(&mut query, filter);
    let columns = ("launches.created_at", "launches.request_id");
    push_page(&mut query, columns, page, |id| id.as_bytes().to_vec());
    query
}

fn page_of_appointments(
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

fn page_of_write_backs(filter: &WriteBackFilter, page: Page<i64>) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("SELECT * FROM write_backs WHERE TRUE");
    push_write_backs(&mut query, filter);
    push_page(&mut query, ("created_at", "id"), page, |id| id);
    query
}

/// Those of a time.
pub(super) fn push_time(
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
pub(super) fn push_page<I, V>(
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
    if let Some(progress) = filter.progress {
        push_word(query, "launches.state", progress.as_str());
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
    if let Some(encounter) = filter.encounter {
        query.push(
            " AND request_id IN (SELECT launches.request_id FROM launches
              JOIN appointments ON appointments.id = launches.appointment
              WHERE appointments.encounter_key = ",
        );
        query.push_bind(encounter.as_bytes().as_slice()).push(")");
    }
    if let Some(appointment) = filter.appointment {
        query.push(" AND request_id IN (SELECT request_id FROM launches WHERE appointment = ");
        query.push_bind(appointment.0).push(")");
    }
}

fn push_over(query: &mut QueryBuilder<Postgres>) {
    query.push(
        " AND NOT EXISTS (SELECT 1 FROM running_visits
              WHERE running_visits.appointment = appointments.id)
          AND EXISTS (SELECT 1 FROM visit_times
              WHERE visit_times.appointment = appointments.id)",
    );
}

/// What the landing page said, or else what the conferencing node did.
fn joined_of(row: &PgRow) -> Result<Option<UnixTime>, StoreError> {
    Ok(maybe_time_of(row, "joined_at")?.or(maybe_time_of(row, "connected_at")?))
}

fn launch_row_of(row: &PgRow) -> Result<LaunchRow, StoreError> {
    Ok(LaunchRow {
        launch: launch_of(row)?,
        completed_at: maybe_time_of(row, "completed_at")?,
        joined_at: joined_of(row)?,
        department: row.try_get("department")?,
    })
}

fn appointment_row_of(row: &PgRow) -> Result<AppointmentRow, StoreError> {
    let began_at = maybe_time_of(row, "began_at")?;
    let progress = match (row.try_get("runs")?, began_at) {
        (true, _) => VisitProgress::Running,
        (false, Some(_)) => VisitProgress::Over,
        (false, None) => VisitProgress::Nobody,
    };
    let ended_at = maybe_time_of(row, "ended_at")?;
    Ok(AppointmentRow {
        appointment: appointment_of(row)?,
        progress,
        began_at,
        ended_at: ended_at.filter(|_| progress == VisitProgress::Over),
        launches: count_of(row, "launches")?,
        department: row.try_get("department")?,
    })
}

fn length_of(row: &PgRow) -> Result<VisitLength, StoreError> {
    Ok(VisitLength {
        appointment: AppointmentId(row.try_get("appointment_id")?),
        profile: profile_of(row)?,
        department: row.try_get("department")?,
        began_at: time_of(row, "began_at")?,
        ended_at: time_of(row, "ended_at")?,
    })
}

fn attempt_of(row: &PgRow) -> Result<Attempt, StoreError> {
    let status: Option<i32> = row.try_get("status")?;
    let status = status.map(u16::try_from).transpose();
    Ok(Attempt {
        number: count_of(row, "number")?,
        at: time_of(row, "at")?,
        status: status.map_err(|_| StoreError::Damaged("status"))?,
    })
}

fn attendee_of(row: &PgRow) -> Result<Attendee, StoreError> {
    let launch: Option<&[u8]> = row.try_get("request_id")?;
    Ok(Attendee {
        participant: visits::participant_of(row)?,
        launch: match launch {
            Some(_) => Some((request_id_of(row)?, role_of(row)?)),
            None => None,
        },
    })
}

fn count_row_of(row: &PgRow, grouping: Grouping) -> Result<LaunchCount, StoreError> {
    let group = match grouping {
        Grouping::ErrorName => {
            let name: Option<&str> = row.try_get("error_name")?;
            let name = name.map(|name| name.parse()).transpose();
            Group::ErrorName(name.map_err(|_| StoreError::Damaged("error_name"))?)
        }
        Grouping::Profile => Group::Profile(uuid::Uuid::from_bytes(array_of(row, "profile")?)),
        Grouping::Department => Group::Department(row.try_get("department")?),
    };
    Ok(LaunchCount {
        at: time_of(row, "at")?,
        group,
        launches: number_of(row, "launches")?,
        failed: number_of(row, "failed")?,
    })
}

/// A count that may be of many.
fn number_of(row: &PgRow, column: &'static str) -> Result<u64, StoreError> {
    let number: i64 = row.try_get(column)?;
    u64::try_from(number).map_err(|_| StoreError::Damaged(column))
}

fn durations_of(row: &PgRow) -> Result<LaunchDurations, StoreError> {
    let created_at = time_of(row, "created_at")?;
    let joined_at = joined_of(row)?;
    let is_patient = row.try_get::<&str, _>("role")? == "patient";
    let told_joined = maybe_time_of(row, "joined_at")?;
    let waited_from = match told_joined {
        Some(_) => maybe_time_of(row, "waiting_at")?.or(told_joined),
        None => maybe_time_of(row, "connected_at")?,
    };
    let waited_until = match told_joined {
        Some(_) => told_joined,
        None => maybe_time_of(row, "provider_at")?,
    };
    let between = |from: UnixTime, until: UnixTime| (until.as_millis() - from.as_millis()).max(0);
    let waited = waited_from.zip(waited_until);
    Ok(LaunchDurations {
        request_id: request_id_of(row)?,
        created_at,
        profile: profile_of(row)?,
        role: role_of(row)?,
        department: row.try_get("department")?,
        joined_after: joined_at.map(|joined_at| between(created_at, joined_at)),
        waited: waited
            .filter(|_| is_patient)
            .map(|(from, until)| between(from, until)),
    })
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Execute as _};

    use super::*;
    use crate::{LaunchProgress, WriteBackProgress};

    /// How many launches, appointments and write-backs there are.
    const MANY: i64 = 20_000;

    /// Of launches one in a hundred has failed and one in a thousand is of a department;
    /// of write-backs five are unsent and ten were given up.
    const FILL: [&str; 4] = [
        "INSERT INTO appointments (profile, encounter_key, sealed, created_at, last_used_at)
         SELECT substr(sha256('a'), 1, 16), sha256(n::text::bytea), ''::bytea, n, n
         FROM generate_series(1, $1) AS n",
        "INSERT INTO launches (request_id, profile, role, fingerprint, state, created_at,
             expires_at, error_name, failed_at, department)
         SELECT substr(sha256(n::text::bytea), 1, 16), substr(sha256('a'), 1, 16), 'patient',
             sha256(n::text::bytea), CASE WHEN n % 100 = 0 THEN 'failed' ELSE 'started' END, n, n,
             CASE WHEN n % 1000 = 0 THEN 'InternalError' WHEN n % 100 = 0 THEN 'InvalidState' END,
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
            error_name: Some("InternalError".parse().unwrap()),
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
