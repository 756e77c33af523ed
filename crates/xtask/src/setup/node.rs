//! Node.js with npm, and the tools that npm brings: wasm-opt and esbuild.

use std::{fs, path::PathBuf, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};

use super::apt;
use crate::{
    process::{find_on_path, output, run_logged},
    workspace::Workspace,
};

const OLDEST: u32 = 18;
const DEADLINE: Duration = Duration::from_secs(600);
/// A copy of the lock file from which `node_modules` was installed.
const STAMP: &str = "node_modules/.installed-package-lock.json";

/// The tools of `package.json`, installed.
pub(crate) struct NodeTools {
    node: PathBuf,
    modules: PathBuf,
}

impl NodeTools {
    /// Installs Node.js, npm and the packages of `package-lock.json` where
    /// they are missing.
    pub(crate) fn ensure(workspace: &Workspace) -> Result<Self> {
        if find_on_path("node").is_none() || find_on_path("npm").is_none() {
            apt::install(workspace, &["nodejs", "npm"]).with_context(advice)?;
        }
        let node = find_on_path("node").with_context(advice)?;
        let npm = find_on_path("npm").with_context(advice)?;
        let version = output(Command::new(&node).arg("--version"))?;
        ensure!(
            major(&version).is_some_and(|major| major >= OLDEST),
            "Node.js {version} is too old; {}",
            advice()
        );
        let lock = fs::read(workspace.path("package-lock.json"))
            .context("cannot read package-lock.json")?;
        if fs::read(workspace.path(STAMP)).ok().as_ref() != Some(&lock) {
            run_logged(
                workspace
                    .command(npm)
                    .args(["ci", "--no-audit", "--no-fund"]),
                &workspace.scratch()?.join("npm.log"),
                DEADLINE,
            )
            .context("the packages of package-lock.json could not be installed")?;
            fs::write(workspace.path(STAMP), lock)?;
        }
        Ok(Self {
            node,
            modules: workspace.path("node_modules"),
        })
    }

    /// The tools where they are, for tests, which install nothing.
    #[cfg(test)]
    pub(crate) fn installed(workspace: &Workspace) -> Self {
        Self {
            node: "node".into(),
            modules: workspace.path("node_modules"),
        }
    }

    /// Node.js itself.
    pub(crate) fn node(&self) -> Command {
        Command::new(&self.node)
    }

    /// Binaryen's optimiser.
    pub(crate) fn wasm_opt(&self) -> Command {
        let mut command = self.node();
        command.arg(self.modules.join("binaryen/bin/wasm-opt"));
        command
    }

    /// The JavaScript minifier. npm links it whether it is a script or, after
    /// its install script has run, a binary.
    pub(crate) fn esbuild(&self) -> Command {
        Command::new(self.modules.join(".bin/esbuild"))
    }
}

fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

fn advice() -> String {
    format!(
        "Node.js {OLDEST} or newer with npm is needed: the packages `nodejs` and `npm` of Debian \
         and Ubuntu, `nodejs` and `nodejs-npm` of Fedora, or https://nodejs.org"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_the_first_number() {
        assert_eq!(major("v20.20.2"), Some(20));
        assert_eq!(major("v9.0.0-nightly"), Some(9));
        assert_eq!(major("unknown"), None);
    }
}
