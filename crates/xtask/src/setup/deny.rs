//! cargo-deny, which holds the dependencies against `deny.toml`.

use std::path::PathBuf;

use anyhow::Result;

use super::cargo_tool::CargoTool;
use crate::workspace::Workspace;

/// It reads a lock file and some manifests: optimising it would take longer than it ever
/// runs.
const CARGO_DENY: CargoTool = CargoTool {
    name: "cargo-deny",
    version: "0.20.2",
    optimised: false,
};

/// The program, which is built where it is missing.
pub(crate) fn ensure(workspace: &Workspace) -> Result<PathBuf> {
    CARGO_DENY.ensure(workspace)
}
