//! `POST /clinician/launch` and `POST /patient/launch`

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::State,
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use vestibule_launch::EhrRole;

use super::launching_page;
use crate::{
    appointment::Appointment, ehr::Ehr, launch_link::LaunchMethod, parameters::Parameters,
};

pub(super) async fn post_clinician(State(ehr): State<Arc<Ehr>>, form: Bytes) -> Response {
    launch(&ehr, EhrRole::Provider, &form)
}

pub(super) async fn post_patient(State(ehr): State<Arc<Ehr>>, form: Bytes) -> Response {
    launch(&ehr, EhrRole::Patient, &form)
}

fn launch(ehr: &Ehr, role: EhrRole, form: &[u8]) -> Response {
    let Some(appointment) = chosen_appointment(form) else {
        let page = ehr.pages.error(
            "No such appointment",
            "The appointment is not on today's schedule. Go back and choose one.",
        );
        return (StatusCode::BAD_REQUEST, Html(page)).into_response();
    };
    let link = ehr.launch(role, appointment);
    match link.method() {
        LaunchMethod::Get => Redirect::to(link.url().as_str()).into_response(),
        LaunchMethod::Post => launching_page(ehr.pages.continue_to_visit(&link)),
    }
}

fn chosen_appointment(form: &[u8]) -> Option<&'static Appointment> {
    let form = Parameters::parse(form).ok()?;
    Appointment::find(form.get("appointment").ok()??)
}
