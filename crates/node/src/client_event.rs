//! The events that a participant's event stream carries.

use axum::response::sse::Event;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    DisconnectReason,
    answer::{ConferenceState, ParticipantState},
};

/// An event of the client API.
#[derive(Clone, PartialEq)]
pub(crate) enum ClientEvent {
    ParticipantSyncBegin,
    ParticipantSyncEnd,
    ParticipantCreate(Box<ParticipantState>),
    ParticipantUpdate(Box<ParticipantState>),
    ParticipantDelete(Uuid),
    ConferenceUpdate(ConferenceState),
    Disconnect(DisconnectReason),
}

impl ClientEvent {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::ParticipantSyncBegin => "participant_sync_begin",
            Self::ParticipantSyncEnd => "participant_sync_end",
            Self::ParticipantCreate(_) => "participant_create",
            Self::ParticipantUpdate(_) => "participant_update",
            Self::ParticipantDelete(_) => "participant_delete",
            Self::ConferenceUpdate(_) => "conference_update",
            Self::Disconnect(_) => "disconnect",
        }
    }

    /// The event as server-sent event. One without data carries `null`, because
    /// Pexip's client passes over events whose data is empty.
    ///
    /// # Errors
    /// Where the data cannot be written as JSON, which no event here can bring about.
    pub(crate) fn to_sse(&self) -> Result<Event, axum::Error> {
        let event = Event::default().event(self.name());
        match self {
            Self::ParticipantSyncBegin | Self::ParticipantSyncEnd => event.json_data(()),
            Self::ParticipantCreate(participant) | Self::ParticipantUpdate(participant) => {
                event.json_data(participant)
            }
            Self::ParticipantDelete(uuid) => event.json_data(Deleted { uuid: *uuid }),
            Self::ConferenceUpdate(conference) => event.json_data(conference),
            Self::Disconnect(reason) => event.json_data(Disconnected {
                reason: reason.as_str(),
            }),
        }
    }
}

#[derive(Serialize)]
struct Deleted {
    uuid: Uuid,
}

#[derive(Serialize)]
struct Disconnected {
    reason: &'static str,
}
