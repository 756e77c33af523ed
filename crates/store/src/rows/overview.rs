//! Rows of listings and figures.

use vestibule_launch::{EhrRole, UnixTime};

use super::{
    Columns, appointment_id_of, appointment_of, count_of, launch_of, maybe_error_of, maybe_time_of,
    participant_of, profile_of, request_id_of, role_of, time_of,
};
use crate::{
    AppointmentId, AppointmentRow, Attendee, Group, Grouping, LaunchCount, LaunchDurations,
    LaunchRow, Part, Per, Position, StoreError, Summary, VisitLength, VisitProgress,
    course::read_steps,
};

fn department_of(row: &impl Columns) -> Result<Option<String>, StoreError> {
    Ok(row.maybe_text("department")?.map(ToOwned::to_owned))
}

/// What the landing page said, or else what the conferencing node did.
fn joined_of(row: &impl Columns) -> Result<Option<UnixTime>, StoreError> {
    Ok(maybe_time_of(row, "joined_at")?.or(maybe_time_of(row, "connected_at")?))
}

pub(crate) fn launch_row_of(row: &impl Columns) -> Result<LaunchRow, StoreError> {
    Ok(LaunchRow {
        launch: launch_of(row)?,
        authorised_at: maybe_time_of(row, "authorised_at")?,
        completed_at: maybe_time_of(row, "completed_at")?,
        joined_at: joined_of(row)?,
        department: department_of(row)?,
        steps: read_steps(row.text("steps")?)?,
        overcome: maybe_error_of(row, "overcome")?,
    })
}

pub(crate) fn appointment_row_of(row: &impl Columns) -> Result<AppointmentRow, StoreError> {
    let began_at = maybe_time_of(row, "began_at")?;
    let progress = match (row.flag("runs")?, began_at) {
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
        department: department_of(row)?,
    })
}

pub(crate) fn attendee_of(row: &impl Columns) -> Result<Attendee, StoreError> {
    let launch = match row.maybe_bytes("request_id")? {
        Some(_) => Some((request_id_of(row)?, role_of(row)?)),
        None => None,
    };
    Ok(Attendee {
        participant: participant_of(row)?,
        launch,
    })
}

pub(crate) fn count_row_of(
    row: &impl Columns,
    grouping: Grouping,
) -> Result<LaunchCount, StoreError> {
    let group = match grouping {
        Grouping::ErrorName => Group::ErrorName(maybe_error_of(row, "error_name")?),
        Grouping::Department => Group::Department(department_of(row)?),
    };
    Ok(LaunchCount {
        at: time_of(row, "at")?,
        group,
        launches: count_of(row, "launches")?,
        failed: count_of(row, "failed")?,
    })
}

pub(crate) fn summary_of(row: &impl Columns, per: Per) -> Result<Summary, StoreError> {
    let department = || Ok::<_, StoreError>(row.maybe_text("part")?.map(ToOwned::to_owned));
    Ok(Summary {
        part: match per {
            Per::All => Part::All,
            Per::Step(_) => Part::Step(time_of(row, "part")?),
            Per::Department => Part::Department(department()?),
        },
        count: count_of(row, "many")?,
        median: row.number("median")?,
        high: row.number("high")?,
    })
}

/// Where an appointment stands, and the length of its visit where that is over.
pub(crate) fn length_of(
    row: &impl Columns,
) -> Result<(Position<AppointmentId>, Option<VisitLength>), StoreError> {
    let position = Position {
        at: time_of(row, "created_at")?,
        id: appointment_id_of(row)?,
    };
    let Some(present) = row.maybe_number("measured")? else {
        return Ok((position, None));
    };
    let length = VisitLength {
        appointment: position.id,
        profile: profile_of(row)?,
        department: department_of(row)?,
        began_at: time_of(row, "began_at")?,
        ended_at: time_of(row, "ended_at")?,
        present,
    };
    Ok((position, Some(length)))
}

pub(crate) fn durations_of(row: &impl Columns) -> Result<LaunchDurations, StoreError> {
    let created_at = time_of(row, "created_at")?;
    let role = role_of(row)?;
    let joined_at = joined_of(row)?;
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
        role,
        department: department_of(row)?,
        joined_after: joined_at.map(|joined_at| between(created_at, joined_at)),
        waited: waited
            .filter(|_| role == EhrRole::Patient)
            .map(|(from, until)| between(from, until)),
    })
}
