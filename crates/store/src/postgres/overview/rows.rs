//! Rows of listings and figures into the types of this crate.

use sqlx::{Row, postgres::PgRow};
use vestibule_launch::UnixTime;

use crate::{
    AppointmentId, AppointmentRow, Attempt, Attendee, Group, Grouping, LaunchCount,
    LaunchDurations, LaunchRow, Part, Per, StoreError, Summary, VisitLength, VisitProgress,
    course::read_steps,
    postgres::{
        rows::{
            appointment_of, count_of, launch_of, maybe_error_of, maybe_time_of, profile_of,
            request_id_of, role_of, time_of,
        },
        visits, write_backs,
    },
};

/// What the landing page said, or else what the conferencing node did.
fn joined_of(row: &PgRow) -> Result<Option<UnixTime>, StoreError> {
    Ok(maybe_time_of(row, "joined_at")?.or(maybe_time_of(row, "connected_at")?))
}

pub(super) fn launch_row_of(row: &PgRow) -> Result<LaunchRow, StoreError> {
    Ok(LaunchRow {
        launch: launch_of(row)?,
        authorised_at: maybe_time_of(row, "authorised_at")?,
        completed_at: maybe_time_of(row, "completed_at")?,
        joined_at: joined_of(row)?,
        department: row.try_get("department")?,
        steps: read_steps(row.try_get("steps")?)?,
        overcome: maybe_error_of(row, "overcome")?,
    })
}

pub(super) fn appointment_row_of(row: &PgRow) -> Result<AppointmentRow, StoreError> {
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

pub(super) fn length_of(row: &PgRow) -> Result<VisitLength, StoreError> {
    Ok(VisitLength {
        appointment: AppointmentId(row.try_get("appointment")?),
        profile: profile_of(row)?,
        department: row.try_get("department")?,
        began_at: time_of(row, "began")?,
        ended_at: time_of(row, "ended_at")?,
        present: row.try_get("measured")?,
    })
}

pub(super) fn attempt_of(row: &PgRow) -> Result<Attempt, StoreError> {
    let status: Option<i32> = row.try_get("status")?;
    let status = status.map(u16::try_from).transpose();
    Ok(Attempt {
        number: count_of(row, "number")?,
        at: time_of(row, "at")?,
        status: status.map_err(|_| StoreError::Damaged("status"))?,
        reason: write_backs::reason_of(row, "reason")?,
    })
}

pub(super) fn attendee_of(row: &PgRow) -> Result<Attendee, StoreError> {
    let launch: Option<&[u8]> = row.try_get("request_id")?;
    Ok(Attendee {
        participant: visits::participant_of(row)?,
        launch: match launch {
            Some(_) => Some((request_id_of(row)?, role_of(row)?)),
            None => None,
        },
    })
}

pub(super) fn count_row_of(row: &PgRow, grouping: Grouping) -> Result<LaunchCount, StoreError> {
    let group = match grouping {
        Grouping::ErrorName => Group::ErrorName(maybe_error_of(row, "error_name")?),
        Grouping::Department => Group::Department(row.try_get("department")?),
    };
    Ok(LaunchCount {
        at: time_of(row, "at")?,
        group,
        launches: number_of(row, "launches")?,
        failed: number_of(row, "failed")?,
    })
}

pub(super) fn summary_of(row: &PgRow, per: Per) -> Result<Summary, StoreError> {
    Ok(Summary {
        part: match per {
            Per::All => Part::All,
            Per::Step(_) => Part::Step(time_of(row, "part")?),
            Per::Department => Part::Department(row.try_get("part")?),
        },
        count: number_of(row, "many")?,
        median: row.try_get("median")?,
        high: row.try_get("high")?,
    })
}

/// A count that may be of many.
fn number_of(row: &PgRow, column: &'static str) -> Result<u64, StoreError> {
    let number: i64 = row.try_get(column)?;
    u64::try_from(number).map_err(|_| StoreError::Damaged(column))
}

pub(super) fn durations_of(row: &PgRow) -> Result<LaunchDurations, StoreError> {
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
