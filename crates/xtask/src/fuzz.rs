//! `cargo xtask fuzz`: hostile input for everything that reads what comes from
//! outside. `cargo xtask test` gives each target a few seconds.

use std::{env, fs, path::Path};

use anyhow::{Context, Result};

use crate::{process, setup::fuzzer, workspace::Workspace};

/// Longest input, in bytes. What is read from outside is longer only where it is
/// refused for that.
const LONGEST: &str = "-max_len=4096";

/// Longest time for one input, in seconds.
const SLOWEST: &str = "-timeout=10";

/// Sets up what is needed and runs one target, or all, for `seconds` each.
pub(crate) fn run(workspace: &Workspace, target: Option<&str>, seconds: u32) -> Result<()> {
    let tools = fuzzer::ensure(workspace)?;
    match target {
        Some(target) => run_one(workspace, &tools, target, seconds),
        None => run_all(workspace, &tools, seconds),
    }
}

/// Runs every target for `seconds`.
pub(crate) fn run_all(workspace: &Workspace, tools: &Path, seconds: u32) -> Result<()> {
    targets(workspace)?
        .iter()
        .try_for_each(|target| run_one(workspace, tools, target, seconds))
}

/// The targets, by name.
fn targets(workspace: &Workspace) -> Result<Vec<String>> {
    let folder = workspace.path("fuzz/fuzz_targets");
    let mut targets = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("{}", folder.display()))? {
        let path = entry?.path();
        if let Some(name) = path.file_stem().and_then(|name| name.to_str()) {
            targets.push(name.to_owned());
        }
    }
    targets.sort();
    Ok(targets)
}

/// What was found to be interesting stays in the target folder for the next run. An
/// input that fails is kept in fuzz/artifacts, and the error says where.
fn run_one(workspace: &Workspace, tools: &Path, target: &str, seconds: u32) -> Result<()> {
    println!("fuzzing {target} for {seconds} s");
    let corpus = workspace.target().join("fuzz-corpus").join(target);
    fs::create_dir_all(&corpus).with_context(|| format!("cannot make {}", corpus.display()))?;
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(
        [tools.to_path_buf()]
            .into_iter()
            .chain(env::split_paths(&path)),
    )?;
    // All of the code is safe Rust: an address sanitizer would only slow it down.
    let mut command = workspace.cargo(["+nightly", "fuzz", "run", "--sanitizer", "none"]);
    command
        .env("PATH", path)
        .arg("--target-dir")
        .arg(workspace.target().join("fuzz"))
        .arg(target)
        .arg(corpus)
        .arg(workspace.path("fuzz/seeds").join(target))
        .args(["--", LONGEST, SLOWEST, "-print_final_stats=1"])
        .arg(format!("-max_total_time={seconds}"));
    let log = workspace.scratch()?.join(format!("fuzz-{target}.log"));
    let deadline = std::time::Duration::from_secs(u64::from(seconds) + 900);
    process::run_logged(&mut command, &log, deadline)?;
    let log = fs::read_to_string(&log)?;
    let done = log.lines().rev().find(|line| line.starts_with("Done "));
    println!("{}", done.context("the fuzzer did not say what it did")?);
    Ok(())
}
