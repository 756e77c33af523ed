//! `POST /clinician/launch` and `POST /patient/launch`

use std::sync::Arc;

use super::launching_page;
use crate::{
    appointment::{Appointment, Patient, Standing},
    ehr::Ehr,
    launch_link::LaunchMethod,
    parameters::Parameters,
    visit::{Visit, Visitor},
};
use axum::{
    body::Bytes,
    extract::State,
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};

pub(super) async fn post_clinician(State(ehr): State<Arc<Ehr>>, form: Bytes) -> Response {
    let visit = Parameters::parse(&form).ok().and_then(|form| {
        Some(Visit {
            appointment: chosen_appointment(&form)?,
            visitor: Visitor::Provider,
        })
    });
    launch(&ehr, visit)
}

pub(super) async fn post_patient(State(ehr): State<Arc<Ehr>>, form: Bytes) -> Response {
    let visit = Parameters::parse(&form).ok().and_then(|form| {
        let appointment = chosen_appointment(&form)?;
        Some(Visit {
            appointment,
            visitor: Visitor::Patient(chosen_patient(&form, appointment)?),
        })
    });
    launch(&ehr, visit)
}

fn launch(ehr: &Ehr, visit: Option<Visit>) -> Response {
    let Some(visit) = visit else {
        let page = ehr.pages.error(
            "No such appointment",
            "The appointment is not on the schedule, or cannot be joined now. Go back and choose one.",
        );
        return (StatusCode::BAD_REQUEST, Html(page)).into_response();
    };
    let link = ehr.launch(visit);
    match link.method() {
        LaunchMethod::Get => Redirect::to(link.url().as_str()).into_response(),
        LaunchMethod::Post => launching_page(ehr.pages.continue_to_visit(&link)),
    }
}

/// The EHR has no button for an appointment that is over or not open yet.
fn chosen_appointment(form: &Parameters) -> Option<&'static Appointment> {
    let appointment = Appointment::find(form.get("appointment").ok()??)?;
    (appointment.standing == Standing::Open).then_some(appointment)
}

/// The patient with the number that was chosen, from 1; the first where none was.
fn chosen_patient(form: &Parameters, appointment: &Appointment) -> Option<&'static Patient> {
    let number: usize = form.get("patient").ok()?.unwrap_or("1").parse().ok()?;
    appointment.patients.all().get(number.checked_sub(1)?)
}
