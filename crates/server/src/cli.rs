//! The command line.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::page_files::EmbeddedFiles;

mod admin;
mod chosen;
mod completions;
mod database;
mod decode_launch;
pub(crate) mod doctor;
mod input;
mod keygen;
mod launch_link;
mod launch_url;
mod man;
mod private_file;
mod profile;
mod serve;

/// From a telehealth launch in the EHR to the right video visit.
#[derive(Parser)]
#[command(name = "vestibule", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve launches until SIGINT or SIGTERM
    Serve(serve::Arguments),
    /// Look for what is wrong with the server, its profiles and their EHRs
    ///
    /// Prints a line for each check, with what to do, and exits with 1 if a line says
    /// fail. No launch is begun. To be run where the server runs, as its user.
    Doctor(doctor::Arguments),
    /// Check, move and remove telehealth profiles
    #[command(subcommand)]
    Profile(profile::Command),
    /// Make an encrypted launch URL for a test
    ///
    /// What the EHR's launch record would make, by the profile's key and names.
    LaunchLink(Box<launch_link::Arguments>),
    /// Say what is in a launch URL, or why it does not open
    ///
    /// Tries other key types, algorithms, layouts and keys of the server's profiles, and
    /// says what to change. Nothing leaves this machine. Exits with 1 if there is a problem.
    DecodeLaunch(decode_launch::Arguments),
    /// Print a new random epic_encryption_key in base64
    Keygen(keygen::Arguments),
    /// Prepare the admin API
    #[command(subcommand)]
    Admin(admin::Command),
    /// Print completions for a shell
    Completions(completions::Arguments),
    /// Print a manual page
    Man(man::Arguments),
}

impl Cli {
    /// Does what was asked for. Where the answer is no, as of a check that finds a
    /// fault, the exit code says so.
    ///
    /// # Errors
    /// A chain of causes to show to the user.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        self.run_with(None)
    }

    /// The same, with the landing page for configurations that name no folder of it.
    ///
    /// # Errors
    /// A chain of causes to show to the user.
    pub fn run_with(self, page: Option<EmbeddedFiles>) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Serve(arguments) => serve::serve(&arguments, page),
            Command::Doctor(arguments) => doctor::doctor(&arguments, page),
            Command::Profile(command) => profile::run(command),
            Command::LaunchLink(arguments) => launch_link::launch_link(&arguments),
            Command::DecodeLaunch(arguments) => decode_launch::decode_launch(&arguments),
            Command::Keygen(arguments) => keygen::keygen(&arguments),
            Command::Admin(command) => admin::run(&command),
            Command::Completions(arguments) => completions::completions(&arguments),
            Command::Man(arguments) => man::man(&arguments),
        }
    }
}

/// Runs what a command has to wait for.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder
        .enable_all()
        .build()
        .context("cannot start the runtime")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
