//! `GET /api/FHIR/R4/{type}/{id}`

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_TYPE, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};

use super::authorization;
use crate::{
    ehr::Ehr,
    fhir::{FhirFault, ResourceType},
};

pub(super) async fn get(
    State(ehr): State<Arc<Ehr>>,
    headers: HeaderMap,
    Path((kind, id)): Path<(String, String)>,
) -> Response {
    let outcome = ResourceType::parse(&kind)
        .ok_or(FhirFault::NotFound)
        .and_then(|kind| ehr.resource(authorization(&headers), kind, &id));
    let json = [(CONTENT_TYPE, "application/fhir+json")];
    match outcome {
        Ok(resource) => (json, Json(resource)).into_response(),
        Err(fault) => {
            let body = (json, Json(fault.outcome()));
            match fault {
                FhirFault::Unauthorized => {
                    let challenge = [(WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")];
                    (StatusCode::UNAUTHORIZED, challenge, body).into_response()
                }
                FhirFault::Scope => (StatusCode::FORBIDDEN, body).into_response(),
                FhirFault::NotFound => (StatusCode::NOT_FOUND, body).into_response(),
            }
        }
    }
}
