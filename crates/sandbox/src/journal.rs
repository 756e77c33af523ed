//! What the EHR did and what it was told: for people on its status page, for
//! tests as JSON. No secret, code, token or name stands in it.

use std::collections::VecDeque;

use serde::Serialize;
use vestibule_launch::{EhrRole, UnixTime};

use crate::connection_status::ConnectionStatus;

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

/// Something the EHR did or was told. `appointment` is the EHR's own id of it,
/// `reason` a sentence without anything of the request in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event {
    LaunchMade {
        role: EhrRole,
        appointment: &'static str,
        csn: &'static str,
    },
    AuthorizationGranted {
        role: EhrRole,
        appointment: &'static str,
    },
    AuthorizationRefused {
        role: Option<EhrRole>,
        reason: String,
    },
    TokenIssued {
        role: EhrRole,
        appointment: &'static str,
    },
    TokenRefreshed {
        role: EhrRole,
        appointment: &'static str,
    },
    TokenRefused {
        role: Option<EhrRole>,
        reason: String,
    },
    ConnectionStatus(ConnectionStatus),
    ConnectionStatusRefused {
        reason: String,
    },
}

impl Journal {
    pub(crate) fn record(&mut self, event: Event, now: UnixTime) {
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

impl Event {
    /// The event as a sentence.
    pub(crate) fn sentence(&self) -> String {
        let by = |role: &Option<EhrRole>| role.map_or("an unknown client", EhrRole::as_str);
        match self {
            Self::LaunchMade {
                role, appointment, ..
            } => format!(
                "Visit of appointment {appointment} launched by the {}.",
                role.as_str()
            ),
            Self::AuthorizationGranted { role, appointment } => format!(
                "Sign-in granted to the {} application for appointment {appointment}.",
                role.as_str()
            ),
            Self::AuthorizationRefused { role, reason } => {
                format!("Sign-in refused ({}): {reason}.", by(role))
            }
            Self::TokenIssued { role, appointment } => format!(
                "Tokens issued to the {} application for appointment {appointment}.",
                role.as_str()
            ),
            Self::TokenRefreshed { role, appointment } => format!(
                "Access token refreshed for the {} application, appointment {appointment}.",
                role.as_str()
            ),
            Self::TokenRefused { role, reason } => {
                format!("Tokens refused ({}): {reason}.", by(role))
            }
            Self::ConnectionStatus(told) => format!(
                "{} says: connection status {} for {} (type {}) in conference {}.",
                told.vendor_name,
                told.connection_status,
                told.external_id,
                told.external_id_type,
                told.conference_id
            ),
            Self::ConnectionStatusRefused { reason } => {
                format!("Connection status refused: {reason}.")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            role: Some(EhrRole::Patient),
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
