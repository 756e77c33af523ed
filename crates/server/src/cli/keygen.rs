//! `vestibule keygen`.

use std::io::Write as _;

use anyhow::Context as _;
use vestibule_launch::crypto::{self, Algorithm, KeyCheckValue, KeyLength, KeyType, LaunchKey};

pub(super) fn keygen(length: KeyLength) -> anyhow::Result<()> {
    let key = crypto::keygen(length, &mut *crate::random::system());
    let algorithm = match length {
        KeyLength::Bytes16 => Algorithm::Aes128Cbc,
        KeyLength::Bytes32 => Algorithm::Aes256Cbc,
    };
    let check = LaunchKey::new(algorithm, KeyType::Base64Key, &key)
        .context("the new key cannot be used; run the command again")?;
    writeln!(std::io::stdout(), "{}", *key)?;
    // Apart from the key, so that the output can go into a file or a pipe as it is.
    writeln!(
        std::io::stderr(),
        "key check value: {}",
        KeyCheckValue::of(&check)
    )?;
    Ok(())
}
