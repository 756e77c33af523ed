//! `vestibule-sandbox`: runs the simulated EHR.

use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
    sync::Arc,
};

use anyhow::Context;
use clap::Parser;
use rand::{rand_core::UnwrapErr, rngs::SysRng};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use vestibule_sandbox::{Config, Sandbox, SystemClock};

/// A simulated EHR that launches video visits. It knows no real patients.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The configuration file, in TOML.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_env_filter(
            EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")),
        )
        .init();

    let config = Config::read(&arguments.config)
        .with_context(|| format!("in {}", arguments.config.display()))?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let sandbox = Sandbox::bind(config, Arc::new(SystemClock), Box::new(UnwrapErr(SysRng))).await?;
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on {}", sandbox.address())?;
    stdout.flush()?;

    sandbox
        .serve(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
        .await?;
    Ok(())
}
