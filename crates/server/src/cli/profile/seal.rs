//! `vestibule profile seal`.

use std::{fs, io::Write as _, path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::Args;

use crate::{
    cli::{chosen::ConfigArgument, private_file},
    profile::sealed::seal_toml,
    random,
    sealing::{self, Sealer},
};

/// What is sealed.
#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// The profile's TOML file, which is replaced
    file: PathBuf,
    #[command(flatten)]
    config: ConfigArgument,
}

pub(super) fn seal(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let config = arguments.config.read()?;
    let name = arguments.file.display();
    let text = fs::read_to_string(&arguments.file).with_context(|| format!("{name}"))?;
    let mut rng = random::system();
    crate::server::make_data_folder(&config)?;
    let key = sealing::state_key(&config, sealing::environment().as_ref(), &mut *rng)?;
    let sealed =
        seal_toml(&text, &Sealer::new(&key), &mut *rng).with_context(|| format!("{name}"))?;
    let mut stdout = std::io::stdout();
    if sealed.sealed.is_empty() {
        writeln!(stdout, "{name}: no secret stands in the clear")?;
        return Ok(ExitCode::SUCCESS);
    }
    private_file::replace(&arguments.file, sealed.text.as_bytes())?;
    for field in sealed.sealed {
        writeln!(stdout, "{name}: sealed {field}")?;
    }
    Ok(ExitCode::SUCCESS)
}
