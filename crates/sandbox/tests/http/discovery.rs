//! What the EHR says about itself.

use serde_json::json;

use crate::support::{CONFIG, Ehr};

#[tokio::test]
async fn the_smart_configuration_names_endpoints_and_capabilities() {
    let ehr = Ehr::start().await;
    let answer = ehr
        .get("/api/FHIR/R4/.well-known/smart-configuration")
        .await;
    assert_eq!(answer.header("content-type"), "application/json");
    let address = &ehr.address;
    assert_eq!(
        answer.json(),
        json!({
            "authorization_endpoint": format!("{address}/oauth2/authorize"),
            "token_endpoint": format!("{address}/oauth2/token"),
            "token_endpoint_auth_methods_supported": ["none", "client_secret_basic"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "response_types_supported": ["code"],
            "scopes_supported": ["launch"],
            "code_challenge_methods_supported": ["S256"],
            "capabilities": [
                "launch-ehr",
                "context-banner",
                "context-style",
                "context-ehr-patient",
                "context-ehr-encounter",
                "authorize-post",
                "client-public",
                "client-confidential-symmetric",
            ],
        })
    );
}

#[tokio::test]
async fn only_the_kinds_of_client_that_are_registered_are_announced() {
    let config = CONFIG.replace("client_secret = \"this-is-the-secret-2/7\"\n", "");
    let ehr = Ehr::start_with(&config).await;
    let answer = ehr
        .get("/api/FHIR/R4/.well-known/smart-configuration")
        .await;
    assert_eq!(
        answer.json()["token_endpoint_auth_methods_supported"],
        json!(["none"])
    );
}

#[tokio::test]
async fn the_capability_statement_names_the_same_endpoints() {
    let ehr = Ehr::start().await;
    let answer = ehr.get("/api/FHIR/R4/metadata").await;
    assert_eq!(answer.header("content-type"), "application/fhir+json");
    let statement = answer.json();
    assert_eq!(statement["resourceType"], "CapabilityStatement");
    assert_eq!(statement["fhirVersion"], "4.0.1");
    let uris = &statement["rest"][0]["security"]["extension"][0];
    assert_eq!(
        uris["url"],
        "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
    );
    assert_eq!(
        uris["extension"],
        json!([
            { "url": "authorize", "valueUri": format!("{}/oauth2/authorize", ehr.address) },
            { "url": "token", "valueUri": format!("{}/oauth2/token", ehr.address) },
        ])
    );
}
