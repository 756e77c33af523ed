//! The encryption of launch parameters, as EHRs do it today.
//!
//! AES in CBC mode without a message authentication code: nobody but the EHR and
//! the profile can read a launch, but a launch can be copied, and with a prefixed
//! initialisation vector its first 16 bytes can be altered. So nothing that decides
//! what somebody may do is taken from the decrypted text: the role comes from the
//! path of the launch URL, who it is from the sign-in.

mod algorithm;
mod base64;
mod cbc;
mod key;
mod key_check;
mod keygen;
mod launch_cipher;

pub use algorithm::{Algorithm, InitializationVector, KeyType};
pub use key::{LaunchKey, LaunchKeyError};
pub use key_check::KeyCheckValue;
pub use keygen::{KeyLength, keygen};
pub use launch_cipher::{BadCiphertext, LONGEST_CIPHERTEXT, LaunchCipher};
