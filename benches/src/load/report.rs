//! What was measured, as tables, and whether it is as aimed at.

use super::{Database, Load};
use crate::statistics::median;

/// What we want of a full launch: at least so many times a peer's throughput, and at most
/// these parts of its 99th percentile at half load, and of Node.js's memory.
const AT_LEAST_OF_THROUGHPUT: f64 = 4.0;
const AT_MOST_OF_P99: f64 = 0.5;
const AT_MOST_OF_MEMORY: f64 = 0.2;

/// What was measured of one contender with full launches, a figure for each run.
pub(super) struct Figures {
    pub(super) name: &'static str,
    /// Launches a second.
    pub(super) throughputs: Vec<f64>,
    /// Processor time of the server for a launch, in seconds.
    pub(super) costs: Vec<f64>,
    /// How busy its core was, and the other one: 1 is all the time.
    pub(super) server_busy: Vec<f64>,
    pub(super) load_busy: Vec<f64>,
    /// Seconds of a launch at half of its own throughput.
    pub(super) half_p50: Vec<f64>,
    pub(super) half_p99: Vec<f64>,
    /// The same at the rate that all contenders have.
    pub(super) same_p99: Vec<f64>,
    /// In KiB.
    pub(super) peak_memory: u64,
}

/// The medians.
struct Row {
    name: &'static str,
    throughput: f64,
    per_core: f64,
    half_p99: f64,
    memory: f64,
}

impl Figures {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            throughputs: Vec::new(),
            costs: Vec::new(),
            server_busy: Vec::new(),
            load_busy: Vec::new(),
            half_p50: Vec::new(),
            half_p99: Vec::new(),
            same_p99: Vec::new(),
            peak_memory: 0,
        }
    }

    fn row(&self) -> Row {
        let of = |measured: &Vec<f64>| median(measured.clone());
        let kibibytes = u32::try_from(self.peak_memory).unwrap_or(u32::MAX);
        let row = Row {
            name: self.name,
            throughput: of(&self.throughputs),
            per_core: 1.0 / of(&self.costs),
            half_p99: of(&self.half_p99),
            memory: f64::from(kibibytes) / 1024.0,
        };
        println!(
            "  {:<10} {:>10.0} {:>10.0} {:>7.0}% {:>7.0}% {:>8.1} {:>8.1} {:>10.1} {:>9.0}",
            row.name,
            row.throughput,
            row.per_core,
            of(&self.server_busy) * 100.0,
            of(&self.load_busy) * 100.0,
            of(&self.half_p50) * 1e3,
            row.half_p99 * 1e3,
            of(&self.same_p99) * 1e3,
            row.memory,
        );
        row
    }
}

/// Prints what was measured with one database: ours first.
pub(super) fn launches(load: &Load, database: Database, same: f64, figures: &[Figures]) {
    println!(
        "Full launches with {}; medians of {} times {} s.",
        database.name(),
        load.runs,
        load.time.as_secs_f64()
    );
    println!(
        "                           per CPU   server    load     half its own load   at {same:>4.0}/s      peak"
    );
    println!(
        "             launches/s     second     core    core   p50 ms   p99 ms     p99 ms       MiB"
    );
    let rows: Vec<Row> = figures.iter().map(Figures::row).collect();
    let Some((ours, peers)) = rows.split_first() else {
        return;
    };
    for peer in peers {
        let name = peer.name;
        at_least(
            "launches/s",
            ours.throughput / peer.throughput,
            name,
            Some(AT_LEAST_OF_THROUGHPUT),
        );
        at_least(
            "launches per CPU second",
            ours.per_core / peer.per_core,
            name,
            Some(AT_LEAST_OF_THROUGHPUT),
        );
        at_most(
            "p99 at half load",
            ours.half_p99 / peer.half_p99,
            name,
            Some(AT_MOST_OF_P99),
        );
        let aim = (name == "Express").then_some(AT_MOST_OF_MEMORY);
        at_most("peak memory", ours.memory / peer.memory, name, aim);
    }
    println!();
}

/// What was measured of one part of a launch: seconds for one operation, ours first.
pub(super) fn part(what: &str, seconds: &[(&str, f64, Option<f64>)]) {
    println!("{what}:");
    let Some(((_, ours, _), peers)) = seconds.split_first() else {
        return;
    };
    println!("  {:<28} {:>10}", seconds[0].0, time(*ours));
    for (name, theirs, aim) in peers {
        println!("  {name:<28} {:>10}", time(*theirs));
        let ratio = theirs / ours;
        let verdict = aim.map(|aim| verdict(ratio >= aim, aim));
        let verdict = verdict.unwrap_or_default();
        println!("  {ratio:.2} times as fast as {name}{verdict}");
    }
}

fn at_least(what: &str, ratio: f64, of: &str, aim: Option<f64>) {
    let verdict = aim.map(|aim| verdict(ratio >= aim, aim));
    line(what, ratio, of, verdict);
}

fn at_most(what: &str, ratio: f64, of: &str, aim: Option<f64>) {
    let verdict = aim.map(|aim| verdict(ratio <= aim, aim));
    line(what, ratio, of, verdict);
}

fn line(what: &str, ratio: f64, of: &str, verdict: Option<String>) {
    let verdict = verdict.unwrap_or_default();
    println!("  {what}: {ratio:.2} times {of}{verdict}");
}

fn verdict(met: bool, aim: f64) -> String {
    let word = if met { "met" } else { "NOT met" };
    format!("; aim {aim}: {word}")
}

fn time(seconds: f64) -> String {
    if seconds < 1e-6 {
        format!("{:.0} ns", seconds * 1e9)
    } else if seconds < 1e-3 {
        format!("{:.2} µs", seconds * 1e6)
    } else {
        format!("{:.2} ms", seconds * 1e3)
    }
}
