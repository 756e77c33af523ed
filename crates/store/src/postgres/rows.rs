//! Rows into the types of this crate.

use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;
use vestibule_launch::{EhrRole, ErrorName, RequestId, UnixTime};

use crate::{Appointment, AppointmentId, EncounterKey, Launch, LaunchState, StoreError};

pub(super) fn array_of<const N: usize>(
    row: &PgRow,
    column: &'static str,
) -> Result<[u8; N], StoreError> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes.try_into().map_err(|_| StoreError::Damaged(column))
}

pub(super) fn request_id_of(row: &PgRow) -> Result<RequestId, StoreError> {
    Ok(RequestId::from_bytes(array_of(row, "request_id")?))
}

pub(super) fn profile_of(row: &PgRow) -> Result<Uuid, StoreError> {
    Ok(Uuid::from_bytes(array_of(row, "profile")?))
}

/// Of a launch that may be of none.
fn maybe_profile_of(row: &PgRow) -> Result<Option<Uuid>, StoreError> {
    let bytes: Option<&[u8]> = row.try_get("profile")?;
    bytes.map(|_| profile_of(row)).transpose()
}

/// Of a launch of which it may not be known.
fn maybe_role_of(row: &PgRow) -> Result<Option<EhrRole>, StoreError> {
    let name: Option<&str> = row.try_get("role")?;
    name.map(|_| role_of(row)).transpose()
}

/// An error that there may be.
pub(super) fn maybe_error_of(
    row: &PgRow,
    column: &'static str,
) -> Result<Option<ErrorName>, StoreError> {
    let name: Option<&str> = row.try_get(column)?;
    let name = name.map(str::parse).transpose();
    name.map_err(|_| StoreError::Damaged(column))
}

pub(super) fn role_of(row: &PgRow) -> Result<EhrRole, StoreError> {
    let name: &str = row.try_get("role")?;
    [EhrRole::Patient, EhrRole::Provider]
        .into_iter()
        .find(|role| role.as_str() == name)
        .ok_or(StoreError::Damaged("role"))
}

pub(super) fn time_of(row: &PgRow, column: &'static str) -> Result<UnixTime, StoreError> {
    Ok(UnixTime::from_millis(row.try_get(column)?))
}

pub(super) fn maybe_time_of(
    row: &PgRow,
    column: &'static str,
) -> Result<Option<UnixTime>, StoreError> {
    let milliseconds: Option<i64> = row.try_get(column)?;
    Ok(milliseconds.map(UnixTime::from_millis))
}

/// A count that is never negative.
pub(super) fn count_of(row: &PgRow, column: &'static str) -> Result<u32, StoreError> {
    let count: i32 = row.try_get(column)?;
    u32::try_from(count).map_err(|_| StoreError::Damaged(column))
}

pub(super) fn appointment_id_of(row: &PgRow) -> Result<AppointmentId, StoreError> {
    Ok(AppointmentId(row.try_get("appointment")?))
}

pub(super) fn appointment_of(row: &PgRow) -> Result<Appointment, StoreError> {
    Ok(Appointment {
        id: AppointmentId(row.try_get("appointment_id")?),
        profile: profile_of(row)?,
        encounter: EncounterKey::from_bytes(array_of(row, "encounter_key")?),
        sealed: row.try_get("sealed")?,
        created_at: time_of(row, "created_at")?,
    })
}

pub(super) fn launch_of(row: &PgRow) -> Result<Launch, StoreError> {
    let state: &str = row.try_get("state")?;
    Ok(Launch {
        request_id: request_id_of(row)?,
        profile: maybe_profile_of(row)?,
        role: maybe_role_of(row)?,
        state: match state {
            "started" => LaunchState::Started,
            "authorised" => LaunchState::Authorised,
            "completed" => LaunchState::Completed,
            "failed" => LaunchState::Failed {
                error_name: row
                    .try_get::<&str, _>("error_name")?
                    .parse()
                    .map_err(|_| StoreError::Damaged("error_name"))?,
                at: time_of(row, "failed_at")?,
            },
            _ => return Err(StoreError::Damaged("state")),
        },
        appointment: row
            .try_get::<Option<i64>, _>("appointment")?
            .map(AppointmentId),
        created_at: time_of(row, "created_at")?,
    })
}
