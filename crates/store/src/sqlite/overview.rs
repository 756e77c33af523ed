//! Listings and figures in SQLite.

use std::collections::HashMap;

use async_trait::async_trait;
use sqlx::{Encode, QueryBuilder, Row, Sqlite, Type, sqlite::SqliteRow};
use uuid::Uuid;
use vestibule_launch::{RequestId, UnixTime};

use super::{
    SqliteStore,
    rows::{
        appointment_of, bytes, count_of, launch_of, maybe_error_of, maybe_time_of, profile_of,
        request_id_of, role_of, time_of,
    },
    visits, write_backs,
};
use crate::{
    AppointmentFilter, AppointmentId, AppointmentRow, Attempt, Attendee, Group, Grouping,
    LaunchCount, LaunchDurations, LaunchFilter, LaunchProgress, LaunchRow, Measure, Overview, Page,
    Part, Per, SentAgain, Step, StoreError, Summary, TimeRange, VisitLength, VisitProgress,
    WriteBackFilter, WriteBackRow,
    course::read_steps,
    measure::{self, JOINED, LENGTHS, LONGEST_WAY, SOMEBODY_JOINED, WAITED},
};

/// Of an appointment.
const DEPARTMENT: &str = "
    (SELECT department FROM launches
     WHERE launches.appointment = appointments.id AND department IS NOT NULL
     ORDER BY launches.created_at, launches.request_id LIMIT 1) AS department";

/// Of an appointment: when the first came, when the last went, and whether anybody is
/// there. Of a view of both tables SQLite would read every row before it compares.
const TIMES: &str = "
    (SELECT min(at) FROM
         (SELECT min(started_at) AS at FROM conferences
          WHERE conferences.appointment = appointments.id
          UNION ALL
          SELECT min(connected_at) FROM participants
          WHERE participants.appointment = appointments.id)) AS began_at,
    (SELECT max(at) FROM
         (SELECT max(ended_at) AS at FROM conferences
          WHERE conferences.appointment = appointments.id
          UNION ALL
          SELECT max(disconnected_at) FROM participants
          WHERE participants.appointment = appointments.id)) AS ended_at,
    EXISTS (SELECT 1 FROM running_visits
     WHERE running_visits.appointment = appointments.id) AS runs";

#[async_trait]
impl Overview for SqliteStore {
    async fn list_launches(
        &self,
        filter: &LaunchFilter,
        page: Page<RequestId>,
    ) -> Result<Vec<LaunchRow>, StoreError> {
        let mut query = page_of_launches(filter, page);
        let rows = query.build().fetch_all(&mut *self.reading().await?).await?;
        rows.iter().map(launch_row_of).collect()
    }

    async fn launch_row(&self, request_id: RequestId) -> Result<Option<LaunchRow>, StoreError> {
        let mut query = select_launches();
        query.push(" AND launches.request_id = ");
        query.push_bind(bytes(request_id.as_bytes()));
        let row = query
            .build()
            .fetch_optional(&mut *self.reading().await?)
            .await?;
        row.map(|row| launch_row_of(&row)).transpose()
    }

    async fn list_appointments(
        &self,
        filter: &AppointmentFilter,
        page: Page<AppointmentId>,
    ) -> Result<Vec<AppointmentRow>, StoreError> {
        let mut query = page_of_appointments(filter, page);
        let rows = query.build().fetch_all(&mut *self.reading().await?).await?;
        rows.iter().map(appointment_row_of).collect()
    }

    async fn appointment_row(
        &self,
        appointment: AppointmentId,
    ) -> Result<Option<AppointmentRow>, StoreError> {
        let mut query = select_appointments();
        query
            .push(" AND appointments.id = ")
            .push_bind(appointment.0);
        let row = query
            .build()
            .fetch_optional(&mut *self.reading().await?)
            .await?;
        row.map(|row| appointment_row_of(&row)).transpose()
    }

    async fn attendees(&self, appointment: AppointmentId) -> Result<Vec<Attendee>, StoreError> {
        let rows = sqlx::query(
            "SELECT participants.*, launches.request_id, launches.role
             FROM participants
             LEFT JOIN aliases ON aliases.alias_hash = participants.alias_hash
             LEFT JOIN launches ON launches.request_id = aliases.request_id
             WHERE participants.appointment = ?1
             ORDER BY participants.connected_at, participants.participant",
        )
        .bind(appointment.0)
        .fetch_all(&mut *self.reading().await?)
        .await?;
        rows.iter().map(attendee_of).collect()
    }

    async fn oldest_launch(&self) -> Result<Option<UnixTime>, StoreError> {
        let row = sqlx::query("SELECT min(created_at) AS oldest FROM launches")
            .fetch_one(&mut *self.reading().await?)
            .await?;
        maybe_time_of(&row, "oldest")
    }

    async fn count_launches(
        &self,
        filter: &LaunchFilter,
        step: Step,
        grouping: Grouping,
    ) -> Result<Vec<LaunchCount>, StoreError> {
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
        query.push(" GROUP BY 1, 2 ORDER BY 1, 2");
        let rows = query.build().fetch_all(&mut *self.reading().await?).await?;
        rows.iter().map(|row| count_row_of(row, grouping)).collect()
    }

    async fn launch_durations(
        &self,
        filter: &LaunchFilter,
        page: Page<RequestId>,
    ) -> Result<Vec<LaunchDurations>, StoreError> {
        let mut query = select_measured();
        push_launches(&mut query, filter);
        let columns = ("launches.created_at", "launches.request_id");
        push_page(&mut query, columns, page, |id| bytes(id.as_bytes()));
        let rows = query.build().fetch_all(&mut *self.reading().await?).await?;
        rows.iter().map(durations_of).collect()
    }

    async fn summarise_launches(
        &self,
        filter: &LaunchFilter,
        measure: Measure,
        per: Per,
    ) -> Result<Vec<Summary>, StoreError> {
        let mut query = QueryBuilder::new("WITH completed AS (");
        query.push(select_measured().sql().as_str());
        push_launches(&mut query, filter);
        query.push("), measured AS (SELECT created_at AS began, department, ");
        query.push(measure::value(measure));
        query.push(" AS measured FROM completed)");
        measure::push_summary(&mut query, per);
        let rows = query.build().fetch_all(&mut *self.reading().await?).await?;
        rows.iter().map(|row| summary_of(row, per)).collect()
    }

    async fn visit_lengths(
        &self,
        filter: &AppointmentFilter,
        page: Page<AppointmentId>,
    ) -> Result<Vec<VisitLength>, StoreError> {
        let mut query = select_lengths(filter);
        query.push(" SELECT * FROM measured WHERE TRUE");
        push_page(&mut query, ("began", "appointment"), page, |id| id.0);
        let rows = query.build().fetch_all(&mut *self.reading().await?).await?;
        rows.iter()
            .map(|row| {
                Ok(VisitLength {
                    appointment: AppointmentId(row.try_get("appointment")?),
                    profile: profile_of(row)?,
                    department: row.try_get("department")?,
                    began_at: time_of(row, "began")?,
                    ended_at: time_of(row, "ended_at")?,
                    present: row.try_get("measured")?,
                })
            })
            .collect()
    }

    async fn summarise_visits(
        &self,
        filter: &AppointmentFilter,
        per: Per,
    ) -> Result<Vec<Summary>, StoreError> {
        let mut query = select_lengths(filter);
        measure::push_summary(&mut query, per);
        let rows = query.build().fetch_all(&mut *self.reading().await?).await?;
        rows.iter().map(|row| summary_of(row, per)).collect()
    }

    async fn departments(&self, limit: u32) -> Result<Vec<String>, StoreError> {
        // From each name to the next: launches are many, departments few.
        let names = sqlx::query_scalar(
            "WITH RECURSIVE names (name) AS (
                 SELECT min(department) FROM launches WHERE department IS NOT NULL
                 UNION ALL
                 SELECT (SELECT min(department) FROM launches WHERE department > names.name)
                 FROM names WHERE names.name IS NOT NULL)
             SELECT name FROM names WHERE name IS NOT NULL LIMIT ?1",
        )
        .bind(i64::from(limit))
        .fetch_all(&mut *self.reading().await?)
        .await?;
        Ok(names)
    }

    async fn list_write_backs(
        &self,
        filter: &WriteBackFilter,
        page: Page<i64>,
    ) -> Result<Vec<WriteBackRow>, StoreError> {
        let mut query = QueryBuilder::new("SELECT * FROM write_backs WHERE TRUE");
        push_time(&mut query, "created_at", filter.time);
        if let Some(profile) = filter.profile {
            query.push(" AND profile = ");
            query.push_bind(bytes(profile.as_bytes()));
        }
        if let Some(progress) = filter.progress {
            query.push(" AND state = ").push_bind(progress.as_str());
        }
        if let Some(request_id) = filter.request_id {
            query.push(" AND request_id = ");
            query.push_bind(bytes(request_id.as_bytes()));
        }
        if let Some(appointment) = filter.appointment {
            query.push(" AND request_id IN (SELECT request_id FROM launches WHERE appointment = ");
            query.push_bind(appointment.0).push(")");
        }
        push_page(&mut query, ("created_at", "id"), page, |id| id);
        let rows = query.build().fetch_all(&mut *self.reading().await?).await?;
        rows.iter().map(write_backs::row_of).collect()
    }

    async fn attempts_of(
        &self,
        write_backs: &[i64],
    ) -> Result<HashMap<i64, Vec<Attempt>>, StoreError> {
        // One statement for however many there are.
        let numbers: Vec<_> = write_backs.iter().map(i64::to_string).collect();
        let rows = sqlx::query(
            "SELECT * FROM write_back_attempts
             WHERE write_back IN (SELECT value FROM json_each(?1))
             ORDER BY write_back, number",
        )
        .bind(format!("[{}]", numbers.join(",")))
        .fetch_all(&mut *self.reading().await?)
        .await?;
        let mut attempts: HashMap<_, Vec<_>> = HashMap::new();
        for row in &rows {
            let of = attempts.entry(row.try_get("write_back")?).or_default();
            of.push(attempt_of(row)?);
        }
        Ok(attempts)
    }

    /// Of what has the lane `visit`, an earlier version's, it is not known which table tells
    /// it: whatever came later, but for a device test, may have overtaken it, and goes with it.
    async fn send_again(&self, write_back: i64, now: UnixTime) -> Result<SentAgain, StoreError> {
        let mut transaction = self.write().await?;
        let state = sqlx::query_scalar::<_, String>("SELECT state FROM write_backs WHERE id = ?1")
            .bind(write_back)
            .fetch_optional(&mut *transaction)
            .await?;
        match state.as_deref() {
            None => return Ok(SentAgain::Unknown),
            Some("given_up") => {}
            Some(_) => return Ok(SentAgain::NotGivenUp),
        }
        let due = sqlx::query(
            "UPDATE write_backs
             SET state = 'unsent', finished_at = NULL, due_at = ?2, sent_again_at = ?2
             WHERE id = ?1 AND NOT EXISTS
                 (SELECT 1 FROM write_backs AS later
                  WHERE later.request_id = write_backs.request_id
                      AND (later.lane = write_backs.lane
                          OR write_backs.lane = 'visit' AND later.lane <> 'device_test')
                      AND (later.created_at, later.id) > (write_backs.created_at, write_backs.id)
                      AND (later.state = 'sent' OR later.leased_until > ?2))",
        )
        .bind(write_back)
        .bind(now.as_millis())
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        if due == 0 {
            return Ok(SentAgain::Overtaken);
        }
        let behind = sqlx::query(
            "UPDATE write_backs
             SET state = 'unsent', finished_at = NULL, due_at = ?2, sent_again_at = ?2
             WHERE state = 'given_up' AND id IN
                 (SELECT later.id FROM write_backs AS later
                  JOIN write_backs AS first ON first.id = ?1
                  WHERE later.request_id = first.request_id
                      AND (later.lane = first.lane
                          OR first.lane = 'visit' AND later.lane <> 'device_test')
                      AND (later.created_at, later.id) > (first.created_at, first.id))",
        )
        .bind(write_back)
        .bind(now.as_millis())
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        transaction.commit().await?;
        Ok(SentAgain::Due(
            u32::try_from(due + behind).unwrap_or(u32::MAX),
        ))
    }
}

fn select_launches() -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT launches.*,");
    query.push(JOINED).push(" FROM launches WHERE TRUE");
    query
}

/// Completed launches, but those that failed afterwards, with what can be measured of them.
fn select_measured() -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT launches.*,");
    query.push(JOINED).push(",").push(WAITED);
    query.push(" FROM launches WHERE launches.state = 'completed'");
    query
}

/// The lengths of visits, as `measured`.
fn select_lengths(filter: &AppointmentFilter) -> QueryBuilder<Sqlite> {
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
        ", lengths.began_at AS began, lengths.ended_at, present AS measured
         FROM lengths JOIN appointments ON appointments.id = lengths.appointment WHERE TRUE",
    );
    push_time(&mut query, "lengths.began_at", filter.time);
    query.push(")");
    query
}

pub(super) fn select_appointments() -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new(
        "SELECT appointments.id AS appointment_id, profile, encounter_key, sealed, created_at,
         (SELECT count(*) FROM launches
          WHERE launches.appointment = appointments.id) AS launches,",
    );
    query.push(DEPARTMENT).push(",").push(TIMES);
    query.push(" FROM appointments WHERE TRUE");
    query
}

pub(super) fn page_of_launches(
    filter: &LaunchFilter,
    page: Page<RequestId>,
) -> QueryBuilder<Sqlite> {
    let mut query = select_launches();
    push_launches(&mut query, filter);
    let columns = ("launches.created_at", "launches.request_id");
    push_page(&mut query, columns, page, |id| bytes(id.as_bytes()));
    query
}

pub(super) fn page_of_appointments(
    filter: &AppointmentFilter,
    page: Page<AppointmentId>,
) -> QueryBuilder<Sqlite> {
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

/// Those of a time.
pub(super) fn push_time(
    query: &mut QueryBuilder<Sqlite>,
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
    query: &mut QueryBuilder<Sqlite>,
    columns: (&'static str, &'static str),
    page: Page<I>,
    value: impl FnOnce(I) -> V,
) where
    V: for<'q> Encode<'q, Sqlite> + Type<Sqlite>,
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

fn push_launches(query: &mut QueryBuilder<Sqlite>, filter: &LaunchFilter) {
    push_time(query, "launches.created_at", filter.time);
    if filter.profile.is_some() {
        // Zeros are where none is known.
        query.push(" AND launches.profile <> zeroblob(16)");
    }
    let has_fewer =
        filter.error_name.is_some() || filter.department.is_some() || filter.appointment.is_some();
    push_profile(query, "launches.profile", filter.profile, has_fewer);
    if let Some(role) = filter.role {
        query.push(" AND launches.role_known AND launches.role = ");
        query.push_bind(role.as_str());
    }
    match filter.progress {
        None => {}
        Some(LaunchProgress::Joined) => {
            query.push(" AND launches.state = 'completed' AND ");
            query.push(SOMEBODY_JOINED);
        }
        Some(LaunchProgress::Completed) => {
            query.push(" AND launches.state = 'completed' AND NOT ");
            query.push(SOMEBODY_JOINED);
        }
        Some(progress) => {
            query.push(" AND launches.state = ");
            query.push_bind(progress.as_str());
        }
    }
    if let Some(error_name) = filter.error_name {
        query.push(" AND launches.error_name = ");
        query.push_bind(error_name.as_str());
    }
    if let Some(department) = &filter.department {
        query.push(" AND launches.department = ");
        query.push_bind(department.clone());
    }
    if let Some(appointment) = filter.appointment {
        query.push(" AND launches.appointment = ");
        query.push_bind(appointment.0);
    }
}

/// All but the progress.
fn push_appointments(query: &mut QueryBuilder<Sqlite>, filter: &AppointmentFilter) {
    push_time(query, "appointments.created_at", filter.time);
    push_whose(query, filter);
}

/// Those of a profile. They may be nearly all, which SQLite cannot know: where another
/// condition leaves fewer, a plus sign keeps it from looking at each of the profile.
fn push_profile(
    query: &mut QueryBuilder<Sqlite>,
    column: &'static str,
    profile: Option<Uuid>,
    has_fewer: bool,
) {
    if let Some(profile) = profile {
        query.push(if has_fewer { " AND +" } else { " AND " });
        query.push(column).push(" = ");
        query.push_bind(bytes(profile.as_bytes()));
    }
}

/// Those of a profile and of a department.
fn push_whose(query: &mut QueryBuilder<Sqlite>, filter: &AppointmentFilter) {
    let has_fewer = filter.progress == Some(VisitProgress::Running);
    push_profile(query, "appointments.profile", filter.profile, has_fewer);
    if let Some(department) = &filter.department {
        query.push(
            " AND EXISTS (SELECT 1 FROM launches
                 WHERE launches.appointment = appointments.id AND launches.department = ",
        );
        query.push_bind(department.clone()).push(")");
    }
}

fn push_over(query: &mut QueryBuilder<Sqlite>) {
    query.push(
        " AND appointments.id NOT IN (SELECT appointment FROM running_visits)
          AND EXISTS (SELECT 1 FROM visit_times
              WHERE visit_times.appointment = appointments.id)",
    );
}

/// What the landing page said, or else what the conferencing node did.
fn joined_of(row: &SqliteRow) -> Result<Option<UnixTime>, StoreError> {
    Ok(maybe_time_of(row, "joined_at")?.or(maybe_time_of(row, "connected_at")?))
}

fn launch_row_of(row: &SqliteRow) -> Result<LaunchRow, StoreError> {
    Ok(LaunchRow {
        launch: launch_of(row)?,
        authorised_at: maybe_time_of(row, "authorised_at")?,
        completed_at: maybe_time_of(row, "completed_at")?,
        joined_at: joined_of(row)?,
        department: row.try_get("department")?,
        steps: read_steps(&row.try_get::<String, _>("steps")?)?,
        overcome: maybe_error_of(row, "overcome")?,
    })
}

fn appointment_row_of(row: &SqliteRow) -> Result<AppointmentRow, StoreError> {
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
        launches: row.try_get("launches")?,
        department: row.try_get("department")?,
    })
}

fn attempt_of(row: &SqliteRow) -> Result<Attempt, StoreError> {
    Ok(Attempt {
        number: row.try_get("number")?,
        at: time_of(row, "at")?,
        status: row.try_get("status")?,
        reason: write_backs::reason_of(row, "reason")?,
    })
}

fn attendee_of(row: &SqliteRow) -> Result<Attendee, StoreError> {
    let launch: Option<Vec<u8>> = row.try_get("request_id")?;
    Ok(Attendee {
        participant: visits::participant_of(row)?,
        launch: match launch {
            Some(_) => Some((request_id_of(row)?, role_of(row)?)),
            None => None,
        },
    })
}

fn count_row_of(row: &SqliteRow, grouping: Grouping) -> Result<LaunchCount, StoreError> {
    let group = match grouping {
        Grouping::ErrorName => Group::ErrorName(maybe_error_of(row, "error_name")?),
        Grouping::Department => Group::Department(row.try_get("department")?),
    };
    Ok(LaunchCount {
        at: time_of(row, "at")?,
        group,
        launches: count_of(row, "launches")?,
        failed: count_of(row, "failed")?,
    })
}

fn summary_of(row: &SqliteRow, per: Per) -> Result<Summary, StoreError> {
    Ok(Summary {
        part: match per {
            Per::All => Part::All,
            Per::Step(_) => Part::Step(time_of(row, "part")?),
            Per::Department => Part::Department(row.try_get("part")?),
        },
        count: count_of(row, "many")?,
        median: row.try_get("median")?,
        high: row.try_get("high")?,
    })
}

fn durations_of(row: &SqliteRow) -> Result<LaunchDurations, StoreError> {
    let created_at = time_of(row, "created_at")?;
    let joined_at = joined_of(row)?;
    let is_patient = row.try_get::<String, _>("role")? == "patient";
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
