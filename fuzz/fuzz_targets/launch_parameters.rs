//! Any text is encrypted launch parameters or an error, whatever the layout; what
//! decrypts is read by the grammar; what was read encrypts and is read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vestibule_launch::{
    LaunchContext, LaunchParameters, ParameterMap, PlusSign,
    crypto::{Algorithm, InitializationVector, KeyType, LaunchCipher, LaunchKey},
};

fuzz_target!(|text: &str| {
    for layout in [
        InitializationVector::Zero,
        InitializationVector::PrefixBinary,
        InitializationVector::PrefixAscii16,
    ] {
        let key = LaunchKey::new(Algorithm::Aes128Cbc, KeyType::Password, "password");
        let cipher = LaunchCipher::new(key.expect("a password"), layout);
        // As ciphertext from outside, and as a plaintext that decrypts.
        if let Ok(plaintext) = cipher.decrypt(text) {
            read(&plaintext);
        }
        read(text);
    }
});

fn read(plaintext: &str) {
    for plus in [PlusSign::Literal, PlusSign::Space] {
        let Ok(parameters) = LaunchParameters::parse(plaintext, plus) else {
            continue;
        };
        for (name, value) in parameters.iter() {
            assert_eq!(parameters.get(name), Some(value));
            assert!(!value.chars().any(char::is_control));
        }
        let context = LaunchContext::from_parameters(&parameters, &ParameterMap::default());
        if let Ok(context) = context {
            assert!(!context.unique_encounter_id.as_str().is_empty());
        }
    }
}
