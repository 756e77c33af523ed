//! `vestibule serve`.

use std::{io::Write as _, process::ExitCode, time::Instant};

use anyhow::Context as _;
use clap::Args;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
};
use tracing_subscriber::{
    EnvFilter, Layer as _, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use super::chosen::ConfigArgument;
use crate::{
    config::{Config, LogFormat, LogLevel},
    page_files::EmbeddedFiles,
    server::Server,
    telemetry::Traces,
};

/// What is served.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
}

pub(super) fn serve(
    arguments: &Arguments,
    page: Option<EmbeddedFiles>,
) -> anyhow::Result<ExitCode> {
    let begun = Instant::now();
    let config = Config::read(&arguments.config.path)?.or_embedded(page);
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let ended = runtime.block_on(async {
        let certificates = config.trusted_certificates.as_deref();
        let traces = config.traces.as_ref();
        let traces = traces.map(|traces| Traces::begin(traces, certificates));
        let traces = traces.transpose()?;
        log_to_stderr(&config, traces.as_ref());
        allow_many_files();
        let mut signals = EndSignals::new()?;
        let server = tokio::select! {
            bound = Server::bind(&config) => bound?,
            // The database may be brought up to date for minutes.
            () = signals.one() => return Ok(ExitCode::SUCCESS),
        };
        for profile in server.profiles().iter() {
            let key_check_value = profile.dialect.key_check_value();
            let key_check_value = key_check_value.map(|value| value.to_string());
            tracing::info!(profile = %profile.uuid, key_check_value, "profile");
        }
        let mut stdout = std::io::stdout();
        writeln!(stdout, "listening on {}", server.url())?;
        stdout.flush()?;
        if let Some(url) = server.admin_url() {
            tracing::info!(url, "the admin API listens");
        }
        let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(milliseconds, "started");
        let (end, ended) = oneshot::channel::<()>();
        let running = async {
            let served = server.run(async { drop(ended.await) }).await;
            if let Some(traces) = traces {
                traces.flush().await;
            }
            served
        };
        tokio::pin!(running);
        tokio::select! {
            ended = &mut running => {
                ended?;
                return Ok(ExitCode::SUCCESS);
            }
            () = signals.one() => drop(end),
        }
        tracing::info!("ending; launches under way may finish, a second signal ends at once");
        tokio::select! {
            ended = running => {
                ended?;
                Ok(ExitCode::SUCCESS)
            }
            () = signals.one() => {
                tracing::warn!("ended at once; whatever was under way is cut off");
                Ok(ExitCode::FAILURE)
            }
        }
    });
    // Not waiting for what blocks: what could be finished is.
    runtime.shutdown_background();
    ended
}

/// SIGINT and SIGTERM, by which the server is told to end.
struct EndSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl EndSignals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next one.
    async fn one(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Every connection is a file: takes as many as the machine lets this process have.
fn allow_many_files() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, most)| setrlimit(Resource::RLIMIT_NOFILE, most, most));
    if let Err(error) = raised {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

/// What is logged without RUST_LOG: this software's own events only, for libraries may
/// log what must not be logged. What happens in the node comes by way of its event sink.
fn filter(level: LogLevel) -> String {
    let quieter = match level {
        LogLevel::Info => LogLevel::Warn,
        other => other,
    };
    let (level, quieter) = (level.as_str(), quieter.as_str());
    format!("vestibule_server={level},vestibule_node={level},vestibule_node::node={quieter}")
}

/// Spans have their filter apart from log lines: fewer lines are no reason for traces to
/// lack steps.
fn log_to_stderr(config: &Config, traces: Option<&Traces>) {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new(filter(config.log_level)));
    let log = tracing_subscriber::fmt::layer()
        // It would tell of a full disk where the log is by a panic.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    let log = match config.log {
        LogFormat::Text => log.with_ansi(false).boxed(),
        LogFormat::Json => log.json().boxed(),
    };
    tracing_subscriber::registry()
        .with(log.with_filter(filter))
        .with(traces.map(Traces::layer))
        .init();
}
