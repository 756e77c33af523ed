//! `vestibule profile export`.

use std::{io::Write as _, process::ExitCode};

use clap::{Args, ValueEnum};

use crate::{
    cli::{
        chosen::{ConfigArgument, ProfileArgument, ProfileName},
        runtime,
    },
    profile::export,
};

/// What is printed.
#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// The profile's uuid, or its TOML file
    #[arg(value_name = "UUID|FILE")]
    profile: ProfileName,
    /// TOML as in the folder of profiles, or JSON as in Pexip Infinity's management API
    #[arg(long, value_enum, default_value = "toml")]
    format: Format,
    #[command(flatten)]
    config: ConfigArgument,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Toml,
    Json,
}

pub(super) fn export(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let argument = ProfileArgument {
        config: arguments.config.clone(),
        profile: Some(arguments.profile.clone()),
    };
    let known = runtime()?.block_on(argument.choose())?;
    let text = match arguments.format {
        Format::Toml => export::to_toml(&known.document),
        Format::Json => {
            let object = export::to_json(&known.document);
            format!("{}\n", serde_json::to_string_pretty(&object)?)
        }
    };
    write!(std::io::stdout(), "{text}")?;
    let secrets = known.document.secrets();
    if !secrets.is_empty() {
        let names: Vec<_> = secrets.into_keys().collect();
        writeln!(
            std::io::stderr(),
            "left out, as secrets: {}",
            names.join(", ")
        )?;
    }
    Ok(ExitCode::SUCCESS)
}
