//! `vestibule profile list`.

use std::{io::Write as _, process::ExitCode};

use clap::Args;

use crate::cli::{
    chosen::{self, ConfigArgument, Known},
    runtime,
};

/// Whose profiles.
#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
}

pub(super) fn list(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let config = arguments.config.read()?;
    let known = runtime()?.block_on(chosen::all(&config))?;
    let mut stdout = std::io::stdout();
    for one in &known {
        writeln!(stdout, "{}", line(one))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// uuid, state, name and place, with tabs between.
fn line(known: &Known) -> String {
    let state = match &known.checked {
        Ok(_) => "good",
        Err(_) => "faulty",
    };
    let name = known.document.name.replace(char::is_control, " ");
    format!("{}\t{state}\t{name}\t{}", known.document.uuid, known.place)
}
