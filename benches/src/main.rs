//! Measures Vestibule beside its peers. Every figure is a ratio of two medians of one
//! run, in which the contenders take turns: absolute times say more about the machine.
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool answers on its standard output"
)]

mod chromium;
mod site;
mod startup;
mod statistics;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
struct Arguments {
    /// The folder of the workspace
    #[arg(long)]
    root: PathBuf,
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Subcommand)]
enum Bench {
    /// From navigation to `request_token` at the node, and from failure to error page
    Startup {
        /// The landing page as it is served
        #[arg(long)]
        www: PathBuf,
        #[arg(long)]
        chromium: PathBuf,
        #[arg(long)]
        chromedriver: PathBuf,
        /// How often each contender is measured
        #[arg(long)]
        runs: usize,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments { root, bench } = Arguments::parse();
    match bench {
        Bench::Startup {
            www,
            chromium,
            chromedriver,
            runs,
        } => startup::run(&root, &www, (&chromium, &chromedriver), runs).await,
    }
}
