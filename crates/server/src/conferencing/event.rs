//! What conferencing systems report: the events of Pexip's event sink, whichever way
//! they came.

use std::fmt;

use uuid::Uuid;
use vestibule_launch::{Role, UnixTime};
use vestibule_node::{ConferenceData, NodeEvent, NodeEventData, ParticipantData};
use vestibule_store::EventId;

/// Something that happened on a conferencing node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Identifies it, and names the node.
    pub id: EventId,
    /// When it happened, by the node's clock.
    pub at: UnixTime,
    /// What happened.
    pub data: EventData,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventData {
    /// The node begins to report: what it ran before has ended.
    NodeStarted,
    /// A conference began on this node.
    ConferenceStarted(Conference),
    /// Something is different about a conference.
    ConferenceUpdated(Conference),
    /// A conference ended on this node.
    ConferenceEnded(Conference),
    /// Somebody came.
    ParticipantConnected(Participant),
    /// Something is different about a participant.
    ParticipantUpdated(Participant),
    /// Somebody left.
    ParticipantDisconnected(Participant),
}

/// A conference.
#[derive(Clone, PartialEq, Eq)]
pub struct Conference {
    /// The service name.
    pub name: String,
    /// The service tag; empty where the conferencing system does not tell it.
    pub tag: String,
}

/// A participant.
#[derive(Clone, PartialEq, Eq)]
pub struct Participant {
    /// Identifies the participation.
    pub uuid: Uuid,
    /// The service name of the conference.
    pub conference: String,
    /// The service tag; empty where the conferencing system does not tell it.
    pub service_tag: String,
    /// The alias that was dialled: it tells the launch.
    pub destination_alias: String,
    /// The name that others see.
    pub display_name: String,
    /// What they are in the conference, where it is known already.
    pub role: Option<Role>,
    /// Where they are.
    pub whereabouts: Whereabouts,
    /// Why they left, where they did: the system's words.
    pub disconnect_reason: Option<String>,
}

/// Where a participant is: Pexip's `service_type`, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// On the way: connecting, or being asked for a PIN.
    Outside,
    /// Waiting until a host lets them in.
    WaitingRoom,
    /// In the conference.
    Inside,
}

impl Event {
    /// An event of the embedded node, which is called `node` here.
    pub fn of_node(node: &str, event: NodeEvent) -> Self {
        Self {
            id: EventId {
                node: node.to_owned(),
                seq: event.seq,
                second: second(event.time),
            },
            at: event.time,
            data: event.data.into(),
        }
    }

    /// The event's name on the wire of Pexip's event sink.
    pub fn name(&self) -> &'static str {
        match self.data {
            EventData::NodeStarted => "eventsink_started",
            EventData::ConferenceStarted(_) => "conference_started",
            EventData::ConferenceUpdated(_) => "conference_updated",
            EventData::ConferenceEnded(_) => "conference_ended",
            EventData::ParticipantConnected(_) => "participant_connected",
            EventData::ParticipantUpdated(_) => "participant_updated",
            EventData::ParticipantDisconnected(_) => "participant_disconnected",
        }
    }
}

impl Whereabouts {
    /// The word for it in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Outside => "outside",
            Self::WaitingRoom => "waiting_room",
            Self::Inside => "inside",
        }
    }
}

/// The second of a point in time, rounded down.
pub(super) fn second(time: UnixTime) -> i64 {
    time.as_millis().div_euclid(1000)
}

impl From<NodeEventData> for EventData {
    fn from(data: NodeEventData) -> Self {
        match data {
            NodeEventData::ConferenceStarted(data) => Self::ConferenceStarted(data.into()),
            NodeEventData::ConferenceUpdated(data) => Self::ConferenceUpdated(data.into()),
            NodeEventData::ConferenceEnded(data) => Self::ConferenceEnded(data.into()),
            NodeEventData::ParticipantConnected(data) => Self::ParticipantConnected(data.into()),
            NodeEventData::ParticipantUpdated(data) => Self::ParticipantUpdated(data.into()),
            NodeEventData::ParticipantDisconnected {
                participant,
                disconnect_reason,
                ..
            } => Self::ParticipantDisconnected(Participant {
                disconnect_reason: Some(disconnect_reason.as_str().to_owned()),
                ..participant.into()
            }),
        }
    }
}

impl From<ConferenceData> for Conference {
    fn from(data: ConferenceData) -> Self {
        Self {
            name: data.name,
            tag: data.tag,
        }
    }
}

impl From<ParticipantData> for Participant {
    fn from(data: ParticipantData) -> Self {
        Self {
            uuid: data.uuid,
            conference: data.conference,
            service_tag: data.service_tag,
            destination_alias: data.destination_alias,
            display_name: data.display_name.as_str().to_owned(),
            role: Some(data.role),
            whereabouts: match data.service_type {
                vestibule_node::ServiceType::WaitingRoom => Whereabouts::WaitingRoom,
                vestibule_node::ServiceType::Conference => Whereabouts::Inside,
            },
            disconnect_reason: None,
        }
    }
}

impl fmt::Debug for Conference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conference").finish_non_exhaustive()
    }
}

impl fmt::Debug for Participant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Participant")
            .field("uuid", &self.uuid)
            .field("role", &self.role)
            .field("whereabouts", &self.whereabouts)
            .finish_non_exhaustive()
    }
}
