//! PostgreSQL, on which the tests run the store and servers that share one.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use super::apt;
use crate::{process::find_on_path, workspace::Workspace};

/// Where Debian has it: a folder for each version, on nobody's path.
const INSTALLED: &str = "/usr/lib/postgresql";

/// Installs PostgreSQL's server where it is missing.
pub(crate) fn ensure(workspace: &Workspace) -> Result<()> {
    if is_installed() {
        return Ok(());
    }
    apt::install(workspace, &["postgresql"])
        .context("PostgreSQL's server is missing; install your distribution's package `postgresql`")
}

fn is_installed() -> bool {
    let has_initdb = |folder: &Path| folder.join("bin/initdb").exists();
    let versions = fs::read_dir(INSTALLED).into_iter().flatten().flatten();
    find_on_path("initdb").is_some() || versions.into_iter().any(|it| has_initdb(&it.path()))
}
