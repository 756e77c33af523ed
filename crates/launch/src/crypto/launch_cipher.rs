//! Encrypted launch parameters.

use alloc::{string::String, vec::Vec};

use base64ct::{Base64, Encoding};
use rand::CryptoRng;
use zeroize::Zeroizing;

use super::{
    InitializationVector, LaunchKey,
    base64::{decode, mend},
    cbc::{self, BLOCK},
};
use crate::random_text::random_text;

/// Longest ciphertext that is read, in bytes as it stands in the URL.
pub const LONGEST_CIPHERTEXT: usize = 8 * 1024;

/// Decrypts what an EHR puts into a launch URL, and encrypts as an EHR would.
#[derive(Clone, Debug)]
pub struct LaunchCipher {
    key: LaunchKey,
    initialization_vector: InitializationVector,
}

impl LaunchCipher {
    /// A cipher as a profile describes it.
    pub fn new(key: LaunchKey, initialization_vector: InitializationVector) -> Self {
        Self {
            key,
            initialization_vector,
        }
    }

    /// The key, for its check value.
    pub fn key(&self) -> &LaunchKey {
        &self.key
    }

    /// Where the initialisation vector is.
    pub fn initialization_vector(&self) -> InitializationVector {
        self.initialization_vector
    }

    /// Decrypts a parameter of a launch URL, once percent-decoded; base64 that was
    /// decoded once too often or too rarely is mended.
    ///
    /// # Errors
    /// One error for whatever is wrong.
    pub fn decrypt(&self, text: &str) -> Result<Zeroizing<String>, BadCiphertext> {
        if text.len() > LONGEST_CIPHERTEXT {
            return Err(BadCiphertext);
        }
        // Before anything is split off: a prefix may hold such characters as well.
        let text = mend(text);
        let decode = |base64| decode(base64).map_err(|_| BadCiphertext);
        match self.initialization_vector {
            InitializationVector::Zero => self.decrypt_blocks(&[0; BLOCK], &decode(&text)?),
            InitializationVector::PrefixBinary => {
                let bytes = decode(&text)?;
                let (iv, ciphertext) = bytes.split_first_chunk().ok_or(BadCiphertext)?;
                self.decrypt_blocks(iv, ciphertext)
            }
            InitializationVector::PrefixAscii16 => {
                let (iv, base64) = text.split_at_checked(BLOCK).ok_or(BadCiphertext)?;
                let iv = iv.as_bytes().first_chunk().ok_or(BadCiphertext)?;
                self.decrypt_blocks(iv, &decode(base64)?)
            }
        }
    }

    /// Encrypts launch parameters; the result is to be percent-encoded. `rng` makes
    /// the initialisation vector, where the layout has one.
    pub fn encrypt(&self, plaintext: &str, rng: &mut (impl CryptoRng + ?Sized)) -> String {
        match self.initialization_vector {
            InitializationVector::Zero => {
                Base64::encode_string(&self.encrypt_blocks(&[0; BLOCK], plaintext))
            }
            InitializationVector::PrefixBinary => {
                let mut iv = [0; BLOCK];
                rng.fill_bytes(&mut iv);
                let ciphertext = self.encrypt_blocks(&iv, plaintext);
                Base64::encode_string(&[iv.as_slice(), &ciphertext].concat())
            }
            InitializationVector::PrefixAscii16 => {
                let iv = random_text::<BLOCK>(rng);
                let bytes = iv
                    .as_bytes()
                    .first_chunk()
                    .expect("16 ASCII characters are 16 bytes");
                let ciphertext = self.encrypt_blocks(bytes, plaintext);
                [iv.as_str(), &Base64::encode_string(&ciphertext)].concat()
            }
        }
    }

    fn decrypt_blocks(
        &self,
        iv: &[u8; BLOCK],
        ciphertext: &[u8],
    ) -> Result<Zeroizing<String>, BadCiphertext> {
        cbc::decrypt(self.key.bytes(), iv, ciphertext).map_err(|_| BadCiphertext)
    }

    fn encrypt_blocks(&self, iv: &[u8; BLOCK], plaintext: &str) -> Vec<u8> {
        cbc::encrypt(self.key.bytes(), iv, plaintext.as_bytes())
    }
}

/// The launch parameters cannot be decrypted. Says no more, on purpose: a reason
/// would let anybody decrypt a launch by trying.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the launch parameters cannot be decrypted: compare the key with the EHR's")]
pub struct BadCiphertext;
