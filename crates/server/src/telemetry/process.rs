//! What Linux says of this process (`proc(5)`), under the names that Prometheus' client
//! libraries share. Elsewhere there is nothing.

use std::{fmt, fs};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};

/// Clock ticks in a second, as Linux tells them to programs on every architecture.
const TICKS: f64 = 100.0;

/// Reads the files when somebody looks.
#[derive(Debug)]
pub(super) struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        if let Some(bytes) = kibibytes(&status, "VmRSS:").map(|kibibytes| kibibytes * 1024) {
            let name = "process_resident_memory_bytes";
            gauge(&mut encoder, name, "Memory in use", bytes)?;
        }
        if let Ok(files) = fs::read_dir("/proc/self/fd") {
            // One is the folder itself.
            let open = i64::try_from(files.count().saturating_sub(1)).unwrap_or(i64::MAX);
            gauge(
                &mut encoder,
                "process_open_fds",
                "Open file descriptors",
                open,
            )?;
        }
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        if let Some(ticks) = processor_ticks(&stat) {
            let counter = ConstCounter::new(ticks / TICKS);
            let metric = encoder.encode_descriptor(
                "process_cpu_seconds",
                "Processor time",
                None,
                counter.metric_type(),
            )?;
            counter.encode(metric)?;
        }
        Ok(())
    }
}

fn gauge(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    value: i64,
) -> Result<(), fmt::Error> {
    let gauge = ConstGauge::new(value);
    let metric = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
    gauge.encode(metric)
}

fn kibibytes(status: &str, field: &str) -> Option<i64> {
    let line = status.lines().find(|line| line.starts_with(field))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// User and system time: the twelfth and thirteenth field behind the program's name,
/// which stands in parentheses and may hold anything.
fn processor_ticks(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_a_name_with_parentheses() {
        let stat = "4711 (a) b) (c) S 1 1 1 0 -1 4194560 100 0 0 0 250 30 0 0 20 0 4 0";
        assert_eq!(processor_ticks(stat), Some(280.0));
        assert_eq!(processor_ticks(""), None);
        let status = "Name:\tvestibule\nVmRSS:\t   12345 kB\n";
        assert_eq!(kibibytes(status, "VmRSS:"), Some(12_345));
        assert_eq!(kibibytes(status, "VmSwap:"), None);
    }
}
