//! Rows of SQLite.

use sqlx::{Row as _, sqlite::SqliteRow};

use crate::{StoreError, rows::Columns};

pub(super) use crate::rows::{
    appointment_id_of, appointment_of, array_of, launch_of, maybe_time_of, participant_of,
    profile_of, request_id_of, role_of, time_of,
};

/// The driver binds vectors, not arrays.
pub(super) fn bytes(array: &[u8]) -> Vec<u8> {
    array.to_vec()
}

impl Columns for SqliteRow {
    fn maybe_number(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        Ok(self.try_get(column)?)
    }

    fn maybe_text(&self, column: &'static str) -> Result<Option<&str>, StoreError> {
        Ok(self.try_get(column)?)
    }

    fn maybe_bytes(&self, column: &'static str) -> Result<Option<&[u8]>, StoreError> {
        Ok(self.try_get(column)?)
    }

    fn flag(&self, column: &'static str) -> Result<bool, StoreError> {
        Ok(self.try_get(column)?)
    }

    /// Somebody's role always stands there.
    fn knows_role(&self) -> Result<bool, StoreError> {
        self.flag("role_known")
    }
}
