//! Forgets what is of no use any more.

use std::time::Duration;

use crate::tools::Tools;

/// How often.
const INTERVAL: Duration = Duration::from_secs(5 * 60);

/// `keep` is how long launches are kept.
pub(super) async fn run(tools: &Tools, keep: Duration) {
    let mut ticks = tokio::time::interval(INTERVAL);
    loop {
        ticks.tick().await;
        let now = tools.now();
        match tools.store.purge(now - keep, now).await {
            Ok(0) => {}
            Ok(launches) => tracing::info!(launches, "old launches are forgotten"),
            Err(error) => tracing::error!(%error, "old launches cannot be forgotten"),
        }
    }
}
