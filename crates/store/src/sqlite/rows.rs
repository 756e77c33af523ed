//! Rows into the types of this crate.

use sqlx::{Row, sqlite::SqliteRow};
use uuid::Uuid;
use vestibule_launch::{EhrRole, ErrorName, RequestId, UnixTime};

use crate::{Appointment, AppointmentId, EncounterKey, Launch, LaunchState, StoreError};

/// The driver binds vectors, not arrays.
pub(super) fn bytes(array: &[u8]) -> Vec<u8> {
    array.to_vec()
}

pub(super) fn array_of<const N: usize>(
    row: &SqliteRow,
    column: &'static str,
) -> Result<[u8; N], StoreError> {
    let bytes: Vec<u8> = row.try_get(column)?;
    bytes.try_into().map_err(|_| StoreError::Damaged(column))
}

pub(super) fn request_id_of(row: &SqliteRow) -> Result<RequestId, StoreError> {
    Ok(RequestId::from_bytes(array_of(row, "request_id")?))
}

pub(super) fn profile_of(row: &SqliteRow) -> Result<Uuid, StoreError> {
    Ok(Uuid::from_bytes(array_of(row, "profile")?))
}

/// Of a launch that may be of none.
fn maybe_profile_of(row: &SqliteRow) -> Result<Option<Uuid>, StoreError> {
    Ok(Some(profile_of(row)?).filter(|profile| !profile.is_nil()))
}

/// Of a launch of which it may not be known.
fn maybe_role_of(row: &SqliteRow) -> Result<Option<EhrRole>, StoreError> {
    let known: bool = row.try_get("role_known")?;
    known.then(|| role_of(row)).transpose()
}

pub(super) fn role_of(row: &SqliteRow) -> Result<EhrRole, StoreError> {
    let name: String = row.try_get("role")?;
    [EhrRole::Patient, EhrRole::Provider]
        .into_iter()
        .find(|role| role.as_str() == name)
        .ok_or(StoreError::Damaged("role"))
}

pub(super) fn time_of(row: &SqliteRow, column: &'static str) -> Result<UnixTime, StoreError> {
    Ok(UnixTime::from_millis(row.try_get(column)?))
}

pub(super) fn maybe_time_of(
    row: &SqliteRow,
    column: &'static str,
) -> Result<Option<UnixTime>, StoreError> {
    let milliseconds: Option<i64> = row.try_get(column)?;
    Ok(milliseconds.map(UnixTime::from_millis))
}

/// An error that there may be.
pub(super) fn maybe_error_of(
    row: &SqliteRow,
    column: &'static str,
) -> Result<Option<ErrorName>, StoreError> {
    let name: Option<String> = row.try_get(column)?;
    let name = name.map(|name| name.parse()).transpose();
    name.map_err(|_| StoreError::Damaged(column))
}

pub(super) fn count_of(row: &SqliteRow, column: &'static str) -> Result<u64, StoreError> {
    let count: i64 = row.try_get(column)?;
    u64::try_from(count).map_err(|_| StoreError::Damaged(column))
}

pub(super) fn appointment_of(row: &SqliteRow) -> Result<Appointment, StoreError> {
    Ok(Appointment {
        id: AppointmentId(row.try_get("appointment_id")?),
        profile: profile_of(row)?,
        encounter: EncounterKey::from_bytes(array_of(row, "encounter_key")?),
        sealed: row.try_get("sealed")?,
        created_at: time_of(row, "created_at")?,
    })
}

pub(super) fn launch_of(row: &SqliteRow) -> Result<Launch, StoreError> {
    let state: String = row.try_get("state")?;
    Ok(Launch {
        request_id: request_id_of(row)?,
        profile: maybe_profile_of(row)?,
        role: maybe_role_of(row)?,
        state: match state.as_str() {
            "started" => LaunchState::Started,
            "authorised" => LaunchState::Authorised,
            "completed" => LaunchState::Completed,
            "failed" => LaunchState::Failed {
                error_name: row
                    .try_get::<String, _>("error_name")?
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
