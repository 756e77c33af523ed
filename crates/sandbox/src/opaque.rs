//! Random values that mean nothing to whoever holds them: launch tokens,
//! authorization codes, access tokens and refresh tokens.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use rand::CryptoRng;
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize, Zeroizing};

/// 256 random bits in base64url: 43 characters. The EHR hands it out and keeps
/// only its [`Digest`].
pub(crate) struct Opaque(Zeroizing<String>);

/// SHA-256 of an [`Opaque`]: what the EHR recognises it by.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Digest([u8; 32]);

impl Opaque {
    pub(crate) fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        let text = Zeroizing::new(Base64UrlUnpadded::encode_string(&bytes));
        bytes.zeroize();
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn digest(&self) -> Digest {
        Digest::of(&self.0)
    }
}

impl Digest {
    pub(crate) fn of(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }
}

impl fmt::Debug for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opaque(…)")
    }
}

#[cfg(test)]
mod tests {
    use rand::{rand_core::UnwrapErr, rngs::SysRng};

    use super::*;

    #[test]
    fn each_value_is_another_one_and_is_recognised_by_its_digest() {
        let mut rng = UnwrapErr(SysRng);
        let (first, second) = (Opaque::generate(&mut rng), Opaque::generate(&mut rng));
        assert_eq!(first.as_str().len(), 43);
        assert_ne!(first.as_str(), second.as_str());
        assert!(first.digest() == Digest::of(first.as_str()));
        assert!(first.digest() != second.digest());
    }

    #[test]
    fn debug_output_does_not_show_the_value() {
        let value = Opaque::generate(&mut UnwrapErr(SysRng));
        assert_eq!(format!("{value:?}"), "Opaque(…)");
    }
}
