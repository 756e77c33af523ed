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
            "issuer": format!("{address}/oauth2"),
            "jwks_uri": format!("{address}/api/epic/2019/Security/Open/PublicKeys/530005/OIDC"),
            "authorization_endpoint": format!("{address}/oauth2/authorize"),
            "token_endpoint": format!("{address}/oauth2/token"),
            "token_endpoint_auth_methods_supported": ["none", "client_secret_basic"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "response_types_supported": ["code"],
            "scopes_supported": [
                "launch",
                "openid",
                "fhirUser",
                "profile",
                "online_access",
                "patient/Patient.read",
                "patient/Encounter.read",
            ],
            "code_challenge_methods_supported": ["S256"],
            "capabilities": [
                "launch-ehr",
                "context-banner",
                "context-style",
                "context-ehr-patient",
                "context-ehr-encounter",
                "authorize-post",
                "sso-openid-connect",
                "permission-patient",
                "permission-online",
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
async fn keys_and_a_backend_are_announced_where_they_are_registered() {
    let backend =
        "[[clients]]\nrole = \"backend\"\nclient_id = \"b\"\njwks_url = \"http://127.0.0.1:1/\"\n";
    let ehr = Ehr::start_with(&format!("{CONFIG}{backend}")).await;
    let smart = ehr
        .get("/api/FHIR/R4/.well-known/smart-configuration")
        .await
        .json();
    assert_eq!(
        smart["token_endpoint_auth_methods_supported"],
        json!(["none", "client_secret_basic", "private_key_jwt"])
    );
    assert_eq!(
        smart["token_endpoint_auth_signing_alg_values_supported"],
        json!(["RS384", "ES384"])
    );
    assert_eq!(smart["grant_types_supported"][2], "client_credentials");
    let capabilities = smart["capabilities"].as_array().unwrap();
    assert!(capabilities.contains(&json!("client-confidential-asymmetric")));
}

#[tokio::test]
async fn an_ehr_can_lack_one_form_of_metadata_or_both() {
    for (forms, smart, statement) in [
        ("both", 200, 200),
        ("smart-configuration", 200, 404),
        ("capability-statement", 404, 200),
        ("neither", 404, 404),
    ] {
        let ehr = Ehr::start_with(&format!("metadata = \"{forms}\"\n{CONFIG}")).await;
        for (path, status) in [
            ("/api/FHIR/R4/.well-known/smart-configuration", smart),
            ("/api/FHIR/R4/metadata", statement),
        ] {
            let answer = ehr.get(path).await;
            assert_eq!(answer.status.as_u16(), status, "{forms} {path}");
        }
    }
}

#[tokio::test]
async fn who_issues_id_tokens_is_told() {
    let ehr = Ehr::start().await;
    let answer = ehr.get("/oauth2/.well-known/openid-configuration").await;
    let configuration = answer.json();
    assert_eq!(configuration["issuer"], format!("{}/oauth2", ehr.address));
    let jwks = configuration["jwks_uri"].as_str().unwrap();
    let path = jwks.strip_prefix(&ehr.address).unwrap();
    let keys = ehr.get(path).await.json();
    assert_eq!(keys["keys"][0]["alg"], "RS256");
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
