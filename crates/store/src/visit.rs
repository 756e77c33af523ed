//! Visits: what conferencing nodes report of an appointment.

use std::fmt;

use uuid::Uuid;
use vestibule_launch::UnixTime;

use crate::{AliasHash, AppointmentId, NewWriteBack};

/// Identifies an event. Nodes report at least once, and count from 1 again after a
/// restart: two events are the same where all three agree.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventId {
    /// The conferencing node; the caller caps its length.
    pub node: String,
    /// The node's own count.
    pub seq: u64,
    /// The second of the node's clock, since 1970-01-01T00:00:00Z.
    pub second: i64,
}

/// Something that happened on a conferencing node.
#[derive(Clone, Debug)]
pub struct VisitEvent {
    /// Identifies the event; names the node.
    pub id: EventId,
    /// Where it happened. An event of an appointment that is not known (any more)
    /// changes nothing.
    pub appointment: Option<AppointmentId>,
    /// What happened.
    pub change: Change,
    /// When, by the node's clock.
    pub at: UnixTime,
}

/// What happened.
#[derive(Clone)]
pub enum Change {
    /// The appointment's conference began on this node.
    ConferenceStarted,
    /// It ended on this node, and with it every participation there.
    ConferenceEnded,
    /// Somebody entered.
    ParticipantConnected {
        /// Identifies this participation.
        participant: Uuid,
        /// The alias that was dialled.
        alias: AliasHash,
        /// Names and the like, sealed.
        sealed: Vec<u8>,
    },
    /// Something is different about a participant.
    ParticipantUpdated {
        /// Identifies the participation; one not known changes nothing.
        participant: Uuid,
        /// Names and the like, sealed.
        sealed: Vec<u8>,
    },
    /// Somebody left.
    ParticipantDisconnected {
        /// Identifies the participation; one not known changes nothing.
        participant: Uuid,
    },
    /// Everything that ran on this node has ended, whatever appointment it was of.
    NodeRestarted,
}

/// What is to be written back where an event changes whether anybody is there who
/// dialled an alias: somebody who reloads the page is there twice for a moment, and that
/// moment is not told. The store decides it with the change, so that events of several
/// nodes at once, and of one participant each, come to one answer.
#[derive(Clone, Debug)]
pub struct Presence {
    /// The appointment.
    pub appointment: AppointmentId,
    /// The alias that was dialled.
    pub alias: AliasHash,
    /// What is to be written back.
    pub write_backs: Vec<NewWriteBack>,
}

/// How [`crate::Visits::apply_event`] went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It was news.
    Now {
        /// Whether a visit that ran until now is over.
        visit_over: bool,
    },
    /// It was applied before; nothing was stored.
    Before,
}

/// Somebody's participation in an appointment.
#[derive(Clone, PartialEq, Eq)]
pub struct Participant {
    /// Identifies this participation.
    pub participant: Uuid,
    /// The conferencing node that reported it last.
    pub node: String,
    /// The alias that was dialled.
    pub alias: AliasHash,
    /// Names and the like, sealed.
    pub sealed: Vec<u8>,
    /// When it began; of who was gone and came back, the last time.
    pub connected_at: UnixTime,
    /// When it ended; `None` while it lasts.
    pub disconnected_at: Option<UnixTime>,
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, participant) = match self {
            Self::ConferenceStarted => ("ConferenceStarted", None),
            Self::ConferenceEnded => ("ConferenceEnded", None),
            Self::ParticipantConnected { participant, .. } => {
                ("ParticipantConnected", Some(participant))
            }
            Self::ParticipantUpdated { participant, .. } => {
                ("ParticipantUpdated", Some(participant))
            }
            Self::ParticipantDisconnected { participant } => {
                ("ParticipantDisconnected", Some(participant))
            }
            Self::NodeRestarted => ("NodeRestarted", None),
        };
        match participant {
            Some(participant) => f
                .debug_struct(name)
                .field("participant", participant)
                .finish_non_exhaustive(),
            None => f.write_str(name),
        }
    }
}

impl fmt::Debug for Participant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Participant")
            .field("participant", &self.participant)
            .field("node", &self.node)
            .field("connected_at", &self.connected_at)
            .field("disconnected_at", &self.disconnected_at)
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
            "{:?} {:?} {:?}",
            Change::ParticipantConnected {
                participant: Uuid::from_u128(1),
                alias: AliasHash::from_bytes([222; 32]),
                sealed: sealed.clone(),
            },
            VisitEvent {
                id: EventId {
                    node: "a".into(),
                    seq: 1,
                    second: 2,
                },
                appointment: None,
                change: Change::ParticipantUpdated {
                    participant: Uuid::from_u128(7),
                    sealed: sealed.clone(),
                },
                at: UnixTime::from_millis(0),
            },
            Participant {
                participant: Uuid::nil(),
                node: "a".into(),
                alias: AliasHash::from_bytes([222; 32]),
                sealed,
                connected_at: UnixTime::from_millis(0),
                disconnected_at: None,
            }
        );
        assert!(!shown.contains("222"), "{shown}");
        assert!(shown.contains("-000000000007"), "{shown}");
    }
}
