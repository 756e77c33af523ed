//! Smaller modules, glue and pages, and the proof that the modules are still
//! valid.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use wasmparser::{Validator, WasmFeatures};

use super::{
    html,
    names::{self, ShortNames},
};
use crate::{
    manifest::{Manifest, WasmFeature},
    process,
    setup::node::NodeTools,
};

/// The oldest JavaScript that a browser with the modules' features understands.
const JAVASCRIPT: &str = "es2020";
/// What browsers without modules understand, and the script that speaks to them.
const CLASSIC_JAVASCRIPT: &str = "es5";
const CLASSIC_SCRIPT: &str = "legacy.js";
/// The oldest browsers with those features, which the style sheets are for.
const BROWSERS: &str = "chrome96,edge96,firefox79,safari15";

/// Runs wasm-opt on a module, in place. The glue has to take over the names.
pub(super) fn wasm(
    tools: &NodeTools,
    manifest: &Manifest,
    module: &str,
    wasm: &Path,
) -> Result<ShortNames> {
    let features = manifest.wasm_features.iter();
    let printed = process::output(
        tools
            .wasm_opt()
            .args(features.map(|feature| feature.wasm_opt_flag()))
            .args(&manifest.wasm_opt)
            .arg(names::PASS)
            .arg(wasm)
            .arg("--output")
            .arg(wasm),
    )?;
    ShortNames::parse(&printed, module)
}

/// Gives a module's glue the short names and minifies it, in place.
pub(super) fn glue(tools: &NodeTools, names: &ShortNames, glue: &Path) -> Result<()> {
    // Away with the comments: they may speak of the names.
    esbuild(tools, glue, &["--format=esm", "--legal-comments=none"])?;
    rewrite(glue, |text| names.rename_in_glue(text))?;
    script(tools, glue)
}

/// Makes a module's TypeScript declarations true again after its names have
/// changed: the API stays, the raw exports go.
pub(super) fn declarations(api: &Path, exports: &Path) -> Result<()> {
    fs::remove_file(exports).with_context(|| format!("cannot remove {}", exports.display()))?;
    rewrite(api, names::hide_exports)
}

/// Minifies a page or what belongs to it, in place, by the ending of its name;
/// files of other kinds stay as they are.
pub(super) fn page(tools: &NodeTools, file: &Path) -> Result<()> {
    if file.file_name().is_some_and(|name| name == CLASSIC_SCRIPT) {
        // Without a format: what stands outside of functions may be meant for others.
        let target = format!("--target={CLASSIC_JAVASCRIPT}");
        return esbuild(tools, file, &["--minify", &target]);
    }
    match file.extension().and_then(|ending| ending.to_str()) {
        Some("js") => script(tools, file),
        Some("css") => esbuild(tools, file, &["--minify", &format!("--target={BROWSERS}")]),
        Some("html") => rewrite(file, |text| Ok(html::collapse_white_space(text))),
        _ => Ok(()),
    }
}

/// Minifies an ECMAScript module.
fn script(tools: &NodeTools, script: &Path) -> Result<()> {
    let target = format!("--target={JAVASCRIPT}");
    esbuild(tools, script, &["--minify", "--format=esm", &target])
}

fn esbuild(tools: &NodeTools, file: &Path, options: &[&str]) -> Result<()> {
    process::run(
        tools
            .esbuild()
            .arg(file)
            .args(options)
            .args(["--log-level=warning", "--allow-overwrite"])
            .arg(format!("--outfile={}", file.display())),
    )
}

fn rewrite(file: &Path, change: impl FnOnce(&str) -> Result<String>) -> Result<()> {
    let name = || file.display().to_string();
    let text = fs::read_to_string(file).with_context(name)?;
    let text = change(&text).with_context(name)?;
    fs::write(file, text).with_context(name)
}

/// Refuses a module that is broken, or that needs a feature not listed: the
/// browsers that we promise would refuse it too.
pub(super) fn validate(wasm: &Path, features: &[WasmFeature]) -> Result<()> {
    let bytes = fs::read(wasm).with_context(|| format!("cannot read {}", wasm.display()))?;
    let features = features.iter().fold(WasmFeatures::MVP, |all, feature| {
        all | feature.validator_flag()
    });
    Validator::new_with_features(features)
        .validate_all(&bytes)
        .map(drop)
        .with_context(|| format!("{} is not valid WebAssembly", wasm.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;

    /// A module with one function `(param i32) (result i32)` of these
    /// instructions, which must leave an i32.
    fn module(instructions: &[u8]) -> Vec<u8> {
        let mut bytes = b"\0asm\x01\0\0\0".to_vec();
        bytes.extend([0x01, 0x06, 0x01, 0x60, 0x01, 0x7f, 0x01, 0x7f]);
        bytes.extend([0x03, 0x02, 0x01, 0x00]);
        let body = instructions.len() as u8 + 4;
        bytes.extend([0x0a, body + 2, 0x01, body, 0x00, 0x20, 0x00]);
        bytes.extend(instructions);
        bytes.push(0x0b);
        bytes
    }

    fn check(bytes: &[u8], features: &[WasmFeature]) -> Result<()> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.wasm");
        fs::write(&path, bytes).unwrap();
        validate(&path, features)
    }

    const SCRIPT: &str = "function show(given) { return given != null ? given : 1; }\nshow(2);\n";

    #[test]
    fn only_modules_get_the_syntax_of_browsers_with_modules() {
        let tools = NodeTools::installed(&Workspace::new());
        let folder = tempfile::tempdir().unwrap();
        let minified = |name: &str| {
            let path = folder.path().join(name);
            fs::write(&path, SCRIPT).unwrap();
            page(&tools, &path).unwrap();
            fs::read_to_string(&path).unwrap()
        };
        assert_eq!(
            minified("legacy.js").trim_end(),
            "function show(n){return n!=null?n:1}show(2);"
        );
        assert!(minified("boot.js").contains("??"));
    }

    #[test]
    fn a_module_that_waits_outside_of_functions_is_refused() {
        let tools = NodeTools::installed(&Workspace::new());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("boot.js");
        fs::write(&path, "await start();\n").unwrap();
        assert!(page(&tools, &path).is_err());
    }

    #[test]
    fn a_feature_that_is_not_listed_is_refused() {
        let extend8_s = module(&[0xc0]);
        assert!(check(&extend8_s, &[WasmFeature::SignExt]).is_ok());
        assert!(check(&extend8_s, &[WasmFeature::BulkMemory]).is_err());
    }

    #[test]
    fn a_module_cut_short_is_refused() {
        let whole = module(&[]);
        assert!(check(&whole, &[]).is_ok());
        assert!(check(&whole[..whole.len() - 1], &[]).is_err());
    }
}
