//! `/admin/search`: a launch by its request id, an appointment by its encounter, a launch by
//! the alias of its meeting; and for the pages that ask for it the write-backs of these, or
//! what the audit log has of an encounter. A form that is posted: an encounter's identifier
//! is to stand in no URL.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use serde::{Deserialize, Serialize};
use vestibule_launch::RequestId;
use vestibule_store::{
    AppointmentId, AuditAction, AuditFilter, AuditSubject, EncounterKey, Launch, Page, StoreError,
};

use super::{
    appointments, audit,
    frame::{PageError, PageOf, Section, launch_path, profile_name},
    write_backs,
};
use crate::{
    admin::{Admin, Posted, Role},
    launch::alias_hash,
};

/// Longest text that is searched for, in bytes.
const LONGEST: usize = 200;

#[derive(Deserialize)]
pub(super) struct Asked {
    text: String,
    /// Which page asks.
    #[serde(default)]
    page: For,
}

/// What is looked for.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum For {
    /// Launches and appointments.
    #[default]
    Everything,
    /// Their write-backs.
    WriteBacks,
    /// Who looked at an encounter.
    Audit,
}

#[derive(Serialize)]
struct View {
    found: Vec<Found>,
    nothing: &'static str,
}

#[derive(Serialize)]
struct Found {
    path: String,
    label: String,
    /// What an encounter has led to.
    #[serde(skip)]
    appointment: Option<AppointmentId>,
}

pub(super) async fn search(
    State(admin): State<Arc<Admin>>,
    Posted {
        administrator: who,
        form,
    }: Posted<Asked>,
) -> Result<Response, PageError> {
    if form.page == For::Audit {
        who.require(&admin, Role::Configure).await?;
    }
    let text = form.text.trim();
    let mut found = match (text.len(), form.page) {
        (1..=LONGEST, For::Everything) => find(&admin, text).await?,
        (1..=LONGEST, For::WriteBacks) => find_write_backs(&admin, text).await?,
        (1..=LONGEST, For::Audit) => find_audited(&admin, text).await?,
        _ => Vec::new(),
    };
    // Nobody is told that there is an appointment before it is recorded.
    for appointment in found.iter().filter_map(|found| found.appointment) {
        let subject = Some(AuditSubject::appointment(appointment));
        who.record(&admin, AuditAction::EncounterFound, subject, "")
            .await?;
    }
    if found.len() == 1 {
        return Ok(Redirect::to(&found.remove(0).path).into_response());
    }
    let page = PageOf {
        admin: &admin,
        who: &who,
        section: Section::None,
        here: "/admin".to_owned(),
    };
    let nothing = match form.page {
        For::Everything | For::WriteBacks => {
            "Nothing is known under this request id, encounter or meeting. What is older than \
             the retention time is forgotten; an encounter is known from its first launch that \
             completed."
        }
        For::Audit => "The audit log has nothing of this encounter: nobody has seen names of it.",
    };
    page.render("found.html", &View { found, nothing })
}

/// The key of an encounter under each profile: it is known by its profile only.
fn keys(admin: &Admin, encounter: &str) -> Vec<(uuid::Uuid, EncounterKey)> {
    let entries = admin.registry.entries();
    let key = |uuid| admin.tools.sealer.encounter_key(uuid, encounter);
    let uuids = entries.iter().map(|entry| entry.document.uuid);
    uuids.map(|uuid| (uuid, key(uuid))).collect()
}

async fn find(admin: &Admin, text: &str) -> Result<Vec<Found>, StoreError> {
    let tools = &admin.tools;
    let mut found = Vec::new();
    if let Ok(request_id) = text.parse::<RequestId>()
        && let Some(launch) = tools.store.find_launch(request_id).await?
    {
        found.push(Found::launch(launch_path(&launch), request_id));
    }
    for (uuid, key) in keys(admin, text) {
        if let Some(appointment) = tools.store.find_appointment_by_key(key).await? {
            found.push(Found {
                path: appointments::path(appointment.id),
                label: format!(
                    "Appointment {} of {}",
                    appointment.id,
                    profile_name(admin, uuid)
                ),
                appointment: Some(appointment.id),
            });
        }
    }
    if let Some(launch) = of_meeting(admin, text).await? {
        found.push(Found::launch(launch_path(&launch), launch.request_id));
    }
    Ok(found)
}

/// The launch whose join link leads to this conference, as the link names it or as it is
/// dialled.
async fn of_meeting(admin: &Admin, alias: &str) -> Result<Option<Launch>, StoreError> {
    let tools = &admin.tools;
    let routed = alias_hash(&tools.routing.known_as(alias));
    tools.store.find_launch_by_alias(routed).await
}

/// The write-backs of what is found.
async fn find_write_backs(admin: &Admin, text: &str) -> Result<Vec<Found>, StoreError> {
    let tools = &admin.tools;
    let mut found = Vec::new();
    if let Ok(request_id) = text.parse::<RequestId>()
        && tools.store.find_launch(request_id).await?.is_some()
    {
        found.push(Found {
            path: format!("{}?request_id={request_id}", write_backs::PATH),
            label: format!("Write-backs of launch {request_id}"),
            appointment: None,
        });
    }
    let of = |appointment, by_encounter: bool| Found {
        path: format!("{}?appointment={appointment}", write_backs::PATH),
        label: format!("Write-backs of appointment {appointment}"),
        appointment: by_encounter.then_some(appointment),
    };
    for (_, key) in keys(admin, text) {
        let appointment = tools.store.find_appointment_by_key(key).await?;
        found.extend(appointment.map(|appointment| of(appointment.id, true)));
    }
    let launch = of_meeting(admin, text).await?;
    let appointment = launch.and_then(|launch| launch.appointment);
    found.extend(appointment.map(|appointment| of(appointment, false)));
    Ok(found)
}

/// What the audit log has of an encounter, which may long be forgotten.
async fn find_audited(admin: &Admin, text: &str) -> Result<Vec<Found>, StoreError> {
    let mut found = Vec::new();
    for (uuid, key) in keys(admin, text) {
        let subject = AuditSubject::encounter(key);
        let path = audit::path_of(&subject);
        let filter = AuditFilter {
            subject: Some(subject),
            ..AuditFilter::default()
        };
        let first = Page {
            after: None,
            limit: 1,
        };
        let entries = admin.tools.store.list_audit(&filter, first).await?;
        if !entries.is_empty() {
            found.push(Found {
                path,
                label: format!("Audit of this encounter of {}", profile_name(admin, uuid)),
                appointment: None,
            });
        }
    }
    Ok(found)
}

impl Found {
    fn launch(path: String, request_id: RequestId) -> Self {
        Self {
            path,
            label: format!("Launch {request_id}"),
            appointment: None,
        }
    }
}
