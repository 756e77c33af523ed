//! Asking an EHR for its metadata.

use http::{HeaderValue, Request, header};
use url::Url;

use crate::is_protected;

/// `GET {iss}/.well-known/smart-configuration` for the FHIR base URL `iss`,
/// which the caller has found in its allow-list. The `Epic-Client-ID` header is
/// sent because Epic can give each client its own endpoints.
pub fn metadata_request(
    iss: &Url,
    client_id: &str,
) -> Result<Request<Vec<u8>>, MetadataRequestError> {
    get(
        iss,
        ".well-known/smart-configuration",
        "application/json",
        client_id,
    )
}

/// `GET {base}/metadata`, the fallback where an EHR is too old for
/// [`metadata_request`]: its FHIR CapabilityStatement, or Conformance before
/// FHIR R4, which [`Metadata::from_capability_statement`](crate::Metadata::from_capability_statement)
/// reads. The answer may be long; see [`MAX_CAPABILITY_STATEMENT_BYTES`](crate::MAX_CAPABILITY_STATEMENT_BYTES).
pub fn capability_statement_request(
    base: &Url,
    client_id: &str,
) -> Result<Request<Vec<u8>>, MetadataRequestError> {
    get(
        base,
        "metadata",
        "application/fhir+json, application/json;q=0.9",
        client_id,
    )
}

/// Why no metadata request can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataRequestError {
    /// The FHIR base URL is not https (http is taken on loopback only), carries
    /// a user name, or is overlong.
    #[error("the FHIR base URL must be an https URL without user name")]
    IssuerInvalid,
    /// The client id holds control characters.
    #[error("the client id holds characters that cannot be sent; check for stray line ends")]
    ClientIdInvalid,
}

/// Asks for `path` below `base`, with or without a slash at its end.
fn get(
    base: &Url,
    path: &str,
    accept: &'static str,
    client_id: &str,
) -> Result<Request<Vec<u8>>, MetadataRequestError> {
    if !is_protected(base) {
        return Err(MetadataRequestError::IssuerInvalid);
    }
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    let mut request = Request::new(Vec::new());
    *request.uri_mut() = url
        .as_str()
        .parse()
        .map_err(|_| MetadataRequestError::IssuerInvalid)?;
    let client_id =
        HeaderValue::from_str(client_id).map_err(|_| MetadataRequestError::ClientIdInvalid)?;
    let headers = request.headers_mut();
    headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
    headers.insert("epic-client-id", client_id);
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_below_the_fhir_base_with_or_without_a_trailing_slash() {
        for iss in [
            "https://ehr.example/fhir/R4",
            "https://ehr.example/fhir/R4/",
        ] {
            let iss = iss.parse().unwrap();
            let request = metadata_request(&iss, "client").unwrap();
            assert_eq!(request.method(), http::Method::GET);
            assert_eq!(
                request.uri(),
                "https://ehr.example/fhir/R4/.well-known/smart-configuration"
            );
            assert_eq!(request.headers()["accept"], "application/json");
            assert_eq!(request.headers()["epic-client-id"], "client");
            assert!(request.body().is_empty());

            let request = capability_statement_request(&iss, "client").unwrap();
            assert_eq!(request.uri(), "https://ehr.example/fhir/R4/metadata");
            assert_eq!(
                request.headers()["accept"],
                "application/fhir+json, application/json;q=0.9"
            );
            assert_eq!(request.headers()["epic-client-id"], "client");
        }
    }

    #[test]
    fn refuses_unprotected_issuers_and_unsendable_client_ids() {
        for iss in [
            "http://ehr.example/",
            "ftp://ehr.example/",
            "data:,x",
            "https://u@ehr.example/",
        ] {
            let iss = iss.parse().unwrap();
            let refusals = [
                metadata_request(&iss, "client"),
                capability_statement_request(&iss, "client"),
            ];
            for refusal in refusals {
                assert_eq!(refusal.unwrap_err(), MetadataRequestError::IssuerInvalid);
            }
        }
        let iss = "https://ehr.example/".parse().unwrap();
        let refusal = metadata_request(&iss, "client\r\nX: y").unwrap_err();
        assert_eq!(refusal, MetadataRequestError::ClientIdInvalid);
    }
}
