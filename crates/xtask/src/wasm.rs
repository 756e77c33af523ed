//! `cargo xtask wasm`: builds the landing page and its wasm modules into the
//! folder that the server serves.

mod bindings;
mod compress;
pub(crate) mod html;
mod inline;
mod links;
mod lower;
mod names;
pub(crate) mod optimise;
pub(crate) mod paths;
pub(crate) mod publish;
mod served;
pub(crate) mod site;
mod start;
mod texts;
mod trial;

use std::{
    fs::{self, File},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context, Result, ensure};

use crate::{
    manifest::{Manifest, Module},
    process,
    progress::{Progress, part},
    report::{Report, SizesByFile},
    setup::{node::NodeTools, wasm_target},
    workspace::Workspace,
};

use site::Site;

/// The modules have a panic handler of their own, and what is compiled here needs no
/// reference types, by which wasm-bindgen would make the glue need them. The standard
/// library, compiled elsewhere, is lowered afterwards.
const FLAGS: [&str; 4] = [
    "--cfg",
    "vestibule_module",
    "-Ctarget-cpu=mvp",
    "-Ctarget-feature=+mutable-globals",
];

/// Runs the command: sets up, builds, reports.
pub(crate) fn run(workspace: &Workspace, no_opt: bool) -> Result<ExitCode> {
    let mut progress = Progress::new(if no_opt { 2 } else { 3 });
    progress.step("Looking for the wasm target", || {
        wasm_target::ensure(workspace)
    })?;
    let tools = if no_opt {
        None
    } else {
        let ensure = || NodeTools::ensure(workspace);
        Some(progress.step("Looking for Node.js and its tools", ensure)?)
    };
    let manifest = Manifest::read(workspace)?;
    let build = || build(workspace, &manifest, tools.as_ref());
    let sizes = progress.step("Building the landing page", build)?;
    if tools.is_none() {
        eprintln!("Not optimised, so not held against the size budgets.");
        return Ok(ExitCode::SUCCESS);
    }
    report(&manifest, &sizes)?;
    Ok(ExitCode::SUCCESS)
}

/// Builds and publishes everything. Without tools nothing is optimised, lowered or
/// bundled.
pub(crate) fn build(
    workspace: &Workspace,
    manifest: &Manifest,
    tools: Option<&NodeTools>,
) -> Result<SizesByFile> {
    bindings::check_version(&workspace.path("Cargo.lock"))?;
    crate::locales::check(workspace)?;
    let _lock = lock(workspace)?;
    let mut site = Site::new(workspace, manifest, tools)?;
    part("pages", || site.add_pages())?;
    let mut rustflags = vec![paths::rustflags(workspace)?];
    rustflags.extend(FLAGS.map(str::to_owned));
    let rustflags = rustflags.join(&paths::SEPARATOR.to_string());
    // The entry comes last: it has the names and hashes of the others in it.
    let (last, first): (Vec<_>, Vec<_>) = manifest
        .modules
        .iter()
        .partition(|module| module.entry.is_some());
    for module in first.into_iter().chain(last) {
        part(&format!("module {}", module.name), || {
            let built = build_module(workspace, manifest, module, &rustflags)?;
            site.add_module(module, &built)
        })?;
    }
    part("compression", || site.publish())
}

/// Prints the sizes; an error where a budget is exceeded or a file not counted.
pub(crate) fn report(manifest: &Manifest, sizes: &SizesByFile) -> Result<()> {
    let report = Report::new(&manifest.groups, sizes);
    print!("{}", report.table);
    ensure!(report.faults.is_empty(), "{}", report.faults.join("; "));
    Ok(())
}

/// Builds one module in a cargo call of its own: several packages in one call
/// would unify their features, and with them their sizes.
fn build_module(
    workspace: &Workspace,
    manifest: &Manifest,
    module: &Module,
    rustflags: &str,
) -> Result<PathBuf> {
    let mut cargo = workspace.cargo([
        "rustc",
        "--quiet",
        "--package",
        &module.package,
        "--lib",
        "--crate-type",
        "cdylib",
        "--profile",
        &manifest.profile,
        "--target",
        wasm_target::TARGET,
    ]);
    process::run(cargo.env("CARGO_ENCODED_RUSTFLAGS", rustflags))?;
    Ok(workspace
        .target()
        .join(wasm_target::TARGET)
        .join(&manifest.profile)
        .join(module.package.replace('-', "_"))
        .with_extension("wasm"))
}

/// Keeps a second build from writing to the same folders.
fn lock(workspace: &Workspace) -> Result<File> {
    let path = workspace.scratch()?.join("wasm.lock");
    let file = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    file.lock()
        .with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}
