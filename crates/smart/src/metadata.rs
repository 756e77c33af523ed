//! The SMART metadata of an EHR (SMART App Launch 2.2, "Conformance").

use http::{Response, StatusCode, Uri};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::Value;
use url::Url;

use crate::{MAX_BODY_BYTES, TokenEndpoint, is_protected};

/// What a launch needs to know of an EHR's authorization server. Serialised it
/// is a SMART metadata document again, and it is checked again when it is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Document", into = "Document")]
pub struct Metadata {
    pub(crate) authorization_endpoint: Url,
    pub(crate) token_endpoint: TokenEndpoint,
    pub(crate) issuer: Option<String>,
    pub(crate) jwks_uri: Option<Url>,
    pub(crate) names_itself: bool,
    pub(crate) token_endpoint_auth_methods: Option<Vec<String>>,
    pub(crate) capabilities: Vec<String>,
}

/// Why an answer is not usable SMART metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// The EHR answered with this HTTP status instead of 200.
    #[error("the EHR answered its SMART metadata with status {0}; check the FHIR base URL")]
    Status(u16),
    /// The answer is longer than [`MAX_BODY_BYTES`], or a CapabilityStatement
    /// longer than [`MAX_CAPABILITY_STATEMENT_BYTES`](crate::MAX_CAPABILITY_STATEMENT_BYTES).
    #[error("the SMART metadata is too long")]
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
    /// The CapabilityStatement names no OAuth2 endpoints.
    #[error(
        "the EHR's CapabilityStatement names no OAuth2 endpoints; check the FHIR base URL, and that SMART is switched on at the EHR"
    )]
    OAuthUrisMissing,
}

impl Metadata {
    /// Reads the answer to [`metadata_request`](crate::metadata_request). A
    /// server that does not list its code challenge methods is older than SMART
    /// App Launch 2.0 and is taken; PKCE is used with it all the same.
    pub fn from_response(response: &Response<Vec<u8>>) -> Result<Self, MetadataError> {
        if response.status() != StatusCode::OK {
            return Err(MetadataError::Status(response.status().as_u16()));
        }
        if response.body().len() > MAX_BODY_BYTES {
            return Err(MetadataError::TooLarge);
        }
        let document: Document =
            serde_json::from_slice(response.body()).map_err(|_| MetadataError::Malformed)?;
        document.try_into()
    }

    /// Metadata of nothing but the two endpoints.
    pub(crate) fn from_endpoints(authorize: &str, token: &str) -> Result<Self, MetadataError> {
        Ok(Self {
            authorization_endpoint: Url::parse(authorize)
                .ok()
                .filter(|url| is_protected(url) && url.fragment().is_none())
                .ok_or(MetadataError::EndpointInvalid("authorization_endpoint"))?,
            token_endpoint: token
                .parse()
                .map_err(|_| MetadataError::EndpointInvalid("token_endpoint"))?,
            issuer: None,
            jwks_uri: None,
            names_itself: false,
            token_endpoint_auth_methods: None,
            capabilities: Vec::new(),
        })
    }

    /// Where the browser is sent to sign in.
    pub fn authorization_endpoint(&self) -> &Url {
        &self.authorization_endpoint
    }

    /// Where a code is exchanged for tokens.
    pub fn token_endpoint(&self) -> &Uri {
        self.token_endpoint.uri()
    }

    /// The issuer of identity tokens and of the `iss` in redirects, as it was
    /// written. Not the FHIR base URL, which a launch calls `iss`.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Where the keys of identity tokens are.
    pub fn jwks_uri(&self) -> Option<&Url> {
        self.jwks_uri.as_ref()
    }

    /// Whether the server says that each of its redirects names the issuer
    /// (`authorization_response_iss_parameter_supported`, RFC 9207 section 3).
    pub fn redirects_name_the_issuer(&self) -> bool {
        self.names_itself
    }

    /// How clients may prove themselves to the token endpoint, such as
    /// `client_secret_basic` and `private_key_jwt`, where the server says so.
    pub fn token_endpoint_auth_methods(&self) -> Option<&[String]> {
        self.token_endpoint_auth_methods.as_deref()
    }

    /// The SMART capabilities that the server lists.
    pub fn capabilities(&self) -> &[String] {
        &self.capabilities
    }

    /// Whether the authorization request may be a form that is posted
    /// ([`AuthorizeRequest::form`](crate::AuthorizeRequest::form)): the
    /// capability `authorize-post`.
    pub fn authorize_post(&self) -> bool {
        self.capabilities
            .iter()
            .any(|name| name == "authorize-post")
    }
}

impl AsRef<TokenEndpoint> for Metadata {
    fn as_ref(&self) -> &TokenEndpoint {
        &self.token_endpoint
    }
}

/// The fields of the document that matter here. What a launch can do without
/// is left out where it has an odd type.
#[derive(Deserialize, Serialize)]
struct Document {
    authorization_endpoint: String,
    token_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code_challenge_methods_supported: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient")]
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_response_iss_parameter_supported: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    #[serde(skip_serializing_if = "Option::is_none")]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient")]
    #[serde(skip_serializing_if = "Option::is_none")]
    capabilities: Option<Vec<String>>,
}

impl TryFrom<Document> for Metadata {
    type Error = MetadataError;

    fn try_from(document: Document) -> Result<Self, Self::Error> {
        if let Some(methods) = document.code_challenge_methods_supported
            && !methods.iter().any(|method| method == "S256")
        {
            return Err(MetadataError::S256Unsupported);
        }
        let endpoints =
            Self::from_endpoints(&document.authorization_endpoint, &document.token_endpoint)?;
        Ok(Self {
            issuer: document.issuer,
            jwks_uri: document
                .jwks_uri
                .and_then(|text| Url::parse(&text).ok())
                .filter(is_protected),
            names_itself: document
                .authorization_response_iss_parameter_supported
                .unwrap_or(false),
            token_endpoint_auth_methods: document.token_endpoint_auth_methods_supported,
            capabilities: document.capabilities.unwrap_or_default(),
            ..endpoints
        })
    }
}

impl From<Metadata> for Document {
    fn from(metadata: Metadata) -> Self {
        Self {
            authorization_endpoint: metadata.authorization_endpoint.into(),
            token_endpoint: metadata.token_endpoint.into(),
            code_challenge_methods_supported: None,
            issuer: metadata.issuer,
            jwks_uri: metadata.jwks_uri.map(Into::into),
            authorization_response_iss_parameter_supported: Some(metadata.names_itself),
            token_endpoint_auth_methods_supported: metadata.token_endpoint_auth_methods,
            capabilities: Some(metadata.capabilities),
        }
    }
}

/// A field that is nothing where it is not of its type.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).ok())
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

    fn with(rest: &str) -> Metadata {
        metadata("https://ehr.example/a", "https://ehr.example/t", rest).unwrap()
    }

    #[test]
    fn reads_both_endpoints_and_ignores_unknown_fields() {
        let metadata = metadata(
            "https://ehr.example/authorize?tenant=1",
            "https://ehr.example/token",
            r#","code_challenge_methods_supported":["S256"],"x":{"y":[]}"#,
        )
        .unwrap();
        assert_eq!(
            metadata.authorization_endpoint().as_str(),
            "https://ehr.example/authorize?tenant=1"
        );
        assert_eq!(metadata.token_endpoint(), "https://ehr.example/token");
    }

    #[test]
    fn reads_what_the_server_says_of_itself() {
        let metadata = with(
            r#","issuer":"https://EHR.example/oauth2","jwks_uri":"https://ehr.example/keys",
                "authorization_response_iss_parameter_supported":true,
                "token_endpoint_auth_methods_supported":["client_secret_basic","private_key_jwt"],
                "capabilities":["launch-ehr","authorize-post"]"#,
        );
        assert_eq!(metadata.issuer(), Some("https://EHR.example/oauth2"));
        assert_eq!(
            metadata.jwks_uri().map(Url::as_str),
            Some("https://ehr.example/keys")
        );
        assert!(metadata.redirects_name_the_issuer());
        assert_eq!(
            metadata.token_endpoint_auth_methods().unwrap(),
            ["client_secret_basic", "private_key_jwt"]
        );
        assert_eq!(metadata.capabilities(), ["launch-ehr", "authorize-post"]);
        assert!(metadata.authorize_post());
    }

    #[test]
    fn what_a_launch_can_do_without_may_be_missing_or_odd() {
        for rest in [
            "",
            r#","issuer":7,"jwks_uri":[],"authorization_response_iss_parameter_supported":"yes",
                "token_endpoint_auth_methods_supported":{},"capabilities":["launch-ehr",7]"#,
            r#","issuer":null,"jwks_uri":"http://ehr.example/keys","capabilities":null"#,
        ] {
            let metadata = with(rest);
            assert_eq!(metadata.issuer(), None);
            assert_eq!(metadata.jwks_uri(), None);
            assert!(!metadata.redirects_name_the_issuer());
            assert_eq!(metadata.token_endpoint_auth_methods(), None);
            assert!(metadata.capabilities().is_empty() && !metadata.authorize_post());
        }
    }

    #[test]
    fn kept_metadata_comes_back_as_it_was_and_is_checked_again() {
        for rest in [
            "",
            r#","issuer":"https://ehr.example","jwks_uri":"https://ehr.example/keys","capabilities":["a"],
                "authorization_response_iss_parameter_supported":true,"token_endpoint_auth_methods_supported":[]"#,
        ] {
            let metadata = with(rest);
            let kept = serde_json::to_string(&metadata).unwrap();
            assert_eq!(serde_json::from_str::<Metadata>(&kept).unwrap(), metadata);
            assert_eq!(
                Metadata::from_response(&response(200, kept.clone())).unwrap(),
                metadata
            );
            let spoilt = kept.replace("https://ehr.example/t\"", "http://ehr.example/t\"");
            assert_ne!(spoilt, kept);
            assert!(serde_json::from_str::<Metadata>(&spoilt).is_err());
        }
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
