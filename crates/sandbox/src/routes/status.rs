//! `GET /status`

use std::sync::Arc;

use axum::{extract::State, response::Html};

use crate::ehr::Ehr;

pub(super) async fn get(State(ehr): State<Arc<Ehr>>) -> Html<String> {
    Html(ehr.pages.status(ehr.journal()))
}
