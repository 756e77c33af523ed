//! `cargo xtask wasm`: builds the landing page and its wasm modules into the
//! folder that the server serves.

mod bindings;
mod compress;
mod html;
mod names;
mod optimise;
mod paths;
mod publish;
mod trial;

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
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

/// Builds and publishes everything. Without tools nothing is optimised.
pub(crate) fn build(
    workspace: &Workspace,
    manifest: &Manifest,
    tools: Option<&NodeTools>,
) -> Result<SizesByFile> {
    bindings::check_version(&workspace.path("Cargo.lock"))?;
    let _lock = lock(workspace)?;
    let staging = publish::Staging::new(&workspace.path(&manifest.output))?;
    part("pages", || {
        staging.add_pages(&workspace.path(&manifest.pages))?;
        tools.map_or(Ok(()), |tools| minify_pages(tools, staging.path()))
    })?;
    let rustflags = paths::rustflags(workspace)?;
    for module in &manifest.modules {
        part(&format!("module {}", module.name), || {
            let built = build_module(workspace, manifest, module, &rustflags)?;
            bind(workspace, manifest, module, tools, &built, staging.path())
        })?;
    }
    part("compression", || {
        let sizes = compress::compress_folder(staging.path())?;
        staging.publish()?;
        Ok(sizes)
    })
}

/// Prints the sizes; an error where a budget is exceeded or a file not counted.
pub(crate) fn report(manifest: &Manifest, sizes: &SizesByFile) -> Result<()> {
    let report = Report::new(&manifest.groups, sizes);
    print!("{}", report.table);
    ensure!(report.faults.is_empty(), "{}", report.faults.join("; "));
    Ok(())
}

/// Minifies what the folder has in it as long as there are only pages.
fn minify_pages(tools: &NodeTools, folder: &Path) -> Result<()> {
    publish::files_below(folder)?
        .iter()
        .try_for_each(|file| optimise::page(tools, file))
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

/// Turns a built module into what is served of it.
fn bind(
    workspace: &Workspace,
    manifest: &Manifest,
    module: &Module,
    tools: Option<&NodeTools>,
    built: &Path,
    output: &Path,
) -> Result<()> {
    bindings::generate(built, &module.name, output)?;
    let file = |ending: &str| output.join(format!("{}{ending}", module.name));
    let (glue, wasm) = (file(".js"), file("_bg.wasm"));
    if let Some(tools) = tools {
        let names = optimise::wasm(tools, manifest, &module.name, &wasm)?;
        optimise::glue(tools, &names, &glue)?;
        optimise::declarations(&file(".d.ts"), &file("_bg.wasm.d.ts"))?;
        trial::start(workspace, tools, &names, &glue, &wasm)?;
    }
    optimise::validate(&wasm, &manifest.wasm_features)?;
    paths::check(workspace, &wasm)
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
