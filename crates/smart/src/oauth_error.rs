//! The error code of an OAuth2 refusal.

use std::fmt;

/// The `error` of a refusal at the authorization endpoint (RFC 6749 section
/// 4.1.2.1) or the token endpoint (section 5.2), such as `access_denied` or
/// `invalid_grant`: 1 to 64 of the characters that section allows, so that it
/// can be logged and shown.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OAuthError(String);

/// The text is not an OAuth2 error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an OAuth2 error code: 1 to 64 printable ASCII characters without quotes and backslashes"
)]
pub struct OAuthErrorInvalid;

impl OAuthError {
    /// The code as it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for OAuthError {
    type Err = OAuthErrorInvalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(OAuthErrorInvalid)
        }
    }
}

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_registered_and_vendor_codes() {
        for code in ["access_denied", "invalid_launch_token", "invalid grant!"] {
            assert_eq!(code.parse::<OAuthError>().unwrap().as_str(), code);
        }
    }

    #[test]
    fn refuses_what_could_forge_a_log_line() {
        for code in ["", "a\nb", "a\"b", "a\\b", "é", &"a".repeat(65)] {
            assert_eq!(code.parse::<OAuthError>(), Err(OAuthErrorInvalid));
        }
    }
}
