//! `/admin/write-backs`: what EHRs were told, and what is given up, to be sent again.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use serde::{Deserialize, Serialize};
use vestibule_store::{
    AuditAction, AuditSubject, Page, Reason, WriteBackFilter, WriteBackProgress, WriteBackRow,
    WriteBackState,
};

use super::{
    again,
    csv_stream::{self, Sheet},
    filter::{Chosen, Filter, Pager},
    frame::{PageError, PageOf, Section, chosen_profile, profile_choices, profile_name},
    launches::time_of,
    words,
    write_back_rows::{self, Row},
};
use crate::{
    admin::{Admin, Administrator, Role},
    clock::rfc3339,
};

pub(super) const PATH: &str = "/admin/write-backs";

const ROWS: u32 = 50;

#[derive(Serialize)]
pub(super) struct View {
    filter: Filter,
    write_backs: Vec<Row>,
    may_send: bool,
    pager: Pager,
    /// The same, each attempt in a line of its own.
    attempts_csv: String,
    /// Where all are sent again that are listed, where there are any.
    send_all: Option<String>,
    most: u32,
}

/// The form says nothing but where it is sent to.
#[derive(Deserialize)]
pub(super) struct Nothing {}

pub(super) async fn page(
    State(admin): State<Arc<Admin>>,
    who: Administrator,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let (chosen, notice) = again::said(query.as_deref());
    let page = PageOf {
        admin: &admin,
        who: &who,
        section: Section::WriteBacks,
        here: chosen.here(PATH),
    };
    let view = view(&admin, &who, chosen).await?;
    page.render_with("write_backs.html", &view, notice)
}

pub(super) async fn csv(
    State(admin): State<Arc<Admin>>,
    who: Administrator,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let mut chosen = Chosen::of(query.as_deref());
    let filter = filter_of(&mut chosen);
    chosen.checked()?;
    let table = AuditSubject::table("write_backs");
    who.record(&admin, AuditAction::Exported, Some(table), &chosen.told())
        .await?;
    let sheet = Sheet {
        name: "write-backs",
        columns: &[
            "stored",
            "what",
            "write_back",
            "request_id",
            "profile_uuid",
            "profile",
            "state",
            "sent_or_given_up",
            "attempts",
            "last_response",
            "last_reason",
        ],
    };
    let shared = Arc::clone(&admin);
    Ok(csv_stream::download(&admin, &who, &sheet, move |page| {
        let (admin, filter) = (Arc::clone(&shared), filter.clone());
        async move {
            let rows = admin.tools.store.list_write_backs(&filter, page).await?;
            let next = rows.last().map(WriteBackRow::position);
            let lines = rows.iter().map(|row| line(&admin, row)).collect();
            Ok((lines, next))
        }
    }))
}

fn line(admin: &Admin, row: &WriteBackRow) -> Vec<String> {
    let record = &row.record;
    let letter = write_back_rows::letter(admin, row);
    vec![
        rfc3339(record.created_at),
        write_back_rows::what(row, letter.as_ref()).to_owned(),
        letter.map(|letter| letter.write_back).unwrap_or_default(),
        row.request_id.to_string(),
        row.profile.to_string(),
        profile_name(admin, row.profile),
        words::of_write_back(record.state).word.to_owned(),
        match record.state {
            WriteBackState::Unsent { .. } => String::new(),
            WriteBackState::Sent { at }
            | WriteBackState::GivenUp { at }
            | WriteBackState::NotNeeded { at } => rfc3339(at),
        },
        record.attempts.to_string(),
        match record.attempts {
            0 => String::new(),
            _ => record
                .last_status
                .map(|status| status.to_string())
                .unwrap_or_default(),
        },
        record
            .last_reason
            .map(Reason::as_str)
            .unwrap_or_default()
            .to_owned(),
    ]
}

pub(super) async fn view(
    admin: &Admin,
    who: &Administrator,
    mut chosen: Chosen,
) -> Result<View, PageError> {
    let after = chosen.read("after", "a place in the list", |text| text.parse().ok());
    let filter = filter_of(&mut chosen);
    let page = Page {
        after,
        limit: ROWS + 1,
    };
    let mut rows = admin.tools.store.list_write_backs(&filter, page).await?;
    let more = rows.len() > ROWS as usize;
    rows.truncate(ROWS as usize);
    let next = more.then(|| rows.last().map(|row| row.position().to_string()));
    let any = ("", "any");
    let states = WriteBackProgress::ALL.map(|state| (state.as_str(), words::of_write_backs(state)));
    let form = chosen
        .form()
        .chosen_only(&chosen, "appointment", "Appointment")
        .chosen_only(&chosen, "request_id", "Request id")
        .days(&chosen)
        .choice(&chosen, "profile", "Profile", profile_choices(admin))
        .choice(
            &chosen,
            "state",
            "State",
            std::iter::once(any).chain(states),
        )
        .csv(&chosen, "/admin/write-backs.csv");
    let any_given_up = rows
        .iter()
        .any(|row| matches!(row.record.state, WriteBackState::GivenUp { .. }));
    let may_send = who.role >= Role::Operate;
    Ok(View {
        filter: form,
        attempts_csv: chosen.link(super::attempts::CSV, "after", None),
        send_all: (may_send && any_given_up)
            .then(|| chosen.link("/admin/write-backs/send-again", "after", None)),
        most: again::MOST,
        pager: chosen.pager(PATH, next.flatten().as_deref()),
        write_backs: write_back_rows::rows(admin, &rows).await?,
        may_send,
    })
}

/// Those that are chosen.
pub(super) fn filter_of(chosen: &mut Chosen) -> WriteBackFilter {
    WriteBackFilter {
        time: time_of(chosen),
        profile: chosen_profile(chosen),
        progress: chosen.read("state", "a state", |text| {
            let mut states = WriteBackProgress::ALL.into_iter();
            states.find(|state| state.as_str() == text)
        }),
        request_id: chosen.read("request_id", "a request id", |text| text.parse().ok()),
        appointment: chosen.read("appointment", "an appointment's number", |text| {
            text.parse().ok()
        }),
    }
}
