//! Write-backs that were given up, sent again: one with what was given up after it, or all
//! that a listing has.

use std::{collections::HashSet, sync::Arc};

use axum::{
    extract::{Path, RawQuery, State},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use vestibule_store::{
    AuditAction, AuditSubject, Page, SentAgain, WriteBackFilter, WriteBackKind, WriteBackProgress,
};

use super::{
    filter::Chosen,
    frame::PageError,
    write_backs::{self, filter_of},
};
use crate::admin::{Admin, Administrator, Posted, Role, sign_in};

/// Most write-backs that one press of a button looks at.
pub(super) const MOST: u32 = 200;

/// From which page the form came.
#[derive(Deserialize)]
pub(super) struct From {
    #[serde(default)]
    back: String,
}

/// Sends again what was given up.
pub(super) async fn one(
    State(admin): State<Arc<Admin>>,
    Path(id): Path<i64>,
    Posted {
        administrator: who,
        form,
    }: Posted<From>,
) -> Result<Response, PageError> {
    who.require(&admin, Role::Operate).await?;
    let done = match send(&admin, &who, id).await? {
        SentAgain::Due(count) => return Ok(back(&form, "due", count)),
        SentAgain::Overtaken => "overtaken",
        SentAgain::NotGivenUp => "not-given-up",
        SentAgain::Unknown => return Err(PageError::Missing),
    };
    Ok(back(&form, done, 0))
}

/// The same with all that the listing has which the query asks for.
pub(super) async fn all(
    State(admin): State<Arc<Admin>>,
    RawQuery(query): RawQuery,
    Posted {
        administrator: who,
        form,
    }: Posted<From>,
) -> Result<Response, PageError> {
    who.require(&admin, Role::Operate).await?;
    let mut chosen = Chosen::of(query.as_deref());
    let filter = filter_of(&mut chosen);
    // What cannot be read filters nothing: then more would be sent than is listed.
    if chosen.has_faults() {
        return Ok(back(&form, "unclear", 0));
    }
    let nothing_else = matches!(filter.progress, None | Some(WriteBackProgress::GivenUp));
    let filter = WriteBackFilter {
        progress: Some(WriteBackProgress::GivenUp),
        ..filter
    };
    let page = Page {
        after: None,
        limit: MOST,
    };
    let mut rows = match nothing_else {
        true => admin.tools.store.list_write_backs(&filter, page).await?,
        false => Vec::new(),
    };
    // The first of a launch and kind takes the others with it.
    rows.sort_by_key(|row| (row.record.created_at, row.record.id));
    let mut kinds = HashSet::new();
    let mut count = 0;
    for row in rows {
        let kind = (row.request_id, row.kind.map(WriteBackKind::as_str));
        if kinds.contains(&kind) {
            continue;
        }
        if let SentAgain::Due(due) = send(&admin, &who, row.record.id).await? {
            kinds.insert(kind);
            count += due;
        }
    }
    Ok(back(&form, "all", count))
}

/// Records that it is to be sent again, has it sent, and records what became of it.
async fn send(admin: &Admin, who: &Administrator, id: i64) -> Result<SentAgain, PageError> {
    let subject = Some(AuditSubject::write_back(id));
    who.record(admin, AuditAction::SentAgain, subject.clone(), "asked for")
        .await?;
    let tools = &admin.tools;
    let done = tools.store.send_again(id, tools.now()).await?;
    let outcome = match done {
        SentAgain::Due(1) => "it is due again".to_owned(),
        SentAgain::Due(count) => {
            format!("it is due again, and what was given up after it: {count} in all")
        }
        SentAgain::Overtaken => "not sent: a later one was".to_owned(),
        SentAgain::NotGivenUp => "not sent: it was not given up".to_owned(),
        SentAgain::Unknown => "not sent: there is none".to_owned(),
    };
    // That it was asked for is recorded in any case.
    let recorded = who.record(admin, AuditAction::SentAgain, subject, &outcome);
    if let Err(error) = recorded.await {
        tracing::error!(%error, outcome, "what became of it is missing in the audit log");
    }
    tracing::info!(
        user = who.name,
        write_back = id,
        ?done,
        "admin pages: send again"
    );
    Ok(done)
}

/// Back to where the form came from, which says what was done.
fn back(form: &From, done: &'static str, count: u32) -> Response {
    let page = match form.back.as_str() {
        "" => write_backs::PATH,
        back => sign_in::own_page(back),
    };
    let (path, query) = page.split_once('?').unwrap_or((page, ""));
    let chosen = Chosen::of(Some(query)).without("done").without("count");
    let said = chosen.link(path, "done", Some(done));
    let count = match count {
        0 => String::new(),
        count => format!("&count={count}"),
    };
    Redirect::to(&format!("{said}{count}")).into_response()
}

/// What a page says that one came back to, and the choice without it.
pub(super) fn said(query: Option<&str>) -> (Chosen, Option<String>) {
    let chosen = Chosen::of(query);
    let count = chosen.get("count").and_then(|count| count.parse().ok());
    let notice = chosen
        .get("done")
        .and_then(|done| notice(done, count.unwrap_or(0)));
    (chosen.without("done").without("count"), notice)
}

fn notice(done: &str, count: u32) -> Option<String> {
    let text = match (done, count) {
        ("due", 0 | 1) => "It is due again, and sent in its turn.".to_owned(),
        ("due", count) => format!(
            "It is due again, with what was given up after it: {count} in all, sent in their \
             order."
        ),
        ("overtaken", _) => {
            "It is not sent: the EHR took a later one of the same kind and launch, \
             and would take this one for the news."
                .to_owned()
        }
        ("not-given-up", _) => "It is not sent again: it has not been given up.".to_owned(),
        ("unclear", _) => {
            "Nothing was sent: what is to be listed cannot be read. See below.".to_owned()
        }
        ("all", 0) => "Nothing was sent: of all that are listed none may be sent again.".to_owned(),
        ("all", 1) => "1 is due again, and sent in its turn.".to_owned(),
        ("all", count) => format!("{count} are due again, and sent in their order."),
        _ => return None,
    };
    Some(text)
}

#[cfg(test)]
mod tests {
    use axum::http::header::LOCATION;

    use super::*;

    fn location(page: &str, done: &'static str, count: u32) -> String {
        let form = From {
            back: page.to_owned(),
        };
        let response = back(&form, done, count);
        response.headers()[LOCATION].to_str().unwrap().to_owned()
    }

    #[test]
    fn one_goes_back_to_where_the_form_came_from_and_nowhere_else() {
        let listing = "/admin/write-backs?profile=7&state=given_up";
        assert_eq!(
            location(listing, "due", 2),
            format!("{listing}&done=due&count=2")
        );
        // What was said before is not said again.
        let said = format!("{listing}&done=all&count=9");
        assert_eq!(
            location(&said, "overtaken", 0),
            format!("{listing}&done=overtaken")
        );
        assert_eq!(location("", "due", 0), "/admin/write-backs?done=due");
        for elsewhere in ["https://evil.example.org/", "//evil.example.org/admin"] {
            assert_eq!(location(elsewhere, "due", 0), "/admin?done=due");
        }
    }

    #[test]
    fn what_is_said_stands_in_no_choice() {
        let (chosen, notice) = said(Some("state=given_up&done=due&count=3"));
        assert_eq!(chosen.here("/x"), "/x?state=given_up");
        assert!(notice.unwrap().contains("3 in all"));
        let (_, notice) = said(Some("done=%3Cb%3E"));
        assert_eq!(notice, None);
    }
}
