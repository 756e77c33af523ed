//! The redirect by which the EHR answers (RFC 6749 sections 4.1.2 and 4.1.2.1;
//! RFC 9207).

use std::fmt;

use secrecy::SecretString;
use url::form_urlencoded;

use crate::{Metadata, OAuthError};

/// The longest query that is read, in bytes. Epic's codes can be long JWTs.
const MAX_QUERY_BYTES: usize = 16 * 1024;
/// The longest `state` that is handed on, in bytes.
const MAX_STATE_BYTES: usize = 2048;
/// The longest `iss` that is handed on, in bytes.
const MAX_ISS_BYTES: usize = 2048;
/// The longest `error_description` that is handed on, in characters.
const MAX_DESCRIPTION_CHARS: usize = 1024;

/// What the EHR answered. `state` is not checked yet: the caller compares it
/// with the launch before it believes anything else in here.
#[derive(Clone)]
pub enum Callback {
    /// The user is signed in.
    Code {
        /// The one-time authorization code, which [`TokenRequest`](crate::TokenRequest) exchanges.
        code: SecretString,
        /// The state of the authorization request.
        state: String,
        /// Who says it, where it says so (RFC 9207 section 2).
        iss: Option<String>,
    },
    /// The EHR or the user refused.
    Refused {
        /// Why, by code.
        error: OAuthError,
        /// Why, in the EHR's words: at most 1024 characters, untrusted, not for the user's eyes.
        error_description: Option<String>,
        /// The state of the authorization request.
        state: String,
        /// Who says it, where it says so (RFC 9207 section 2).
        iss: Option<String>,
    },
}

/// The answer comes from another authorization server than the one that was
/// asked, or does not show that it comes from that one (RFC 9207 section 2.4):
/// its code must not be sent anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuerMismatch {
    /// `iss` names another issuer than the metadata.
    #[error("the redirect names another issuer than the EHR's metadata")]
    Other,
    /// No `iss`, although the metadata promises one.
    #[error("the redirect names no issuer, although the EHR's metadata promises it")]
    Missing,
}

/// Why a redirect is neither an answer nor a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// The query or a parameter is too long.
    #[error("the EHR's redirect is too long")]
    TooLong,
    /// This parameter is there twice.
    #[error("the EHR's redirect has the parameter {0} twice")]
    Duplicate(&'static str),
    /// No `state`, or an empty one.
    #[error("the EHR's redirect has no state")]
    StateMissing,
    /// Neither `code` nor `error`, or an empty `code`.
    #[error("the EHR's redirect has neither code nor error")]
    AnswerMissing,
    /// Both `code` and `error`.
    #[error("the EHR's redirect has both code and error")]
    Contradiction,
    /// `error` is not an OAuth2 error code.
    #[error("the EHR's redirect has an error that is no OAuth2 error code")]
    ErrorInvalid,
}

impl Callback {
    /// Reads the query of the redirect, without its `?`. Parameters that
    /// OAuth2 does not define are ignored, as RFC 6749 section 4.1.2 demands.
    pub fn from_query(query: &str) -> Result<Self, CallbackError> {
        if query.len() > MAX_QUERY_BYTES {
            return Err(CallbackError::TooLong);
        }
        let mut code = Parameter::named("code");
        let mut state = Parameter::named("state");
        let mut error = Parameter::named("error");
        let mut error_description = Parameter::named("error_description");
        let mut iss = Parameter::named("iss");
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            for parameter in [
                &mut code,
                &mut state,
                &mut error,
                &mut error_description,
                &mut iss,
            ] {
                parameter.offer(&name, &value)?;
            }
        }
        let iss = iss.value;

        let state = state
            .value
            .filter(|state| !state.is_empty())
            .ok_or(CallbackError::StateMissing)?;
        if state.len() > MAX_STATE_BYTES
            || iss.as_ref().is_some_and(|iss| iss.len() > MAX_ISS_BYTES)
        {
            return Err(CallbackError::TooLong);
        }
        match (code.value, error.value) {
            (Some(_), Some(_)) => Err(CallbackError::Contradiction),
            (Some(code), None) if !code.is_empty() => Ok(Self::Code {
                code: code.into(),
                state,
                iss,
            }),
            (_, None) => Err(CallbackError::AnswerMissing),
            (None, Some(error)) => {
                let too_long = |text: &String| text.chars().count() > MAX_DESCRIPTION_CHARS;
                if error_description.value.as_ref().is_some_and(too_long) {
                    return Err(CallbackError::TooLong);
                }
                Ok(Self::Refused {
                    error: error.parse().map_err(|_| CallbackError::ErrorInvalid)?,
                    error_description: error_description.value,
                    state,
                    iss,
                })
            }
        }
    }

    /// The state of the authorization request, whatever the answer.
    pub fn state(&self) -> &str {
        match self {
            Self::Code { state, .. } | Self::Refused { state, .. } => state,
        }
    }

    /// Checks that the answer comes from the authorization server of `metadata`,
    /// the one that the browser was sent to, as far as server and metadata say
    /// (RFC 9207 section 2.4). To be asked once the state is known, before the
    /// answer is believed.
    pub fn check_issuer(&self, metadata: &Metadata) -> Result<(), IssuerMismatch> {
        let (Self::Code { iss, .. } | Self::Refused { iss, .. }) = self;
        match (iss, metadata.issuer()) {
            (Some(iss), Some(issuer)) if iss != issuer => Err(IssuerMismatch::Other),
            (None, _) if metadata.redirects_name_the_issuer() => Err(IssuerMismatch::Missing),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code { .. } => f.debug_struct("Code").finish_non_exhaustive(),
            Self::Refused { error, .. } => f
                .debug_struct("Refused")
                .field("error", error)
                .finish_non_exhaustive(),
        }
    }
}

/// A parameter that may be there once.
struct Parameter {
    name: &'static str,
    value: Option<String>,
}

impl Parameter {
    fn named(name: &'static str) -> Self {
        Self { name, value: None }
    }

    fn offer(&mut self, name: &str, value: &str) -> Result<(), CallbackError> {
        if name != self.name {
            return Ok(());
        }
        match self.value.replace(value.to_owned()) {
            None => Ok(()),
            Some(_) => Err(CallbackError::Duplicate(self.name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn refusal(query: &str) -> CallbackError {
        Callback::from_query(query).unwrap_err()
    }

    #[test]
    fn reads_a_code_and_ignores_unknown_parameters() {
        let query = "session_state=x&code=eyJ%2Ba+b&state=st%2Fate&session_state=y";
        let Callback::Code { code, state, iss } = Callback::from_query(query).unwrap() else {
            panic!("not a code");
        };
        assert_eq!(
            (code.expose_secret(), state.as_str()),
            ("eyJ+a b", "st/ate")
        );
        assert_eq!(iss, None);
    }

    #[test]
    fn reads_a_refusal() {
        let query = "error=access_denied&error_description=The+user+said+no&state=s&iss=https%3A%2F%2Fe.example";
        let Callback::Refused {
            error,
            error_description,
            state,
            iss,
        } = Callback::from_query(query).unwrap()
        else {
            panic!("not a refusal");
        };
        assert_eq!(error.as_str(), "access_denied");
        assert_eq!(error_description.as_deref(), Some("The user said no"));
        assert_eq!(
            (state.as_str(), iss.as_deref()),
            ("s", Some("https://e.example"))
        );
    }

    #[test]
    fn an_answer_of_another_issuer_is_told() {
        let metadata = |rest: &str| {
            let body = format!(
                r#"{{"authorization_endpoint":"https://e.example/a","token_endpoint":"https://e.example/t"{rest}}}"#
            );
            Metadata::from_response(&http::Response::new(body.into())).unwrap()
        };
        let silent = metadata("");
        let named = metadata(r#","issuer":"https://e.example""#);
        let promised = metadata(
            r#","issuer":"https://e.example","authorization_response_iss_parameter_supported":true"#,
        );
        let check = |query: &str, metadata: &Metadata| {
            Callback::from_query(query).unwrap().check_issuer(metadata)
        };
        for answer in ["code=c&state=s", "error=access_denied&state=s"] {
            let from = |iss: &str| format!("{answer}&iss={iss}");
            for metadata in [&named, &promised] {
                assert_eq!(check(&from("https://e.example"), metadata), Ok(()));
                for other in [
                    "https://e.example/",
                    "https://E.example",
                    "https://x.example",
                    "",
                ] {
                    assert_eq!(check(&from(other), metadata), Err(IssuerMismatch::Other));
                }
            }
            assert_eq!(check(&from("https://x.example"), &silent), Ok(()));
            assert_eq!(check(answer, &silent), Ok(()));
            assert_eq!(check(answer, &named), Ok(()));
            assert_eq!(check(answer, &promised), Err(IssuerMismatch::Missing));
        }
    }

    #[test]
    fn a_query_that_says_two_things_says_nothing() {
        assert_eq!(
            refusal("code=a&code=a&state=s"),
            CallbackError::Duplicate("code")
        );
        assert_eq!(
            refusal("code=a&state=s&st%61te=t"),
            CallbackError::Duplicate("state")
        );
        assert_eq!(
            refusal("error=a&error=b&state=s"),
            CallbackError::Duplicate("error")
        );
        assert_eq!(
            refusal("code=a&state=s&iss=a&iss=b"),
            CallbackError::Duplicate("iss")
        );
        assert_eq!(
            refusal("code=a&error=access_denied&state=s"),
            CallbackError::Contradiction
        );
        assert_eq!(
            refusal("code=&error=access_denied&state=s"),
            CallbackError::Contradiction
        );
    }

    #[test]
    fn state_and_answer_must_be_there() {
        assert_eq!(refusal(""), CallbackError::StateMissing);
        assert_eq!(refusal("code=a"), CallbackError::StateMissing);
        assert_eq!(refusal("code=a&state="), CallbackError::StateMissing);
        assert_eq!(refusal("state=s"), CallbackError::AnswerMissing);
        assert_eq!(refusal("state=s&code="), CallbackError::AnswerMissing);
        assert_eq!(refusal("state=s&error="), CallbackError::ErrorInvalid);
        assert_eq!(refusal("state=s&error=a%0Ab"), CallbackError::ErrorInvalid);
    }

    #[test]
    fn overlong_redirects_are_refused() {
        assert_eq!(
            refusal(&format!("code={}&state=s", "a".repeat(16 * 1024))),
            CallbackError::TooLong
        );
        assert_eq!(
            refusal(&format!("code=a&state={}", "a".repeat(2049))),
            CallbackError::TooLong
        );
        assert_eq!(
            refusal(&format!("code=a&state=s&iss={}", "a".repeat(2049))),
            CallbackError::TooLong
        );
        let description = "a".repeat(1025);
        assert_eq!(
            refusal(&format!(
                "error=access_denied&error_description={description}&state=s"
            )),
            CallbackError::TooLong
        );
        assert!(Callback::from_query(&format!("code={}&state=s", "a".repeat(8192))).is_ok());
    }

    #[test]
    fn debug_shows_neither_code_nor_state() {
        let shown = format!(
            "{:?}",
            Callback::from_query("code=c0de&state=st4te").unwrap()
        );
        assert!(!shown.contains("c0de") && !shown.contains("st4te"));
        let refused =
            Callback::from_query("error=access_denied&error_description=Ada&state=st4te").unwrap();
        let shown = format!("{refused:?}");
        assert!(
            shown.contains("access_denied") && !shown.contains("Ada") && !shown.contains("st4te")
        );
    }
}
