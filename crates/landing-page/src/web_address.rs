//! Addresses of other machines that the page speaks with or goes to.

use serde::{Deserialize, Serialize};
use url::{Origin as Parsed, Url};

/// Scheme, host and port of a server, such as `https://node.example.org`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(String);

/// The address of a Connect web app with its path, such as
/// `https://meet.example.org/webapp3`, without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct WebAppAddress {
    address: String,
    origin: String,
}

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebAddressError {
    /// More or less than an origin.
    #[error(
        "write an origin only, such as \"https://node.example.org\", without a slash at the end"
    )]
    NotAnOrigin,
    /// No address of a web app.
    #[error(
        "write the web app's address with its path, such as \
         \"https://meet.example.org/webapp3\", without a query or a fragment"
    )]
    NotAWebApp,
}

impl Origin {
    /// The origin, as it stands in a Content-Security-Policy.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl WebAppAddress {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.address
    }

    /// Scheme, host and port of it.
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl TryFrom<String> for Origin {
    type Error = WebAddressError;

    fn try_from(text: String) -> Result<Self, WebAddressError> {
        match parse(&text) {
            Some((_, origin)) if origin == text => Ok(Self(text)),
            _ => Err(WebAddressError::NotAnOrigin),
        }
    }
}

impl TryFrom<String> for WebAppAddress {
    type Error = WebAddressError;

    fn try_from(text: String) -> Result<Self, WebAddressError> {
        let fault = WebAddressError::NotAWebApp;
        let (url, origin) = parse(&text).ok_or(fault)?;
        let is_bare = url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        let path = url.path().trim_end_matches('/');
        if !is_bare || path.is_empty() {
            return Err(fault);
        }
        Ok(Self {
            address: format!("{origin}{path}"),
            origin,
        })
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.0
    }
}

impl From<WebAppAddress> for String {
    fn from(address: WebAppAddress) -> Self {
        address.address
    }
}

/// An address by http or https, and its origin.
fn parse(text: &str) -> Option<(Url, String)> {
    let url = Url::parse(text).ok()?;
    let is_web = matches!(url.scheme(), "https" | "http");
    let origin = match url.origin() {
        origin @ Parsed::Tuple(..) if is_web => origin.ascii_serialization(),
        _ => return None,
    };
    // Hosts may have a semicolon or a quote in them, which would end a policy's source.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:/[]".contains(&byte);
    origin.bytes().all(is_plain).then_some((url, origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_nothing_but_an_origin() {
        for text in [
            "https://node.example.org",
            "http://127.0.0.1:7080",
            "https://[::1]:8443",
        ] {
            assert_eq!(Origin::try_from(text.to_owned()).unwrap().as_str(), text);
        }
        for text in [
            "",
            "*",
            "node.example.org",
            "https://node.example.org/",
            "https://node.example.org:443",
            "https://NODE.example.org",
            "https://u@node.example.org",
            "https://a; script-src *",
            "https://a'b",
            "https://a;b",
            "https://a,b",
            "wss://node.example.org",
            "data:text/html,x",
        ] {
            assert!(Origin::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_web_app_has_a_path_and_nothing_after_it() {
        let address = WebAppAddress::try_from("https://meet.example.org/webapp3/".to_owned());
        let address = address.unwrap();
        assert_eq!(address.as_str(), "https://meet.example.org/webapp3");
        assert_eq!(address.origin(), "https://meet.example.org");
        for text in [
            "",
            "/webapp3",
            "https://meet.example.org",
            "https://meet.example.org/",
            "https://meet.example.org/webapp3?x=1",
            "https://meet.example.org/webapp3#x",
            "https://u:p@meet.example.org/webapp3",
            "javascript://meet.example.org/%0aalert(1)",
        ] {
            assert!(WebAppAddress::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
