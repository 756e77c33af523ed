//! Full launches at a server, and their parts one by one: Vestibule beside Express and
//! Starlette, which take turns.

mod connection;
mod contender;
mod drive;
mod ehr;
mod hospital;
mod launches;
mod parts;
mod process;
mod report;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use vestibule_test_postgres::{Cluster, Durability};

pub(crate) use self::{contender::Database, parts::native};
use self::{
    contender::{Contender, Software},
    ehr::Ehr,
    process::busy_time,
    report::Figures,
};
use crate::{
    machine::{LOAD_CORE, Programs, SERVER_CORE},
    statistics::{median, quantile},
};

/// What is measured, where not all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Only {
    /// Full launches
    Launches,
    /// The parts of a launch
    Parts,
}

/// What is measured, and how long.
pub(crate) struct Load {
    pub(crate) only: Option<Only>,
    pub(crate) databases: Vec<Database>,
    /// How long each measurement takes.
    pub(crate) time: Duration,
    /// How often each is repeated.
    pub(crate) runs: usize,
}

/// Measures, and prints the ratios.
pub(crate) async fn run(load: &Load, programs: &Programs) -> Result<()> {
    // What is committed is waited for, as in production.
    let needs_cluster = load.databases.contains(&Database::Postgresql);
    let cluster = needs_cluster.then(|| Cluster::start(Durability::On));
    if load.only != Some(Only::Parts) {
        for database in &load.databases {
            launches(load, *database, cluster.as_ref(), programs)
                .await
                .with_context(|| format!("launches with {}", database.name()))?;
        }
    }
    if load.only != Some(Only::Launches) {
        parts::run(load, cluster.as_ref(), programs).await?;
    }
    Ok(())
}

/// A contender with what was measured of it.
struct Measured {
    contender: Contender,
    figures: Figures,
}

async fn launches(
    load: &Load,
    database: Database,
    cluster: Option<&Cluster>,
    programs: &Programs,
) -> Result<()> {
    let ehr = Ehr::open().await?;
    let mut all = Vec::new();
    for software in Software::ALL {
        let contender = Contender::start(software, database, cluster, programs, &ehr).await?;
        let mut connection = contender.launches.connect().await?;
        let twice = contender.launches.twice(&mut connection).await;
        twice.with_context(|| explain(&contender))?;
        let figures = Figures::new(software.name());
        all.push(Measured { contender, figures });
    }
    // The first round warms everything up and does not count.
    for run in 0..=load.runs {
        for turn in 0..all.len() {
            let index = (run + turn) % all.len();
            all[index].as_fast_as_it_can(load, &ehr, run > 0).await?;
        }
        eprint!(".");
    }
    let slowest = all.iter().map(|one| one.figures.throughput());
    let slowest = slowest.fold(f64::INFINITY, f64::min);
    for run in 0..load.runs {
        for turn in 0..all.len() {
            let index = (run + turn) % all.len();
            all[index].at_half_load(load, slowest / 2.0).await?;
        }
        eprint!(".");
    }
    eprintln!();
    for one in &mut all {
        one.figures.peak_memory = one.contender.process.peak_memory()?;
    }
    let figures: Vec<Figures> = all.into_iter().map(|one| one.figures).collect();
    report::launches(load, database, slowest / 2.0, &figures);
    Ok(())
}

impl Measured {
    async fn as_fast_as_it_can(&mut self, load: &Load, ehr: &Ehr, counts: bool) -> Result<()> {
        let Self { contender, figures } = self;
        let look = || {
            let own = contender.process.processor_time()?;
            let cores = [busy_time(SERVER_CORE)?, busy_time(LOAD_CORE)?];
            anyhow::Ok((own, cores, ehr.tokens_given()))
        };
        let (own, cores, tokens) = look()?;
        let driven = drive::as_fast_as_it_can(&contender.launches, load.time).await;
        let driven = driven.with_context(|| explain(contender))?;
        let (own_after, cores_after, tokens_after) = look()?;
        let launches = driven.latencies.len();
        ensure!(
            u64::try_from(launches)? == tokens_after - tokens,
            "{} launches, but the EHR gave {} tokens",
            launches,
            tokens_after - tokens
        );
        if counts {
            let took = driven.took.as_secs_f64();
            let launches = driven.throughput() * took;
            let busy = |core: usize| (cores_after[core] - cores[core]).as_secs_f64() / took;
            figures.throughputs.push(driven.throughput());
            figures
                .costs
                .push((own_after - own).as_secs_f64() / launches);
            figures.server_busy.push(busy(0));
            figures.load_busy.push(busy(1));
        }
        Ok(())
    }

    async fn at_half_load(&mut self, load: &Load, same: f64) -> Result<()> {
        let Self { contender, figures } = self;
        let half = figures.throughput() / 2.0;
        let driven = drive::at_rate(&contender.launches, half, load.time).await;
        let latencies = driven.with_context(|| explain(contender))?;
        figures.half_p50.push(quantile(latencies.clone(), 0.5));
        figures.half_p99.push(quantile(latencies, 0.99));
        let driven = drive::at_rate(&contender.launches, same, load.time).await;
        let latencies = driven.with_context(|| explain(contender))?;
        figures.same_p99.push(quantile(latencies, 0.99));
        Ok(())
    }
}

impl Figures {
    fn throughput(&self) -> f64 {
        median(self.throughputs.clone())
    }
}

fn explain(contender: &Contender) -> String {
    let name = contender.software.name();
    format!("{name}, which said last: {}", contender.said())
}
