//! `cargo xtask bench load`: full launches at the server, and their parts.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};

use crate::{
    manifest::Manifest,
    process::{self, find_on_path},
    progress::Progress,
    setup::{node::NodeTools, peers::Peers, postgresql, python, wasm_target},
    wasm,
    workspace::Workspace,
};

/// Where what is written is in memory, so that the disk is not what is measured.
const MEMORY: &str = "/dev/shm";
/// Where the load comes from; what is measured has the other processor core.
const LOAD_CORE: &str = "1";

/// What is measured, and how.
#[derive(Args)]
pub(crate) struct Load {
    /// How long each measurement takes
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// How often each is repeated
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Measures only this
    #[arg(long)]
    only: Option<Only>,
    /// Measures with this database only
    #[arg(long)]
    database: Option<Database>,
    /// Keeps the databases on the disk, in the folder for temporary files, and not in
    /// memory: the disk is then most of what is measured
    #[arg(long)]
    on_disk: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Only {
    /// Full launches
    Launches,
    /// The parts of a launch
    Parts,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Database {
    Sqlite,
    Postgresql,
}

impl Load {
    /// Sets up, builds what is measured, and measures.
    pub(super) fn run(&self, workspace: &Workspace) -> Result<ExitCode> {
        ensure!(
            find_on_path("taskset").is_some(),
            "taskset is needed, which keeps server and load on a processor core each: the package \
             `util-linux` of your distribution"
        );
        let cores = std::thread::available_parallelism()?;
        ensure!(cores.get() > 1, "two processor cores are needed");
        let mut progress = Progress::new(6);
        progress.step("Looking for the wasm target", || {
            wasm_target::ensure(workspace)
        })?;
        let tools = progress.step("Looking for Node.js and its tools", || {
            NodeTools::ensure(workspace)
        })?;
        progress.step("Looking for Python and PostgreSQL", || {
            python::ensure(workspace)?;
            if self.database == Some(Database::Sqlite) {
                return Ok(());
            }
            postgresql::ensure(workspace)
        })?;
        let peers = progress.step("Looking for Express and Starlette", || {
            Peers::ensure(workspace)
        })?;
        let manifest = Manifest::read(workspace)?;
        progress.step("Building the landing page", || {
            wasm::build(workspace, &manifest, Some(&tools))
        })?;
        progress.step("Building the server", || {
            process::run(&mut workspace.cargo([
                "build",
                "--quiet",
                // As it is handed out.
                "--profile",
                "dist",
                "--package",
                "vestibule-server",
                "--package",
                "vestibule-benches",
            ]))
        })?;
        process::run(&mut self.bench(workspace, &peers, &workspace.path(&manifest.output)))?;
        Ok(ExitCode::SUCCESS)
    }

    /// The program that measures, on its own core.
    fn bench(&self, workspace: &Workspace, peers: &Peers, www: &Path) -> Command {
        let built = |name| workspace.target().join("dist").join(name);
        let mut bench = workspace.command("taskset");
        bench
            .args(["--cpu-list", LOAD_CORE])
            .arg(built("vestibule-benches"))
            .args(["load", "--seconds", &self.seconds.to_string()])
            .args(["--runs", &self.runs.to_string()])
            .arg("--vestibule")
            .arg(built("vestibule"))
            .arg("--www")
            .arg(www)
            .arg("--peers")
            .arg(&peers.folder)
            .arg("--node")
            .arg(&peers.node)
            .env("TMPDIR", self.folder());
        if let Some(only) = self.only {
            let name = match only {
                Only::Launches => "launches",
                Only::Parts => "parts",
            };
            bench.args(["--only", name]);
        }
        for (database, name) in [
            (Database::Sqlite, "sqlite"),
            (Database::Postgresql, "postgresql"),
        ] {
            if self.database.is_none_or(|only| only == database) {
                bench.args(["--database", name]);
            }
        }
        bench
    }

    /// Where databases are made.
    fn folder(&self) -> PathBuf {
        let memory = PathBuf::from(MEMORY);
        if self.on_disk || !memory.is_dir() {
            env::temp_dir()
        } else {
            memory
        }
    }
}
