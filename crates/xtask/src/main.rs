//! `cargo xtask`: builds, runs and tests Vestibule. `cargo xtask help` lists
//! the commands.
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool answers on its standard output"
)]

mod bench;
mod branding;
mod demo;
mod dist;
mod fuzz;
mod locales;
mod log_search;
mod manifest;
mod package;
mod process;
mod progress;
mod report;
mod setup;
mod test;
mod wasm;
mod workspace;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", about, bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs Vestibule and a simulated EHR on this machine, until Ctrl-C
    Demo {
        /// Folder for configuration, databases and logs; made where missing
        #[arg(long, default_value = "data")]
        data: PathBuf,
        /// Port of the Vestibule server; without it 7080, or a free one
        #[arg(long)]
        port: Option<u16>,
    },
    /// Runs every check and test, or the steps named
    Test {
        /// Steps to run, with those they build upon, in the order of the full run
        steps: Vec<test::Step>,
    },
    /// Measures Vestibule beside its peers, and prints ratios
    Bench {
        #[command(subcommand)]
        bench: bench::Bench,
    },
    /// Feeds hostile input to what reads from outside, with cargo-fuzz
    Fuzz {
        /// One of fuzz/fuzz_targets; without it each in turn
        target: Option<String>,
        /// How long each target runs
        #[arg(long, default_value_t = 60)]
        seconds: u32,
    },
    /// Builds the landing page and its wasm modules, and holds them against their size budgets
    Wasm {
        /// Leaves out everything that needs Node.js: wasm-opt, minified glue and the budgets
        #[arg(long)]
        no_opt: bool,
    },
    /// Makes the npm package for pages of others out of the last build of the wasm modules
    Package {
        /// Folder for what is made
        #[arg(long, default_value = "target/npm")]
        output: PathBuf,
    },
    /// Makes branding packages for the Connect web apps, and the landing page for nginx
    Branding {
        /// The hospital's branding; docs/samples/branding.toml has every key
        #[arg(long)]
        config: Option<PathBuf>,
        /// Folder for what is made
        #[arg(long, default_value = "target/branding")]
        output: PathBuf,
    },
    /// Builds what is handed out: the program with everything in it, a Debian package of
    /// it, and the list of what it is made of (CycloneDX)
    Dist {
        /// Folder for what is made
        #[arg(long, default_value = "target/packages")]
        output: PathBuf,
        /// Counts the packages of one version
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        revision: u32,
    },
    /// Becomes another program that ends when the given process does
    #[cfg(target_os = "linux")]
    #[command(hide = true)]
    Bound(demo::bound::Arguments),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    let workspace = Workspace::new();
    match command {
        Command::Demo { data, port } => demo::run(&workspace, &data, port),
        Command::Test { steps } => test::run(&workspace, &steps),
        Command::Bench { bench } => bench::run(&workspace, &bench),
        Command::Fuzz { target, seconds } => {
            fuzz::run(&workspace, target.as_deref(), seconds).map(|()| ExitCode::SUCCESS)
        }
        Command::Wasm { no_opt } => wasm::run(&workspace, no_opt),
        Command::Package { output } => {
            package::run(&workspace, &output).map(|()| ExitCode::SUCCESS)
        }
        Command::Branding { config, output } => {
            branding::run(&workspace, config.as_deref(), &output).map(|()| ExitCode::SUCCESS)
        }
        Command::Dist { output, revision } => {
            dist::run(&workspace, &output, revision).map(|()| ExitCode::SUCCESS)
        }
        #[cfg(target_os = "linux")]
        Command::Bound(arguments) => Err(demo::bound::become_program(&arguments)),
    }
}
