//! Listings and figures in PostgreSQL.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use async_trait::async_trait;
use sqlx::{Connection as _, PgConnection, Postgres, QueryBuilder, Row as _};
use vestibule_launch::{RequestId, UnixTime};

use super::{
    PostgresStore,
    attempt::{Again, Attempt as Try, run},
    rows::maybe_time_of,
    write_backs::ONE_AFTER_THE_OTHER,
};
use crate::{
    AppointmentFilter, AppointmentId, AppointmentRow, Attempt, Attendee, Grouping, LaunchCount,
    LaunchDurations, LaunchFilter, LaunchRow, Measure, Overview, Page, Per, SentAgain, Step,
    StoreError, Summary, VisitLengths, WriteBackFilter, WriteBackRow,
    listing::{
        Sql, counts_of_launches, durations_of_launches, lengths_of_visits, page_of_appointments,
        page_of_launches, page_of_write_backs, select_appointments, select_launches,
        summary_of_launches, summary_of_visits,
    },
    rows::{
        overview::{
            appointment_row_of, attendee_of, count_row_of, durations_of, launch_row_of, length_of,
            summary_of,
        },
        write_backs::{attempt_of, row_of},
    },
};

impl Sql for Postgres {
    /// Each looks at the few rows of the appointment, and never at all that run.
    const TIMES: &'static str = "
    (SELECT min(began_at) FROM visit_times
     WHERE visit_times.appointment = appointments.id) AS began_at,
    (SELECT max(ended_at) FROM visit_times
     WHERE visit_times.appointment = appointments.id) AS ended_at,
    coalesce((SELECT bool_or(ended_at IS NULL) FROM visit_times
     WHERE visit_times.appointment = appointments.id), FALSE) AS runs";
    const OVER: &'static str = "(SELECT bool_and(ended_at IS NOT NULL) FROM visit_times
         WHERE visit_times.appointment = appointments.id)";
    // Where they are not known, they are null.
    const PROFILE_KNOWN: &'static str = "";
    const ROLE_KNOWN: &'static str = "";
    // It knows how many rows there are.
    const FEWER_OTHERWISE: &'static str = "";

    fn bind_number(query: &mut QueryBuilder<Self>, number: i64) {
        query.push_bind(number);
    }

    fn bind_text(query: &mut QueryBuilder<Self>, text: String) {
        query.push_bind(text);
    }

    fn bind_bytes(query: &mut QueryBuilder<Self>, bytes: Vec<u8>) {
        query.push_bind(bytes);
    }
}

#[async_trait]
impl Overview for PostgresStore {
    /// `launches_created_at` gives them in the order of the listing, and so do
    /// `launches_failed`, `launches_error_name` and `launches_department` those that they
    /// hold, and `launches_profile` those of a profile: what is read ends with the page, or
    /// with the time that is asked for.
    async fn list_launches(
        &self,
        filter: &LaunchFilter,
        page: Page<RequestId>,
    ) -> Result<Vec<LaunchRow>, StoreError> {
        let _turn = self.reading().await?;
        run!(self, Again::Always, |connection, _| {
            let mut query = page_of_launches(filter, page);
            let rows = query.build().fetch_all(connection).await?;
            rows.iter().map(launch_row_of).collect()
        })
    }

    async fn launch_row(&self, request_id: RequestId) -> Result<Option<LaunchRow>, StoreError> {
        let _turn = self.reading().await?;
        run!(self, Again::Always, |connection, _| {
            let mut query = select_launches();
            query.push(" AND launches.request_id = ");
            query.push_bind(request_id.as_bytes().as_slice());
            let row = query.build().fetch_optional(connection).await?;
            row.map(|row| launch_row_of(&row)).transpose()
        })
    }

    /// `appointments_created_at` gives them in the order of the listing, and
    /// `appointments_profile` those of a profile, as `appointments_long` and
    /// `appointments_profile_long` do those that were used for long. What is running is in
    /// `conferences_running` and `participants_connected`, which hold nothing else.
    async fn list_appointments(
        &self,
        filter: &AppointmentFilter,
        page: Page<AppointmentId>,
    ) -> Result<Vec<AppointmentRow>, StoreError> {
        let _turn = self.reading().await?;
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
        let _turn = self.reading().await?;
        run!(self, Again::Always, |connection, _| {
            let mut query = select_appointments();
            query.push(" FROM appointments WHERE id = ");
            query.push_bind(appointment.0);
            let row = query.build().fetch_optional(connection).await?;
            row.map(|row| appointment_row_of(&row)).transpose()
        })
    }

    async fn attendees(&self, appointment: AppointmentId) -> Result<Vec<Attendee>, StoreError> {
        let _turn = self.reading().await?;
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

    /// The first of `launches_created_at`.
    async fn oldest_launch(&self) -> Result<Option<UnixTime>, StoreError> {
        let _turn = self.reading().await?;
        run!(self, Again::Always, |connection, _| {
            let row = sqlx::query("SELECT min(created_at) AS oldest FROM launches")
                .fetch_one(connection)
                .await?;
            maybe_time_of(&row, "oldest")
        })
    }

    /// Reads every launch of the time that is asked for, by `launches_created_at`. Of a
    /// time with too many of them there is no answer within the deadline.
    async fn count_launches(
        &self,
        filter: &LaunchFilter,
        step: Step,
        grouping: Grouping,
    ) -> Result<Vec<LaunchCount>, StoreError> {
        let _turn = self.reading().await?;
        run!(self, Again::Always, |connection, _| {
            let mut query = counts_of_launches(filter, step, grouping);
            let rows = query.build().fetch_all(connection).await?;
            rows.iter().map(|row| count_row_of(row, grouping)).collect()
        })
    }

    /// In the order of `launches_created_at`, as a page of the listing.
    async fn launch_durations(
        &self,
        filter: &LaunchFilter,
        page: Page<RequestId>,
    ) -> Result<Vec<LaunchDurations>, StoreError> {
        let _turn = self.reading().await?;
        run!(self, Again::Always, |connection, _| {
            let mut query = durations_of_launches(filter, page);
            let rows = query.build().fetch_all(connection).await?;
            rows.iter().map(durations_of).collect()
        })
    }

    /// Reads every launch of the time, and what was reported of each; see
    /// [`Overview::count_launches`].
    async fn summarise_launches(
        &self,
        filter: &LaunchFilter,
        measure: Measure,
        per: Per,
    ) -> Result<Vec<Summary>, StoreError> {
        let _turn = self.reading().await?;
        run!(self, Again::Always, |connection, _| {
            let mut query = summary_of_launches(filter, measure, per);
            let rows = query.build().fetch_all(connection).await?;
            rows.iter().map(|row| summary_of(row, per)).collect()
        })
    }

    /// Reads a page of appointments, and what is known of their visits.
    async fn visit_lengths(
        &self,
        filter: &AppointmentFilter,
        page: Page<AppointmentId>,
    ) -> Result<VisitLengths, StoreError> {
        let _turn = self.reading().await?;
        run!(self, Again::Always, |connection, _| {
            let mut query = lengths_of_visits(filter, page);
            let rows = query.build().fetch_all(connection).await?;
            let lengths: Result<_, StoreError> = rows.iter().map(length_of).collect();
            Ok(VisitLengths::of(lengths?, filter.time))
        })
    }

    async fn summarise_visits(
        &self,
        filter: &AppointmentFilter,
        per: Per,
    ) -> Result<Vec<Summary>, StoreError> {
        let _turn = self.reading().await?;
        run!(self, Again::Always, |connection, _| {
            let mut query = summary_of_visits(filter, per);
            let rows = query.build().fetch_all(connection).await?;
            rows.iter().map(|row| summary_of(row, per)).collect()
        })
    }

    /// One step of `launches_department` for each name: launches are many, departments
    /// few.
    async fn departments(&self, limit: u32) -> Result<Vec<String>, StoreError> {
        let _turn = self.reading().await?;
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
        let _turn = self.reading().await?;
        run!(self, Again::Always, |connection, _| {
            let mut query = page_of_write_backs(filter, page);
            let rows = query.build().fetch_all(connection).await?;
            rows.iter().map(row_of).collect()
        })
    }

    async fn attempts_of(
        &self,
        write_backs: &[i64],
    ) -> Result<HashMap<i64, Vec<Attempt>>, StoreError> {
        let _turn = self.reading().await?;
        run!(self, Again::Always, |connection, _| {
            let rows = sqlx::query(
                "SELECT * FROM write_back_attempts WHERE write_back = ANY ($1)
                 ORDER BY write_back, number",
            )
            .bind(write_backs)
            .fetch_all(connection)
            .await?;
            let mut attempts: HashMap<_, Vec<_>> = HashMap::new();
            for row in &rows {
                let of = attempts.entry(row.try_get("write_back")?).or_default();
                of.push(attempt_of(row)?);
            }
            Ok(attempts)
        })
    }

    async fn send_again(&self, write_back: i64, now: UnixTime) -> Result<SentAgain, StoreError> {
        run!(self, Again::Always, |connection, attempt| {
            send_again(connection, attempt, write_back, now).await
        })
    }
}

/// Nobody claims meanwhile: of the later ones of the kind none is on its way that was not
/// seen here. Those that are unsent wait with it from now on; see [`super::write_backs::CLAIM`].
/// Of what an earlier version stored as `visit` the kind is not known: whatever came later,
/// but for a device test, may have overtaken it, and goes with it.
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
        if attempt != Try::Second || !is_ours {
            return Ok(SentAgain::NotGivenUp);
        }
        let due: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM write_backs AS later
             JOIN write_backs AS first ON first.id = $1
             WHERE later.request_id = first.request_id
                 AND (later.kind = first.kind
                     OR first.kind = 'visit' AND later.kind <> 'device_test')
                 AND later.id >= first.id AND later.sent_again_at = $2",
        )
        .bind(write_back)
        .bind(now.as_millis())
        .fetch_one(&mut *transaction)
        .await?;
        return Ok(SentAgain::Due(u32::try_from(due).unwrap_or(u32::MAX)));
    }
    let due: i64 = sqlx::query_scalar(
        "WITH again AS
             (UPDATE write_backs
              SET state = 'unsent', finished_at = NULL, due_at = $2, sent_again_at = $2
              WHERE id = $1 AND NOT EXISTS
                  (SELECT 1 FROM write_backs AS later
                   WHERE later.request_id = write_backs.request_id
                       AND (later.kind = write_backs.kind
                           OR write_backs.kind = 'visit' AND later.kind <> 'device_test')
                       AND later.id > write_backs.id
                       AND (later.state = 'sent' OR later.leased_until > $2))
              RETURNING id, request_id, kind),
         following AS
             (UPDATE write_backs
              SET state = 'unsent', finished_at = NULL, due_at = $2, sent_again_at = $2
              FROM again
              WHERE write_backs.request_id = again.request_id
                  AND (write_backs.kind = again.kind
                      OR again.kind = 'visit' AND write_backs.kind <> 'device_test')
                  AND write_backs.state = 'given_up'
                  AND write_backs.id > again.id
              RETURNING write_backs.id),
         behind AS
             (UPDATE write_backs SET due_at = $2
              FROM again
              WHERE write_backs.request_id = again.request_id
                  AND (write_backs.kind = 'device_test') = (again.kind = 'device_test')
                  AND write_backs.state = 'unsent'
                  AND write_backs.id > again.id AND write_backs.due_at < $2)
         SELECT (SELECT count(*) FROM again) + (SELECT count(*) FROM following)",
    )
    .bind(write_back)
    .bind(now.as_millis())
    .fetch_one(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(match u32::try_from(due).unwrap_or(u32::MAX) {
        0 => SentAgain::Overtaken,
        due => SentAgain::Due(due),
    })
}
