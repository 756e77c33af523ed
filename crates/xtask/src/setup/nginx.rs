//! nginx, which the tests put in front of the server as hospitals do.

use std::path::Path;

use anyhow::{Context, Result};

use super::apt;
use crate::{process::find_on_path, workspace::Workspace};

/// Where Debian has it: a folder that is not on everybody's path.
const INSTALLED: &str = "/usr/sbin/nginx";

/// Installs nginx where it is missing.
pub(crate) fn ensure(workspace: &Workspace) -> Result<()> {
    if find_on_path("nginx").is_some() || Path::new(INSTALLED).exists() {
        return Ok(());
    }
    apt::install(workspace, &["nginx-light"]).context(
        "the program `nginx` is missing; install your distribution's package `nginx-light`",
    )
}
