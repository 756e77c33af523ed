//! `GET /status.json`

use std::sync::Arc;

use axum::{Json, extract::State};

use crate::{ehr::Ehr, journal::Entry};

pub(super) async fn get(State(ehr): State<Arc<Ehr>>) -> Json<Vec<Entry>> {
    Json(ehr.journal())
}
