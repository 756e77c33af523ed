//! `GET /api/epic/2019/Security/Open/PublicKeys/530005/OIDC`

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::Value;

use crate::ehr::Ehr;

pub(super) async fn get(State(ehr): State<Arc<Ehr>>) -> Json<Value> {
    Json(ehr.id_token_keys())
}
