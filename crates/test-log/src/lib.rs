//! The logs of tests: that of one test, among tests that run at the same time, and all of
//! them, to be searched for what must stand in no log.
//!
//! The log of one test is that of its thread: what the test examines has to run on it, as
//! it does under `#[tokio::test]`.

use std::{cell::RefCell, io, sync::Once};

pub mod canary;
mod record;
mod search;

pub use canary::Class;
pub use record::{FOLDER_VARIABLE, file, record, secret, stderr};
pub use search::{Encoding, Finding, Searched, search};

thread_local! {
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct LogOfThisThread;

impl io::Write for LogOfThisThread {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| log.extend_from_slice(bytes));
        record::of_this_process(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Begins to keep logs: all that these crates say, given by their names in code. The
/// first call counts.
///
/// It is for the whole process: one for a thread alone would miss what another test has
/// said first, because tracing remembers per place whether anybody listens.
///
/// # Panics
/// Where somebody else listens to the log already.
pub fn keep(crates: &[&str]) {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        let filter: Vec<_> = crates.iter().map(|name| format!("{name}=trace")).collect();
        tracing_subscriber::fmt()
            .with_env_filter(filter.join(","))
            .with_ansi(false)
            .with_writer(|| LogOfThisThread)
            .init();
    });
}

/// What was logged in this test so far.
pub fn text() -> String {
    LOG.with_borrow(|log| String::from_utf8_lossy(log).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_test_has_a_log_of_its_own() {
        keep(&["vestibule_test_log"]);
        let of_another = std::thread::spawn(|| {
            tracing::trace!("yours");
            text()
        });
        tracing::trace!("mine");
        tracing::error!(target: "another_crate", "nothing");
        let of_another = of_another.join().expect("it ends");
        assert!(of_another.contains("yours") && !of_another.contains("mine"));
        assert!(text().contains("mine") && !text().contains("yours"));
        assert!(!text().contains("nothing"));
    }
}
