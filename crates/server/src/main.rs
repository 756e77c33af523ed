//! The `vestibule` command.

use std::process::ExitCode;

use clap::Parser as _;
use vestibule_server::cli::Cli;

fn main() -> ExitCode {
    Cli::parse().run().unwrap_or_else(|error| {
        eprintln!("vestibule: {error:#}");
        ExitCode::FAILURE
    })
}
