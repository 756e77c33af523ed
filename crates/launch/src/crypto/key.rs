//! The key that a profile shares with its EHR.

use core::fmt;

use base64ct::{Base64, Encoding};
use sha1::{Digest, Sha1};
use zeroize::Zeroizing;

use super::{Algorithm, KeyType};

mod fault;

pub use fault::LaunchKeyError;
use fault::{is_invisible, not_base64};

/// Longest secret that is taken, in characters: what Pexip Infinity's
/// `epic_encryption_key` holds.
const LONGEST_SECRET: usize = 100;

/// A key for launch parameters. Wiped from memory when dropped, never shown by
/// `Debug`.
#[derive(Clone)]
pub struct LaunchKey(KeyBytes);

impl LaunchKey {
    /// Makes a key of what a profile is configured with. A password becomes a key as
    /// Microsoft's `CryptDeriveKey` does it with SHA-1; Zoom's published sample
    /// computes the same.
    ///
    /// # Errors
    /// Where the secret cannot be the one that the EHR has, because of how it was
    /// copied, or does not suit the algorithm. The error does not repeat the secret.
    pub fn new(
        algorithm: Algorithm,
        key_type: KeyType,
        secret: &str,
    ) -> Result<Self, LaunchKeyError> {
        if secret.is_empty() {
            return Err(LaunchKeyError::Empty);
        }
        if secret.trim() != secret {
            return Err(LaunchKeyError::SurroundingWhiteSpace);
        }
        if secret.contains(['\r', '\n']) {
            return Err(LaunchKeyError::LineBreak);
        }
        if secret.chars().any(is_invisible) {
            return Err(LaunchKeyError::Invisible);
        }
        if secret.chars().count() > LONGEST_SECRET {
            return Err(LaunchKeyError::TooLong);
        }
        match (algorithm, key_type) {
            (Algorithm::Aes128Cbc, KeyType::Password) => {
                let expanded = crypt_derive_key(secret);
                let mut key = Zeroizing::new([0; 16]);
                key.copy_from_slice(&expanded[..16]);
                Ok(Self(KeyBytes::Aes128(key)))
            }
            (Algorithm::Aes256Cbc, KeyType::Password) => Err(LaunchKeyError::PasswordWithAes256),
            (Algorithm::Aes128Cbc, KeyType::Base64Key) => {
                decode_key(secret).map(KeyBytes::Aes128).map(Self)
            }
            (Algorithm::Aes256Cbc, KeyType::Base64Key) => {
                decode_key(secret).map(KeyBytes::Aes256).map(Self)
            }
        }
    }

    /// The algorithm that the key is for.
    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            KeyBytes::Aes128(_) => Algorithm::Aes128Cbc,
            KeyBytes::Aes256(_) => Algorithm::Aes256Cbc,
        }
    }

    pub(super) fn bytes(&self) -> &KeyBytes {
        &self.0
    }
}

impl fmt::Debug for LaunchKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LaunchKey({}, …)", self.algorithm())
    }
}

/// The key itself: its length goes with the algorithm.
#[derive(Clone)]
pub(super) enum KeyBytes {
    Aes128(Zeroizing<[u8; 16]>),
    Aes256(Zeroizing<[u8; 32]>),
}

impl KeyBytes {
    pub(super) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Aes128(key) => key.as_slice(),
            Self::Aes256(key) => key.as_slice(),
        }
    }
}

fn decode_key<const LENGTH: usize>(
    secret: &str,
) -> Result<Zeroizing<[u8; LENGTH]>, LaunchKeyError> {
    let is_hexadecimal = secret.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hexadecimal && secret.len() == 2 * LENGTH {
        return Err(LaunchKeyError::Hexadecimal);
    }
    let bytes = Base64::decode_vec(secret).map_err(|_| not_base64(secret))?;
    let bytes = Zeroizing::new(bytes);
    match <[u8; LENGTH]>::try_from(bytes.as_slice()) {
        Ok(key) => Ok(Zeroizing::new(key)),
        Err(_) => Err(LaunchKeyError::WrongLength {
            needed: LENGTH,
            found: bytes.len(),
        }),
    }
}

/// `CryptDeriveKey` with SHA-1, as Microsoft documents it for keys longer than the
/// hash: the hash of the password is laid over 64 bytes of 0x36 and over 64 of 0x5C,
/// and the hashes of both follow each other.
fn crypt_derive_key(password: &str) -> Zeroizing<[u8; 40]> {
    let hash = wiped(Sha1::digest(password.as_bytes()).into());
    let mut expanded = Zeroizing::new([0; 40]);
    for (filler, part) in [0x36, 0x5c].into_iter().zip(expanded.chunks_exact_mut(20)) {
        let mut block = Zeroizing::new([filler; 64]);
        for (byte, hashed) in block.iter_mut().zip(hash.iter()) {
            *byte ^= hashed;
        }
        part.copy_from_slice(&*wiped(Sha1::digest(block.as_slice()).into()));
    }
    expanded
}

fn wiped(hash: [u8; 20]) -> Zeroizing<[u8; 20]> {
    Zeroizing::new(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sample in Pexip's documentation of its Epic integration of a 32-byte key.
    const KEY_256: &str = "fTW2KwlJZ6JEpRS+RlN2fruKPgggBe+Y9txLIk3QpA0=";

    fn refused(algorithm: Algorithm, key_type: KeyType, secret: &str) -> LaunchKeyError {
        LaunchKey::new(algorithm, key_type, secret).unwrap_err()
    }

    #[test]
    fn passwords_become_the_keys_that_windows_and_zoom_derive() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../../shared/vectors/epic-crypto.json"
        );
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| {
            panic!("the vectors of launch encryption are missing: {error}")
        });
        let file: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut checked = 0;
        for vector in file["vectors"].as_array().unwrap() {
            let password = vector.get("password").or_else(|| vector.get("secret"));
            if let Some(password) = password {
                let expanded = crypt_derive_key(password.as_str().unwrap());
                let expected = vector["key"].as_str().unwrap();
                let expanded: String = expanded.iter().map(|byte| format!("{byte:02x}")).collect();
                assert!(expanded.starts_with(expected), "{}", vector["variant"]);
                checked += 1;
            }
        }
        assert_eq!(checked, 7);
    }

    #[test]
    fn a_secret_that_was_copied_badly_is_refused_with_the_reason() {
        for key_type in [KeyType::Password, KeyType::Base64Key] {
            let refused = |secret: &str| refused(Algorithm::Aes128Cbc, key_type, secret);
            assert_eq!(refused(""), LaunchKeyError::Empty);
            assert_eq!(refused(" secret"), LaunchKeyError::SurroundingWhiteSpace);
            assert_eq!(refused("secret\n"), LaunchKeyError::SurroundingWhiteSpace);
            assert_eq!(refused("sec\r\nret"), LaunchKeyError::LineBreak);
            assert_eq!(refused(&"é".repeat(101)), LaunchKeyError::TooLong);
            for invisible in ["\u{feff}secret", "sec\tret", "secret\u{200b}", "sec\0ret"] {
                assert_eq!(refused(invisible), LaunchKeyError::Invisible);
            }
        }
        assert!(LaunchKey::new(Algorithm::Aes128Cbc, KeyType::Password, &"é".repeat(100)).is_ok());
    }

    #[test]
    fn a_base64_key_has_the_length_of_its_algorithm() {
        let refused = |algorithm, secret: &str| refused(algorithm, KeyType::Base64Key, secret);
        assert!(LaunchKey::new(Algorithm::Aes256Cbc, KeyType::Base64Key, KEY_256).is_ok());
        assert_eq!(
            refused(Algorithm::Aes128Cbc, KEY_256),
            LaunchKeyError::WrongLength {
                needed: 16,
                found: 32
            }
        );
        assert_eq!(
            refused(Algorithm::Aes256Cbc, "c2l4dGVlbi1ieXRlLWtleQ=="),
            LaunchKeyError::WrongLength {
                needed: 32,
                found: 16
            }
        );
    }

    #[test]
    fn a_password_may_hold_what_a_base64_key_may_not() {
        for password in ["\"quoted\"", "value: x", "with space", "7d35b62b09496762"] {
            assert!(LaunchKey::new(Algorithm::Aes128Cbc, KeyType::Password, password).is_ok());
        }
    }

    #[test]
    fn aes_256_takes_no_password() {
        assert_eq!(
            refused(Algorithm::Aes256Cbc, KeyType::Password, "Secret123!"),
            LaunchKeyError::PasswordWithAes256
        );
    }

    #[test]
    fn debug_and_errors_do_not_show_the_secret() {
        let key = LaunchKey::new(Algorithm::Aes256Cbc, KeyType::Base64Key, KEY_256).unwrap();
        assert_eq!(format!("{key:?}"), "LaunchKey(AES-256-CBC, …)");
        let error = refused(Algorithm::Aes128Cbc, KeyType::Base64Key, "Secret123!");
        assert!(!format!("{error:?} {error}").contains("Secret"));
    }
}
