//! Who is in which visit: applies what conferencing systems report, and decides what the
//! EHR is told of it.
//!
//! A launch is connected while anybody is who dialled its alias: somebody who reloads the
//! page is there twice for a moment, and that moment is not told.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use vestibule_launch::Role;
use vestibule_store::{Applied, AppointmentId, Change, StoreError, VisitEvent};

use self::{
    places::{Place, Places},
    told::{By, Occasion, Telling, Told},
};
use super::event::{Event, EventData, Participant, Whereabouts};
use crate::{
    profile::Profiles,
    sealing::{NotSealedHere, Purpose, Sealer},
    tools::Tools,
    write_back::StatusChange,
};

mod places;
mod service_names;
#[cfg(test)]
mod tests;
mod told;

/// Longest reason for leaving in the log, in characters.
const LONGEST_REASON: usize = 100;

/// Applies events. Clones are the same one; those of other servers, for events of other
/// nodes, go on at the same time, and what depends on both is for the store to decide.
#[derive(Clone)]
pub struct Attendance(Arc<Inner>);

struct Inner {
    tools: Tools,
    places: Places,
    telling: Telling,
}

/// What an event comes to.
struct Plan {
    appointment: Option<AppointmentId>,
    change: Change,
    /// Launches that may be connected, or not any more, by this event.
    told: Vec<Told>,
    /// Appointments whose visit may be over by this event.
    may_be_over: Vec<AppointmentId>,
}

/// What is remembered, sealed, of a participant.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) display_name: String,
    pub(crate) role: Option<Role>,
    pub(crate) waiting: bool,
}

impl Seen {
    /// Opens what is remembered of a participant of this profile's.
    pub(crate) fn open(
        sealer: &Sealer,
        profile: Uuid,
        participant: &vestibule_store::Participant,
    ) -> Result<Self, NotSealedHere> {
        let id = participant.participant.as_bytes();
        sealer.open(Purpose::Participant, profile, id, &participant.sealed)
    }
}

impl Attendance {
    /// Nobody is anywhere, but for whom the store remembers.
    pub fn new(tools: Tools, profiles: Arc<Profiles>) -> Self {
        Self(Arc::new(Inner {
            places: Places::new(tools.clone()),
            telling: Telling::new(tools.clone(), profiles),
            tools,
        }))
    }

    /// Applies an event, once: of those that are the same the first counts. Events of
    /// conferences that no launch made are let pass.
    ///
    /// # Errors
    /// Where the store fails; the event must then be applied again.
    pub async fn apply(&self, event: &Event) -> Result<(), StoreError> {
        let Inner { tools, telling, .. } = &*self.0;
        let Some(plan) = self.plan(event).await? else {
            tracing::debug!(event = event.name(), "changes no visit");
            return Ok(());
        };
        let presences = telling.now(event, plan.told).await?;
        let when_over = telling.when_over(event, &plan.may_be_over).await?;
        let visit_event = VisitEvent {
            id: event.id.clone(),
            appointment: plan.appointment,
            change: plan.change,
            at: event.at,
        };
        let applying =
            tools
                .store
                .apply_event(visit_event, vec![], presences, when_over, tools.now());
        match tools.telemetry.stored("apply_event", applying).await? {
            Applied::Before => tracing::debug!(event = event.name(), "told before"),
            Applied::Now { visit_over } => log(event, visit_over),
        }
        Ok(())
    }

    async fn plan(&self, event: &Event) -> Result<Option<Plan>, StoreError> {
        let Inner { places, .. } = &*self.0;
        let node = event.id.node.as_str();
        match &event.data {
            EventData::NodeStarted => self.node_started(node).await.map(Some),
            EventData::ConferenceUpdated(_) => Ok(None),
            EventData::ConferenceStarted(conference) => {
                let place = places.named(&conference.tag, &conference.name).await?;
                Ok(place.map(|place| Plan::of(place, Change::ConferenceStarted)))
            }
            EventData::ConferenceEnded(conference) => {
                let place = places.named(&conference.tag, &conference.name).await?;
                let Some(place) = place else {
                    return Ok(None);
                };
                Ok(Some(Plan {
                    told: self.gone_with(node, place.appointment).await?,
                    may_be_over: vec![place.appointment],
                    ..Plan::of(place, Change::ConferenceEnded)
                }))
            }
            EventData::ParticipantConnected(participant)
            | EventData::ParticipantUpdated(participant) => self.there(event, participant).await,
            EventData::ParticipantDisconnected(participant) => self.left(participant).await,
        }
    }

    /// Everything that ran on the node has ended.
    async fn node_started(&self, node: &str) -> Result<Plan, StoreError> {
        let ran = self.0.tools.store.running_on(node).await?;
        let mut told = Vec::new();
        for appointment in &ran {
            told.extend(self.gone_with(node, *appointment).await?);
        }
        Ok(Plan {
            appointment: None,
            change: Change::NodeRestarted,
            told,
            may_be_over: ran,
        })
    }

    /// Somebody is there. Who is only on the way is not, until an update says so. Who
    /// was taken to be gone, because the node's event sink started again for example, is
    /// back when the same node says more of them.
    async fn there(
        &self,
        event: &Event,
        participant: &Participant,
    ) -> Result<Option<Plan>, StoreError> {
        let Inner { tools, places, .. } = &*self.0;
        let Some(place) = places.of(participant).await? else {
            return Ok(None);
        };
        let all = tools.store.participants(place.appointment).await?;
        let uuid = participant.uuid;
        let known = all.iter().find(|it| it.participant == uuid);
        let is_outside = participant.whereabouts == Whereabouts::Outside;
        if known.is_none() && is_outside {
            return Ok(None);
        }
        let gone_since = known.and_then(|known| {
            let gone_since = known.disconnected_at?;
            let is_back = known.node == event.id.node && gone_since < event.at && !is_outside;
            is_back.then_some(gone_since)
        });
        let sealed = self.seal(place, participant);
        if known.is_some() && gone_since.is_none() {
            let change = Change::ParticipantUpdated {
                participant: uuid,
                sealed,
            };
            return Ok(Some(Plan::of(place, change)));
        }
        let alias = places.alias(participant);
        let by = By {
            appointment: place.appointment,
            alias,
        };
        let occasion = Occasion::Came { uuid, gone_since };
        let told = Told::of(tools, by, StatusChange::Connected, occasion).await?;
        let change = Change::ParticipantConnected {
            participant: uuid,
            alias,
            sealed,
        };
        Ok(Some(Plan {
            told: told.into_iter().collect(),
            ..Plan::of(place, change)
        }))
    }

    async fn left(&self, participant: &Participant) -> Result<Option<Plan>, StoreError> {
        let Inner { tools, places, .. } = &*self.0;
        let Some(place) = places.of(participant).await? else {
            return Ok(None);
        };
        let uuid = participant.uuid;
        let all = tools.store.participants(place.appointment).await?;
        let there = all.iter().filter(|it| it.disconnected_at.is_none());
        let gone = there.filter(|it| it.participant == uuid);
        let told = self.gone(place.appointment, gone).await?;
        let change = Change::ParticipantDisconnected { participant: uuid };
        Ok(Some(Plan {
            told,
            may_be_over: vec![place.appointment],
            ..Plan::of(place, change)
        }))
    }

    /// The launches that nobody may be connected of any more without this node.
    async fn gone_with(
        &self,
        node: &str,
        appointment: AppointmentId,
    ) -> Result<Vec<Told>, StoreError> {
        let Inner { tools, .. } = &*self.0;
        let all = tools.store.participants(appointment).await?;
        let there = all.iter().filter(|it| it.disconnected_at.is_none());
        self.gone(appointment, there.filter(|it| it.node == node))
            .await
    }

    /// The launches of those who go, each once, by whoever of them came first.
    async fn gone(
        &self,
        appointment: AppointmentId,
        participants: impl Iterator<Item = &vestibule_store::Participant>,
    ) -> Result<Vec<Told>, StoreError> {
        let tools = &self.0.tools;
        let (mut told, mut seen) = (Vec::new(), Vec::new());
        for gone in participants {
            if seen.contains(&gone.alias) {
                continue;
            }
            seen.push(gone.alias);
            let by = By {
                appointment,
                alias: gone.alias,
            };
            let change = StatusChange::Disconnected;
            told.extend(Told::of(tools, by, change, Occasion::left(gone)).await?);
        }
        Ok(told)
    }

    fn seal(&self, place: Place, participant: &Participant) -> Vec<u8> {
        let Tools { sealer, random, .. } = &self.0.tools;
        let seen = Seen {
            display_name: participant.display_name.clone(),
            role: participant.role,
            waiting: participant.whereabouts == Whereabouts::WaitingRoom,
        };
        let id = participant.uuid.as_bytes();
        random.with(|rng| sealer.seal(Purpose::Participant, place.profile, id, &seen, rng))
    }
}

impl Plan {
    /// Nobody is to be told of it.
    fn of(place: Place, change: Change) -> Self {
        Self {
            appointment: Some(place.appointment),
            change,
            told: Vec::new(),
            may_be_over: Vec::new(),
        }
    }
}

/// What happened, without names and aliases.
fn log(event: &Event, visit_over: bool) {
    let (seq, name) = (event.id.seq, event.name());
    match &event.data {
        EventData::NodeStarted => tracing::info!(seq, event = name, visit_over, "node"),
        EventData::ConferenceStarted(conference)
        | EventData::ConferenceUpdated(conference)
        | EventData::ConferenceEnded(conference) => {
            let service_tag = conference.tag.as_str();
            tracing::info!(seq, event = name, service_tag, visit_over, "conference");
        }
        EventData::ParticipantConnected(participant)
        | EventData::ParticipantUpdated(participant)
        | EventData::ParticipantDisconnected(participant) => {
            let reason = participant.disconnect_reason.as_deref();
            let reason: Option<String> =
                reason.map(|reason| reason.chars().take(LONGEST_REASON).collect());
            tracing::info!(
                seq,
                event = name,
                service_tag = participant.service_tag,
                participant = %participant.uuid,
                role = participant.role.map(Role::as_str),
                whereabouts = participant.whereabouts.as_str(),
                reason,
                visit_over,
                "conference"
            );
        }
    }
}
