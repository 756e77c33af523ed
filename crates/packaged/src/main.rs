//! The `vestibule` command as packages have it: with the landing page in it.

use std::process::ExitCode;

use clap::Parser as _;
use vestibule_server::{cli::Cli, page_files::EmbeddedFiles};

/// The landing page, where this was built with one.
const PAGE: Option<EmbeddedFiles> = include!(concat!(env!("OUT_DIR"), "/page.rs"));

fn main() -> ExitCode {
    Cli::parse().run_with(PAGE).unwrap_or_else(|error| {
        eprintln!("vestibule: {error:#}");
        ExitCode::FAILURE
    })
}
