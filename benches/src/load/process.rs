//! What the system says of a process (proc(5)).

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context, Result};

/// Clock ticks of `/proc/PID/stat` in a second: 100 wherever Linux runs today.
const TICKS: u64 = 100;

/// A process that runs.
pub(crate) struct Process(PathBuf);

impl Process {
    /// The process with this id.
    pub(crate) fn of(id: u32) -> Self {
        Self(PathBuf::from(format!("/proc/{id}")))
    }

    /// The most memory that it has had at a time, in KiB (`VmHWM`).
    pub(crate) fn peak_memory(&self) -> Result<u64> {
        let status = fs::read_to_string(self.0.join("status"))?;
        peak_memory_in(&status).context("the system does not tell peak memory")
    }

    /// How long it has run on a processor since it started, kernel time included.
    pub(crate) fn processor_time(&self) -> Result<Duration> {
        let stat = fs::read_to_string(self.0.join("stat"))?;
        processor_time_in(&stat).context("the system does not tell processor time")
    }
}

/// How long a processor core has had something to do since the machine started.
pub(crate) fn busy_time(core: u32) -> Result<Duration> {
    let stat = fs::read_to_string("/proc/stat")?;
    busy_time_in(&stat, core).context("the system does not tell what its cores do")
}

/// All that is not `idle` or `iowait`, the fourth and fifth number. Time of guests, which
/// comes last, is part of the others.
fn busy_time_in(stat: &str, core: u32) -> Option<Duration> {
    let name = format!("cpu{core} ");
    let line = stat.lines().find_map(|line| line.strip_prefix(&name))?;
    let numbers = line.split_ascii_whitespace().take(8).map(str::parse);
    let numbers: Vec<u64> = numbers.collect::<Result<_, _>>().ok()?;
    let idle = numbers.get(3)? + numbers.get(4)?;
    let ticks = numbers.iter().sum::<u64>() - idle;
    Some(Duration::from_millis(ticks * 1000 / TICKS))
}

fn peak_memory_in(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// `utime` and `stime`, the 14th and 15th field. The second, the program's name, is in
/// brackets and may hold anything.
fn processor_time_in(stat: &str) -> Option<Duration> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    let ticks = ticks()? + ticks()?;
    Some(Duration::from_millis(ticks * 1000 / TICKS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peak_memory_is_read_in_kibibytes() {
        let status = "Name:\tnode\nVmPeak:\t  900 kB\nVmHWM:\t   106120 kB\nVmRSS:\t 5 kB\n";
        assert_eq!(peak_memory_in(status), Some(106_120));
        assert_eq!(peak_memory_in("Name:\tnode\n"), None);
        assert!(Process::of(std::process::id()).peak_memory().unwrap() > 100);
    }

    #[test]
    fn processor_time_is_the_users_and_the_kernels() {
        let stat = "7 (a) b) (c) S 1 2 3 4 5 6 7 8 9 10 250 150 0 0 20 0";
        assert_eq!(processor_time_in(stat), Some(Duration::from_secs(4)));
        assert!(Process::of(std::process::id()).processor_time().is_ok());
    }

    #[test]
    fn a_core_is_busy_while_it_neither_idles_nor_waits_for_the_disk() {
        let stat =
            "cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 1 2 3 4 5 6 7 8 9 9\ncpu1 100 0 100 7 8 0 0 0 5 5\n";
        assert_eq!(busy_time_in(stat, 0), Some(Duration::from_millis(270)));
        assert_eq!(busy_time_in(stat, 1), Some(Duration::from_secs(2)));
        assert_eq!(busy_time_in(stat, 2), None);
    }
}
