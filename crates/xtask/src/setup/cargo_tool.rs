//! Programs that crates.io has as source: built once, kept below the target folder.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result};

use crate::{
    process::{output, run_logged},
    workspace::Workspace,
};

const DEADLINE: Duration = Duration::from_secs(900);

/// The program of this version, which is built where it is missing.
pub(super) fn ensure(workspace: &Workspace, name: &str, version: &str) -> Result<PathBuf> {
    let tools = workspace.target().join("tools");
    let program = tools.join("bin").join(name);
    let is_there = program.exists()
        && output(workspace.command(&program).arg("--version"))
            .is_ok_and(|printed| printed.split_whitespace().any(|word| word == version));
    if !is_there {
        let mut install = workspace.cargo(["install", "--locked", "--version", version]);
        install.arg("--root").arg(&tools).arg(name);
        let log = workspace.scratch()?.join(format!("{name}.log"));
        run_logged(&mut install, &log, DEADLINE)
            .with_context(|| format!("cannot build {name}; is crates.io within reach?"))?;
    }
    Ok(program)
}
