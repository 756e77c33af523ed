//! EHR sessions: what a launch got from the EHR's token endpoint, kept while the
//! visit runs, and while the EHR may have to be told of it.

use std::{fmt, time::Duration};

use uuid::Uuid;
use vestibule_launch::{EhrRole, RequestId, UnixTime};

/// [`SENT_AGAIN_WITHIN`] as the statements have it, in milliseconds.
macro_rules! sent_again_within {
    () => {
        86_400_000
    };
}
pub(crate) use sent_again_within;

/// Whether a session is of use to anybody, at the time that a parameter has. The order in
/// which the database stores write-backs says which of two is `later`.
macro_rules! of_use {
    ($now:literal, $is_later:literal) => {
        concat!(
            "(EXISTS (SELECT 1 FROM aliases
              WHERE aliases.request_id = sessions.request_id AND aliases.expires_at > ",
            $now,
            ")
          OR EXISTS (SELECT 1 FROM launches
              JOIN running_visits ON running_visits.appointment = launches.appointment
              WHERE launches.request_id = sessions.request_id)
          OR EXISTS (SELECT 1 FROM write_backs
              WHERE write_backs.request_id = sessions.request_id AND state = 'unsent')
          OR EXISTS (SELECT 1 FROM write_backs AS given_up
              WHERE given_up.request_id = sessions.request_id
                  AND given_up.state = 'given_up'
                  AND given_up.finished_at > ",
            $now,
            " - ",
            $crate::session::sent_again_within!(),
            "
                  AND NOT EXISTS (SELECT 1 FROM write_backs AS later
                      WHERE later.request_id = given_up.request_id
                          AND (later.kind = given_up.kind
                              OR given_up.kind = 'visit' AND later.kind <> 'device_test')
                          AND later.state = 'sent'
                          AND ",
            $is_later,
            ")))"
        )
    };
}
pub(crate) use of_use;

/// How long after a write-back was given up the session of its launch is kept, and renewed,
/// for the case that somebody has it sent again: a day, as long as it was tried.
pub const SENT_AGAIN_WITHIN: Duration = Duration::from_millis(sent_again_within!());

/// A session that begins as its launch completes.
#[derive(Clone)]
pub struct NewSession {
    /// The tokens, sealed.
    pub sealed: Vec<u8>,
    /// When to renew them; `None` where the EHR gave nothing to renew them with.
    pub renew_at: Option<UnixTime>,
    /// Until when they are good unless renewed.
    pub expires_at: UnixTime,
}

/// A session as stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// The launch.
    pub request_id: RequestId,
    /// Its telehealth profile.
    pub profile: Uuid,
    /// Who launched.
    pub role: EhrRole,
    /// The tokens, sealed.
    pub sealed: Vec<u8>,
    /// When to renew them, where they can be.
    pub renew_at: Option<UnixTime>,
    /// Until when they are good unless renewed.
    pub expires_at: UnixTime,
    /// The number of the lease under which this caller renews it; [`NOT_LEASED`] of
    /// one that was only looked at.
    pub(crate) lease: i64,
}

/// The lease of nobody: leases are numbered from 1.
pub(crate) const NOT_LEASED: i64 = 0;

impl fmt::Debug for NewSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewSession")
            .field("renew_at", &self.renew_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("request_id", &self.request_id)
            .field("profile", &self.profile)
            .field("role", &self.role)
            .field("renew_at", &self.renew_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_not_shown() {
        let sealed = vec![222, 173];
        let shown = format!(
            "{:?} {:?}",
            NewSession {
                sealed: sealed.clone(),
                renew_at: None,
                expires_at: UnixTime::from_millis(7),
            },
            Session {
                request_id: RequestId::from_bytes([1; 16]),
                profile: Uuid::nil(),
                role: EhrRole::Patient,
                sealed,
                renew_at: None,
                expires_at: UnixTime::from_millis(8),
                lease: NOT_LEASED,
            }
        );
        assert!(!shown.contains("222"), "{shown}");
        assert!(shown.contains("UnixTime(8)"), "{shown}");
    }
}
