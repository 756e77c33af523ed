//! The key check value.

use core::fmt;

use sha2::Sha256;

use super::LaunchKey;

/// Keeps key check values apart from whatever else is computed from the same key.
const SALT: &[u8] = b"vestibule key check value v1";

/// Rounds of PBKDF2.
const ROUNDS: u32 = 100_000;

/// A short fingerprint of a key, by which two administrators learn on the telephone
/// whether they have the same one: `4F2A-91C7`.
///
/// Defined as the first 32 bits of PBKDF2-HMAC-SHA-256 (RFC 8018 section 5.2) over
/// the key that encrypts, not over its base64 or its password, with 100,000 rounds
/// and the salt `vestibule key check value v1`. So the same key gives the same value
/// however it was typed in.
///
/// What it reveals: of a random key nothing of use, since 2^96 or more keys have the
/// same value. A password can be tried against it, as against any launch that was
/// encrypted with it; every guess costs the rounds, and one wrong password in four
/// thousand million passes. So treat the value of a password as internal. Two
/// different keys have the same value once in four thousand million times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyCheckValue([u8; 4]);

impl KeyCheckValue {
    /// The value of a key. Takes tens of milliseconds.
    pub fn of(key: &LaunchKey) -> Self {
        let mut value = [0; 4];
        pbkdf2::pbkdf2_hmac::<Sha256>(key.bytes().as_slice(), SALT, ROUNDS, &mut value);
        Self(value)
    }
}

impl fmt::Display for KeyCheckValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d] = self.0;
        write!(f, "{a:02X}{b:02X}-{c:02X}{d:02X}")
    }
}
