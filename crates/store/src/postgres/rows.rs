//! Rows of PostgreSQL.

use sqlx::{Column as _, Row as _, TypeInfo as _, postgres::PgRow};

use crate::{StoreError, rows::Columns};

pub(super) use crate::rows::{
    appointment_id_of, appointment_of, array_of, count_of, launch_of, maybe_time_of,
    participant_of, profile_of, request_id_of, role_of, time_of,
};

impl Columns for PgRow {
    fn maybe_number(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        if self.try_column(column)?.type_info().name() == "INT4" {
            let number: Option<i32> = self.try_get(column)?;
            return Ok(number.map(i64::from));
        }
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

    fn knows_role(&self) -> Result<bool, StoreError> {
        Ok(self.maybe_text("role")?.is_some())
    }
}
