//! What an administrator says of Pexip Infinity: the table `[pexip]`.

use std::{fmt, net::SocketAddr};

use base64ct::{Base64, Encoding as _};
use http::{HeaderMap, header::AUTHORIZATION};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

mod server;

pub use server::PexipServer;

/// Longest text that Pexip takes, in characters.
const LONGEST_TEXT: usize = 250;

/// Longest `Authorization` header, in bytes.
const LONGEST_HEADER: usize = 4096;

/// What Pexip Infinity may ask and tell here.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "PexipDocument")]
pub struct PexipConfig {
    /// Where Pexip comes in, where that is not where browsers do.
    pub listen: Option<SocketAddr>,
    /// Who may ask the policy server; without, there is none.
    pub policy: Option<BasicCredentials>,
    /// Who may tell events; without, there is no event sink.
    pub event_sink: Option<BasicCredentials>,
    /// What is answered about aliases that no launch made.
    pub unknown_alias: UnknownAlias,
    /// What is the same of every conference.
    pub appearance: Appearance,
}

/// What is answered about aliases that no launch made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnknownAlias {
    /// Pexip goes on with its own database.
    #[default]
    Continue,
    /// Pexip refuses the call.
    Reject,
}

/// What is the same of every conference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Appearance {
    /// `ivr_theme_name`.
    pub theme: Option<String>,
    /// `description`.
    pub description: Option<String>,
    /// `view`.
    pub view: Option<View>,
}

/// A layout, by Pexip's name: letters, digits and underscores. Pexip refuses the whole
/// answer where it does not know it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct View(String);

/// A user name and a password of HTTP Basic (RFC 7617), compared in constant time.
#[derive(Clone)]
pub struct BasicCredentials {
    username: String,
    password: SecretString,
}

impl View {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for View {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || name.len() > 64 || !name.bytes().all(is_word) {
            return Err("view: must be the name of a layout, such as \"one_main_seven_pips\"");
        }
        Ok(Self(name))
    }
}

impl BasicCredentials {
    /// Checks a pair; `None` where both are missing.
    fn pair(
        username: Option<String>,
        password: Option<SecretString>,
        problem: &'static str,
    ) -> Result<Option<Self>, &'static str> {
        let (username, password) = match (username, password) {
            (None, None) => return Ok(None),
            (Some(username), Some(password)) => (username, password),
            _ => return Err(problem),
        };
        let sendable = |text: &str| {
            !text.is_empty()
                && text.chars().count() <= LONGEST_TEXT
                && !text.chars().any(char::is_control)
        };
        let good =
            sendable(&username) && !username.contains(':') && sendable(password.expose_secret());
        if !good {
            return Err(problem);
        }
        Ok(Some(Self { username, password }))
    }

    /// Whether a request carries these.
    pub fn are_in(&self, headers: &HeaderMap) -> bool {
        let Some(given) = given(headers) else {
            return false;
        };
        let expected = Zeroizing::new(format!(
            "{}:{}",
            self.username,
            self.password.expose_secret()
        ));
        // Of the hashes, so that not even a length is told.
        let [given, expected] = [given.as_slice(), expected.as_bytes()].map(Sha256::digest);
        given.ct_eq(&expected).into()
    }
}

impl fmt::Debug for BasicCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BasicCredentials(…)")
    }
}

/// What stands between the scheme and the end of the one `Authorization` header.
fn given(headers: &HeaderMap) -> Option<Zeroizing<Vec<u8>>> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    let value = value.to_str().ok()?;
    let (scheme, credentials) = value.split_once(' ')?;
    if value.len() > LONGEST_HEADER || !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    Base64::decode_vec(credentials.trim())
        .ok()
        .map(Zeroizing::new)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PexipDocument {
    listen: Option<SocketAddr>,
    policy_username: Option<String>,
    policy_password: Option<SecretString>,
    event_sink_username: Option<String>,
    event_sink_password: Option<SecretString>,
    #[serde(default)]
    unknown_alias: UnknownAlias,
    theme: Option<String>,
    description: Option<String>,
    view: Option<View>,
}

impl TryFrom<PexipDocument> for PexipConfig {
    type Error = &'static str;

    fn try_from(document: PexipDocument) -> Result<Self, Self::Error> {
        for text in [&document.theme, &document.description]
            .into_iter()
            .flatten()
        {
            if text.is_empty() || text.chars().count() > LONGEST_TEXT {
                return Err("pexip: theme and description have 1 to 250 characters");
            }
        }
        let policy = BasicCredentials::pair(
            document.policy_username,
            document.policy_password,
            "pexip: policy_username (without a colon) and policy_password go together, \
             1 to 250 characters each",
        )?;
        let event_sink = BasicCredentials::pair(
            document.event_sink_username,
            document.event_sink_password,
            "pexip: event_sink_username (without a colon) and event_sink_password go together, \
             1 to 250 characters each",
        )?;
        if document.listen.is_some() && policy.is_none() && event_sink.is_none() {
            return Err("pexip: listen needs somebody who may ask or tell: give \
                        policy_username and policy_password, or event_sink_username and \
                        event_sink_password");
        }
        Ok(Self {
            listen: document.listen,
            policy,
            event_sink,
            unknown_alias: document.unknown_alias,
            appearance: Appearance {
                theme: document.theme,
                description: document.description,
                view: document.view,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<PexipConfig, toml::de::Error> {
        toml::from_str(text)
    }

    fn with(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value.parse().unwrap());
        headers
    }

    #[test]
    fn nothing_is_served_unless_it_is_said_who_may_ask() {
        let config = read("").unwrap();
        assert!(config.policy.is_none() && config.event_sink.is_none());
        let config = read("policy_username = 'p'\npolicy_password = 'hunter2'").unwrap();
        assert!(config.policy.is_some() && config.event_sink.is_none());
        assert_eq!(config.unknown_alias, UnknownAlias::Continue);
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn halves_and_impossible_values_are_refused() {
        for text in [
            "policy_username = 'p'",
            "event_sink_password = 'p'",
            "policy_username = 'a:b'\npolicy_password = 'p'",
            "policy_username = 'a'\npolicy_password = ''",
            "view = 'two mains'",
            "theme = ''",
            "listen = '127.0.0.1:0'",
            "unknown_alias = 'redirect'",
            "colour = 'red'",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_the_right_pair_is_let_in() {
        let text = "policy_username = 'Aladdin'\npolicy_password = 'open sesame'";
        let credentials = read(text).unwrap().policy.unwrap();
        // RFC 7617 section 2.
        let right = "QWxhZGRpbjpvcGVuIHNlc2FtZQ==";
        assert!(credentials.are_in(&with(&format!("Basic {right}"))));
        assert!(credentials.are_in(&with(&format!("basic  {right}"))));
        let other = Base64::encode_string(b"Aladdin:open sesamE");
        for value in [
            format!("Basic {other}"),
            format!("Bearer {right}"),
            right.to_owned(),
            "Basic".to_owned(),
            "Basic !".to_owned(),
            format!("Basic {}", "A".repeat(5000)),
        ] {
            assert!(!credentials.are_in(&with(&value)), "{value}");
        }
        assert!(!credentials.are_in(&HeaderMap::new()));
        let mut twice = with(&format!("Basic {right}"));
        twice.append(AUTHORIZATION, format!("Basic {right}").parse().unwrap());
        assert!(!credentials.are_in(&twice));
    }
}
