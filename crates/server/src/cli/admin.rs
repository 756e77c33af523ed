//! `vestibule admin …`.

use std::{io::Write as _, process::ExitCode};

use anyhow::bail;
use clap::Subcommand;
use secrecy::ExposeSecret as _;

use super::input;
use crate::{admin::PasswordHash, random};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Ask for a password, or read it from standard input, and print its hash for
    /// password_hash of [admin] in vestibule.toml
    Password,
}

pub(super) fn run(command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Password => password(),
    }
}

fn password() -> anyhow::Result<ExitCode> {
    let password = input::secret("Password")?;
    if input::is_terminal() {
        let again = input::secret("The same again")?;
        if again.expose_secret() != password.expose_secret() {
            bail!("these were two different passwords");
        }
    }
    let hash = PasswordHash::of(&password, &mut *random::system())?;
    writeln!(std::io::stdout(), "{hash}")?;
    Ok(ExitCode::SUCCESS)
}
