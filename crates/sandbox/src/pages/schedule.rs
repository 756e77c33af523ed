//! The rows of the schedule, as the clinician and as patients see them.

use serde::Serialize;
use vestibule_launch::EhrRole;

use crate::{
    appointment::{Appointment, Patient, SCHEDULE},
    ehr::VisitLinks,
};

/// An appointment, or one patient's part in it.
#[derive(Serialize)]
pub(super) struct Row<'a> {
    appointment: &'static Appointment,
    /// Who is in it: all patients for the clinician, one for a patient.
    patients: &'static [Patient],
    /// Number of the patient whose row it is, from 1; 1 for the clinician.
    number: usize,
    /// Distinguishes the row in the ids of its elements.
    place: String,
    links: Vec<Link<'a>>,
}

/// A link beside the button.
#[derive(Serialize)]
struct Link<'a> {
    id: String,
    kind: &'static str,
    /// Whom it is for: none stands for the clinician.
    patient: Option<&'static Patient>,
    url: &'a str,
}

/// A row for each appointment, with everybody's links.
pub(super) fn clinician_rows(links: &[VisitLinks]) -> Vec<Row<'_>> {
    SCHEDULE
        .iter()
        .map(|appointment| Row {
            appointment,
            patients: appointment.patients.all(),
            number: 1,
            place: appointment.id.to_owned(),
            links: links_of(links, appointment, |_| true),
        })
        .collect()
}

/// A row for each patient of each appointment, with their own links.
pub(super) fn patient_rows(links: &[VisitLinks]) -> Vec<Row<'_>> {
    SCHEDULE
        .iter()
        .flat_map(|appointment| {
            let patients = appointment.patients.all();
            (1..=patients.len()).map(move |number| Row {
                appointment,
                patients: &patients[number - 1..number],
                number,
                place: place(appointment, number),
                links: links_of(links, appointment, |of| of.patient == Some(number)),
            })
        })
        .collect()
}

fn links_of<'a>(
    links: &'a [VisitLinks],
    appointment: &'static Appointment,
    is_shown: impl Fn(&VisitLinks) -> bool,
) -> Vec<Link<'a>> {
    let shown = |of: &&VisitLinks| of.appointment == appointment.id && is_shown(of);
    links
        .iter()
        .filter(shown)
        .flat_map(|of| {
            let number = of.patient.unwrap_or(1);
            let place = place(appointment, number);
            let patient = match of.role {
                EhrRole::Provider => None,
                EhrRole::Patient => appointment.patients.all().get(number - 1),
            };
            let link = move |kind: &'static str, url: &'a Option<String>| {
                url.as_deref().map(|url| Link {
                    id: format!("{kind}-{}-{place}", of.role.as_str()),
                    kind,
                    patient,
                    url,
                })
            };
            [link("direct", &of.direct), link("zoom", &of.zoom)]
        })
        .flatten()
        .collect()
}

/// The first patient's is that of the appointment.
fn place(appointment: &Appointment, number: usize) -> String {
    match number {
        1 => appointment.id.to_owned(),
        number => format!("{}-{number}", appointment.id),
    }
}
