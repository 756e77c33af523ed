//! The SMART metadata of an EHR (SMART App Launch 2.2, "Conformance").

use http::{Request, Response, StatusCode, header};
use serde::Deserialize;
use url::{Host, Url};

use crate::MAX_BODY_BYTES;

/// The longest endpoint URL that is taken from metadata, in bytes.
const MAX_URL_BYTES: usize = 2048;

/// `GET {iss}/.well-known/smart-configuration` for the FHIR base URL `iss`,
/// which the caller has found in its allow-list. The `Epic-Client-ID` header is
/// sent because Epic can give each client its own endpoints.
pub fn metadata_request(
    iss: &Url,
    client_id: &str,
) -> Result<Request<Vec<u8>>, MetadataRequestError> {
    if !is_protected(iss) {
        return Err(MetadataRequestError::IssuerInvalid);
    }
    let mut url = iss.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.set_path(&format!(
        "{}/.well-known/smart-configuration",
        iss.path().trim_end_matches('/')
    ));
    let uri: http::Uri = url
        .as_str()
        .parse()
        .map_err(|_| MetadataRequestError::IssuerInvalid)?;
    let client_id = header::HeaderValue::from_str(client_id)
        .map_err(|_| MetadataRequestError::ClientIdInvalid)?;
    let mut request = Request::new(Vec::new());
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    headers.insert(
        header::ACCEPT,
        header::HeaderValue::from_static("application/json"),
    );
    headers.insert("epic-client-id", client_id);
    Ok(request)
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

/// What a launch needs to know of an EHR's authorization server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    authorization_endpoint: Url,
    token_endpoint: http::Uri,
}

/// Why an answer is not usable SMART metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// The EHR answered with this HTTP status instead of 200.
    #[error("the EHR answered its SMART metadata with status {0}; check the FHIR base URL")]
    Status(u16),
    /// The answer is longer than [`MAX_BODY_BYTES`].
    #[error("the SMART metadata is longer than 64 KiB")]
    TooLarge,
    /// The answer is not the JSON object of SMART metadata.
    #[error("the SMART metadata is not a JSON object with both endpoints; check the FHIR base URL")]
    Malformed,
    /// An endpoint is no https URL (http is taken on loopback only), has a
    /// user name or fragment, or is overlong.
    #[error("{0} must be an https URL without user name and fragment")]
    EndpointInvalid(&'static str),
    /// The EHR lists code challenge methods, and S256 is not among them.
    #[error("the EHR does not support PKCE with S256")]
    S256Unsupported,
}

#[derive(Deserialize)]
struct Document {
    authorization_endpoint: String,
    token_endpoint: String,
    code_challenge_methods_supported: Option<Vec<String>>,
}

impl Metadata {
    /// Reads the answer to [`metadata_request`]. A server that does not list
    /// its code challenge methods is older than SMART App Launch 2.0 and is
    /// taken; PKCE is used with it all the same.
    pub fn from_response(response: &Response<Vec<u8>>) -> Result<Self, MetadataError> {
        if response.status() != StatusCode::OK {
            return Err(MetadataError::Status(response.status().as_u16()));
        }
        if response.body().len() > MAX_BODY_BYTES {
            return Err(MetadataError::TooLarge);
        }
        let document: Document =
            serde_json::from_slice(response.body()).map_err(|_| MetadataError::Malformed)?;
        if let Some(methods) = document.code_challenge_methods_supported
            && !methods.iter().any(|method| method == "S256")
        {
            return Err(MetadataError::S256Unsupported);
        }
        let token_endpoint = endpoint("token_endpoint", &document.token_endpoint)?;
        Ok(Self {
            authorization_endpoint: endpoint(
                "authorization_endpoint",
                &document.authorization_endpoint,
            )?,
            token_endpoint: token_endpoint
                .as_str()
                .parse()
                .map_err(|_| MetadataError::EndpointInvalid("token_endpoint"))?,
        })
    }

    /// Where the browser is sent to sign in.
    pub fn authorization_endpoint(&self) -> &Url {
        &self.authorization_endpoint
    }

    /// Where a code is exchanged for tokens.
    pub fn token_endpoint(&self) -> &http::Uri {
        &self.token_endpoint
    }
}

fn endpoint(name: &'static str, text: &str) -> Result<Url, MetadataError> {
    Url::parse(text)
        .ok()
        .filter(|url| is_protected(url) && url.fragment().is_none())
        .ok_or(MetadataError::EndpointInvalid(name))
}

/// Whether requests to `url` are protected on their way: https, or loopback.
/// URLs with user names are out because they mislead who reads them.
fn is_protected(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return false,
    };
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && loopback);
    let user = !url.username().is_empty() || url.password().is_some();
    scheme && !user && url.as_str().len() <= MAX_URL_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, body: impl Into<Vec<u8>>) -> Response<Vec<u8>> {
        Response::builder()
            .status(status)
            .body(body.into())
            .unwrap()
    }

    fn metadata(authorize: &str, token: &str, rest: &str) -> Result<Metadata, MetadataError> {
        let body = format!(
            r#"{{"authorization_endpoint":"{authorize}","token_endpoint":"{token}"{rest}}}"#
        );
        Metadata::from_response(&response(200, body))
    }

    #[test]
    fn asks_below_the_fhir_base_with_or_without_a_trailing_slash() {
        for iss in [
            "https://ehr.example/fhir/R4",
            "https://ehr.example/fhir/R4/",
        ] {
            let request = metadata_request(&iss.parse().unwrap(), "client").unwrap();
            assert_eq!(request.method(), http::Method::GET);
            assert_eq!(
                request.uri(),
                "https://ehr.example/fhir/R4/.well-known/smart-configuration"
            );
            assert_eq!(request.headers()["accept"], "application/json");
            assert_eq!(request.headers()["epic-client-id"], "client");
            assert!(request.body().is_empty());
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
            let refusal = metadata_request(&iss.parse().unwrap(), "client").unwrap_err();
            assert_eq!(refusal, MetadataRequestError::IssuerInvalid);
        }
        let iss = "https://ehr.example/".parse().unwrap();
        let refusal = metadata_request(&iss, "client\r\nX: y").unwrap_err();
        assert_eq!(refusal, MetadataRequestError::ClientIdInvalid);
    }

    #[test]
    fn reads_both_endpoints_and_ignores_the_rest() {
        let metadata = metadata(
            "https://ehr.example/authorize?tenant=1",
            "https://ehr.example/token",
            r#","code_challenge_methods_supported":["S256"],"capabilities":["launch-ehr"],"issuer":7"#,
        )
        .unwrap();
        assert_eq!(
            metadata.authorization_endpoint().as_str(),
            "https://ehr.example/authorize?tenant=1"
        );
        assert_eq!(metadata.token_endpoint(), "https://ehr.example/token");
    }

    #[test]
    fn pkce_with_s256_is_demanded_only_of_servers_that_list_methods() {
        let (authorize, token) = ("https://ehr.example/a", "https://ehr.example/t");
        assert!(metadata(authorize, token, "").is_ok());
        for listed in [
            r#","code_challenge_methods_supported":["plain"]"#,
            r#","code_challenge_methods_supported":[]"#,
        ] {
            assert_eq!(
                metadata(authorize, token, listed),
                Err(MetadataError::S256Unsupported)
            );
        }
    }

    #[test]
    fn plain_http_is_taken_on_loopback_only() {
        for host in ["localhost:8080", "127.0.0.1:1", "[::1]:1"] {
            assert!(metadata(&format!("http://{host}/a"), &format!("http://{host}/t"), "").is_ok());
        }
        for endpoint in [
            "http://ehr.example/t",
            "http://localhost.ehr.example/t",
            "https://user@ehr.example/t",
            "https://ehr.example/t#x",
            "javascript:alert(1)",
            "/relative",
            "",
        ] {
            assert_eq!(
                metadata("https://ehr.example/a", endpoint, ""),
                Err(MetadataError::EndpointInvalid("token_endpoint")),
                "{endpoint}"
            );
            assert_eq!(
                metadata(endpoint, "https://ehr.example/t", ""),
                Err(MetadataError::EndpointInvalid("authorization_endpoint")),
                "{endpoint}"
            );
        }
    }

    #[test]
    fn names_what_is_wrong_with_an_answer() {
        let read =
            |status, body: &str| Metadata::from_response(&response(status, body)).unwrap_err();
        assert_eq!(read(404, "{}"), MetadataError::Status(404));
        assert_eq!(read(302, ""), MetadataError::Status(302));
        assert_eq!(read(200, "<html>Sign in</html>"), MetadataError::Malformed);
        assert_eq!(read(200, "[]"), MetadataError::Malformed);
        assert_eq!(
            read(200, r#"{"token_endpoint":"https://e.example/t"}"#),
            MetadataError::Malformed
        );
        assert_eq!(
            read(200, &" ".repeat(MAX_BODY_BYTES + 1)),
            MetadataError::TooLarge
        );
    }
}
