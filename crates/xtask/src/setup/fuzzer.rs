//! cargo-fuzz, and the nightly compiler whose instrumentation it uses.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result};

use super::cargo_tool::CargoTool;
use crate::{
    process::{run_logged, succeeds},
    workspace::Workspace,
};

const CARGO_FUZZ: CargoTool = CargoTool {
    name: "cargo-fuzz",
    version: "0.13.2",
    optimised: true,
};
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
    let program = CARGO_FUZZ.ensure(workspace)?;
    let folder = program.parent().context("it is in a folder")?;
    Ok(folder.to_owned())
}
