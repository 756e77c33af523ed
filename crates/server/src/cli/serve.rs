//! `vestibule serve`.

use std::{io::Write as _, path::Path};

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::{
    config::{Config, LogFormat},
    server::Server,
};

pub(super) fn serve(path: &Path) -> anyhow::Result<()> {
    let config = Config::read(path)?;
    log_to_stderr(config.log);
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(async {
        let (mut interrupt, mut terminate) = (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        );
        let server = Server::bind(&config).await?;
        if let Some(key_check_value) = server.key_check_value() {
            tracing::info!(%key_check_value, "the profile's encryption key");
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
        Ok(())
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
