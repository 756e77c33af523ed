//! From what rustc makes to WebAssembly 1.0. rustc uses features that browsers before
//! Chrome 96 lack, and the standard library comes compiled with them; wasm-opt turns
//! them into instructions that every browser with WebAssembly has.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::{
    manifest::{Manifest, WasmFeature},
    process,
    setup::node::NodeTools,
};

/// The passes that take a feature out, each by its equal in older instructions.
const LOWERING: [&str; 3] = [
    "--signext-lowering",
    "--llvm-nontrapping-fptoint-lowering",
    "--llvm-memory-copy-fill-lowering",
];

/// Lowers a module before wasm-bindgen reads it, so that wasm-bindgen writes glue
/// that needs no reference types.
pub(super) fn lower(tools: &NodeTools, manifest: &Manifest, from: &Path, to: &Path) -> Result<()> {
    // What rustc declares beyond its features: a table index of more than one byte.
    let compiled = manifest.compiler_features.iter();
    process::run(
        tools
            .wasm_opt()
            .args(compiled.map(|feature| feature.wasm_opt_flag()))
            .arg("--enable-call-indirect-overlong")
            .args(LOWERING)
            .args(["--strip-target-features", "--debuginfo"])
            .arg(from)
            .arg("--output")
            .arg(to),
    )?;
    // Written anew, for the encoding of the remaining instructions differs too.
    process::run(
        tools
            .wasm_opt()
            .args(flags(&manifest.wasm_features))
            .args(["--emit-target-features", "--debuginfo"])
            .arg(to)
            .arg("--output")
            .arg(to),
    )
}

/// Leaves a module as rustc made it, for a build without wasm-opt.
pub(super) fn keep(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to)
        .map(drop)
        .with_context(|| format!("cannot copy {}", from.display()))
}

/// The options by which wasm-opt may use WebAssembly 1.0 and these features.
pub(super) fn flags(features: &[WasmFeature]) -> impl Iterator<Item = &'static str> {
    let beyond = features.iter().map(|feature| feature.wasm_opt_flag());
    std::iter::once("--mvp-features").chain(beyond)
}
