//! `GET /api/FHIR/R4/.well-known/smart-configuration`

use std::sync::Arc;

use axum::{Json, extract::State, response::IntoResponse};
use serde_json::json;

use crate::{authorization_server::SCOPE, ehr::Ehr};

/// What the authorization server can do (SMART App Launch 2.2, conformance).
pub(super) async fn get(State(ehr): State<Arc<Ehr>>) -> impl IntoResponse {
    let address = ehr.address();
    let kinds = ehr.client_kinds();
    let mut capabilities = vec![
        "launch-ehr",
        "context-banner",
        "context-style",
        "context-ehr-patient",
        "context-ehr-encounter",
        "authorize-post",
    ];
    let mut methods = Vec::new();
    if kinds.public {
        capabilities.push("client-public");
        methods.push("none");
    }
    if kinds.confidential {
        capabilities.push("client-confidential-symmetric");
        methods.push("client_secret_basic");
    }
    Json(json!({
        "authorization_endpoint": format!("{address}/oauth2/authorize"),
        "token_endpoint": format!("{address}/oauth2/token"),
        "token_endpoint_auth_methods_supported": methods,
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "response_types_supported": ["code"],
        "scopes_supported": [SCOPE],
        "code_challenge_methods_supported": ["S256"],
        "capabilities": capabilities,
    }))
}
