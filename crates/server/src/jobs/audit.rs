//! Forgets what the audit log has kept for long enough.

use std::time::Duration;

use crate::tools::Tools;

/// How often.
const INTERVAL: Duration = Duration::from_secs(60 * 60);

/// `keep` is how long entries are kept.
pub(super) async fn run(tools: &Tools, keep: Duration) {
    let mut ticks = tokio::time::interval(INTERVAL);
    loop {
        ticks.tick().await;
        match tools.store.purge_audit(tools.now() - keep).await {
            Ok(0) => {}
            Ok(entries) => {
                tracing::info!(entries, "old entries of the audit log are forgotten");
            }
            Err(error) => {
                tracing::error!(%error, "old entries of the audit log cannot be forgotten");
            }
        }
    }
}
