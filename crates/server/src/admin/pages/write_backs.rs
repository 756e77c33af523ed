//! `/admin/write-backs`: what EHRs were told, and what is given up, to be sent again.

use std::sync::Arc;

use axum::{
    extract::{Path, RawQuery, State},
    response::{IntoResponse, Redirect, Response},
};
use serde::{Deserialize, Serialize};
use vestibule_store::{
    AuditAction, AuditSubject, Page, Reason, SentAgain, WriteBackFilter, WriteBackProgress,
    WriteBackRow, WriteBackState,
};

use super::{
    csv_stream::{self, Sheet},
    filter::{Chosen, Filter, Pager},
    frame::{PageError, PageOf, Section, chosen_profile, profile_choices, profile_name},
    launches::time_of,
    words,
    write_back_rows::{self, Row},
};
use crate::{
    admin::{Admin, Administrator, Posted, Role},
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
}

/// The form says nothing but where it is sent to.
#[derive(Deserialize)]
pub(super) struct Nothing {}

pub(super) async fn page(
    State(admin): State<Arc<Admin>>,
    who: Administrator,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let chosen = Chosen::of(query.as_deref());
    let notice = chosen.get("done").and_then(notice);
    let chosen = chosen.without("done");
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
    let filter = filter_of(&mut Chosen::of(query.as_deref()));
    let table = AuditSubject::table("write_backs");
    who.record(&admin, AuditAction::Exported, Some(table), "")
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
    Ok(csv_stream::download(&sheet, move |after| {
        let (admin, filter) = (Arc::clone(&admin), filter.clone());
        async move {
            let page = Page {
                after,
                limit: csv_stream::ROWS,
            };
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

/// Sends again what was given up.
pub(super) async fn send_again(
    State(admin): State<Arc<Admin>>,
    Path(id): Path<i64>,
    Posted {
        administrator: who, ..
    }: Posted<Nothing>,
) -> Result<Response, PageError> {
    who.require(&admin, Role::Operate).await?;
    let subject = Some(AuditSubject::write_back(id));
    who.record(&admin, AuditAction::SentAgain, subject, "")
        .await?;
    let tools = &admin.tools;
    let done = match tools.store.send_again(id, tools.now()).await? {
        SentAgain::Due => "due",
        SentAgain::Overtaken => "overtaken",
        SentAgain::NotGivenUp => "not-given-up",
        SentAgain::Unknown => return Err(PageError::Missing),
    };
    tracing::info!(
        user = who.name,
        write_back = id,
        done,
        "admin pages: send again"
    );
    Ok(Redirect::to(&format!("{PATH}?done={done}")).into_response())
}

fn notice(done: &str) -> Option<&'static str> {
    match done {
        "due" => Some("It is due again, and sent in its turn."),
        "overtaken" => Some(
            "It is not sent: the EHR took a later one of the same launch, and would take \
             this one for the news.",
        ),
        "not-given-up" => Some("It is not sent again: it has not been given up."),
        _ => None,
    }
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
        .days(&chosen)
        .choice(&chosen, "profile", "Profile", profile_choices(admin))
        .choice(
            &chosen,
            "state",
            "State",
            std::iter::once(any).chain(states),
        )
        .csv(&chosen, "/admin/write-backs.csv");
    Ok(View {
        filter: form,
        pager: chosen.pager(PATH, next.flatten().as_deref()),
        write_backs: write_back_rows::rows(admin, &rows).await?,
        may_send: who.role >= Role::Operate,
    })
}

fn filter_of(chosen: &mut Chosen) -> WriteBackFilter {
    WriteBackFilter {
        time: time_of(chosen),
        profile: chosen_profile(chosen),
        progress: chosen.read("state", "a state", |text| {
            let mut states = WriteBackProgress::ALL.into_iter();
            states.find(|state| state.as_str() == text)
        }),
        ..WriteBackFilter::default()
    }
}
