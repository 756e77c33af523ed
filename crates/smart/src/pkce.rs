//! Proof Key for Code Exchange (RFC 7636), method S256 only.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use rand::CryptoRng;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// The code verifier (RFC 7636 section 4.1): 43 to 128 unreserved characters
/// that stay with this client until the code is exchanged. Secret.
#[derive(Clone)]
pub struct Verifier(Zeroizing<String>);

/// The text cannot be a code verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a PKCE code verifier: 43 to 128 characters of A-Z a-z 0-9 - . _ ~")]
pub struct VerifierInvalid;

impl Verifier {
    /// A new verifier: 32 random bytes in base64url, as RFC 7636 section 4.1 recommends.
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill_bytes(bytes.as_mut_slice());
        Self(Zeroizing::new(Base64UrlUnpadded::encode_string(
            bytes.as_slice(),
        )))
    }

    /// The verifier that an earlier [`expose`](Self::expose) gave out, for a
    /// caller that kept it in its own store.
    pub fn from_exposed(text: &str) -> Result<Self, VerifierInvalid> {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if (43..=128).contains(&text.len()) && text.bytes().all(unreserved) {
            Ok(Self(Zeroizing::new(text.to_owned())))
        } else {
            Err(VerifierInvalid)
        }
    }

    /// The verifier itself, for safe keeping or the token request.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The S256 code challenge (RFC 7636 section 4.2), which is public.
    pub fn challenge(&self) -> String {
        Base64UrlUnpadded::encode_string(&Sha256::digest(self.0.as_bytes()))
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use rand::{TryCryptoRng, TryRng};

    use super::*;

    /// Gives out the same bytes for ever.
    struct Cycle(&'static [u8]);

    impl TryRng for Cycle {
        type Error = Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            Ok(u32::from(self.0[0]))
        }

        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            Ok(u64::from(self.0[0]))
        }

        fn try_fill_bytes(&mut self, target: &mut [u8]) -> Result<(), Infallible> {
            for (byte, source) in target.iter_mut().zip(self.0.iter().cycle()) {
                *byte = *source;
            }
            Ok(())
        }
    }

    impl TryCryptoRng for Cycle {}

    /// The octets of RFC 7636 appendix B.
    const APPENDIX_B: &[u8] = &[
        116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37,
        77, 105, 214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121,
    ];

    #[test]
    fn agrees_with_rfc_7636_appendix_b_from_random_octets_to_challenge() {
        let verifier = Verifier::generate(&mut Cycle(APPENDIX_B));
        assert_eq!(
            verifier.expose(),
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        );
        assert_eq!(
            verifier.challenge(),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn agrees_with_the_published_smart_example() {
        let verifier = Verifier::from_exposed(
            "o28xyrYY7-lGYfnKwRjHEZWlFIPlzVnFPYMWbH-g_BsNnQNem-IAg9fDh92X0KtvHCPO5_C-RJd2QhApKQ-2cRp-S_W3qmTidTEPkeWyniKQSF9Q_k10Q5wMc8fGzoyF",
        )
        .unwrap();
        assert_eq!(
            verifier.challenge(),
            "YPXe7B8ghKrj8PsT4L6ltupgI12NQJ5vblB07F4rGaw"
        );
    }

    #[test]
    fn a_kept_verifier_comes_back_as_it_was() {
        let verifier = Verifier::generate(&mut Cycle(&[7]));
        let kept = Verifier::from_exposed(verifier.expose()).unwrap();
        assert_eq!(kept.challenge(), verifier.challenge());
    }

    #[test]
    fn refuses_texts_that_are_no_verifier() {
        for text in [
            "",
            &"a".repeat(42),
            &"a".repeat(129),
            &format!("{}+", "a".repeat(43)),
        ] {
            assert!(Verifier::from_exposed(text).is_err());
        }
    }

    #[test]
    fn debug_does_not_show_the_verifier() {
        let verifier = Verifier::generate(&mut Cycle(APPENDIX_B));
        assert_eq!(format!("{verifier:?}"), "Verifier([redacted])");
    }
}
