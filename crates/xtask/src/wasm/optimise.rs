//! Smaller modules, glue and pages, and the proof that the modules are still
//! valid.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use wasmparser::{Validator, WasmFeatures};

use super::{
    html, lower,
    names::{self, ShortNames},
};
use crate::{
    manifest::{Manifest, WasmFeature},
    process,
    setup::node::NodeTools,
};

/// The oldest browsers that load a script when it is needed (`import()`), know their own
/// address in it (`import.meta`) and have WebAssembly.
const BROWSERS: &str = "chrome64,edge79,firefox67,safari11.1";
/// esbuild takes destructuring out for Safari before 14.1, or rather cannot: for an edge case
/// in default values that nothing here has.
const SUPPORTED: &str = "--supported:destructuring=true";
/// What browsers without modules understand.
const CLASSIC_JAVASCRIPT: &str = "es5";

/// Runs wasm-opt on a module, in place. The glue has to take over the names.
pub(super) fn wasm(
    tools: &NodeTools,
    manifest: &Manifest,
    module: &str,
    wasm: &Path,
) -> Result<ShortNames> {
    let printed = process::output(
        tools
            .wasm_opt()
            .args(lower::flags(&manifest.wasm_features))
            .args(&manifest.wasm_opt)
            .arg(names::PASS)
            .arg(wasm)
            .arg("--output")
            .arg(wasm),
    )?;
    ShortNames::parse(&printed, module)
}

/// Gives a module's glue the short names, in place.
pub(super) fn glue(tools: &NodeTools, names: &ShortNames, glue: &Path) -> Result<()> {
    // Away with the comments: they may speak of the names.
    esbuild(tools, glue, &["--format=esm", "--legal-comments=none"])?;
    rewrite(glue, |text| names.rename_in_glue(text))
}

/// Makes one minified ECMAScript module of a script and of what it imports.
pub(crate) fn bundle(tools: &NodeTools, entry: &Path, bundled: &Path) -> Result<()> {
    process::run(
        tools
            .esbuild()
            .arg(entry)
            .args(["--bundle", "--minify", "--format=esm", "--charset=utf8"])
            .args(["--legal-comments=none", "--log-level=warning"])
            // Otherwise what is imported and not there becomes `undefined`.
            .arg("--log-override:import-is-undefined=error")
            .arg(format!("--target={BROWSERS}"))
            .arg(SUPPORTED)
            .arg(format!("--outfile={}", bundled.display())),
    )
}

/// Makes a module's TypeScript declarations true again after its names have
/// changed: the API stays, the raw exports go.
pub(super) fn declarations(api: &Path, exports: &Path) -> Result<()> {
    fs::remove_file(exports).with_context(|| format!("cannot remove {}", exports.display()))?;
    rewrite(api, names::hide_exports)
}

/// Minifies a script for every browser, in place.
pub(super) fn classic_script(tools: &NodeTools, file: &Path) -> Result<()> {
    // Without a format: what stands outside of functions may be meant for others.
    let target = format!("--target={CLASSIC_JAVASCRIPT}");
    esbuild(tools, file, &["--minify", &target])
}

/// Minifies a page or what belongs to it, in place, by the ending of its name;
/// files of other kinds stay as they are.
pub(crate) fn page(tools: &NodeTools, file: &Path) -> Result<()> {
    match file.extension().and_then(|ending| ending.to_str()) {
        Some("js") => {
            let target = format!("--target={BROWSERS}");
            esbuild(
                tools,
                file,
                &["--minify", "--format=esm", &target, SUPPORTED],
            )
        }
        Some("json") => rewrite(file, |text| {
            let value: serde_json::Value = serde_json::from_str(text)?;
            Ok(value.to_string())
        }),
        Some("css") => esbuild(tools, file, &["--minify", &format!("--target={BROWSERS}")]),
        Some("html") => rewrite(file, |text| Ok(html::collapse_white_space(text))),
        _ => Ok(()),
    }
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

pub(crate) fn rewrite(file: &Path, change: impl FnOnce(&str) -> Result<String>) -> Result<()> {
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
    fn scripts_get_the_syntax_of_the_browsers_that_run_them() {
        let tools = NodeTools::installed(&Workspace::new());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("script.js");
        let minified = |script: &str, by: fn(&NodeTools, &Path) -> Result<()>| {
            fs::write(&path, script).unwrap();
            by(&tools, &path).unwrap();
            fs::read_to_string(&path).unwrap()
        };
        assert_eq!(
            minified(SCRIPT, classic_script).trim_end(),
            "function show(n){return n!=null?n:1}show(2);"
        );
        let module = minified("export const show = (given) => given?.at ?? 1;\n", page);
        assert!(module.contains("=>"), "{module}");
        assert!(!module.contains("??") && !module.contains("?."), "{module}");
    }

    #[test]
    fn a_bundle_has_in_it_what_is_imported_and_used() {
        let tools = NodeTools::installed(&Workspace::new());
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let part = "export const used = \"Größe\";\nexport const unused = \"nothing\";\n";
        fs::write(path("part.js"), part).unwrap();
        let entry = "import { used } from \"./part.js\";\nconsole.log(used);\n";
        fs::write(path("entry.js"), entry).unwrap();
        bundle(&tools, &path("entry.js"), &path("bundled.js")).unwrap();
        let bundled = fs::read_to_string(path("bundled.js")).unwrap();
        assert!(bundled.contains("Größe") && !bundled.contains("nothing"));
        assert!(!bundled.contains("import"), "{bundled}");
    }

    #[test]
    fn a_bundle_that_imports_what_is_not_there_is_refused() {
        let tools = NodeTools::installed(&Workspace::new());
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("part.js"), "").unwrap();
        let entry = "import { used } from \"./part.js\";\nused();\n";
        fs::write(path("entry.js"), entry).unwrap();
        assert!(bundle(&tools, &path("entry.js"), &path("bundled.js")).is_err());
    }

    #[test]
    fn json_loses_its_white_space_only() {
        let tools = NodeTools::installed(&Workspace::new());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("de.json");
        fs::write(&path, "{\n  \"a\": \"b  c\"\n}\n").unwrap();
        page(&tools, &path).unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "{\"a\":\"b  c\"}");
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
