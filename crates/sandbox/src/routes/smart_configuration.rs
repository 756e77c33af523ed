//! `GET /api/FHIR/R4/.well-known/smart-configuration`

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::paths;
use crate::{ehr::Ehr, scope::SCOPES};

/// What the authorization server can do (SMART App Launch 2.2, conformance).
pub(super) async fn get(State(ehr): State<Arc<Ehr>>) -> Response {
    if !ehr.metadata().smart_configuration() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let address = ehr.address();
    let kinds = ehr.client_kinds();
    let mut capabilities = vec![
        "launch-ehr",
        "context-banner",
        "context-style",
        "context-ehr-patient",
        "context-ehr-encounter",
        "authorize-post",
        "sso-openid-connect",
        "permission-patient",
        "permission-online",
    ];
    let mut methods = Vec::new();
    let mut grants = vec!["authorization_code", "refresh_token"];
    if kinds.public {
        capabilities.push("client-public");
        methods.push("none");
    }
    if kinds.secret {
        capabilities.push("client-confidential-symmetric");
        methods.push("client_secret_basic");
    }
    if kinds.keys {
        capabilities.push("client-confidential-asymmetric");
        methods.push("private_key_jwt");
    }
    if kinds.backend {
        grants.push("client_credentials");
    }
    let mut configuration = json!({
        "issuer": format!("{address}/oauth2"),
        "jwks_uri": format!("{address}{}", paths::JWKS),
        "authorization_endpoint": format!("{address}{}", paths::AUTHORIZE),
        "token_endpoint": format!("{address}{}", paths::TOKEN),
        "token_endpoint_auth_methods_supported": methods,
        "grant_types_supported": grants,
        "response_types_supported": ["code"],
        "scopes_supported": SCOPES,
        "code_challenge_methods_supported": ["S256"],
        "capabilities": capabilities,
    });
    if kinds.keys {
        configuration["token_endpoint_auth_signing_alg_values_supported"] =
            json!(["RS384", "ES384"]);
    }
    Json(configuration).into_response()
}
