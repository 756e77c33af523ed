//! The clock of the machine.

use std::time::{SystemTime, UNIX_EPOCH};

use vestibule_launch::{Clock, UnixTime};

/// Reads the clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixTime {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place where the sandbox reads the machine's clock"
        )]
        let now = SystemTime::now();
        UnixTime::from_millis(0) + now.duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}
