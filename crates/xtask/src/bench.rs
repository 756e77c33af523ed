//! `cargo xtask bench`: measures Vestibule beside its peers.

mod load;

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use self::load::Load;
use crate::{
    manifest::Manifest,
    process,
    progress::Progress,
    setup::{browser::Browser, node::NodeTools, wasm_target},
    wasm,
    workspace::Workspace,
};

/// What is measured.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// The landing page on a slow phone, from navigation to `request_token` and from
    /// failure to error page, beside Pexip's client, plain JavaScript and nunjucks
    Startup {
        /// How often each contender is measured
        #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(11..))]
        runs: u32,
    },
    /// Full launches at the server, and their parts one by one, beside Express and Starlette
    Load(Load),
}

/// Sets up, builds what is measured, and measures.
pub(crate) fn run(workspace: &Workspace, bench: &Bench) -> Result<ExitCode> {
    match bench {
        Bench::Startup { runs } => startup(workspace, *runs),
        Bench::Load(load) => load.run(workspace),
    }
}

fn startup(workspace: &Workspace, runs: u32) -> Result<ExitCode> {
    let mut progress = Progress::new(4);
    progress.step("Looking for the wasm target", || {
        wasm_target::ensure(workspace)
    })?;
    let tools = progress.step("Looking for Node.js and its tools", || {
        NodeTools::ensure(workspace)
    })?;
    let browser = progress.step("Looking for Chromium", || Browser::ensure(workspace))?;
    let manifest = Manifest::read(workspace)?;
    progress.step("Building the landing page", || {
        wasm::build(workspace, &manifest, Some(&tools))
    })?;
    let mut bench = workspace.cargo(["run", "--quiet", "--release"]);
    bench
        .args(["--package", "vestibule-benches", "--", "startup", "--root"])
        .arg(workspace.root())
        .args(["--runs", &runs.to_string(), "--www"])
        .arg(workspace.path(&manifest.output))
        .arg("--chromium")
        .arg(&browser.chromium)
        .arg("--chromedriver")
        .arg(&browser.chromedriver);
    process::run(&mut bench)?;
    Ok(ExitCode::SUCCESS)
}
