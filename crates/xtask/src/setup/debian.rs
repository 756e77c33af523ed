//! What puts Debian packages together, and what the test of the package needs besides.

use anyhow::{Context, Result};

use super::apt;
use crate::{process::find_on_path, workspace::Workspace};

/// Programs, and the packages in which Debian has them.
const PROGRAMS: [(&str, &str); 4] = [
    ("dpkg-shlibdeps", "dpkg-dev"),
    ("strip", "binutils"),
    ("adduser", "adduser"),
    ("systemd-analyze", "systemd"),
];

/// Where Debian has programs that are not on everybody's path.
const OF_ROOT: &str = "/usr/sbin";

/// Installs what is missing.
pub(crate) fn ensure(workspace: &Workspace) -> Result<()> {
    let is_missing = |program: &str| {
        find_on_path(program).is_none() && !std::path::Path::new(OF_ROOT).join(program).exists()
    };
    let missing: Vec<&str> = PROGRAMS
        .into_iter()
        .filter(|(program, _)| is_missing(program))
        .map(|(_, package)| package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    apt::install(workspace, &missing).with_context(|| {
        format!(
            "Debian packages are built and tested on Debian and its relatives; install {}",
            missing.join(", ")
        )
    })
}
