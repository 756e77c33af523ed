//! Which appointment an event is about.

use std::sync::{Mutex, PoisonError};

use uuid::Uuid;
use vestibule_store::{AliasHash, AppointmentId, StoreError};

use super::service_names::ServiceNames;
use crate::{
    conferencing::{
        event::Participant,
        policy::{encounter_of, launch_behind},
    },
    launch::alias_hash,
    tools::Tools,
};

/// An appointment, as far as events go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) appointment: AppointmentId,
    pub(super) profile: Uuid,
}

/// Finds the appointments of events.
pub(super) struct Places {
    tools: Tools,
    names: Mutex<ServiceNames>,
}

impl Places {
    pub(super) fn new(tools: Tools) -> Self {
        Self {
            tools,
            names: Mutex::default(),
        }
    }

    /// Where somebody is: by the alias that they dialled, or else as [`Self::named`].
    /// Who was called from within the conference dialled none of ours.
    pub(super) async fn of(&self, participant: &Participant) -> Result<Option<Place>, StoreError> {
        let Participant {
            conference,
            service_tag,
            destination_alias,
            ..
        } = participant;
        let place = match launch_behind(&self.tools, destination_alias).await? {
            Some(found) => Some(Place {
                appointment: found.appointment.id,
                profile: found.appointment.profile,
            }),
            None => self.named(service_tag, conference).await?,
        };
        if let Some(place) = place {
            let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
            names.learn(conference, place);
        }
        Ok(place)
    }

    /// The appointment of a service tag. Where the conferencing system tells none, that
    /// of the service name, if participants have shown whose it is.
    pub(super) async fn named(&self, tag: &str, name: &str) -> Result<Option<Place>, StoreError> {
        if tag.is_empty() {
            let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
            return Ok(names.find(name));
        }
        let Some(encounter) = encounter_of(tag) else {
            return Ok(None);
        };
        let found = self.tools.store.find_appointment_by_key(encounter).await?;
        Ok(found.map(|appointment| Place {
            appointment: appointment.id,
            profile: appointment.profile,
        }))
    }

    /// Under which the alias of a participant is stored.
    pub(super) fn alias(&self, participant: &Participant) -> AliasHash {
        alias_hash(&self.tools.routing.known_as(&participant.destination_alias))
    }
}
