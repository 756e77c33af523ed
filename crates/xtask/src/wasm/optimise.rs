//! Smaller modules and glue, and the proof that they are still valid.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use wasmparser::{Validator, WasmFeatures};

use crate::{
    manifest::{Manifest, WasmFeature},
    process,
    setup::node::NodeTools,
};

/// The oldest JavaScript that a browser with the modules' features understands.
const JAVASCRIPT: &str = "es2020";

/// Runs wasm-opt on a module, in place.
pub(super) fn wasm(tools: &NodeTools, manifest: &Manifest, wasm: &Path) -> Result<()> {
    let features = manifest.wasm_features.iter();
    process::run(
        tools
            .wasm_opt()
            .args(features.map(|feature| feature.wasm_opt_flag()))
            .args(&manifest.wasm_opt)
            .arg(wasm)
            .arg("--output")
            .arg(wasm),
    )
}

/// Minifies a module's glue, in place; it stays an ECMAScript module.
pub(super) fn glue(tools: &NodeTools, script: &Path) -> Result<()> {
    process::run(
        tools
            .esbuild()
            .arg(script)
            .args(["--minify", "--format=esm", "--log-level=warning"])
            .arg(format!("--target={JAVASCRIPT}"))
            .arg("--allow-overwrite")
            .arg(format!("--outfile={}", script.display())),
    )
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
