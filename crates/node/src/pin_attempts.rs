//! Counts wrong PINs, so that nobody can try them all.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    time::Duration,
};

use vestibule_launch::UnixTime;

/// How many keys are remembered; past it the one longest without a wrong PIN is
/// forgotten. Aliases that no service stands behind are never counted.
const KEYS: usize = 10_000;

/// Wrong PINs by key (the way in, or the conference) in a sliding window.
pub(crate) struct PinAttempts<K> {
    limit: usize,
    window: Duration,
    failures: HashMap<K, VecDeque<UnixTime>>,
}

impl<K: Clone + Eq + Hash> PinAttempts<K> {
    pub(crate) fn new(limit: usize, window: Duration) -> Self {
        Self {
            limit: limit.max(1),
            window,
            failures: HashMap::new(),
        }
    }

    /// How long every PIN is refused for `key`, if it is.
    pub(crate) fn locked_for(&self, key: &K, now: UnixTime) -> Option<Duration> {
        let failures = self.failures.get(key)?;
        let oldest = *failures.get(failures.len().checked_sub(self.limit)?)?;
        let passed = now.since(oldest);
        (passed < self.window).then(|| self.window - passed)
    }

    /// Counts a wrong PIN.
    pub(crate) fn failed(&mut self, key: K, now: UnixTime) {
        if self.failures.len() >= KEYS && !self.failures.contains_key(&key) {
            self.make_room(now);
        }
        let failures = self.failures.entry(key).or_default();
        if failures.len() == self.limit {
            failures.pop_front();
        }
        failures.push_back(now);
    }

    /// Forgets what the window has passed over.
    pub(crate) fn sweep(&mut self, now: UnixTime) {
        let window = self.window;
        self.failures.retain(|_, failures| {
            failures
                .back()
                .is_some_and(|latest| now.since(*latest) < window)
        });
    }

    fn make_room(&mut self, now: UnixTime) {
        self.sweep(now);
        if self.failures.len() >= KEYS {
            let stalest = self
                .failures
                .iter()
                .min_by_key(|(_, failures)| failures.back().copied());
            if let Some(key) = stalest.map(|(key, _)| key.clone()) {
                self.failures.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(300);

    fn at(seconds: i64) -> UnixTime {
        UnixTime::from_millis(seconds * 1_000)
    }

    #[test]
    fn a_key_is_locked_from_the_last_allowed_failure_until_the_window_has_passed() {
        let mut attempts = PinAttempts::new(3, WINDOW);
        for second in [0, 10, 20] {
            assert_eq!(attempts.locked_for(&"visit", at(second)), None);
            attempts.failed("visit", at(second));
        }
        assert_eq!(
            attempts.locked_for(&"visit", at(20)),
            Some(Duration::from_secs(280))
        );
        assert_eq!(
            attempts.locked_for(&"visit", at(299)),
            Some(Duration::from_secs(1))
        );
        assert_eq!(attempts.locked_for(&"visit", at(300)), None);
        attempts.failed("visit", at(300));
        assert_eq!(
            attempts.locked_for(&"visit", at(301)),
            Some(Duration::from_secs(9))
        );
    }

    #[test]
    fn keys_are_counted_apart() {
        let mut attempts = PinAttempts::new(1, WINDOW);
        attempts.failed("visit", at(0));
        assert!(attempts.locked_for(&"visit", at(0)).is_some());
        assert!(attempts.locked_for(&"other", at(0)).is_none());
    }

    #[test]
    fn only_so_many_keys_are_remembered_and_the_stalest_goes_first() {
        let mut attempts = PinAttempts::new(1, WINDOW);
        for n in 0..=KEYS {
            let now = UnixTime::from_millis(i64::try_from(n).unwrap());
            attempts.failed(n, now);
        }
        assert_eq!(attempts.failures.len(), KEYS);
        assert!(attempts.locked_for(&0, at(11)).is_none());
        assert!(attempts.locked_for(&1, at(11)).is_some());
        attempts.sweep(at(1_000));
        assert!(attempts.failures.is_empty());
    }
}
