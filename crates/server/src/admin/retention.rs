//! Forgets what the audit log has kept for long enough.

use std::time::Duration;

use super::AdminConfig;
use crate::tools::Tools;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How often.
const INTERVAL: Duration = Duration::from_secs(60 * 60);

/// How long the audit log is kept.
pub(super) struct Retention {
    tools: Tools,
    keep: Duration,
}

impl Retention {
    pub(super) fn new(config: &AdminConfig, tools: &Tools) -> Self {
        Self {
            tools: tools.clone(),
            keep: DAY * config.audit_days,
        }
    }

    /// Runs for ever.
    pub(super) async fn run(&self) {
        let mut ticks = tokio::time::interval(INTERVAL);
        loop {
            ticks.tick().await;
            let before = self.tools.now() - self.keep;
            match self.tools.store.purge_audit(before).await {
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
}
