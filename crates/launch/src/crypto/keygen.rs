//! New keys.

use alloc::string::String;

use base64ct::{Base64, Encoding};
use rand::CryptoRng;
use zeroize::Zeroizing;

/// Lengths of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyLength {
    /// For AES-128-CBC.
    Bytes16,
    /// For AES-256-CBC.
    Bytes32,
}

/// A new random key in base64, as a profile and the EHR take it (`base64key`).
pub fn keygen(length: KeyLength, rng: &mut (impl CryptoRng + ?Sized)) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; 32]);
    let bytes = match length {
        KeyLength::Bytes16 => &mut bytes[..16],
        KeyLength::Bytes32 => &mut bytes[..],
    };
    rng.fill_bytes(bytes);
    Zeroizing::new(Base64::encode_string(bytes))
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::ChaCha20Rng};

    use super::*;
    use crate::crypto::{Algorithm, KeyType, LaunchKey};

    #[test]
    fn a_new_key_suits_its_algorithm_and_is_not_the_last_one() {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        for (length, algorithm) in [
            (KeyLength::Bytes16, Algorithm::Aes128Cbc),
            (KeyLength::Bytes32, Algorithm::Aes256Cbc),
        ] {
            let key = keygen(length, &mut rng);
            assert!(LaunchKey::new(algorithm, KeyType::Base64Key, &key).is_ok());
            assert_ne!(keygen(length, &mut rng), key);
        }
    }
}
