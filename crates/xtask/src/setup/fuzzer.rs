//! cargo-fuzz, and the nightly compiler whose instrumentation it uses.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result};

use crate::{
    process::{output, run_logged, succeeds},
    workspace::Workspace,
};

const VERSION: &str = "0.13.2";
const DEADLINE: Duration = Duration::from_secs(600);

/// The folder with `cargo-fuzz`, which is built there where it is missing.
pub(crate) fn ensure(workspace: &Workspace) -> Result<PathBuf> {
    let scratch = workspace.scratch()?;
    if !succeeds(&mut workspace.cargo(["+nightly", "--version"])) {
        let mut rustup = workspace.command("rustup");
        rustup.args(["toolchain", "install", "nightly", "--profile", "minimal"]);
        run_logged(&mut rustup, &scratch.join("nightly.log"), DEADLINE)
            .context("fuzzing needs a nightly compiler; run `rustup toolchain install nightly`")?;
    }
    let tools = workspace.target().join("tools");
    let program = tools.join("bin/cargo-fuzz");
    let is_there = program.exists()
        && output(workspace.command(&program).arg("--version"))
            .is_ok_and(|version| version.ends_with(VERSION));
    if !is_there {
        let mut install = workspace.cargo(["install", "--locked", "--version", VERSION]);
        install.arg("--root").arg(&tools).arg("cargo-fuzz");
        run_logged(&mut install, &scratch.join("cargo-fuzz.log"), DEADLINE)
            .context("cannot build cargo-fuzz; is crates.io within reach?")?;
    }
    Ok(tools.join("bin"))
}
