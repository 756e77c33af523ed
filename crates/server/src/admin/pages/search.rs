//! `/admin/search`: a launch by its request id, an appointment by its encounter or by an
//! alias. A form that is posted: an encounter's identifier is to stand in no URL.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use serde::{Deserialize, Serialize};
use vestibule_launch::RequestId;
use vestibule_store::{AppointmentId, AuditAction, AuditSubject, StoreError};

use super::{
    appointments,
    frame::{PageError, PageOf, Section, launch_path, profile_name},
};
use crate::{
    admin::{Admin, Posted},
    launch::alias_hash,
};

/// Longest text that is searched for, in bytes.
const LONGEST: usize = 200;

#[derive(Deserialize)]
pub(super) struct Asked {
    text: String,
}

#[derive(Serialize)]
struct View {
    found: Vec<Found>,
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
    let text = form.text.trim();
    let mut found = match text.len() {
        1..=LONGEST => find(&admin, text).await?,
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
    page.render("found.html", &View { found })
}

async fn find(admin: &Admin, text: &str) -> Result<Vec<Found>, StoreError> {
    let tools = &admin.tools;
    let mut found = Vec::new();
    if let Ok(request_id) = text.parse::<RequestId>()
        && let Some(launch) = tools.store.find_launch(request_id).await?
    {
        found.push(Found::launch(launch_path(&launch), request_id));
    }
    // An encounter is known by its profile only.
    for entry in admin.registry.entries().iter() {
        let uuid = entry.document.uuid;
        let key = tools.sealer.encounter_key(uuid, text);
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
    if let Some(launch) = tools.store.find_launch_by_alias(alias_hash(text)).await? {
        found.push(Found::launch(launch_path(&launch), launch.request_id));
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
