//! The encryption of launch parameters, as EHRs do it today.
//!
//! AES in CBC mode without a message authentication code: nobody but the EHR and
//! the profile can read a launch, but a launch can be copied, and with a prefixed
//! initialisation vector its first 16 bytes can be altered. So the role is never taken
//! from the decrypted text: it comes from the path of the launch URL, and the EHR
//! signs the user in. Which appointment it is does come from the decrypted text, as
//! the EHR's contract has it: whoever can sign in at the EHR and has, or makes, a
//! ciphertext that names an appointment gets into that one, in the role of the path.

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
