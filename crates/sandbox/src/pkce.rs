//! Proof key for code exchange (RFC 7636), method S256 only.

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

/// A `code_challenge` of method S256.
pub(crate) struct Challenge(String);

/// The text is not 43 to 128 unreserved characters (RFC 7636 sections 4.1, 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not 43 to 128 characters of A-Z a-z 0-9 - . _ ~")]
pub(crate) struct Malformed;

impl Challenge {
    pub(crate) fn parse(text: &str) -> Result<Self, Malformed> {
        well_formed(text).map(|()| Self(text.to_owned()))
    }

    /// Whether `verifier` is well formed and what the challenge was made from
    /// (RFC 7636 section 4.6).
    pub(crate) fn is_met_by(&self, verifier: &str) -> bool {
        let made = Base64UrlUnpadded::encode_string(&Sha256::digest(verifier));
        well_formed(verifier).is_ok() && bool::from(made.as_bytes().ct_eq(self.0.as_bytes()))
    }
}

fn well_formed(text: &str) -> Result<(), Malformed> {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if (43..=128).contains(&text.len()) && text.bytes().all(unreserved) {
        Ok(())
    } else {
        Err(Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc_is_met() {
        // RFC 7636 appendix B.
        let challenge = Challenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap();
        assert!(challenge.is_met_by("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert!(!challenge.is_met_by("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK"));
    }

    #[test]
    fn the_example_of_the_smart_guide_is_met() {
        // SMART App Launch 2.2, example of an asymmetric launch.
        let challenge = Challenge::parse("YPXe7B8ghKrj8PsT4L6ltupgI12NQJ5vblB07F4rGaw").unwrap();
        assert!(challenge.is_met_by("o28xyrYY7-lGYfnKwRjHEZWlFIPlzVnFPYMWbH-g_BsNnQNem-IAg9fDh92X0KtvHCPO5_C-RJd2QhApKQ-2cRp-S_W3qmTidTEPkeWyniKQSF9Q_k10Q5wMc8fGzoyF"));
    }

    #[test]
    fn a_verifier_that_is_too_short_meets_nothing() {
        let short = "a".repeat(42);
        let challenge = Base64UrlUnpadded::encode_string(&Sha256::digest(&short));
        assert!(!Challenge::parse(&challenge).unwrap().is_met_by(&short));
    }

    #[test]
    fn length_and_alphabet_are_checked() {
        assert!(Challenge::parse(&"a".repeat(42)).is_err());
        assert!(Challenge::parse(&"a".repeat(43)).is_ok());
        assert!(Challenge::parse(&"a".repeat(128)).is_ok());
        assert!(Challenge::parse(&"a".repeat(129)).is_err());
        assert!(Challenge::parse(&format!("{}=", "a".repeat(43))).is_err());
    }
}
