//! JavaScript glue and TypeScript declarations, by wasm-bindgen as a library:
//! nothing to install, and its version stands in `Cargo.lock`.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use wasm_bindgen_cli_support::Bindgen;

#[derive(Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
}

/// Makes `name.js`, `name.d.ts`, `name_bg.wasm` and `name_bg.wasm.d.ts` in the
/// output folder, for `<script type="module">`, and `snippets/` with the scripts that
/// the module brings along.
/// Where the glue looks for its wasm by itself stands in it only `with_default_path`.
pub(super) fn generate(
    wasm: &Path,
    name: &str,
    output: &Path,
    with_default_path: bool,
) -> Result<()> {
    Bindgen::new()
        .input_path(wasm)
        .out_name(name)
        .web(true)?
        .typescript(true)
        .omit_default_module_path(!with_default_path)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(output)
        .with_context(|| format!("wasm-bindgen failed on {}", wasm.display()))
}

/// Both halves of wasm-bindgen, the one in the modules and the one in this
/// program, must have the same version, or the glue does not fit.
pub(super) fn check_version(lock: &Path) -> Result<()> {
    let text =
        fs::read_to_string(lock).with_context(|| format!("cannot read {}", lock.display()))?;
    let lock: Lock = toml_edit::de::from_str(&text).context("Cargo.lock cannot be read")?;
    let inside = version(&lock, "wasm-bindgen")?;
    let outside = version(&lock, "wasm-bindgen-cli-support")?;
    ensure!(
        inside == outside,
        "Cargo.lock has wasm-bindgen {inside} but wasm-bindgen-cli-support {outside}; set both to \
         one version in [workspace.dependencies] of Cargo.toml"
    );
    Ok(())
}

fn version<'a>(lock: &'a Lock, name: &str) -> Result<&'a str> {
    lock.package
        .iter()
        .find(|package| package.name == name)
        .map(|package| package.version.as_str())
        .with_context(|| format!("Cargo.lock has no {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(inside: &str, outside: &str) -> Result<()> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Cargo.lock");
        let lock = format!(
            "version = 4\n[[package]]\nname = \"wasm-bindgen\"\nversion = \"{inside}\"\n\
             [[package]]\nname = \"wasm-bindgen-cli-support\"\nversion = \"{outside}\"\n"
        );
        fs::write(&path, lock).unwrap();
        check_version(&path)
    }

    #[test]
    fn two_versions_of_wasm_bindgen_are_refused() {
        assert!(check("0.2.130", "0.2.130").is_ok());
        let message = check("0.2.131", "0.2.130").unwrap_err().to_string();
        assert!(
            message.contains("0.2.131") && message.contains("0.2.130"),
            "{message}"
        );
    }
}
