//! Write-backs: what is to be told to an EHR, kept until it was.

use std::fmt;

use uuid::Uuid;
use vestibule_launch::{RequestId, UnixTime};

use crate::StoreError;

/// Attempts of which there is a record: the latest. In a day there are fewer.
pub(crate) const ATTEMPTS_KEPT: i32 = 100;

/// A write-back to send.
#[derive(Clone)]
pub struct NewWriteBack {
    /// What makes it the same as another one: of those that are, the first is kept.
    pub dedupe: [u8; 32],
    /// The telehealth profile.
    pub profile: Uuid,
    /// The launch that it tells of. The write-backs of one launch are sent in order, and
    /// device tests in an order of their own.
    pub request_id: RequestId,
    /// Which of the profile's write-backs tells it.
    pub kind: WriteBackKind,
    /// What to tell, sealed.
    pub sealed: Vec<u8>,
    /// Not to be sent before.
    pub due_at: UnixTime,
}

/// Which of a profile's write-backs tells it, each a table of the profile. What one tells
/// later of a launch takes the place of what it told before, and not of what another one
/// told. It says nothing of the order: see [`NewWriteBack::request_id`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteBackKind {
    /// Who comes and goes, and that the visit is over: `[write_back]`.
    EpicConnectionStatus,
    /// That the visit is over: `[end_of_call]`.
    EndOfCall,
    /// Who comes and goes, and that the visit is over: `[zoom.notification]`.
    ZoomNotification,
    /// How device checks went: `[device_test]`.
    DeviceTest,
}

impl WriteBackKind {
    /// Each of them.
    pub const ALL: [Self; 4] = [
        Self::EpicConnectionStatus,
        Self::EndOfCall,
        Self::ZoomNotification,
        Self::DeviceTest,
    ];

    /// The word in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EpicConnectionStatus => "epic_connection_status",
            Self::EndOfCall => "end_of_call",
            Self::ZoomNotification => "zoom_notification",
            Self::DeviceTest => "device_test",
        }
    }

    /// Of the word in the store. `None` of an earlier version's: it had one word for
    /// whatever was not a device test.
    pub(crate) fn of(word: &str) -> Result<Option<Self>, StoreError> {
        if word == UNKNOWN_KIND {
            return Ok(None);
        }
        let kind = Self::ALL.into_iter().find(|known| known.as_str() == word);
        kind.map(Some).ok_or(StoreError::Damaged("kind"))
    }
}

/// The word in the store for what an earlier version stored, but for device tests.
const UNKNOWN_KIND: &str = "visit";

/// What the EHRs have still to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsent {
    /// How many write-backs are neither sent nor given up.
    pub count: u64,
    /// When the oldest of them was stored.
    pub oldest: Option<UnixTime>,
}

/// A write-back that this caller, and no other, sends until its lease is over.
#[derive(Clone, PartialEq, Eq)]
pub struct WriteBack {
    /// Identifies it within the store.
    pub id: i64,
    /// The telehealth profile.
    pub profile: Uuid,
    /// The launch that it tells of.
    pub request_id: RequestId,
    /// What to tell, sealed.
    pub sealed: Vec<u8>,
    /// How often it was tried, this time included.
    pub attempts: u32,
    /// When it was stored.
    pub created_at: UnixTime,
    /// Since when it is tried: later than it was stored where somebody had it sent again.
    pub since: UnixTime,
    /// The number of the lease under which this caller sends it.
    pub(crate) lease: i64,
}

/// What became of a write-back.
#[derive(Clone, PartialEq, Eq)]
pub struct WriteBackRecord {
    /// Identifies it within the store.
    pub id: i64,
    /// What to tell, sealed.
    pub sealed: Vec<u8>,
    /// When it was stored.
    pub created_at: UnixTime,
    /// How often it was tried.
    pub attempts: u32,
    /// The HTTP status of the last attempt that is over; `None` where there was no
    /// attempt or no answer.
    pub last_status: Option<u16>,
    /// Why the last attempt came to nothing, where it did and that is known.
    pub last_reason: Option<Reason>,
    /// How far it came.
    pub state: WriteBackState,
}

/// How far a write-back came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteBackState {
    /// It waits, or is being sent.
    Unsent {
        /// Not to be sent before.
        due_at: UnixTime,
    },
    /// The EHR took it.
    Sent {
        /// When.
        at: UnixTime,
    },
    /// It will not be tried again.
    GivenUp {
        /// Since when.
        at: UnixTime,
    },
    /// It was not sent, since it is not true any more.
    NotNeeded {
        /// When that was found.
        at: UnixTime,
    },
}

/// Why an attempt came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The EHR answered, with another status than those of success.
    Answered,
    /// There was no answer in time.
    Timeout,
    /// The EHR's name leads to no address.
    Dns,
    /// The connection cannot be trusted.
    Tls,
    /// There was no connection, or it broke off.
    Unreachable,
    /// The launch carried no identifier of the EHR's user. Nothing was sent.
    NoExternalId,
    /// What is to be told makes no request. Nothing was sent.
    NoRequest,
    /// The user's session has ended, and the profile has no backend application. Nothing
    /// was sent.
    SessionEnded,
    /// The EHR gave no access token. Nothing was sent.
    NoAccessToken,
    /// The profile is gone, or has no such write-back any more. Nothing was sent.
    ProfileGone,
    /// What was stored cannot be opened. Nothing was sent.
    Unopened,
    /// The database did not answer. Nothing was sent.
    Database,
    /// The visit goes on. Nothing was sent.
    VisitGoesOn,
}

impl Reason {
    /// Each of them.
    pub const ALL: [Self; 13] = [
        Self::Answered,
        Self::Timeout,
        Self::Dns,
        Self::Tls,
        Self::Unreachable,
        Self::NoExternalId,
        Self::NoRequest,
        Self::SessionEnded,
        Self::NoAccessToken,
        Self::ProfileGone,
        Self::Unopened,
        Self::Database,
        Self::VisitGoesOn,
    ];

    /// The word in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Timeout => "timeout",
            Self::Dns => "dns",
            Self::Tls => "tls",
            Self::Unreachable => "unreachable",
            Self::NoExternalId => "no_external_id",
            Self::NoRequest => "no_request",
            Self::SessionEnded => "session_ended",
            Self::NoAccessToken => "no_access_token",
            Self::ProfileGone => "profile_gone",
            Self::Unopened => "unopened",
            Self::Database => "database",
            Self::VisitGoesOn => "visit_goes_on",
        }
    }

    /// Of the word in the store. A word of a newer version says no more than none.
    pub(crate) fn of(word: Option<&str>) -> Option<Self> {
        let word = word?;
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// What follows on an attempt that came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTold {
    /// It is tried again.
    TryAgain {
        /// Not before.
        at: UnixTime,
    },
    /// It is given up.
    GiveUp,
    /// It is not true any more.
    NotNeeded,
}

impl fmt::Debug for NewWriteBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewWriteBack")
            .field("profile", &self.profile)
            .field("request_id", &self.request_id)
            .field("due_at", &self.due_at)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for WriteBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteBack")
            .field("id", &self.id)
            .field("profile", &self.profile)
            .field("request_id", &self.request_id)
            .field("attempts", &self.attempts)
            .field("created_at", &self.created_at)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for WriteBackRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteBackRecord")
            .field("id", &self.id)
            .field("created_at", &self.created_at)
            .field("attempts", &self.attempts)
            .field("last_status", &self.last_status)
            .field("last_reason", &self.last_reason)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_read_from_its_word() {
        for reason in Reason::ALL {
            assert_eq!(Reason::of(Some(reason.as_str())), Some(reason));
        }
        assert_eq!(Reason::of(Some("whatever comes")), None);
        assert_eq!(Reason::of(None), None);
    }

    #[test]
    fn a_kind_is_read_from_its_word() {
        for kind in WriteBackKind::ALL {
            assert!(matches!(WriteBackKind::of(kind.as_str()), Ok(Some(read)) if read == kind));
        }
        assert!(matches!(WriteBackKind::of("visit"), Ok(None)));
        assert!(WriteBackKind::of("whatever comes").is_err());
    }

    #[test]
    fn what_is_sealed_is_not_shown() {
        let sealed = vec![222, 173];
        let shown = format!(
            "{:?} {:?} {:?}",
            NewWriteBack {
                dedupe: [222; 32],
                profile: Uuid::nil(),
                request_id: RequestId::from_bytes([1; 16]),
                kind: WriteBackKind::EndOfCall,
                sealed: sealed.clone(),
                due_at: UnixTime::from_millis(0),
            },
            WriteBack {
                id: 1,
                profile: Uuid::nil(),
                request_id: RequestId::from_bytes([1; 16]),
                sealed: sealed.clone(),
                attempts: 1,
                created_at: UnixTime::from_millis(0),
                since: UnixTime::from_millis(0),
                lease: 1,
            },
            WriteBackRecord {
                id: 77,
                sealed,
                created_at: UnixTime::from_millis(0),
                attempts: 1,
                last_status: None,
                last_reason: None,
                state: WriteBackState::Unsent {
                    due_at: UnixTime::from_millis(0),
                },
            }
        );
        assert!(!shown.contains("222"), "{shown}");
        assert!(shown.contains("id: 77"), "{shown}");
    }
}
