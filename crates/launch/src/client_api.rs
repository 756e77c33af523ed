//! Requests of the Pexip client REST API, version 2, that the shim sends and
//! the embedded conferencing node reads. Answers are not shared: a node must be
//! strict in what it sends, a client tolerant in what it reads.

use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

/// The value of `chosen_idp` and `sso_token` that means there is none.
pub const NONE: &str = "none";

/// The value of the `pin` header with which a guest enters without a PIN.
pub const PIN_NONE: &str = "none";

/// Body of `POST …/request_token`. Fields as in the schema of Pexip's own
/// client; the PIN is not among them, it goes in the `pin` header.
#[derive(Clone, Serialize, Deserialize)]
pub struct RequestTokenBody {
    /// The name that other participants see.
    pub display_name: String,
    /// The identity provider chosen by the user, or [`NONE`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chosen_idp: Option<String>,
    /// Whether the client offers direct media.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direct_media: Option<bool>,
    /// The token of a finished single sign-on, or [`NONE`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sso_token: Option<String>,
    /// Address of the conferencing node as the browser sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Target alias behind a virtual reception.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conference_extension: Option<String>,
    /// A tag that the node hands on to its reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_tag: Option<String>,
}

impl fmt::Debug for RequestTokenBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestTokenBody")
            .field("conference_extension", &self.conference_extension)
            .finish_non_exhaustive()
    }
}

/// Body of `POST …/release_token`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ReleaseTokenBody {
    /// Why the participant leaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_name_and_no_token() {
        let body = RequestTokenBody {
            display_name: "secret-name".to_owned(),
            chosen_idp: None,
            direct_media: Some(true),
            sso_token: Some("secret-token".to_owned()),
            node: None,
            conference_extension: None,
            call_tag: Some("secret-tag".to_owned()),
        };
        assert!(!format!("{body:?}").contains("secret"));
    }

    #[test]
    fn what_is_not_set_is_not_sent() {
        let body: RequestTokenBody = serde_json::from_str(r#"{"display_name":"Ada"}"#).unwrap();
        let sent = serde_json::to_string(&body).unwrap();
        assert_eq!(sent, r#"{"display_name":"Ada"}"#);
    }
}
