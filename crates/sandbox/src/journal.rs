//! What the EHR did and what it was told: for people on its status page, for
//! tests as JSON. No secret, code, token or name of the EHR's stands in it;
//! what it was told stands there as it came.

mod event;

use std::collections::VecDeque;

use serde::Serialize;
use vestibule_launch::UnixTime;

pub(crate) use event::Event;

const CAPACITY: usize = 1000;

/// The last 1000 events, newest last.
#[derive(Default)]
pub(crate) struct Journal {
    entries: VecDeque<Entry>,
}

/// An event and when it happened.
#[derive(Clone, Serialize)]
pub(crate) struct Entry {
    /// RFC 3339, UTC.
    pub(crate) at: String,
    #[serde(flatten)]
    pub(crate) event: Event,
}

impl Journal {
    /// Keeps an event, and logs it.
    pub(crate) fn record(&mut self, event: Event, now: UnixTime) {
        event.log();
        if self.entries.len() == CAPACITY {
            self.entries.pop_front();
        }
        let at = jiff::Timestamp::from_millisecond(now.as_millis())
            .map_or_else(|_| "unknown".to_owned(), |time| format!("{time:.3}"));
        self.entries.push_back(Entry { at, event });
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.entries.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::ClientRole;

    fn refused(number: usize) -> Event {
        Event::ConnectionStatusRefused {
            reason: number.to_string(),
        }
    }

    #[test]
    fn the_newest_stands_last_and_only_a_thousand_are_kept() {
        let mut journal = Journal::default();
        for number in 0..=CAPACITY {
            journal.record(refused(number), UnixTime::from_millis(0));
        }
        let entries = journal.entries();
        assert_eq!(entries.len(), CAPACITY);
        assert_eq!(entries[0].event, refused(1));
        assert_eq!(entries[CAPACITY - 1].event, refused(CAPACITY));
    }

    #[test]
    fn an_entry_carries_its_time_and_the_name_of_the_event() {
        let mut journal = Journal::default();
        let event = Event::TokenRefused {
            role: Some(ClientRole::Patient),
            reason: "the code has expired".to_owned(),
        };
        journal.record(event, UnixTime::from_millis(1_700_000_000_123));
        assert_eq!(
            serde_json::to_value(&journal.entries()[0]).unwrap(),
            serde_json::json!({
                "at": "2023-11-14T22:13:20.123Z",
                "event": "token_refused",
                "role": "patient",
                "reason": "the code has expired",
            })
        );
    }
}
