//! Forgets what is of no use any more.

use std::time::Duration;

use crate::tools::Tools;

/// How often.
const INTERVAL: Duration = Duration::from_secs(5 * 60);

/// How long launches are kept, for the help desk to find them.
const KEEP: Duration = Duration::from_secs(30 * 24 * 60 * 60);

pub(super) async fn run(tools: &Tools) {
    let mut ticks = tokio::time::interval(INTERVAL);
    loop {
        ticks.tick().await;
        let now = tools.now();
        match tools.store.purge(now - KEEP, now).await {
            Ok(0) => {}
            Ok(launches) => tracing::info!(launches, "old launches are forgotten"),
            Err(error) => tracing::error!(%error, "old launches cannot be forgotten"),
        }
    }
}
