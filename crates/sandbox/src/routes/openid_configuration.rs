//! `GET /oauth2/.well-known/openid-configuration`

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::paths;
use crate::{ehr::Ehr, scope::SCOPES};

/// Who issues id tokens (OpenID Connect Discovery 1.0).
pub(super) async fn get(State(ehr): State<Arc<Ehr>>) -> Json<Value> {
    let address = ehr.address();
    Json(json!({
        "issuer": format!("{address}/oauth2"),
        "authorization_endpoint": format!("{address}{}", paths::AUTHORIZE),
        "token_endpoint": format!("{address}{}", paths::TOKEN),
        "jwks_uri": format!("{address}{}", paths::JWKS),
        "scopes_supported": SCOPES,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }))
}
