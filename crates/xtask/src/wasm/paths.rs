//! Keeps the folders of the building machine out of the modules: they are of
//! no use to anybody, and make every machine's modules differ.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::{process, setup::wasm_target, workspace::Workspace};

/// Cargo's separator between flags, which may have spaces inside.
pub(super) const SEPARATOR: char = '\x1f';

/// The part of `cargo metadata` that tells where sources are.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    manifest_path: PathBuf,
}

/// The value of `CARGO_ENCODED_RUSTFLAGS` by which panic messages name a source
/// file without the folder that the sources are in. The flags that the user has
/// put into the environment stay; this variable is the one that Cargo asks first.
pub(crate) fn rustflags(workspace: &Workspace) -> Result<String> {
    let mut flags = user_flags(
        env::var("CARGO_ENCODED_RUSTFLAGS").ok().as_deref(),
        env::var("RUSTFLAGS").ok().as_deref(),
    );
    for folder in source_folders(workspace)? {
        flags.push(remap(&folder, "")?);
    }
    let (folder, name) = standard_library(workspace)?;
    flags.push(remap(&folder, &name)?);
    Ok(flags.join(&SEPARATOR.to_string()))
}

/// Refuses a module in which a folder of this machine stands.
pub(super) fn check(workspace: &Workspace, wasm: &Path) -> Result<()> {
    let bytes = fs::read(wasm).with_context(|| format!("cannot read {}", wasm.display()))?;
    let mut folders = vec![workspace.root().to_path_buf()];
    folders.extend(env::home_dir());
    for folder in folders {
        ensure!(
            !contains_folder(&bytes, &folder),
            "{} has paths below {} in it",
            wasm.display(),
            folder.display()
        );
    }
    Ok(())
}

/// The flags in the order in which Cargo asks for them: the first variable that
/// is set hides the other one.
fn user_flags(encoded: Option<&str>, plain: Option<&str>) -> Vec<String> {
    let flags: Vec<&str> = match (encoded, plain) {
        (Some(encoded), _) => encoded.split(SEPARATOR).collect(),
        (None, Some(plain)) => plain.split(' ').map(str::trim).collect(),
        (None, None) => Vec::new(),
    };
    let flags = flags.into_iter().filter(|flag| !flag.is_empty());
    flags.map(str::to_owned).collect()
}

/// The workspace, and the folders that have the sources of other packages in
/// them: `registry/src/…`.
fn source_folders(workspace: &Workspace) -> Result<BTreeSet<PathBuf>> {
    let metadata = process::output(&mut workspace.cargo([
        "metadata",
        "--quiet",
        "--format-version",
        "1",
        "--filter-platform",
        wasm_target::TARGET,
    ]))?;
    let metadata: Metadata =
        serde_json::from_str(&metadata).context("`cargo metadata` cannot be read")?;
    let mut folders = BTreeSet::from([
        workspace.root().to_path_buf(),
        workspace.target().to_path_buf(),
    ]);
    for package in &metadata.packages {
        let manifest = &package.manifest_path;
        if !manifest.starts_with(workspace.root()) {
            folders.extend(manifest.ancestors().nth(2).map(Path::to_path_buf));
        }
    }
    Ok(folders)
}

/// Where the source of the standard library is if it is installed, and what it
/// is called in the modules if it is not.
fn standard_library(workspace: &Workspace) -> Result<(PathBuf, String)> {
    let mut rustc = workspace.command("rustc");
    let sysroot = process::output(rustc.args(["--print", "sysroot"]))?;
    let version = process::output(workspace.command("rustc").arg("-vV"))?;
    Ok((
        Path::new(&sysroot).join("lib/rustlib/src/rust"),
        standard_library_name(&version)?,
    ))
}

fn standard_library_name(version: &str) -> Result<String> {
    let field = |name: &str| {
        let mut values = version.lines().filter_map(|line| line.strip_prefix(name));
        values.next().filter(|value| *value != "unknown")
    };
    let name = field("commit-hash: ")
        .or_else(|| field("release: "))
        .context("`rustc -vV` tells neither its commit nor its release")?;
    Ok(format!("/rustc/{name}"))
}

fn remap(folder: &Path, name: &str) -> Result<String> {
    let folder = folder
        .to_str()
        .with_context(|| format!("{} is not UTF-8", folder.display()))?;
    Ok(format!("--remap-path-prefix={folder}={name}"))
}

/// Whether a path below the folder stands somewhere. The slash behind keeps
/// `/home/ada` from being found in `/home/adam`; `/src`, being in the path of every
/// package, is never searched for.
fn contains_folder(bytes: &[u8], folder: &Path) -> bool {
    if folder == Path::new("/") || folder == Path::new("/src") {
        return false;
    }
    let needle = folder.join("");
    let needle = needle.as_os_str().as_encoded_bytes();
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_the_user_are_read_as_cargo_reads_them() {
        assert_eq!(
            user_flags(None, Some("-C  opt-level=1 ")),
            ["-C", "opt-level=1"]
        );
        assert_eq!(
            user_flags(Some("--cfg\x1fa=\"b c\""), Some("-g")),
            ["--cfg", "a=\"b c\""]
        );
        assert_eq!(user_flags(Some(""), Some("-g")), [""; 0]);
        assert_eq!(user_flags(None, None), [""; 0]);
    }

    #[test]
    fn sources_in_the_workspace_and_outside_of_it_are_covered() {
        let workspace = Workspace::new();
        let folders = source_folders(&workspace).unwrap();
        assert!(folders.contains(workspace.root()));
        let outside = folders
            .iter()
            .filter(|folder| !folder.starts_with(workspace.root()));
        assert!(outside.count() > 0, "{folders:?}");
    }

    #[test]
    fn the_standard_library_is_called_after_its_commit_or_else_its_release() {
        let version = "rustc 1.95.0\ncommit-hash: 59807616\nrelease: 1.95.0\n";
        assert_eq!(standard_library_name(version).unwrap(), "/rustc/59807616");
        let version = version.replace("59807616", "unknown");
        assert_eq!(standard_library_name(&version).unwrap(), "/rustc/1.95.0");
        assert!(standard_library_name("").is_err());
    }

    #[test]
    fn a_folder_is_found_in_a_module_but_not_in_the_name_of_a_file() {
        let home = Path::new("/home/ada");
        assert!(contains_folder(b"\0a/home/ada/.cargo/lib.rs", home));
        assert!(!contains_folder(b"\0a/home/adam/lib.rs", home));
        assert!(!contains_folder(b"a/src/b.rs", Path::new("/src")));
        assert!(!contains_folder(b"/rustc/lib.rs", Path::new("/")));
    }
}
