//! Listings and figures in SQLite.

use std::collections::HashMap;

use async_trait::async_trait;
use sqlx::{QueryBuilder, Row, Sqlite};
use vestibule_launch::{RequestId, UnixTime};

use super::{
    SqliteStore,
    rows::{bytes, maybe_time_of},
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

impl Sql for Sqlite {
    /// Of a view of both tables SQLite would read every row before it compares.
    const TIMES: &'static str = "
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
    const OVER: &'static str = "appointments.id NOT IN (SELECT appointment FROM running_visits)
         AND EXISTS (SELECT 1 FROM visit_times
             WHERE visit_times.appointment = appointments.id)";
    // Zeros are where none is known.
    const PROFILE_KNOWN: &'static str = " AND launches.profile <> zeroblob(16)";
    const ROLE_KNOWN: &'static str = " AND launches.role_known";
    // It cannot know how many rows there are: the sign keeps it from looking at each.
    const FEWER_OTHERWISE: &'static str = "+";

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
        query.push(" FROM appointments WHERE id = ");
        query.push_bind(appointment.0);
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
        let mut query = counts_of_launches(filter, step, grouping);
        let rows = query.build().fetch_all(&mut *self.reading().await?).await?;
        rows.iter().map(|row| count_row_of(row, grouping)).collect()
    }

    async fn launch_durations(
        &self,
        filter: &LaunchFilter,
        page: Page<RequestId>,
    ) -> Result<Vec<LaunchDurations>, StoreError> {
        let mut query = durations_of_launches(filter, page);
        let rows = query.build().fetch_all(&mut *self.reading().await?).await?;
        rows.iter().map(durations_of).collect()
    }

    async fn summarise_launches(
        &self,
        filter: &LaunchFilter,
        measure: Measure,
        per: Per,
    ) -> Result<Vec<Summary>, StoreError> {
        let mut query = summary_of_launches(filter, measure, per);
        let rows = query.build().fetch_all(&mut *self.reading().await?).await?;
        rows.iter().map(|row| summary_of(row, per)).collect()
    }

    async fn visit_lengths(
        &self,
        filter: &AppointmentFilter,
        page: Page<AppointmentId>,
    ) -> Result<VisitLengths, StoreError> {
        let mut query = lengths_of_visits(filter, page);
        let rows = query.build().fetch_all(&mut *self.reading().await?).await?;
        let lengths: Result<_, StoreError> = rows.iter().map(length_of).collect();
        Ok(VisitLengths::of(lengths?, filter.time))
    }

    async fn summarise_visits(
        &self,
        filter: &AppointmentFilter,
        per: Per,
    ) -> Result<Vec<Summary>, StoreError> {
        let mut query = summary_of_visits(filter, per);
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
        let mut query = page_of_write_backs(filter, page);
        let rows = query.build().fetch_all(&mut *self.reading().await?).await?;
        rows.iter().map(row_of).collect()
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

    /// Of what an earlier version stored as `visit` the kind is not known: whatever came
    /// later, but for a device test, may have overtaken it, and goes with it.
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
                      AND (later.kind = write_backs.kind
                          OR write_backs.kind = 'visit' AND later.kind <> 'device_test')
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
                      AND (later.kind = first.kind
                          OR first.kind = 'visit' AND later.kind <> 'device_test')
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
