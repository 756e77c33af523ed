//! A clock that a test moves.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use vestibule_launch::{Clock, UnixTime};

pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn new() -> Self {
        Self(AtomicI64::new(1_800_000_000_000))
    }

    pub(crate) fn advance(&self, by: Duration) {
        let milliseconds = i64::try_from(by.as_millis()).unwrap();
        self.0.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> UnixTime {
        UnixTime::from_millis(self.0.load(Ordering::SeqCst))
    }
}
