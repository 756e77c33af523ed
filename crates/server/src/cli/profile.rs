//! `vestibule profile …`.

use std::process::ExitCode;

use clap::Subcommand;

mod check;
mod export;
mod import;
pub(super) mod keypair;
mod list;
mod recorded;
mod remove;
mod seal;
mod secrets;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Say everything that is wrong with profiles, and what is seldom meant
    ///
    /// Exits with 1 if something is wrong; warnings alone are no reason.
    Check(check::Arguments),
    /// Take over profiles that were exported from Pexip Infinity or from Vestibule
    Import(import::Arguments),
    /// Print a profile without its secrets
    Export(export::Arguments),
    /// List the server's profiles
    List(list::Arguments),
    /// Remove a profile, and say what else has to be removed
    Remove(remove::Arguments),
    /// Seal the secrets that stand in the clear in a profile's file
    Seal(seal::Arguments),
    /// Make a key pair for direct join links
    Keypair(keypair::Arguments),
}

pub(super) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Check(arguments) => check::check(&arguments),
        Command::Import(arguments) => import::import(&arguments),
        Command::Export(arguments) => export::export(&arguments),
        Command::List(arguments) => list::list(&arguments),
        Command::Remove(arguments) => remove::remove(&arguments),
        Command::Seal(arguments) => seal::seal(&arguments),
        Command::Keypair(arguments) => keypair::keypair(&arguments),
    }
}
