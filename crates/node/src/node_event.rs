//! What the node reports: the events of Pexip's event sink, as types.

use std::{fmt, time::Duration};

use uuid::Uuid;
use vestibule_launch::{DisplayName, Role, UnixTime};

/// Hears what happens in the node. It is called without any lock held, one
/// event at a time and in order; it should return at once and work later. The
/// node itself writes no event to the log.
pub trait EventSink: Send + Sync {
    /// Something has happened.
    fn event(&self, event: NodeEvent);
}

/// Something that has happened.
#[derive(Clone, Debug)]
pub struct NodeEvent {
    /// Counts the events of this node from 1, without a gap.
    pub seq: u64,
    /// When it happened.
    pub time: UnixTime,
    /// What happened.
    pub data: NodeEventData,
}

/// What has happened, by the names of Pexip's event sink.
#[derive(Clone, Debug)]
pub enum NodeEventData {
    /// The first participant has come.
    ConferenceStarted(ConferenceData),
    /// The first host has come or the last one has gone.
    ConferenceUpdated(ConferenceData),
    /// The last participant has gone.
    ConferenceEnded(ConferenceData),
    /// A participant has come, perhaps into the waiting room.
    ParticipantConnected(ParticipantData),
    /// A waiting guest was let in.
    ParticipantUpdated(ParticipantData),
    /// A participant has gone.
    ParticipantDisconnected {
        /// Who has gone.
        participant: ParticipantData,
        /// Why.
        disconnect_reason: DisconnectReason,
        /// How long the participant was connected.
        duration: Duration,
    },
}

impl NodeEventData {
    /// The event's name on the wire of Pexip's event sink.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ConferenceStarted(_) => "conference_started",
            Self::ConferenceUpdated(_) => "conference_updated",
            Self::ConferenceEnded(_) => "conference_ended",
            Self::ParticipantConnected(_) => "participant_connected",
            Self::ParticipantUpdated(_) => "participant_updated",
            Self::ParticipantDisconnected { .. } => "participant_disconnected",
        }
    }
}

/// A conference at the time of an event.
#[derive(Clone, PartialEq, Eq)]
pub struct ConferenceData {
    /// The service name.
    pub name: String,
    /// The service tag.
    pub tag: String,
    /// Whether a host is there.
    pub is_started: bool,
    /// When the first participant came.
    pub start_time: UnixTime,
}

impl fmt::Debug for ConferenceData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConferenceData")
            .field("tag", &self.tag)
            .field("is_started", &self.is_started)
            .field("start_time", &self.start_time)
            .finish_non_exhaustive()
    }
}

/// A participant at the time of an event.
#[derive(Clone, PartialEq, Eq)]
pub struct ParticipantData {
    /// Identifies the participant; a new one for each token request.
    pub uuid: Uuid,
    /// The service name of the conference.
    pub conference: String,
    /// The service tag of the conference.
    pub service_tag: String,
    /// The alias dialled, without a scheme: it tells the launch.
    pub destination_alias: String,
    /// The name that other participants see.
    pub display_name: DisplayName,
    /// What the participant is in the conference.
    pub role: Role,
    /// Where the participant is.
    pub service_type: ServiceType,
    /// The tag sent by the client; empty where it sent none.
    pub call_tag: String,
    /// When the participant came.
    pub connect_time: UnixTime,
}

impl fmt::Debug for ParticipantData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParticipantData")
            .field("uuid", &self.uuid)
            .field("service_tag", &self.service_tag)
            .field("role", &self.role)
            .field("service_type", &self.service_type)
            .field("connect_time", &self.connect_time)
            .finish_non_exhaustive()
    }
}

/// Where a participant is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceType {
    /// Waiting for a host.
    WaitingRoom,
    /// In the conference.
    Conference,
}

impl ServiceType {
    /// The word used by the client API and the event sink.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WaitingRoom => "waiting_room",
            Self::Conference => "conference",
        }
    }
}

/// Why a participant has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisconnectReason {
    /// The participant left.
    Left,
    /// The participant did not refresh the token in time.
    TokenExpired,
    /// No host came in time.
    NoHostCame,
    /// The last host left, and none came back in time.
    HostsLeft,
    /// The node is shutting down.
    NodeShutDown,
}

impl DisconnectReason {
    /// Pexip's wording, which its clients look up for a `#pex` code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Left => "Call disconnected",
            Self::TokenExpired => "Timer expired awaiting token refresh",
            Self::NoHostCame => {
                "Timeout waiting for conference host to join or permit access to locked conference"
            }
            Self::HostsLeft => "All conference hosts departed hosted conference",
            Self::NodeShutDown => "Signaling node disconnected",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_names_nor_aliases() {
        let participant = ParticipantData {
            uuid: Uuid::nil(),
            conference: "Visit of Beverley".into(),
            service_tag: "tag-7".into(),
            destination_alias: "secret-alias".into(),
            display_name: DisplayName::parse("Beverley Spinder").unwrap(),
            role: Role::Guest,
            service_type: ServiceType::WaitingRoom,
            call_tag: "call of Beverley".into(),
            connect_time: UnixTime::from_millis(0),
        };
        let conference = ConferenceData {
            name: "Visit of Beverley".into(),
            tag: "tag-7".into(),
            is_started: true,
            start_time: UnixTime::from_millis(0),
        };
        for data in [
            NodeEventData::ConferenceStarted(conference),
            NodeEventData::ParticipantConnected(participant),
        ] {
            let shown = format!("{data:?}");
            assert!(shown.contains("tag-7"));
            assert!(
                !shown.contains("Beverley") && !shown.contains("secret-alias"),
                "{shown}"
            );
        }
    }
}
