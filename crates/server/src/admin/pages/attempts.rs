//! `/admin/write-back-attempts.csv`: each attempt to tell an EHR something.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use vestibule_store::{AuditAction, AuditSubject, Reason, WriteBackRow};

use super::{
    csv_stream::{self, Sheet},
    filter::Chosen,
    frame::{PageError, profile_name},
    write_back_rows,
    write_backs::filter_of,
};
use crate::{
    admin::{Admin, Administrator},
    clock::rfc3339,
};

pub(super) const CSV: &str = "/admin/write-back-attempts.csv";

/// The attempts of those write-backs that the query asks for.
pub(super) async fn csv(
    State(admin): State<Arc<Admin>>,
    who: Administrator,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let mut chosen = Chosen::of(query.as_deref());
    let filter = filter_of(&mut chosen);
    chosen.checked()?;
    let table = AuditSubject::table("write_back_attempts");
    who.record(&admin, AuditAction::Exported, Some(table), &chosen.told())
        .await?;
    let sheet = Sheet {
        name: "write-back-attempts",
        columns: &[
            "stored",
            "what",
            "request_id",
            "profile_uuid",
            "profile",
            "attempt",
            "at",
            "response",
            "reason",
        ],
    };
    let shared = Arc::clone(&admin);
    Ok(csv_stream::download(&admin, &who, &sheet, move |page| {
        let (admin, filter) = (Arc::clone(&shared), filter.clone());
        async move {
            let rows = admin.tools.store.list_write_backs(&filter, page).await?;
            let next = rows.last().map(WriteBackRow::position);
            let attempts = write_back_rows::attempts(&admin, &rows).await?;
            let mut lines = Vec::new();
            for row in &rows {
                let what =
                    write_back_rows::what(row, write_back_rows::letter(&admin, row).as_ref());
                for attempt in attempts.get(&row.record.id).into_iter().flatten() {
                    lines.push(vec![
                        rfc3339(row.record.created_at),
                        what.to_owned(),
                        row.request_id.to_string(),
                        row.profile.to_string(),
                        profile_name(&admin, row.profile),
                        attempt.number.to_string(),
                        rfc3339(attempt.at),
                        attempt
                            .status
                            .map(|status| status.to_string())
                            .unwrap_or_default(),
                        attempt
                            .reason
                            .map(Reason::as_str)
                            .unwrap_or_default()
                            .to_owned(),
                    ]);
                }
            }
            Ok((lines, next))
        }
    }))
}
