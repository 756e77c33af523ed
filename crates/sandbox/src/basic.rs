//! HTTP Basic authentication (RFC 7617).

use base64ct::{Base64, Encoding};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A user whom an endpoint of the EHR lets in.
#[derive(Debug)]
pub(crate) struct BasicUser {
    pub(crate) username: String,
    pub(crate) password: SecretString,
}

/// User and password of an `Authorization: Basic` header.
pub(crate) struct BasicCredentials {
    text: Zeroizing<String>,
    colon: usize,
}

impl BasicCredentials {
    /// Reads the value of an `Authorization` header; none where it is not
    /// well-formed Basic.
    pub(crate) fn parse(header: &str) -> Option<Self> {
        let (scheme, encoded) = header.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let bytes = Base64::decode_vec(encoded.trim()).ok()?;
        let text = Zeroizing::new(String::from_utf8(bytes).ok()?);
        let colon = text.find(':')?;
        Some(Self { text, colon })
    }

    pub(crate) fn user(&self) -> &str {
        &self.text[..self.colon]
    }

    pub(crate) fn password(&self) -> &str {
        &self.text[self.colon + 1..]
    }
}

impl BasicUser {
    /// Whether the value of an `Authorization` header is of this user.
    pub(crate) fn is_in(&self, header: Option<&str>) -> bool {
        let Some(given) = header.and_then(BasicCredentials::parse) else {
            return false;
        };
        let user = self.username.as_bytes().ct_eq(given.user().as_bytes());
        let password = self
            .password
            .expose_secret()
            .as_bytes()
            .ct_eq(given.password().as_bytes());
        (user & password).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc_is_read() {
        // RFC 7617 section 2.
        let credentials = BasicCredentials::parse("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==").unwrap();
        assert_eq!(credentials.user(), "Aladdin");
        assert_eq!(credentials.password(), "open sesame");
    }

    #[test]
    fn a_password_may_contain_a_colon() {
        let header = format!("basic {}", Base64::encode_string(b"emp$user:a:b"));
        let credentials = BasicCredentials::parse(&header).unwrap();
        assert_eq!(credentials.user(), "emp$user");
        assert_eq!(credentials.password(), "a:b");
    }

    #[test]
    fn anything_else_is_no_credentials() {
        for header in ["", "Basic", "Basic !", "Bearer QTpC", "Basic QQ=="] {
            assert!(BasicCredentials::parse(header).is_none(), "{header}");
        }
    }

    #[test]
    fn a_user_is_let_in_by_both_name_and_password() {
        let user = BasicUser {
            username: "Aladdin".to_owned(),
            password: "open sesame".into(),
        };
        assert!(user.is_in(Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")));
        for header in [
            None,
            Some("Basic"),
            // Aladdin:open, Jasmine:open sesame
            Some("Basic QWxhZGRpbjpvcGVu"),
            Some("Basic SmFzbWluZTpvcGVuIHNlc2FtZQ=="),
        ] {
            assert!(!user.is_in(header), "{header:?}");
        }
    }

    #[test]
    fn debug_output_does_not_show_the_password() {
        let user = BasicUser {
            username: "vestibule".to_owned(),
            password: "hunter2".into(),
        };
        assert!(!format!("{user:?}").contains("hunter2"));
    }
}
