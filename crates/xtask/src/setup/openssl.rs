//! The commands `openssl` and `curl`, which tests use as independent judges.

use anyhow::{Context, Result};

use super::apt;
use crate::{process::find_on_path, workspace::Workspace};

/// Installs those of the commands that are missing.
pub(crate) fn ensure(workspace: &Workspace) -> Result<()> {
    for command in ["openssl", "curl"] {
        if find_on_path(command).is_none() {
            apt::install(workspace, &[command]).with_context(|| {
                format!("the command `{command}` is missing; install your distribution's package `{command}`")
            })?;
        }
    }
    Ok(())
}
