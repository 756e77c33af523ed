//! Which crates are in what is handed out: those of the program, and those of the wasm
//! modules that it serves. What only runs while it is built is left out.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use toml_edit::DocumentMut;

use super::PACKAGED;
use crate::{manifest::Manifest, process::output, setup::wasm_target, workspace::Workspace};

/// The crates, by name and version.
pub(super) struct MadeOf {
    pub(super) crates: Vec<Crate>,
    /// What the standard library belongs to: `1.95.0`.
    pub(super) rust: String,
    /// The version of the program itself.
    pub(super) version: String,
}

/// One of them, as its manifest and the lock file describe it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Crate {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) license: Option<String>,
    pub(super) description: Option<String>,
    pub(super) repository: Option<String>,
    pub(super) manifest_path: String,
    /// Nothing for our own.
    pub(super) source: Option<String>,
    /// SHA-256 of what crates.io hands out, in hexadecimal.
    #[serde(skip)]
    pub(super) checksum: Option<String>,
    /// The ids of the crates here that it uses.
    #[serde(skip)]
    pub(super) uses: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Crate>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    dependencies: Vec<String>,
}

impl MadeOf {
    /// Asks cargo.
    pub(super) fn of(workspace: &Workspace, manifest: &Manifest) -> Result<Self> {
        let mut used = tree(workspace, PACKAGED, None)?;
        for module in &manifest.modules {
            used.extend(tree(workspace, &module.package, Some(wasm_target::TARGET))?);
        }
        let metadata = output(&mut workspace.cargo([
            "metadata",
            "--format-version=1",
            "--locked",
            "--all-features",
        ]))?;
        let metadata: Metadata =
            serde_json::from_str(&metadata).context("cargo's metadata are not as expected")?;
        let lock = std::fs::read_to_string(workspace.path("Cargo.lock"))?;
        let mut made_of = Self {
            crates: chosen(metadata, &used, &checksums(&lock)?),
            rust: release(&output(workspace.command("rustc").arg("-vV"))?)
                .context("rustc does not say which release it is")?,
            version: String::new(),
        };
        ensure!(
            made_of.crates.len() == used.len(),
            "cargo lists {} crates and describes {}",
            used.len(),
            made_of.crates.len()
        );
        made_of.version = made_of.program()?.version.clone();
        Ok(made_of)
    }

    /// The program's own crate.
    pub(super) fn program(&self) -> Result<&Crate> {
        let mut crates = self.crates.iter();
        let program = crates.find(|one| one.name == PACKAGED);
        program.with_context(|| format!("{PACKAGED} is not among its own crates"))
    }
}

/// Name and version of everything that ends up in what `package` is built to.
fn tree(
    workspace: &Workspace,
    package: &str,
    target: Option<&str>,
) -> Result<BTreeSet<(String, String)>> {
    let mut cargo = workspace.cargo(["tree", "--locked", "--package", package]);
    cargo.args(["--edges", "normal,no-proc-macro"]);
    cargo.args(["--prefix", "none", "--format", "{p}"]);
    if let Some(target) = target {
        cargo.args(["--target", target]);
    }
    output(&mut cargo)?.lines().map(name_and_version).collect()
}

/// Of a line such as `serde v1.0.229` or `xtask v0.1.0 (/folder) (*)`.
fn name_and_version(line: &str) -> Result<(String, String)> {
    let mut words = line.split(' ');
    let name = words.next().unwrap_or_default();
    let version = words.next().and_then(|word| word.strip_prefix('v'));
    let version = version.with_context(|| format!("cargo tree says `{line}`"))?;
    Ok((name.to_owned(), version.to_owned()))
}

fn chosen(
    metadata: Metadata,
    used: &BTreeSet<(String, String)>,
    checksums: &BTreeMap<(String, String), String>,
) -> Vec<Crate> {
    let mut crates: Vec<Crate> = metadata
        .packages
        .into_iter()
        .filter(|one| used.contains(&(one.name.clone(), one.version.clone())))
        .collect();
    crates.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    let ids: BTreeSet<String> = crates.iter().map(|one| one.id.clone()).collect();
    let mut uses: BTreeMap<String, Vec<String>> = metadata
        .resolve
        .nodes
        .into_iter()
        .map(|node| (node.id, node.dependencies))
        .collect();
    for one in &mut crates {
        let key = (one.name.clone(), one.version.clone());
        one.checksum = checksums.get(&key).cloned();
        one.uses = uses.remove(&one.id).unwrap_or_default();
        one.uses.retain(|id| ids.contains(id));
        one.uses.sort();
        one.uses.dedup();
    }
    crates
}

/// The checksums of a lock file, by name and version.
fn checksums(lock: &str) -> Result<BTreeMap<(String, String), String>> {
    let lock: DocumentMut = lock.parse().context("Cargo.lock is not TOML")?;
    let packages = lock
        .get("package")
        .and_then(|item| item.as_array_of_tables());
    let packages = packages.context("Cargo.lock lists no packages")?;
    Ok(packages
        .iter()
        .filter_map(|package| {
            let text = |key: &str| Some(package.get(key)?.as_str()?.to_owned());
            Some(((text("name")?, text("version")?), text("checksum")?))
        })
        .collect())
}

/// `1.95.0` of `rustc -vV`.
fn release(rustc: &str) -> Option<String> {
    let mut lines = rustc.lines();
    lines.find_map(|line| line.strip_prefix("release: ").map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_cargo_tree_are_taken_apart() {
        let read = |line| name_and_version(line).ok();
        let pair = |name: &str, version: &str| Some((name.to_owned(), version.to_owned()));
        assert_eq!(read("serde v1.0.229"), pair("serde", "1.0.229"));
        assert_eq!(read("xtask v0.1.0 (/a b) (*)"), pair("xtask", "0.1.0"));
        assert_eq!(read("[build-dependencies]"), None);
    }

    #[test]
    fn what_runs_only_while_the_program_is_built_is_not_in_it() {
        let workspace = Workspace::new();
        let manifest = Manifest::read(&workspace).unwrap();
        let made_of = MadeOf::of(&workspace, &manifest).unwrap();
        let has = |name: &str| made_of.crates.iter().any(|one| one.name == name);
        // The server's, the store's and the browser's.
        for name in ["vestibule-server", "libsqlite3-sys", "wasm-bindgen", "talc"] {
            assert!(has(name), "{name}");
        }
        for name in [
            "serde_derive",
            "cc",
            "xtask",
            "proptest",
            "vestibule-sandbox",
        ] {
            assert!(!has(name), "{name}");
        }
        for one in &made_of.crates {
            let is_ours = one.source.is_none();
            assert_eq!(one.checksum.is_none(), is_ours, "{}", one.name);
            assert!(one.license.is_some(), "{}", one.name);
        }
        assert!(!made_of.program().unwrap().uses.is_empty());
    }
}
