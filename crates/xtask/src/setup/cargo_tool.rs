//! Programs that crates.io has as source: built once for a user, version and toolchain.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use super::tool_folder::ToolFolder;
use crate::{
    process::{output, run_logged},
    workspace::Workspace,
};

const DEADLINE: Duration = Duration::from_secs(1800);

/// A program and how it is built.
pub(super) struct CargoTool {
    /// Its name, and its package's.
    pub(super) name: &'static str,
    /// Which version, exactly.
    pub(super) version: &'static str,
    /// Whether it is worth the time that optimising it takes.
    pub(super) optimised: bool,
}

impl CargoTool {
    /// The program, which is built where it is missing.
    pub(super) fn ensure(&self, workspace: &Workspace) -> Result<PathBuf> {
        let Self { name, version, .. } = self;
        let rustc = output(workspace.command("rustc").arg("-vV"))?;
        let toolchain = toolchain(&rustc).context("rustc does not say what it is")?;
        let works = |folder: &Path| {
            let program = folder.join("bin").join(name);
            program.exists()
                && output(workspace.command(&program).arg("--version"))
                    .is_ok_and(|printed| printed.split_whitespace().any(|word| word == *version))
        };
        let build = |folder: &Path| {
            eprintln!("      Building {name} {version}");
            let mut install = workspace.cargo(["install", "--locked", "--version", version]);
            if !self.optimised {
                install
                    .arg("--debug")
                    .env("CARGO_PROFILE_DEV_DEBUG", "false");
            }
            install.arg("--root").arg(folder).arg(name);
            let log = workspace.scratch()?.join(format!("{name}.log"));
            run_logged(&mut install, &log, DEADLINE)
                .with_context(|| format!("cannot build {name}; is crates.io within reach?"))?;
            ensure!(works(folder), "{name} was built, but is not {version}");
            Ok(())
        };
        let folder = format!("{name}-{version}-{toolchain}");
        let folder = ToolFolder::of_user()?.ensure(&folder, works, build)?;
        Ok(folder.join("bin").join(name))
    }
}

/// Release and host of `rustc -vV`: `1.95.0-x86_64-unknown-linux-gnu`.
fn toolchain(rustc: &str) -> Option<String> {
    let value = |key: &str| {
        let mut lines = rustc.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(name, _)| *name == key).map(|(_, value)| value)
    };
    Some(format!("{}-{}", value("release")?, value("host")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_toolchain_is_named_by_release_and_host() {
        let rustc = "rustc 1.95.0 (59807616e 2026-04-14)\nbinary: rustc\n\
            host: x86_64-unknown-linux-gnu\nrelease: 1.95.0\nLLVM version: 22.1.2\n";
        let expected = Some("1.95.0-x86_64-unknown-linux-gnu");
        assert_eq!(toolchain(rustc).as_deref(), expected);
        assert_eq!(toolchain("cargo 1.95.0"), None);
    }
}
