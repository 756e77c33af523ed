//! Rows of the outbox.

use super::{Columns, count_of, maybe_time_of, profile_of, request_id_of, time_of};
use crate::{
    Attempt, Reason, StoreError, WriteBack, WriteBackKind, WriteBackRecord, WriteBackRow,
    WriteBackState,
};

pub(crate) fn write_back_of(row: &impl Columns) -> Result<WriteBack, StoreError> {
    let created_at = time_of(row, "created_at")?;
    Ok(WriteBack {
        id: row.number("id")?,
        profile: profile_of(row)?,
        request_id: request_id_of(row)?,
        sealed: row.bytes("sealed")?.to_vec(),
        attempts: count_of(row, "attempts")?,
        created_at,
        since: maybe_time_of(row, "sent_again_at")?.unwrap_or(created_at),
        lease: row.number("lease")?,
    })
}

/// As listings show it.
pub(crate) fn row_of(row: &impl Columns) -> Result<WriteBackRow, StoreError> {
    Ok(WriteBackRow {
        record: record_of(row)?,
        profile: profile_of(row)?,
        request_id: request_id_of(row)?,
        kind: WriteBackKind::of(row.text("kind")?)?,
    })
}

pub(crate) fn record_of(row: &impl Columns) -> Result<WriteBackRecord, StoreError> {
    let finished_at = || time_of(row, "finished_at");
    Ok(WriteBackRecord {
        id: row.number("id")?,
        sealed: row.bytes("sealed")?.to_vec(),
        created_at: time_of(row, "created_at")?,
        attempts: count_of(row, "attempts")?,
        last_status: status_of(row, "last_status")?,
        last_reason: Reason::of(row.maybe_text("last_reason")?),
        state: match row.text("state")? {
            "unsent" => WriteBackState::Unsent {
                due_at: time_of(row, "due_at")?,
            },
            "sent" => WriteBackState::Sent { at: finished_at()? },
            "given_up" => WriteBackState::GivenUp { at: finished_at()? },
            "not_needed" => WriteBackState::NotNeeded { at: finished_at()? },
            _ => return Err(StoreError::Damaged("state")),
        },
    })
}

pub(crate) fn attempt_of(row: &impl Columns) -> Result<Attempt, StoreError> {
    Ok(Attempt {
        number: count_of(row, "number")?,
        at: time_of(row, "at")?,
        status: status_of(row, "status")?,
        reason: Reason::of(row.maybe_text("reason")?),
    })
}

/// Of an answer that there may be.
fn status_of(row: &impl Columns, column: &'static str) -> Result<Option<u16>, StoreError> {
    let status = row.maybe_number(column)?.map(u16::try_from).transpose();
    status.map_err(|_| StoreError::Damaged(column))
}
