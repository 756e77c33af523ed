//! The tokens of a session with an EHR, from the launch to the end of the visit.

use std::{fmt, time::Duration};

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use vestibule_launch::UnixTime;
use zeroize::Zeroizing;

use crate::{TokenRequest, TokenResponse, token_response::is_sendable};

/// How long before its end a token is renewed at the earliest; time enough to
/// try again some times.
const LONGEST_MARGIN: Duration = Duration::from_secs(10 * 60);
/// The earliest renewal, so that a server whose tokens live for no time is not
/// asked without a pause.
const SHORTEST_PAUSE: Duration = Duration::from_secs(30);

/// An access token with its end, and the refresh token that replaces it.
/// Serialised it holds both in the clear: to be sealed, never to be logged.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "Kept")]
pub struct Tokens {
    #[serde(serialize_with = "exposed")]
    access_token: SecretString,
    #[serde(serialize_with = "exposed_if_any")]
    refresh_token: Option<SecretString>,
    obtained_at: UnixTime,
    expires_at: UnixTime,
}

impl Tokens {
    /// The tokens of an answer. `asked_at` is when the request was sent: the
    /// token's life counts from then, so that a slow answer does not make it
    /// seem longer.
    pub fn new(response: &TokenResponse, asked_at: UnixTime) -> Self {
        Self {
            access_token: response.access_token.clone(),
            refresh_token: response.refresh_token.clone(),
            obtained_at: asked_at,
            expires_at: asked_at + response.expires_in,
        }
    }

    /// The tokens after a renewal. A new refresh token replaces the old one,
    /// which a server that rotates takes for stolen when it sees it again;
    /// without a new one the old one stays good (RFC 6749 section 6).
    #[must_use]
    pub fn renewed(self, response: &TokenResponse, asked_at: UnixTime) -> Self {
        let new = Self::new(response, asked_at);
        Self {
            refresh_token: new.refresh_token.or(self.refresh_token),
            ..new
        }
    }

    /// The request for new tokens, where there is a refresh token.
    pub fn renewal(&self) -> Option<TokenRequest> {
        let refresh_token = self.refresh_token.clone()?;
        Some(TokenRequest::RefreshToken { refresh_token })
    }

    /// When to renew, where there is a refresh token: after five sixths of the
    /// access token's life, though not more than ten minutes before its end and
    /// not sooner than 30 seconds after it came.
    pub fn renew_at(&self) -> Option<UnixTime> {
        self.refresh_token.as_ref()?;
        let life = self.expires_at.since(self.obtained_at);
        let due = self.expires_at - (life / 6).min(LONGEST_MARGIN);
        Some(due.max(self.obtained_at + SHORTEST_PAUSE))
    }

    /// When the access token ends.
    pub fn expires_at(&self) -> UnixTime {
        self.expires_at
    }

    /// The `Authorization` header for requests to the EHR (RFC 6750 section 2.1).
    pub fn authorization(&self) -> HeaderValue {
        let value = Zeroizing::new(format!("Bearer {}", self.access_token.expose_secret()));
        let mut header = HeaderValue::from_str(&value).expect("tokens are visible ASCII");
        header.set_sensitive(true);
        header
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("refresh_token", &self.refresh_token.is_some())
            .field("obtained_at", &self.obtained_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Kept {
    access_token: SecretString,
    refresh_token: Option<SecretString>,
    obtained_at: UnixTime,
    expires_at: UnixTime,
}

impl TryFrom<Kept> for Tokens {
    type Error = &'static str;

    fn try_from(kept: Kept) -> Result<Self, Self::Error> {
        if !is_sendable(kept.access_token.expose_secret()) {
            return Err("the access token cannot be sent in a header");
        }
        Ok(Self {
            access_token: kept.access_token,
            refresh_token: kept.refresh_token,
            obtained_at: kept.obtained_at,
            expires_at: kept.expires_at,
        })
    }
}

fn exposed<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    secret.expose_secret().serialize(serializer)
}

fn exposed_if_any<S: Serializer>(
    secret: &Option<SecretString>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    secret
        .as_ref()
        .map(ExposeSecret::expose_secret)
        .serialize(serializer)
}

#[cfg(test)]
mod tests {
    use http::Response;

    use super::*;

    const NOW: UnixTime = UnixTime::from_millis(1_800_000_000_000);

    fn answer(json: &str) -> TokenResponse {
        TokenResponse::from_response(&Response::new(json.into())).unwrap()
    }

    fn refresh_token(tokens: &Tokens) -> Option<String> {
        match tokens.renewal()? {
            TokenRequest::RefreshToken { refresh_token } => {
                Some(refresh_token.expose_secret().to_owned())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_new_refresh_token_replaces_the_old_one_and_none_leaves_it() {
        let tokens = Tokens::new(
            &answer(r#"{"access_token":"a1","refresh_token":"r1","expires_in":3600}"#),
            NOW,
        );
        assert_eq!(tokens.expires_at(), NOW + Duration::from_secs(3600));
        assert_eq!(tokens.authorization(), "Bearer a1");
        assert_eq!(refresh_token(&tokens).as_deref(), Some("r1"));

        let later = NOW + Duration::from_secs(3000);
        let kept = tokens.renewed(&answer(r#"{"access_token":"a2","expires_in":60}"#), later);
        assert_eq!(kept.expires_at(), later + Duration::from_secs(60));
        assert_eq!(kept.authorization(), "Bearer a2");
        assert_eq!(refresh_token(&kept).as_deref(), Some("r1"));

        let rotated = kept.renewed(
            &answer(r#"{"access_token":"a3","refresh_token":"r2"}"#),
            later,
        );
        assert_eq!(rotated.authorization(), "Bearer a3");
        assert_eq!(refresh_token(&rotated).as_deref(), Some("r2"));
    }

    #[test]
    fn renewal_is_due_well_before_the_end_but_never_at_once() {
        let due = |seconds: u64| {
            let json =
                format!(r#"{{"access_token":"a","refresh_token":"r","expires_in":{seconds}}}"#);
            let at = Tokens::new(&answer(&json), NOW).renew_at().unwrap();
            at.since(NOW).as_secs()
        };
        assert_eq!(due(3600), 3000);
        assert_eq!(due(3240), 2700);
        assert_eq!(due(60), 50);
        assert_eq!(due(24 * 3600), 24 * 3600 - 600);
        assert_eq!(due(30), 30);
        assert_eq!(due(0), 30);
    }

    #[test]
    fn without_a_refresh_token_nothing_is_renewed() {
        let tokens = Tokens::new(&answer(r#"{"access_token":"a"}"#), NOW);
        assert_eq!(tokens.renew_at(), None);
        assert!(tokens.renewal().is_none());
    }

    #[test]
    fn kept_tokens_come_back_as_they_were_and_are_checked_again() {
        let long = "x".repeat(16 * 1024);
        for json in [
            format!(r#"{{"access_token":"{long}","refresh_token":"{long}y","expires_in":7}}"#),
            r#"{"access_token":"a"}"#.to_owned(),
        ] {
            let tokens = Tokens::new(&answer(&json), NOW);
            let kept = serde_json::to_string(&tokens).unwrap();
            let back: Tokens = serde_json::from_str(&kept).unwrap();
            assert_eq!(back.authorization(), tokens.authorization());
            assert_eq!(refresh_token(&back), refresh_token(&tokens));
            assert_eq!(back.expires_at(), tokens.expires_at());
            assert_eq!(back.renew_at(), tokens.renew_at());
        }
        let spoilt = r#"{"access_token":"a\nb","obtained_at":0,"expires_at":1}"#;
        let refusal = serde_json::from_str::<Tokens>(spoilt).unwrap_err();
        assert!(!refusal.to_string().contains("a\nb"));
    }

    #[test]
    fn kept_times_of_any_size_do_not_panic() {
        for (from, to) in [(i64::MIN, i64::MAX), (i64::MAX, i64::MIN), (5, 5)] {
            let kept = format!(
                r#"{{"access_token":"a","refresh_token":"r","obtained_at":{from},"expires_at":{to}}}"#
            );
            let tokens: Tokens = serde_json::from_str(&kept).unwrap();
            assert!(tokens.renew_at().is_some());
        }
    }

    #[test]
    fn debug_and_header_show_no_token() {
        let tokens = Tokens::new(
            &answer(r#"{"access_token":"t0ken","refresh_token":"t0ken"}"#),
            NOW,
        );
        let shown = format!("{tokens:?} {:?}", tokens.authorization());
        assert!(!shown.contains("t0ken"), "{shown}");
    }
}
