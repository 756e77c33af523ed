//! `GET /api/FHIR/R4/metadata`

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::paths;
use crate::ehr::Ehr;

/// The CapabilityStatement (FHIR R4) with the `oauth-uris` extension, for
/// clients that do not read the SMART configuration.
pub(super) async fn get(State(ehr): State<Arc<Ehr>>) -> Response {
    if !ehr.metadata().capability_statement() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let address = ehr.address();
    let resources = ["Patient", "Encounter", "Practitioner"]
        .map(|kind| json!({ "type": kind, "interaction": [{ "code": "read" }] }));
    let statement = json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-01-01",
        "kind": "instance",
        "software": { "name": "Vestibule sandbox", "version": env!("CARGO_PKG_VERSION") },
        "implementation": {
            "description": "Simulated EHR, no real patients",
            "url": format!("{address}/api/FHIR/R4"),
        },
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [{
            "mode": "server",
            "security": {
                "extension": [{
                    "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
                    "extension": [
                        { "url": "authorize", "valueUri": format!("{address}{}", paths::AUTHORIZE) },
                        { "url": "token", "valueUri": format!("{address}{}", paths::TOKEN) },
                    ],
                }],
                "service": [{
                    "coding": [{
                        "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                        "code": "SMART-on-FHIR",
                    }],
                    "text": "OAuth2 using the SMART on FHIR profile",
                }],
            },
            "resource": resources,
        }],
    });
    ([(CONTENT_TYPE, "application/fhir+json")], Json(statement)).into_response()
}
