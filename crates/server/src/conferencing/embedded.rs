//! The embedded conferencing node: it asks here what stands behind an alias.

use std::fmt;

use async_trait::async_trait;
use vestibule_node::{
    EventSink, NodeEvent, NodeEventData, PolicyUnavailable, ServiceConfiguration, ServicePolicy,
};
use vestibule_store::{Appointment, FoundAlias};

use crate::{
    launch::{Shared, alias_hash},
    tools::Tools,
};

/// Answers from the store: one-time aliases lead to their appointment until they
/// expire.
#[derive(Clone)]
pub struct StorePolicy(Tools);

impl StorePolicy {
    /// Answers from these tools' store.
    pub fn new(tools: Tools) -> Self {
        Self(tools)
    }

    fn service(&self, found: &FoundAlias) -> Option<ServiceConfiguration> {
        let shared = Shared::open(&self.0.sealer, &found.appointment).ok()?;
        let pin = shared.host_pin().ok()?;
        let tag = service_tag(&found.appointment);
        ServiceConfiguration::new(shared.service_name.clone(), tag, Some(pin), None, true).ok()
    }
}

#[async_trait]
impl ServicePolicy for StorePolicy {
    async fn service_configuration(
        &self,
        local_alias: &str,
    ) -> Result<Option<ServiceConfiguration>, PolicyUnavailable> {
        let found = self
            .0
            .store
            .find_alias(alias_hash(local_alias), self.0.now())
            .await;
        match found {
            Ok(None) => Ok(None),
            Ok(Some(found)) => match self.service(&found) {
                Some(service) => Ok(Some(service)),
                None => {
                    let request_id = found.request_id;
                    tracing::error!(%request_id, "an appointment cannot be opened; was state.key replaced?");
                    Err(PolicyUnavailable)
                }
            },
            Err(error) => {
                tracing::error!(%error, "an alias cannot be looked up");
                Err(PolicyUnavailable)
            }
        }
    }
}

impl fmt::Debug for StorePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StorePolicy(…)")
    }
}

/// Writes what happens in conferences to the log, without names and aliases.
#[derive(Clone, Copy, Debug)]
pub struct EventLog;

impl EventSink for EventLog {
    fn event(&self, event: NodeEvent) {
        let (seq, name) = (event.seq, event.data.name());
        match event.data {
            NodeEventData::ConferenceStarted(conference)
            | NodeEventData::ConferenceUpdated(conference)
            | NodeEventData::ConferenceEnded(conference) => {
                let is_started = conference.is_started;
                tracing::info!(
                    seq,
                    event = name,
                    service_tag = conference.tag,
                    is_started,
                    "conference"
                );
            }
            NodeEventData::ParticipantConnected(participant)
            | NodeEventData::ParticipantUpdated(participant) => {
                let role = participant.role.as_str();
                tracing::info!(
                    seq, event = name, service_tag = participant.service_tag,
                    participant = %participant.uuid, role, "conference"
                );
            }
            NodeEventData::ParticipantDisconnected {
                participant,
                disconnect_reason,
                duration,
            } => {
                let role = participant.role.as_str();
                tracing::info!(
                    seq, event = name, service_tag = participant.service_tag,
                    participant = %participant.uuid, role,
                    reason = disconnect_reason.as_str(), seconds = duration.as_secs(), "conference"
                );
            }
        }
    }
}

/// Names an appointment in events and logs: says nothing of the encounter, and is
/// the same for everybody in it.
fn service_tag(appointment: &Appointment) -> String {
    appointment.encounter.as_bytes()[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
