//! The fallback for EHRs without SMART metadata: the extension `oauth-uris` of
//! their FHIR CapabilityStatement (FHIR R4), or Conformance (DSTU2), which has
//! the same shape there (SMART App Launch 1.0, "SMART on FHIR OAuth
//! authorization Endpoints and Capabilities").

use http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use crate::{MAX_CAPABILITY_STATEMENT_BYTES, Metadata, MetadataError};

const OAUTH_URIS: &str = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris";
const CAPABILITIES: &str =
    "http://fhir-registry.smarthealthit.org/StructureDefinition/capabilities";

impl Metadata {
    /// Reads the answer to [`capability_statement_request`](crate::capability_statement_request).
    /// Where several extensions name endpoints, the first with both counts.
    pub fn from_capability_statement(response: &Response<Vec<u8>>) -> Result<Self, MetadataError> {
        if response.status() != StatusCode::OK {
            return Err(MetadataError::Status(response.status().as_u16()));
        }
        if response.body().len() > MAX_CAPABILITY_STATEMENT_BYTES {
            return Err(MetadataError::TooLarge);
        }
        let statement: CapabilityStatement =
            serde_json::from_slice(response.body()).map_err(|_| MetadataError::Malformed)?;
        if !["CapabilityStatement", "Conformance"].contains(&statement.resource_type.as_str()) {
            return Err(MetadataError::Malformed);
        }
        let security: Vec<Security> = statement
            .rest
            .into_iter()
            .filter_map(|rest| serde_json::from_value(rest.security).ok())
            .collect();
        let (authorize, token) = security
            .iter()
            .flat_map(|security| &security.extension)
            .filter(|extension| extension["url"] == OAUTH_URIS)
            .find_map(|extension| Some((uri(extension, "authorize")?, uri(extension, "token")?)))
            .ok_or(MetadataError::OAuthUrisMissing)?;
        let mut metadata = Self::from_endpoints(authorize, token)?;
        metadata.capabilities = security
            .iter()
            .flat_map(|security| &security.extension)
            .filter(|extension| extension["url"] == CAPABILITIES)
            .filter_map(|extension| extension["valueCode"].as_str())
            .map(ToOwned::to_owned)
            .collect();
        Ok(metadata)
    }
}

/// The statement may be megabytes; nothing but this is kept of it.
#[derive(Deserialize)]
struct CapabilityStatement {
    #[serde(rename = "resourceType")]
    resource_type: String,
    #[serde(default)]
    rest: Vec<Rest>,
}

#[derive(Deserialize)]
struct Rest {
    #[serde(default)]
    security: Value,
}

#[derive(Deserialize)]
struct Security {
    #[serde(default)]
    extension: Vec<Value>,
}

/// The `valueUri` of the part `name` of an extension.
fn uri<'a>(extension: &'a Value, name: &str) -> Option<&'a str> {
    extension["extension"]
        .as_array()?
        .iter()
        .find(|part| part["url"] == name)?
        .get("valueUri")?
        .as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Metadata, MetadataError> {
        Metadata::from_capability_statement(&Response::new(body.into()))
    }

    fn statement(resource_type: &str, authorize: &str, token: &str) -> String {
        format!(
            r#"{{"resourceType":"{resource_type}","fhirVersion":"4.0.1","software":{{"name":"x"}},"rest":[
                {{"mode":"client"}},
                {{"mode":"server","resource":[{{"type":"Patient"}}],"security":{{
                    "service":[{{"coding":[{{"code":"SMART-on-FHIR"}}]}}],
                    "extension":[
                        {{"url":"https://x.example","valueCode":"y"}},
                        {{"url":"{CAPABILITIES}","valueCode":"launch-ehr"}},
                        {{"url":"{OAUTH_URIS}","extension":[
                            {{"url":"authorize","valueUri":"{authorize}"}},
                            {{"url":"token","valueUri":"{token}"}}]}},
                        {{"url":"{CAPABILITIES}","valueCode":"authorize-post"}}]}}}}]}}"#
        )
    }

    #[test]
    fn reads_the_endpoints_of_r4_and_of_dstu2() {
        for resource_type in ["CapabilityStatement", "Conformance"] {
            let metadata = read(&statement(
                resource_type,
                "https://ehr.example/oauth2/authorize",
                "https://ehr.example/oauth2/token",
            ))
            .unwrap();
            assert_eq!(
                metadata.authorization_endpoint().as_str(),
                "https://ehr.example/oauth2/authorize"
            );
            assert_eq!(
                metadata.token_endpoint(),
                "https://ehr.example/oauth2/token"
            );
            assert_eq!(metadata.capabilities(), ["launch-ehr", "authorize-post"]);
            assert!(metadata.authorize_post());
            assert_eq!(metadata.issuer(), None);
        }
    }

    #[test]
    fn unprotected_endpoints_are_refused_here_too() {
        let (good, bad) = ("https://ehr.example/x", "http://ehr.example/x");
        assert_eq!(
            read(&statement("CapabilityStatement", bad, good)),
            Err(MetadataError::EndpointInvalid("authorization_endpoint"))
        );
        assert_eq!(
            read(&statement("CapabilityStatement", good, bad)),
            Err(MetadataError::EndpointInvalid("token_endpoint"))
        );
    }

    #[test]
    fn a_statement_without_oauth_says_so() {
        let no_token = statement("CapabilityStatement", "https://e.example/a", "x")
            .replace(r#""url":"token""#, r#""url":"register""#);
        for body in [
            r#"{"resourceType":"CapabilityStatement"}"#,
            r#"{"resourceType":"CapabilityStatement","rest":[]}"#,
            r#"{"resourceType":"CapabilityStatement","rest":[{"security":{}}]}"#,
            r#"{"resourceType":"CapabilityStatement","rest":[{"security":{"extension":[7,null,"x",{}]}}]}"#,
            r#"{"resourceType":"CapabilityStatement","rest":[{"security":{"extension":{}}}]}"#,
            r#"{"resourceType":"CapabilityStatement","rest":[{"security":7}]}"#,
            &no_token,
        ] {
            assert_eq!(read(body), Err(MetadataError::OAuthUrisMissing), "{body}");
        }
    }

    #[test]
    fn names_what_is_wrong_with_an_answer() {
        for body in [
            "",
            "<html>Sign in</html>",
            "[]",
            "{}",
            r#"{"resourceType":"OperationOutcome"}"#,
            r#"{"resourceType":"CapabilityStatement","rest":7}"#,
        ] {
            assert_eq!(read(body), Err(MetadataError::Malformed), "{body}");
        }
        let response = Response::builder().status(401).body(vec![]).unwrap();
        assert_eq!(
            Metadata::from_capability_statement(&response),
            Err(MetadataError::Status(401))
        );
        let long = statement(
            "CapabilityStatement",
            "https://e.example/a",
            "https://e.example/t",
        ) + &" ".repeat(MAX_CAPABILITY_STATEMENT_BYTES);
        assert_eq!(read(&long), Err(MetadataError::TooLarge));
        assert!(read(long[..MAX_CAPABILITY_STATEMENT_BYTES].trim_end()).is_ok());
    }
}
