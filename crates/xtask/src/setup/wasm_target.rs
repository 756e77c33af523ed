//! The Rust standard library for WebAssembly.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result, ensure};

use crate::{
    process::{output, run_logged},
    workspace::Workspace,
};

/// The target that the wasm modules are built for.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

const DEADLINE: Duration = Duration::from_secs(300);

/// Adds the target with rustup where it is missing.
pub(crate) fn ensure(workspace: &Workspace) -> Result<()> {
    if is_present(workspace)? {
        return Ok(());
    }
    run_logged(
        workspace.command("rustup").args(["target", "add", TARGET]),
        &workspace.scratch()?.join("rustup.log"),
        DEADLINE,
    )
    .with_context(advice)?;
    ensure!(is_present(workspace)?, advice());
    Ok(())
}

/// rustc names the folder also where nothing is installed, so look into it.
fn is_present(workspace: &Workspace) -> Result<bool> {
    let mut rustc = workspace.command("rustc");
    let folder = output(rustc.args(["--print", "target-libdir", "--target", TARGET]))?;
    Ok(has_standard_library(Path::new(&folder)))
}

fn has_standard_library(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libstd") && name.ends_with(".rlib")
        })
    })
}

fn advice() -> String {
    format!(
        "the Rust standard library for {TARGET} is missing and could not be added; run \
         `rustup target add {TARGET}` with a connection to static.rust-lang.org, or install your \
         distribution's package of it"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_or_missing_folder_is_no_standard_library() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!has_standard_library(folder.path()));
        assert!(!has_standard_library(&folder.path().join("missing")));
        fs::write(folder.path().join("libstd-0123.rlib"), "").unwrap();
        assert!(has_standard_library(folder.path()));
    }
}
