//! `/admin/audit`: who looked at or changed what.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use serde::Serialize;
use url::form_urlencoded;
use vestibule_store::{
    AuditAction, AuditEntry, AuditFilter, AuditSubject, NewAuditEntry, Page, SubjectKind,
};

use super::{
    csv_stream::{self, Sheet},
    filter::{Chosen, Filter, Pager},
    frame::{PageError, PageOf, Section, profile_name},
    launches::time_of,
    moment::Moment,
};
use crate::{
    admin::{Admin, Administrator, Role, names},
    clock::rfc3339,
};

pub(super) const PATH: &str = "/admin/audit";

const ROWS: u32 = 100;

#[derive(Serialize)]
struct View {
    filter: Filter,
    rows: Vec<Row>,
    pager: Pager,
}

#[derive(Serialize)]
struct Row {
    at: Moment,
    who: String,
    role: String,
    source: String,
    what: &'static str,
    object: String,
    path: Option<String>,
    /// Every entry of the same.
    same: Option<String>,
}

pub(super) async fn page(
    State(admin): State<Arc<Admin>>,
    who: Administrator,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    who.require(&admin, Role::Configure).await?;
    names::of_audit_log(&admin, &who).await?;
    let mut chosen = Chosen::of(query.as_deref());
    let mut entries = entries(&admin, &mut chosen).await?;
    let more = entries.len() > ROWS as usize;
    entries.truncate(ROWS as usize);
    let next = more.then(|| entries.last().map(|entry| entry.position().to_string()));
    let any = ("", "any");
    let actions = AuditAction::ALL
        .iter()
        .map(|action| (action.as_str(), words(*action)));
    let kinds = SubjectKind::ALL
        .iter()
        .map(|kind| (kind.as_str(), kind_word(*kind)));
    let filter = chosen
        .form()
        .days(&chosen)
        .input(&chosen, "who", "Who", "text")
        .choice(&chosen, "what", "What", std::iter::once(any).chain(actions))
        .choice(
            &chosen,
            "kind",
            "Of what",
            std::iter::once(any).chain(kinds),
        )
        .input(&chosen, "of", "Which one", "text")
        .csv(&chosen, "/admin/audit.csv");
    let view = View {
        filter,
        pager: chosen.pager(PATH, next.flatten().as_deref()),
        rows: entries
            .into_iter()
            .map(|entry| Row::of(&admin, entry))
            .collect(),
    };
    let page = PageOf {
        admin: &admin,
        who: &who,
        section: Section::Audit,
        here: chosen.here(PATH),
    };
    page.render("audit.html", &view)
}

pub(super) async fn csv(
    State(admin): State<Arc<Admin>>,
    who: Administrator,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    who.require(&admin, Role::Configure).await?;
    let mut chosen = Chosen::of(query.as_deref());
    let filter = filter_of(&mut chosen);
    chosen.checked()?;
    let table = AuditSubject::table("audit");
    who.record(&admin, AuditAction::Exported, Some(table), &chosen.told())
        .await?;
    let sheet = Sheet {
        name: "audit",
        columns: &[
            "when", "who", "role", "from", "what", "kind", "of_what", "details", "identity",
        ],
    };
    let shared = Arc::clone(&admin);
    Ok(csv_stream::download(&admin, &who, &sheet, move |page| {
        let (admin, filter) = (Arc::clone(&shared), filter.clone());
        async move {
            let entries = admin.tools.store.list_audit(&filter, page).await?;
            let next = entries.last().map(AuditEntry::position);
            Ok((entries.into_iter().map(line).collect(), next))
        }
    }))
}

fn line(entry: AuditEntry) -> Vec<String> {
    let AuditEntry { at, entry, .. } = entry;
    let kind = entry.subject.as_ref().map(|subject| subject.kind.as_str());
    vec![
        rfc3339(at),
        entry.administrator.unwrap_or_default(),
        entry.role.unwrap_or_default(),
        entry.source,
        entry.action.as_str().to_owned(),
        kind.unwrap_or_default().to_owned(),
        entry.subject.map(|subject| subject.id).unwrap_or_default(),
        entry.details,
        entry.identity.unwrap_or_default(),
    ]
}

async fn entries(admin: &Admin, chosen: &mut Chosen) -> Result<Vec<AuditEntry>, PageError> {
    let after = chosen.read("after", "a place in the list", |text| text.parse().ok());
    let filter = filter_of(chosen);
    let page = Page {
        after,
        limit: ROWS + 1,
    };
    Ok(admin.tools.store.list_audit(&filter, page).await?)
}

/// What changes on the page.
pub(super) async fn pulse(admin: &Admin, mut chosen: Chosen) -> Result<String, PageError> {
    let newest = entries(admin, &mut chosen).await?;
    Ok(format!("{:?}", newest.first().map(|entry| entry.number)))
}

impl Row {
    fn of(admin: &Admin, entry: AuditEntry) -> Self {
        let AuditEntry { at, entry, .. } = entry;
        let NewAuditEntry {
            administrator,
            identity,
            role,
            source,
            action,
            subject,
            details,
        } = entry;
        let (object, path) = match &subject {
            Some(subject) => object(admin, subject, &details),
            None => (String::new(), None),
        };
        // The appointment stands for its encounter, whose key says nothing to people.
        let details = match &subject {
            Some(subject) if subject.kind == SubjectKind::Encounter => String::new(),
            _ => details,
        };
        Self {
            at: Moment::of(at),
            who: match (administrator, identity) {
                (Some(name), Some(identity)) => format!("{name} ({identity})"),
                (Some(one), None) | (None, Some(one)) => one,
                (None, None) => "unknown".to_owned(),
            },
            role: role.unwrap_or_else(|| "–".to_owned()),
            source,
            what: words(action),
            object: match (object.is_empty(), details.is_empty()) {
                (false, false) => format!("{object}: {details}"),
                (true, _) => details,
                (false, true) => object,
            },
            path,
            same: subject.as_ref().map(path_of),
        }
    }
}

/// Where every entry about something is shown.
pub(super) fn path_of(subject: &AuditSubject) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("kind", subject.kind.as_str());
    query.append_pair("of", &subject.id);
    format!("{PATH}?{}", query.finish())
}

/// What it is called, and where it is shown.
fn object(admin: &Admin, subject: &AuditSubject, details: &str) -> (String, Option<String>) {
    let AuditSubject { kind, id } = subject;
    match kind {
        SubjectKind::Launch => (
            format!("launch {id}"),
            Some(format!("/admin/launches/{id}")),
        ),
        SubjectKind::Appointment => (
            format!("appointment {id}"),
            Some(format!("/admin/appointments/{id}")),
        ),
        SubjectKind::Encounter => {
            let path = names::appointment_in(details).map(super::appointments::path);
            (details.to_owned(), path)
        }
        SubjectKind::Profile => {
            let uuid = id.parse().ok();
            let entry = uuid.and_then(|uuid| admin.registry.find_uuid(uuid));
            let name = uuid.map_or_else(|| id.clone(), |uuid| profile_name(admin, uuid));
            let path = entry.map(|entry| super::profiles::path(&entry));
            (format!("profile {name}"), path)
        }
        SubjectKind::WriteBack => (format!("write-back {id}"), None),
        SubjectKind::Table => (format!("table {id}"), None),
    }
}

/// What something is, in a word.
fn kind_word(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::Launch => "launch",
        SubjectKind::Appointment => "appointment",
        SubjectKind::Encounter => "encounter",
        SubjectKind::Profile => "profile",
        SubjectKind::WriteBack => "write-back",
        SubjectKind::Table => "table",
    }
}

/// What somebody did, in words.
fn words(action: AuditAction) -> &'static str {
    match action {
        AuditAction::SignedIn => "signed in",
        AuditAction::SignInFailed => "failed to sign in",
        AuditAction::SignedOut => "signed out",
        AuditAction::Refused => "was refused",
        AuditAction::NamesSeen => "looked at names",
        AuditAction::EncounterFound => "found by encounter",
        AuditAction::AuditRead => "read the audit log",
        AuditAction::Exported => "downloaded",
        AuditAction::SentAgain => "sent again",
        AuditAction::ProfileChecked => "had examined",
        AuditAction::ProfileCreated => "created",
        AuditAction::ProfileChanged => "changed",
        AuditAction::ProfileRemoved => "removed",
    }
}

fn filter_of(chosen: &mut Chosen) -> AuditFilter {
    let kind = chosen.read("kind", "a kind", SubjectKind::of_word);
    let subject = chosen.read("of", "enough without a kind", |id| {
        kind.map(|kind| AuditSubject {
            kind,
            id: id.to_owned(),
        })
    });
    AuditFilter {
        time: time_of(chosen),
        administrator: chosen.get("who").map(ToOwned::to_owned),
        action: chosen.read("what", "an action", AuditAction::of_word),
        kind,
        subject,
    }
}
