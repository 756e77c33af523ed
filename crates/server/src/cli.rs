//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use vestibule_launch::crypto::KeyLength;

mod keygen;
mod serve;

/// From a telehealth launch in the EHR to the right video visit.
#[derive(Debug, Parser)]
#[command(name = "vestibule", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve launches until SIGINT or SIGTERM
    Serve {
        /// The configuration file, vestibule.toml
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Print a new random epic_encryption_key in base64
    Keygen {
        /// Bytes: 32 for AES-256-CBC, 16 for AES-128-CBC
        #[arg(value_enum, default_value = "32")]
        bytes: KeyBytes,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum KeyBytes {
    #[value(name = "16")]
    Sixteen,
    #[value(name = "32")]
    ThirtyTwo,
}

impl Cli {
    /// Does what was asked for.
    ///
    /// # Errors
    /// A chain of causes to show to the user.
    pub fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Serve { config } => serve::serve(&config),
            Command::Keygen { bytes } => keygen::keygen(match bytes {
                KeyBytes::Sixteen => KeyLength::Bytes16,
                KeyBytes::ThirtyTwo => KeyLength::Bytes32,
            }),
        }
    }
}
