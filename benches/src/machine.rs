//! The programs that are measured, and the processor cores that they run on.

use std::{ffi::OsStr, path::PathBuf};

use tokio::process::Command;

/// The core of whatever is measured. This program, the EHR and PostgreSQL have the other
/// one: `cargo xtask bench load` starts it there.
pub(crate) const SERVER_CORE: u32 = 0;
pub(crate) const LOAD_CORE: u32 = 1;

/// Where the programs are.
pub(crate) struct Programs {
    /// The server.
    pub(crate) vestibule: PathBuf,
    /// The landing page as built.
    pub(crate) www: PathBuf,
    /// The folder of the peers, as installed.
    pub(crate) peers: PathBuf,
    /// Node.js.
    pub(crate) node: PathBuf,
}

impl Programs {
    /// A program of the Express peer.
    pub(crate) fn node(&self, program: &str) -> Command {
        let mut command = on_server_core(&self.node);
        command
            .env("NODE_ENV", "production")
            .arg("--disable-warning=ExperimentalWarning")
            .arg(self.peers.join("express").join(program));
        command
    }

    /// A program of the Starlette peer.
    pub(crate) fn python(&self, program: &str) -> Command {
        let folder = self.peers.join("starlette");
        let mut command = on_server_core(folder.join("environment/bin/python"));
        command.arg(folder.join(program));
        command
    }
}

/// A program on the server's core.
pub(crate) fn on_server_core(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command
        .args(["--cpu-list", &SERVER_CORE.to_string()])
        .arg(program);
    command
}
