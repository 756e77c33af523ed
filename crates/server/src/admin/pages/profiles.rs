//! `/admin/profiles`: the telehealth profiles, and the doctor for each.

use std::sync::Arc;

use axum::{
    extract::{Path, RawQuery, State},
    response::Response,
};
use serde::Serialize;
use vestibule_store::{AuditAction, AuditSubject, ProfileNumber};

use super::{
    csv::Csv,
    csv_stream,
    filter::{Chosen, Filter},
    frame::{PageError, PageOf, Section},
    moment::Moment,
    write_backs::Nothing,
};
use crate::{
    admin::{Admin, Administrator, Posted, Role},
    cli::doctor::{self, Finding, State as Found},
    profile::{Entry, Kept},
};

pub(super) const PATH: &str = "/admin/profiles";

#[derive(Serialize)]
struct View {
    filter: Filter,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    path: String,
    name: String,
    uuid: String,
    key_check_value: Option<String>,
    kept_in: String,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct OneView {
    profile: Row,
    facts: Vec<Fact>,
    secrets: Vec<&'static str>,
    may_examine: bool,
    findings: Vec<Line>,
}

#[derive(Serialize)]
struct Fact {
    label: &'static str,
    value: String,
}

#[derive(Serialize)]
struct Line {
    word: &'static str,
    class: &'static str,
    check: &'static str,
    text: String,
    advice: Option<String>,
}

/// Where a profile is shown.
pub(super) fn path(entry: &Entry) -> String {
    format!("{PATH}/{}", entry.number.0)
}

pub(super) async fn page(
    State(admin): State<Arc<Admin>>,
    who: Administrator,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let chosen = Chosen::of(query.as_deref());
    let view = View {
        filter: chosen
            .form()
            .input(&chosen, "name", "Name contains", "text")
            .csv(&chosen, "/admin/profiles.csv"),
        rows: rows(&admin, &chosen).await,
    };
    let page = PageOf {
        admin: &admin,
        who: &who,
        section: Section::Profiles,
        here: chosen.here(PATH),
    };
    page.render("profiles.html", &view)
}

pub(super) async fn csv(
    State(admin): State<Arc<Admin>>,
    who: Administrator,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let chosen = Chosen::of(query.as_deref());
    chosen.checked()?;
    let table = AuditSubject::table("profiles");
    who.record(&admin, AuditAction::Exported, Some(table), &chosen.told())
        .await?;
    let mut csv = Csv::new(&["name", "uuid", "key_check_value", "kept_in", "warnings"]);
    for row in rows(&admin, &chosen).await {
        let key_check_value = row.key_check_value.unwrap_or_default();
        let warnings = row.warnings.join("; ");
        csv.row(&[row.name, row.uuid, key_check_value, row.kept_in, warnings]);
    }
    Ok(csv_stream::file("profiles", csv.into_text()))
}

pub(super) async fn one(
    State(admin): State<Arc<Admin>>,
    who: Administrator,
    Path(number): Path<i64>,
) -> Result<Response, PageError> {
    let entry = find(&admin, number)?;
    show(&admin, &who, entry, Vec::new()).await
}

/// Has the doctor look at a profile.
pub(super) async fn examine(
    State(admin): State<Arc<Admin>>,
    Path(number): Path<i64>,
    Posted {
        administrator: who, ..
    }: Posted<Nothing>,
) -> Result<Response, PageError> {
    let entry = find(&admin, number)?;
    let findings = examined(&admin, &who, &entry).await?;
    show(&admin, &who, entry, findings).await
}

/// The same, with what was found as a file.
pub(super) async fn examine_as_csv(
    State(admin): State<Arc<Admin>>,
    Path(number): Path<i64>,
    Posted {
        administrator: who, ..
    }: Posted<Nothing>,
) -> Result<Response, PageError> {
    let entry = find(&admin, number)?;
    let mut csv = Csv::new(&["state", "check", "finding", "what_to_do"]);
    for finding in examined(&admin, &who, &entry).await? {
        let line = Line::of(finding);
        let advice = line.advice.unwrap_or_default();
        csv.row(&[line.word, line.check, &line.text, &advice]);
    }
    Ok(csv_stream::file("doctor", csv.into_text()))
}

async fn examined(
    admin: &Admin,
    who: &Administrator,
    entry: &Arc<Entry>,
) -> Result<Vec<Finding>, PageError> {
    who.require(admin, Role::Operate).await?;
    let subject = Some(AuditSubject::profile(entry.document.uuid));
    who.record(admin, AuditAction::ProfileChecked, subject, "")
        .await?;
    Ok(doctor::examine_used(entry, &admin.tools).await)
}

fn find(admin: &Admin, number: i64) -> Result<Arc<Entry>, PageError> {
    let entry = admin.registry.find(ProfileNumber(number));
    entry.ok_or(PageError::Missing)
}

async fn show(
    admin: &Admin,
    who: &Administrator,
    entry: Arc<Entry>,
    findings: Vec<Finding>,
) -> Result<Response, PageError> {
    let document = &entry.document;
    let facts = [
        ("Description", Some(document.description.clone())),
        ("Call domain", Some(document.telehealth_call_domain.clone())),
        ("EHR", document.telehealth_integration_base_url.clone()),
        (
            "Landing page",
            Some(document.infinity_webapp_server_base_url.clone()),
        ),
        (
            "Provider redirect URL",
            document.provider_oauth2_redirect_url.clone(),
        ),
        (
            "Patient redirect URL",
            document.patient_oauth2_redirect_url.clone(),
        ),
        (
            "Encryption",
            Some(document.epic_encryption_algorithm.to_string()),
        ),
    ];
    let facts = facts.into_iter().filter_map(|(label, value)| {
        let value = value.filter(|value| !value.is_empty())?;
        Some(Fact { label, value })
    });
    let mut facts: Vec<_> = facts.collect();
    facts.extend(previous_key(admin, &entry).await);
    let view = OneView {
        facts,
        secrets: document.secrets().into_keys().collect(),
        may_examine: who.role >= Role::Operate,
        findings: findings.into_iter().map(Line::of).collect(),
        profile: made(vec![Arc::clone(&entry)]).await.remove(0),
    };
    let page = PageOf {
        admin,
        who,
        section: Section::Profiles,
        here: path(&entry),
    };
    page.render("profile.html", &view)
}

/// The launch key that was replaced, while it is still taken.
async fn previous_key(admin: &Admin, entry: &Arc<Entry>) -> Option<Fact> {
    let now = admin.tools.now();
    let document = &entry.document;
    let previous = document.previous.as_ref()?;
    previous.epic_encryption_key.as_ref()?;
    let until = previous.valid_until("epic_encryption_key");
    if until <= now {
        return None;
    }
    let key_type = previous.epic_encryption_key_type;
    let key_type = key_type.unwrap_or(document.epic_encryption_key_type);
    let shared = Arc::clone(entry);
    let made = tokio::task::spawn_blocking(move || {
        let dialect = &shared.profile.dialect;
        dialect.previous_key_check_value(key_type, now)
    });
    let value = match made.await {
        Ok(Some(value)) => format!("key check value {value}"),
        Ok(None) => "without a key check value".to_owned(),
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    };
    Some(Fact {
        label: "Previous launch key",
        value: format!("{value}, taken until {}", Moment::with_zone(until).shown),
    })
}

async fn rows(admin: &Admin, chosen: &Chosen) -> Vec<Row> {
    let part = chosen.get("name").unwrap_or_default().to_lowercase();
    let entries = admin.registry.entries();
    let named = entries
        .iter()
        .filter(|entry| entry.document.name.to_lowercase().contains(&part));
    made(named.cloned().collect()).await
}

/// Made where it may take its time: a key check value takes tens of milliseconds.
async fn made(entries: Vec<Arc<Entry>>) -> Vec<Row> {
    let made = tokio::task::spawn_blocking(move || {
        entries
            .iter()
            .map(|entry| Row::of(entry))
            .collect::<Vec<_>>()
    });
    match made.await {
        Ok(made) => made,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

impl Row {
    fn of(entry: &Entry) -> Self {
        let warnings = entry.profile.warnings().iter().map(ToString::to_string);
        Self {
            path: path(entry),
            name: entry.document.name.clone(),
            uuid: entry.document.uuid.to_string(),
            key_check_value: entry
                .profile
                .key_check_value()
                .map(|value| value.to_string()),
            kept_in: match &entry.kept {
                Kept::Database(_) => "database".to_owned(),
                Kept::File(path) => format!("file {}", path.display()),
            },
            warnings: warnings.collect(),
        }
    }
}

impl Line {
    fn of(finding: Finding) -> Self {
        let (word, class) = match finding.state {
            Found::Ok => ("ok", "good"),
            Found::Warn => ("warning", "warn"),
            Found::Fail => ("fails", "fault"),
        };
        Self {
            word,
            class,
            check: finding.check,
            text: finding.text,
            advice: finding.advice,
        }
    }
}
