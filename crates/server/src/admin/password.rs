//! The administrator's password, of which only a hash is kept: Argon2id (RFC 9106) as
//! a PHC string.

use std::fmt;

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc},
};
use rand::CryptoRng;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

/// Shortest password that gets a hash, in characters.
const SHORTEST: usize = 12;

/// Longest password, in bytes.
const LONGEST: usize = 1024;

/// The hash of a password. `Debug` does not show it.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct PasswordHash(phc::PasswordHash);

/// Why a text is no hash of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("password_hash must begin with $argon2id$; `vestibule admin password` makes one")]
pub struct NotAPasswordHash;

/// Why a password gets no hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRefused {
    /// Too easily guessed.
    #[error("the password has less than 12 characters; choose a longer one")]
    TooShort,
    /// Longer than a request may say.
    #[error("the password has more than 1024 bytes; choose a shorter one")]
    TooLong,
    /// It cannot be typed into every client.
    #[error("the password has a line break or another control character; choose another one")]
    ControlCharacter,
}

impl PasswordHash {
    /// The hash of a new password. Takes a tenth of a second and 19 MiB.
    ///
    /// # Errors
    /// [`PasswordRefused`].
    pub fn of(
        password: &SecretString,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, PasswordRefused> {
        let password = password.expose_secret();
        if password.chars().count() < SHORTEST {
            return Err(PasswordRefused::TooShort);
        }
        if password.len() > LONGEST {
            return Err(PasswordRefused::TooLong);
        }
        if password.chars().any(char::is_control) {
            return Err(PasswordRefused::ControlCharacter);
        }
        let mut salt = [0; 16];
        rng.fill_bytes(&mut salt);
        // Argon2id with 19 MiB, two passes and one lane.
        let hash = Argon2::default()
            .hash_password_with_salt(password.as_bytes(), &salt)
            .expect("salt and lengths are within the limits of Argon2");
        Ok(Self(hash))
    }

    /// Whether this is the password's hash. Takes as long as [`PasswordHash::of`].
    pub fn matches(&self, password: &[u8]) -> bool {
        password.len() <= LONGEST && Argon2::default().verify_password(password, &self.0).is_ok()
    }
}

impl TryFrom<String> for PasswordHash {
    type Error = NotAPasswordHash;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        phc::PasswordHash::new(&text)
            .ok()
            .filter(|hash| hash.algorithm.as_str() == "argon2id" && hash.hash.is_some())
            .map(Self)
            .ok_or(NotAPasswordHash)
    }
}

impl fmt::Display for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_matches_its_password_only() {
        let password = SecretString::from("correct horse battery");
        let mut rng = crate::random::system();
        let hash = PasswordHash::of(&password, &mut *rng).unwrap();
        let text = hash.to_string();
        assert!(
            text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{text}"
        );
        let read: PasswordHash = text.clone().try_into().unwrap();
        assert!(read.matches(b"correct horse battery"));
        assert!(!read.matches(b"correct horse batterz"));
        assert_ne!(
            PasswordHash::of(&password, &mut *rng).unwrap().to_string(),
            text
        );
        assert_eq!(format!("{hash:?}"), "PasswordHash(…)");
    }

    #[test]
    fn a_hash_of_another_making_is_read() {
        // From the tests of the reference implementation (phc-winner-argon2, src/test.c).
        let text =
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        let hash: PasswordHash = text.to_owned().try_into().unwrap();
        assert!(hash.matches(b"password"));
        assert!(!hash.matches(b"passwore"));
    }

    #[test]
    fn what_is_no_argon2id_hash_is_refused_without_repeating_it() {
        for text in [
            "",
            "S3CRET",
            "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8",
            "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ",
            "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
        ] {
            let error = PasswordHash::try_from(text.to_owned()).unwrap_err();
            assert!(!error.to_string().contains("S3CRET"));
        }
    }

    #[test]
    fn passwords_that_are_too_short_too_long_or_cannot_be_typed_get_no_hash() {
        let mut rng = crate::random::system();
        let mut refused =
            |password: &str| PasswordHash::of(&password.into(), &mut *rng).unwrap_err();
        assert_eq!(refused("eleven char"), PasswordRefused::TooShort);
        assert_eq!(refused(&"x".repeat(1025)), PasswordRefused::TooLong);
        assert_eq!(refused("a line break\n"), PasswordRefused::ControlCharacter);
    }
}
