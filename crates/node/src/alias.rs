//! The alias that somebody dialled.

use std::fmt;

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};

use crate::refusal::Refusal;

/// Longest alias in bytes.
const LONGEST: usize = 250;

const SCHEMES: [&str; 4] = ["h323", "pexip", "sip", "sips"];

/// What was dialled, without a scheme. Two aliases that differ in case only are
/// the same one. It is a way into a conference and so not to be shown.
#[derive(Clone)]
pub(crate) struct Alias(String);

impl Alias {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let alias = match text.split_once(':') {
            Some((scheme, rest))
                if SCHEMES
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(scheme)) =>
            {
                rest
            }
            _ => text,
        };
        let valid =
            !alias.is_empty() && alias.len() <= LONGEST && !alias.chars().any(char::is_control);
        valid.then(|| Self(alias.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The same for all ways to write this alias.
    pub(crate) fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl PartialEq for Alias {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl fmt::Debug for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Alias(…)")
    }
}

/// From the `{alias}` of the path, percent-decoded: clients send `@` both as it
/// is and as `%40`.
impl<S: Send + Sync> FromRequestParts<S> for Alias {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        RawPathParams::from_request_parts(parts, state)
            .await
            .ok()
            .and_then(|params| {
                let alias = params.iter().find(|(name, _)| *name == "alias");
                alias.and_then(|(_, alias)| Self::parse(alias))
            })
            .ok_or(Refusal::ConferenceNotFound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_is_dropped_in_any_case() {
        for text in [
            "visit@example.org",
            "sip:visit@example.org",
            "SIP:visit@example.org",
        ] {
            assert_eq!(Alias::parse(text).unwrap().as_str(), "visit@example.org");
        }
        assert_eq!(Alias::parse("visit:1").unwrap().as_str(), "visit:1");
    }

    #[test]
    fn aliases_that_differ_in_case_are_the_same() {
        assert_eq!(
            Alias::parse("Visit@Example.org"),
            Alias::parse("visit@example.ORG")
        );
        assert_ne!(Alias::parse("visit1"), Alias::parse("visit2"));
    }

    #[test]
    fn what_cannot_be_an_alias_is_refused() {
        for text in ["", "sip:", "a\nb", &"a".repeat(251)] {
            assert!(Alias::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn debug_does_not_show_the_alias() {
        assert_eq!(format!("{:?}", Alias::parse("visit").unwrap()), "Alias(…)");
    }
}
