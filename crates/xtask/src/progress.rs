//! Says what is being done, and how long it took.

use std::{
    fmt,
    time::{Duration, Instant},
};

/// A known number of steps, of which one is told after the other.
pub(crate) struct Progress {
    total: usize,
    begun: usize,
}

impl Progress {
    /// Nothing begun yet of `total` steps.
    pub(crate) fn new(total: usize) -> Self {
        Self { total, begun: 0 }
    }

    /// Does the next step and returns its result.
    pub(crate) fn step<T>(&mut self, what: &str, work: impl FnOnce() -> T) -> T {
        self.timed_step(what, work).0
    }

    /// Does the next step and returns its result and how long it took.
    pub(crate) fn timed_step<T>(&mut self, what: &str, work: impl FnOnce() -> T) -> (T, Duration) {
        self.begun += 1;
        let number = format!("[{}/{}]", self.begun, self.total);
        eprintln!("{number} {what} …");
        let start = Instant::now();
        let result = work();
        let elapsed = start.elapsed();
        eprintln!("{number} {what}: {}", Seconds(elapsed));
        (result, elapsed)
    }
}

/// Does a part of a step and tells how long it took.
pub(crate) fn part<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    eprintln!("      {what}: {}", Seconds(start.elapsed()));
    result
}

/// A duration to the tenth of a second: `12.3 s`.
pub(crate) struct Seconds(pub(crate) Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:.1} s", self.0.as_secs_f64()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_hands_back_what_its_work_returned() {
        let mut progress = Progress::new(2);
        assert_eq!(progress.step("one", || 7), 7);
        assert_eq!(progress.step("two", || "done"), "done");
    }

    #[test]
    fn seconds_are_told_to_the_tenth_and_can_be_aligned() {
        assert_eq!(
            format!("{:>8}", Seconds(Duration::from_millis(1260))),
            "   1.3 s"
        );
    }
}
