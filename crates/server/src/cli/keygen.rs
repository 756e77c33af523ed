//! `vestibule keygen`.

use std::{io::Write as _, process::ExitCode};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use vestibule_launch::crypto::{self, Algorithm, KeyCheckValue, KeyLength, KeyType, LaunchKey};

/// Which key.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Bytes: 32 for AES-256-CBC, 16 for AES-128-CBC
    #[arg(value_enum, default_value = "32")]
    bytes: Bytes,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Bytes {
    #[value(name = "16")]
    Sixteen,
    #[value(name = "32")]
    ThirtyTwo,
}

pub(super) fn keygen(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (length, algorithm) = match arguments.bytes {
        Bytes::Sixteen => (KeyLength::Bytes16, Algorithm::Aes128Cbc),
        Bytes::ThirtyTwo => (KeyLength::Bytes32, Algorithm::Aes256Cbc),
    };
    let key = crypto::keygen(length, &mut *crate::random::system());
    let check = LaunchKey::new(algorithm, KeyType::Base64Key, &key)
        .context("the new key cannot be used; run the command again")?;
    writeln!(std::io::stdout(), "{}", *key)?;
    // Apart from the key, so that the output can go into a file or a pipe as it is.
    writeln!(
        std::io::stderr(),
        "key check value: {}",
        KeyCheckValue::of(&check)
    )?;
    Ok(ExitCode::SUCCESS)
}
