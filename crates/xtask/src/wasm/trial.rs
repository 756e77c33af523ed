//! The trial start of a finished module: that module and glue fit together can
//! only be seen when they meet.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result};

use super::names::ShortNames;
use crate::{process, setup::node::NodeTools, workspace::Workspace};

const SCRIPT: &str = include_str!("trial.mjs");
const DEADLINE: Duration = Duration::from_secs(60);

/// Starts a module in Node.js through its glue, without calling any of its
/// functions: those need a page.
pub(super) fn start(
    workspace: &Workspace,
    tools: &NodeTools,
    names: &ShortNames,
    glue: &Path,
    wasm: &Path,
) -> Result<()> {
    let script = workspace.scratch()?.join("trial.mjs");
    fs::write(&script, SCRIPT).with_context(|| format!("cannot write {}", script.display()))?;
    let exports: Vec<&str> = names.exports().collect();
    process::run_logged(
        tools
            .node()
            .arg(script)
            .arg(glue)
            .arg(wasm)
            .arg(exports.join(",")),
        &workspace.scratch()?.join("trial.log"),
        DEADLINE,
    )
    .with_context(|| {
        format!(
            "{} and {} do not work together",
            glue.display(),
            wasm.display()
        )
    })
}
