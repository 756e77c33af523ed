//! Write-backs as the pages show them: what was told, and each attempt to tell it.

use std::collections::HashMap;

use serde::Serialize;
use vestibule_store::{Attempt, Reason, StoreError, WriteBackRow, WriteBackState};

use super::{
    frame::profile_name,
    moment::Moment,
    words::{self, StateWord},
};
use crate::{admin::Admin, sealing::Purpose, write_back::outbox::Letter};

/// A write-back in a table.
#[derive(Serialize)]
pub(super) struct Row {
    stored: Moment,
    pub(super) what: String,
    /// Which of the profile's write-backs tells it.
    by: Option<String>,
    launch: String,
    request_id: String,
    profile: String,
    state: StateWord,
    state_at: Option<Moment>,
    attempts: Vec<Try>,
    attempt_count: u32,
    /// Where it is sent again.
    send_again: Option<String>,
}

#[derive(Serialize)]
struct Try {
    at: Moment,
    response: String,
}

/// Rows with every attempt.
pub(super) async fn rows(admin: &Admin, rows: &[WriteBackRow]) -> Result<Vec<Row>, StoreError> {
    let attempts = attempts(admin, rows).await?;
    let made = rows.iter().map(|row| {
        let attempts = attempts.get(&row.record.id);
        Row::of(admin, row, attempts.map_or(&[], Vec::as_slice))
    });
    Ok(made.collect())
}

/// The attempts of each, by its number.
pub(super) async fn attempts(
    admin: &Admin,
    rows: &[WriteBackRow],
) -> Result<HashMap<i64, Vec<Attempt>>, StoreError> {
    let numbers: Vec<_> = rows.iter().map(|row| row.record.id).collect();
    admin.tools.store.attempts_of(&numbers).await
}

impl Row {
    fn of(admin: &Admin, row: &WriteBackRow, attempts: &[Attempt]) -> Self {
        let record = &row.record;
        let letter = letter(admin, row);
        let what = what(row, letter.as_ref());
        let given_up = matches!(record.state, WriteBackState::GivenUp { .. });
        Self {
            stored: Moment::of(record.created_at),
            what: what.to_owned(),
            by: letter.map(|letter| letter.write_back),
            launch: format!("/admin/launches/{}", row.request_id),
            request_id: row.request_id.to_string(),
            profile: profile_name(admin, row.profile),
            state: words::of_write_back(record.state),
            state_at: match record.state {
                WriteBackState::Unsent { .. } => None,
                WriteBackState::Sent { at }
                | WriteBackState::GivenUp { at }
                | WriteBackState::NotNeeded { at } => Some(Moment::of(at)),
            },
            attempts: attempts.iter().map(Try::of).collect(),
            attempt_count: record.attempts,
            send_again: given_up.then(|| format!("/admin/write-backs/{}/send-again", record.id)),
        }
    }
}

impl Try {
    fn of(attempt: &Attempt) -> Self {
        Self {
            at: Moment::of(attempt.at),
            response: response(attempt.status, attempt.reason),
        }
    }
}

/// What came back, or else why nothing did. Of attempts before it was kept why, the
/// status alone is known.
fn response(status: Option<u16>, reason: Option<Reason>) -> String {
    match (status, reason) {
        (Some(status), _) => status.to_string(),
        (None, Some(reason)) => words::of_reason(reason).to_owned(),
        (None, None) => "not known".to_owned(),
    }
}

/// What is told, where it can be opened.
pub(super) fn letter(admin: &Admin, row: &WriteBackRow) -> Option<Letter> {
    let id = row.request_id.as_bytes();
    let sealer = &admin.tools.sealer;
    let opened = sealer.open(Purpose::WriteBack, row.profile, id, &row.record.sealed);
    opened.ok()
}

/// What is told, in words.
pub(super) fn what(row: &WriteBackRow, letter: Option<&Letter>) -> &'static str {
    match letter {
        Some(letter) => words::of_change(letter.status.change),
        None => words::of_kind(row.kind),
    }
}
