//! What a write-back is sent with.

use std::fmt;

use base64ct::{Base64, Encoding as _};
use http::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::CannotTell;
use crate::profile::field::{FieldError, LONGEST_TEXT, required, secret, text, wrong};

/// How a request proves where it comes from.
#[derive(Clone)]
pub enum Authentication {
    /// Not at all.
    None,
    /// HTTP Basic (RFC 7617).
    Basic {
        /// The user, without a colon.
        username: String,
        /// The password.
        password: SecretString,
    },
    /// The access token of the launch, as a bearer token (RFC 6750).
    AccessToken,
}

/// The same as a profile says it: `{ method = "access_token" }`,
/// `{ method = "basic", username = "…", password = "…" }` or `{ method = "none" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "method", rename_all = "snake_case", deny_unknown_fields)]
pub enum AuthenticationDocument {
    /// The access token of the launch: so it is unless the profile says otherwise.
    AccessToken {},
    /// HTTP Basic.
    Basic {
        /// The user. Epic's web services want `emp$` before it.
        username: String,
        /// The password, which is not serialised.
        #[serde(skip_serializing)]
        password: Option<SecretString>,
    },
    /// Nothing.
    None {},
}

impl Default for AuthenticationDocument {
    fn default() -> Self {
        Self::AccessToken {}
    }
}

impl AuthenticationDocument {
    /// Where the password stands, if it needs one.
    pub(crate) fn password_mut(&mut self) -> Option<&mut Option<SecretString>> {
        match self {
            Self::Basic { password, .. } => Some(password),
            Self::AccessToken {} | Self::None {} => None,
        }
    }
}

impl Authentication {
    /// Checks what a profile says; `field` is for errors.
    pub(crate) fn check(
        document: &AuthenticationDocument,
        field: &'static str,
    ) -> Result<Self, FieldError> {
        match document {
            AuthenticationDocument::AccessToken {} => Ok(Self::AccessToken),
            AuthenticationDocument::None {} => Ok(Self::None),
            AuthenticationDocument::Basic { username, password } => {
                text(field, username, LONGEST_TEXT)?;
                if username.contains(':') || username.chars().any(char::is_control) {
                    return wrong(field, "has a username with a colon or a line break in it");
                }
                let password =
                    required(field, password).map_err(|_| (field, "has no password".to_owned()))?;
                secret(field, password)?;
                Ok(Self::Basic {
                    username: username.clone(),
                    password: password.clone(),
                })
            }
        }
    }

    /// The `Authorization` header; `access_token` is the launch's.
    ///
    /// # Errors
    /// Where the token is none that can stand in a header.
    pub fn header(
        &self,
        access_token: Option<&SecretString>,
    ) -> Result<Option<HeaderValue>, CannotTell> {
        let credentials = match self {
            Self::None => return Ok(None),
            Self::Basic { username, password } => {
                let pair = Zeroizing::new(format!("{username}:{}", password.expose_secret()));
                Zeroizing::new(format!("Basic {}", Base64::encode_string(pair.as_bytes())))
            }
            Self::AccessToken => {
                let Some(token) = access_token else {
                    return Ok(None);
                };
                Zeroizing::new(format!("Bearer {}", token.expose_secret()))
            }
        };
        let mut value = HeaderValue::from_str(&credentials).map_err(|_| CannotTell::NoRequest)?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

impl fmt::Debug for Authentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Basic { .. } => "Basic(…)",
            Self::AccessToken => "AccessToken",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic() -> Authentication {
        Authentication::Basic {
            username: "emp$username".into(),
            password: "Pa$$w0rd1".into(),
        }
    }

    #[test]
    fn basic_credentials_are_those_of_epics_documentation() {
        let header = basic().header(None).unwrap().unwrap();
        assert_eq!(header, "Basic ZW1wJHVzZXJuYW1lOlBhJCR3MHJkMQ==");
        assert!(header.is_sensitive());
    }

    #[test]
    fn the_access_token_is_a_bearer_token() {
        let token = SecretString::from("opaque.token");
        let header = Authentication::AccessToken.header(Some(&token));
        assert_eq!(header.unwrap().unwrap(), "Bearer opaque.token");
        let hostile = SecretString::from("a\r\nx: y");
        let header = Authentication::AccessToken.header(Some(&hostile));
        assert_eq!(header, Err(CannotTell::NoRequest));
        assert_eq!(Authentication::None.header(Some(&token)), Ok(None));
    }

    #[test]
    fn debug_shows_no_password() {
        assert_eq!(format!("{:?}", basic()), "Basic(…)");
        let document = AuthenticationDocument::Basic {
            username: "u".into(),
            password: Some("hunter2".into()),
        };
        assert!(!format!("{document:?}").contains("hunter2"));
    }
}
