//! Rows of both databases into the types of this crate.

pub(crate) mod overview;
pub(crate) mod write_backs;

use uuid::Uuid;
use vestibule_launch::{EhrRole, ErrorName, RequestId, UnixTime};

use crate::{
    AliasHash, Appointment, AppointmentId, AuditAction, AuditEntry, AuditSubject, EncounterKey,
    Launch, LaunchState, NewAuditEntry, Participant, StoreError, SubjectKind,
};

/// A row, of which each column is read as what it holds.
pub(crate) trait Columns {
    /// A whole number, of whatever size.
    fn maybe_number(&self, column: &'static str) -> Result<Option<i64>, StoreError>;
    fn maybe_text(&self, column: &'static str) -> Result<Option<&str>, StoreError>;
    fn maybe_bytes(&self, column: &'static str) -> Result<Option<&[u8]>, StoreError>;
    fn flag(&self, column: &'static str) -> Result<bool, StoreError>;
    /// Of a launch: whether it is known who launched.
    fn knows_role(&self) -> Result<bool, StoreError>;

    fn number(&self, column: &'static str) -> Result<i64, StoreError> {
        there(self.maybe_number(column)?, column)
    }

    fn text(&self, column: &'static str) -> Result<&str, StoreError> {
        there(self.maybe_text(column)?, column)
    }

    fn bytes(&self, column: &'static str) -> Result<&[u8], StoreError> {
        there(self.maybe_bytes(column)?, column)
    }
}

fn there<T>(value: Option<T>, column: &'static str) -> Result<T, StoreError> {
    value.ok_or(StoreError::Damaged(column))
}

pub(crate) fn array_of<const N: usize>(
    row: &impl Columns,
    column: &'static str,
) -> Result<[u8; N], StoreError> {
    let bytes = row.bytes(column)?;
    bytes.try_into().map_err(|_| StoreError::Damaged(column))
}

pub(crate) fn request_id_of(row: &impl Columns) -> Result<RequestId, StoreError> {
    Ok(RequestId::from_bytes(array_of(row, "request_id")?))
}

pub(crate) fn profile_of(row: &impl Columns) -> Result<Uuid, StoreError> {
    Ok(Uuid::from_bytes(array_of(row, "profile")?))
}

/// Of a launch that may be of none: null or zeros.
fn maybe_profile_of(row: &impl Columns) -> Result<Option<Uuid>, StoreError> {
    if row.maybe_bytes("profile")?.is_none() {
        return Ok(None);
    }
    Ok(Some(profile_of(row)?).filter(|profile| !profile.is_nil()))
}

pub(crate) fn role_of(row: &impl Columns) -> Result<EhrRole, StoreError> {
    let name = row.text("role")?;
    [EhrRole::Patient, EhrRole::Provider]
        .into_iter()
        .find(|role| role.as_str() == name)
        .ok_or(StoreError::Damaged("role"))
}

pub(crate) fn time_of(row: &impl Columns, column: &'static str) -> Result<UnixTime, StoreError> {
    Ok(UnixTime::from_millis(row.number(column)?))
}

pub(crate) fn maybe_time_of(
    row: &impl Columns,
    column: &'static str,
) -> Result<Option<UnixTime>, StoreError> {
    Ok(row.maybe_number(column)?.map(UnixTime::from_millis))
}

/// An error that there may be.
fn maybe_error_of(
    row: &impl Columns,
    column: &'static str,
) -> Result<Option<ErrorName>, StoreError> {
    let name = row.maybe_text(column)?.map(str::parse).transpose();
    name.map_err(|_| StoreError::Damaged(column))
}

/// A number that is of fewer values than the column may hold, such as a count that is never
/// negative.
pub(crate) fn count_of<N: TryFrom<i64>>(
    row: &impl Columns,
    column: &'static str,
) -> Result<N, StoreError> {
    N::try_from(row.number(column)?).map_err(|_| StoreError::Damaged(column))
}

pub(crate) fn appointment_id_of(row: &impl Columns) -> Result<AppointmentId, StoreError> {
    Ok(AppointmentId(row.number("appointment")?))
}

pub(crate) fn appointment_of(row: &impl Columns) -> Result<Appointment, StoreError> {
    Ok(Appointment {
        id: AppointmentId(row.number("appointment_id")?),
        profile: profile_of(row)?,
        encounter: EncounterKey::from_bytes(array_of(row, "encounter_key")?),
        sealed: row.bytes("sealed")?.to_vec(),
        created_at: time_of(row, "created_at")?,
    })
}

pub(crate) fn launch_of(row: &impl Columns) -> Result<Launch, StoreError> {
    Ok(Launch {
        request_id: request_id_of(row)?,
        profile: maybe_profile_of(row)?,
        role: row.knows_role()?.then(|| role_of(row)).transpose()?,
        state: match row.text("state")? {
            "started" => LaunchState::Started,
            "authorised" => LaunchState::Authorised,
            "completed" => LaunchState::Completed,
            "failed" => LaunchState::Failed {
                error_name: there(maybe_error_of(row, "error_name")?, "error_name")?,
                at: time_of(row, "failed_at")?,
            },
            _ => return Err(StoreError::Damaged("state")),
        },
        appointment: row.maybe_number("appointment")?.map(AppointmentId),
        created_at: time_of(row, "created_at")?,
    })
}

pub(crate) fn participant_of(row: &impl Columns) -> Result<Participant, StoreError> {
    Ok(Participant {
        participant: Uuid::from_bytes(array_of(row, "participant")?),
        node: row.text("node")?.to_owned(),
        alias: AliasHash::from_bytes(array_of(row, "alias_hash")?),
        sealed: row.bytes("sealed")?.to_vec(),
        connected_at: time_of(row, "connected_at")?,
        disconnected_at: maybe_time_of(row, "disconnected_at")?,
    })
}

/// Of the audit log.
pub(crate) fn entry_of(row: &impl Columns) -> Result<AuditEntry, StoreError> {
    let maybe = |column| Ok::<_, StoreError>(row.maybe_text(column)?.map(ToOwned::to_owned));
    let subject = match (row.maybe_text("subject_kind")?, maybe("subject")?) {
        (Some(kind), Some(id)) => Some(AuditSubject {
            kind: there(SubjectKind::of_word(kind), "subject_kind")?,
            id,
        }),
        _ => None,
    };
    Ok(AuditEntry {
        number: row.number("number")?,
        at: time_of(row, "at")?,
        entry: NewAuditEntry {
            administrator: maybe("administrator")?,
            identity: maybe("identity")?,
            role: maybe("role")?,
            source: row.text("source")?.to_owned(),
            action: there(AuditAction::of_word(row.text("action")?), "action")?,
            subject,
            details: row.text("details")?.to_owned(),
        },
    })
}
