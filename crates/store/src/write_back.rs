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
    /// The launch that it tells of. The write-backs of one launch are sent in order
    /// within their lane.
    pub request_id: RequestId,
    /// Which of the profile's tables tells it.
    pub lane: Lane,
    /// What to tell, sealed.
    pub sealed: Vec<u8>,
    /// Not to be sent before.
    pub due_at: UnixTime,
}

/// Which of a profile's tables tells it. What one tells of a launch is told in order, and
/// what it tells later takes the place of what it told before. Another one's is for another
/// receiver: neither waits for the other, and neither takes the other's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Who comes and goes, and that the visit is over: `[write_back]`.
    EpicConnectionStatus,
    /// That the visit is over: `[end_of_call]`.
    EndOfCall,
    /// Who comes and goes, and that the visit is over: `[zoom.notification]`.
    ZoomNotification,
    /// How device checks went: `[device_test]`.
    DeviceTest,
}

impl Lane {
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

    /// Of the word in the store. `None` of an earlier version's: it had one lane for
    /// whatever was not a device test.
    pub(crate) fn of(word: &str) -> Result<Option<Self>, StoreError> {
        if word == UNKNOWN_LANE {
            return Ok(None);
        }
        let lane = Self::ALL.into_iter().find(|known| known.as_str() == word);
        lane.map(Some).ok_or(StoreError::Damaged("lane"))
    }
}

/// The lane, in the store, of what an earlier version stored.
const UNKNOWN_LANE: &str = "visit";

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
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_read_from_its_word() {
        for lane in Lane::ALL {
            assert!(matches!(Lane::of(lane.as_str()), Ok(Some(read)) if read == lane));
        }
        assert!(matches!(Lane::of("visit"), Ok(None)));
        assert!(Lane::of("whatever comes").is_err());
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
                lane: Lane::EndOfCall,
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
                state: WriteBackState::Unsent {
                    due_at: UnixTime::from_millis(0),
                },
            }
        );
        assert!(!shown.contains("222"), "{shown}");
        assert!(shown.contains("id: 77"), "{shown}");
    }
}
