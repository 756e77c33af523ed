//! `GET /clinician`

use std::sync::Arc;

use axum::{extract::State, response::Response};

use super::launching_page;
use crate::ehr::Ehr;

pub(super) async fn get(State(ehr): State<Arc<Ehr>>) -> Response {
    launching_page(ehr.pages.clinician(&ehr.links()))
}
