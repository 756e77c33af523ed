//! `GET /links.json`

use std::sync::Arc;

use axum::{Json, extract::State};

use crate::ehr::{Ehr, VisitLinks};

pub(super) async fn get(State(ehr): State<Arc<Ehr>>) -> Json<Vec<VisitLinks>> {
    Json(ehr.links())
}
