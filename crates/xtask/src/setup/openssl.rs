//! The `openssl` command, which tests use as an independent judge.

use anyhow::{Context, Result};

use super::apt;
use crate::{process::find_on_path, workspace::Workspace};

/// Installs OpenSSL's command where it is missing.
pub(crate) fn ensure(workspace: &Workspace) -> Result<()> {
    if find_on_path("openssl").is_some() {
        return Ok(());
    }
    apt::install(workspace, &["openssl"])
        .context("the command `openssl` is missing; install your distribution's package `openssl`")
}
