//! Where tokens are asked for.

use http::Uri;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::is_protected;

/// The URL of a token endpoint: https (http on loopback), without user name and
/// fragment, at most 2048 bytes. The text is kept as it was written: it is the
/// `aud` of client assertions, and EHRs compare that byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenEndpoint {
    text: String,
    uri: Uri,
}

/// The text cannot be the URL of a token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token endpoint must be an https URL without user name and fragment")]
pub struct TokenEndpointInvalid;

impl TokenEndpoint {
    /// The URL as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The URL for a request.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }
}

impl std::str::FromStr for TokenEndpoint {
    type Err = TokenEndpointInvalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.to_owned().try_into()
    }
}

impl TryFrom<String> for TokenEndpoint {
    type Error = TokenEndpointInvalid;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let uri = Url::parse(&text)
            .ok()
            .filter(|url| is_protected(url) && url.fragment().is_none())
            .and_then(|url| url.as_str().parse().ok())
            .ok_or(TokenEndpointInvalid)?;
        Ok(Self { text, uri })
    }
}

impl From<TokenEndpoint> for String {
    fn from(endpoint: TokenEndpoint) -> Self {
        endpoint.text
    }
}

impl AsRef<Self> for TokenEndpoint {
    fn as_ref(&self) -> &Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_stays_as_it_was_written() {
        let written = "https://EHR.example:443/token?a=b";
        let endpoint: TokenEndpoint = written.parse().unwrap();
        assert_eq!(endpoint.as_str(), written);
        assert_eq!(endpoint.uri(), "https://ehr.example/token?a=b");
        let kept = serde_json::to_string(&endpoint).unwrap();
        assert_eq!(
            serde_json::from_str::<TokenEndpoint>(&kept).unwrap(),
            endpoint
        );
    }

    #[test]
    fn unprotected_urls_are_refused_also_when_they_were_kept() {
        for text in [
            "",
            "/token",
            "http://ehr.example/token",
            "https://user@ehr.example/token",
            "https://ehr.example/token#x",
            "javascript:alert(1)",
        ] {
            assert_eq!(text.parse::<TokenEndpoint>(), Err(TokenEndpointInvalid));
            let kept = serde_json::Value::from(text);
            assert!(serde_json::from_value::<TokenEndpoint>(kept).is_err());
        }
    }
}
