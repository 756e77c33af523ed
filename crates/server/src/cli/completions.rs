//! `vestibule completions`.

use std::{io::Write as _, process::ExitCode};

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Cli;

/// What completions are printed for.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The shell, whose documentation says where completions belong
    shell: Shell,
}

pub(super) fn completions(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Cli::command(),
        "vestibule",
        &mut script,
    );
    std::io::stdout().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}
