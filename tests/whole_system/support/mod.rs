//! What the whole-system tests share: a browser, a house (server and simulated
//! EHR as real processes) and a tap on the wire between them.

pub(crate) mod browser;
pub(crate) mod house;
pub(crate) mod launcher;
pub(crate) mod nginx;
pub(crate) mod portal;
pub(crate) mod process;
pub(crate) mod scripted;
pub(crate) mod tap;

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::timeout;

/// Longest that a test may take: one that hangs is to be seen as failed.
const TEST: Duration = Duration::from_secs(300);

/// Runs a test, no longer than a test may take.
pub(crate) async fn in_time(test: impl Future<Output = Result<()>>) -> Result<()> {
    timeout(TEST, test).await.context("it takes too long")?
}
