//! Measures Vestibule beside its peers. Every figure is a ratio of two medians of one
//! run, in which the contenders take turns: absolute times say more about the machine.
#![expect(
    clippy::print_stdout,
    reason = "a command-line tool answers on its standard output"
)]

mod chromium;
mod load;
mod machine;
mod site;
mod startup;
mod statistics;

use std::{path::PathBuf, time::Duration};

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::{
    load::{Database, Load, Only},
    machine::Programs,
};

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Subcommand)]
enum Bench {
    /// From navigation to `request_token` at the node, and from failure to error page
    Startup {
        /// The folder of the workspace
        #[arg(long)]
        root: PathBuf,
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
    /// Full launches at the server, and their parts
    Load {
        /// The server's program
        #[arg(long)]
        vestibule: PathBuf,
        /// The landing page as it is served
        #[arg(long)]
        www: PathBuf,
        /// The folder of the peers, as they are installed
        #[arg(long)]
        peers: PathBuf,
        #[arg(long)]
        node: PathBuf,
        /// How long each measurement takes
        #[arg(long)]
        seconds: f64,
        /// How often each is repeated
        #[arg(long)]
        runs: usize,
        #[arg(long)]
        only: Option<Only>,
        #[arg(long, required = true)]
        database: Vec<Database>,
    },
    /// One contender of the parts of a launch: does what it is told on standard input
    #[command(hide = true)]
    Part {
        /// What it is done with
        task: PathBuf,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    match Arguments::parse().bench {
        Bench::Startup {
            root,
            www,
            chromium,
            chromedriver,
            runs,
        } => startup::run(&root, &www, (&chromium, &chromedriver), runs).await,
        Bench::Load {
            vestibule,
            www,
            peers,
            node,
            seconds,
            runs,
            only,
            database,
        } => {
            let load = Load {
                only,
                databases: database,
                time: Duration::try_from_secs_f64(seconds)?,
                runs,
            };
            let programs = Programs {
                vestibule,
                www,
                peers,
                node,
            };
            load::run(&load, &programs).await
        }
        Bench::Part { task } => load::native::run(&task).await,
    }
}
