//! `GET /api/FHIR/R4/metadata`

use std::sync::Arc;

use axum::{Json, extract::State, http::header::CONTENT_TYPE, response::IntoResponse};
use serde_json::json;

use crate::ehr::Ehr;

/// The CapabilityStatement (FHIR R4) with the `oauth-uris` extension, for
/// clients that do not read the SMART configuration.
pub(super) async fn get(State(ehr): State<Arc<Ehr>>) -> impl IntoResponse {
    let address = ehr.address();
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
                        { "url": "authorize", "valueUri": format!("{address}/oauth2/authorize") },
                        { "url": "token", "valueUri": format!("{address}/oauth2/token") },
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
        }],
    });
    ([(CONTENT_TYPE, "application/fhir+json")], Json(statement))
}
