//! `vestibule serve`.

use std::{io::Write as _, process::ExitCode};

use anyhow::Context as _;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::chosen::ConfigArgument;
use crate::{
    config::{Config, LogFormat},
    server::Server,
};

/// What is served.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
}

pub(super) fn serve(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let config = Config::read(&arguments.config.path)?;
    log_to_stderr(config.log);
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(async {
        let (mut interrupt, mut terminate) = (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        );
        let server = Server::bind(&config).await?;
        for profile in server.profiles().iter() {
            let key_check_value = profile.dialect.key_check_value();
            let key_check_value = key_check_value.map(|value| value.to_string());
            tracing::info!(profile = %profile.uuid, key_check_value, "profile");
        }
        let mut stdout = std::io::stdout();
        writeln!(stdout, "listening on http://{}", server.address())?;
        stdout.flush()?;
        server
            .run(async move {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
            })
            .await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// What is logged without RUST_LOG: this software's own events only, for libraries may
/// log what must not be logged. What happens in the node comes by way of its event sink.
const FILTER: &str = "vestibule_server=info,vestibule_node=info,vestibule_node::node=warn";

fn log_to_stderr(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(FILTER));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.with_ansi(false).init(),
        LogFormat::Json => log.json().init(),
    }
}
