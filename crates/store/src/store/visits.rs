//! Visits: who is in which appointment.

use async_trait::async_trait;
use uuid::Uuid;
use vestibule_launch::UnixTime;

use crate::{
    Applied, Appointment, AppointmentId, EncounterKey, Launch, NewWriteBack, Participant, Presence,
    StoreError, VisitEvent,
};

/// What conferencing nodes reported.
///
/// A visit runs while its conference runs on any node or any participant is connected.
/// Events of one node must be applied in the order in which the node reported them:
/// the last word counts. Those of several nodes may come in any order.
#[async_trait]
pub trait Visits {
    /// The appointment of an encounter. The key is made over the profile too, and
    /// alone identifies it.
    async fn find_appointment_by_key(
        &self,
        encounter: EncounterKey,
    ) -> Result<Option<Appointment>, StoreError>;

    /// Applies an event once, and stores what is to be written back because of it: all
    /// of `always`, of `presences` those where it changes whether anybody is there, and
    /// of `when_over` those of launches whose visit ran until this
    /// event and is over by it. A restart can end several visits at once: then
    /// `when_over` is for the launches of all [`Visits::running_on`] that node.
    async fn apply_event(
        &self,
        event: VisitEvent,
        always: Vec<NewWriteBack>,
        presences: Vec<Presence>,
        when_over: Vec<NewWriteBack>,
        now: UnixTime,
    ) -> Result<Applied, StoreError>;

    /// How many visits of a profile are running.
    async fn running_visits(&self, profile: Uuid) -> Result<u64, StoreError>;

    /// When the visit of an appointment was over, where it is: nobody is there any more,
    /// and a provider was after `since`. Patients who wait in vain have no visit.
    async fn over_since(
        &self,
        appointment: AppointmentId,
        since: UnixTime,
    ) -> Result<Option<UnixTime>, StoreError>;

    /// The appointments that a conferencing node takes part in at the moment.
    async fn running_on(&self, node: &str) -> Result<Vec<AppointmentId>, StoreError>;

    /// Who is and was in an appointment, in the order in which they came.
    async fn participants(
        &self,
        appointment: AppointmentId,
    ) -> Result<Vec<Participant>, StoreError>;

    /// The launches that led to an appointment, in the order in which they began:
    /// those that completed, also where they failed afterwards.
    async fn launches_of(&self, appointment: AppointmentId) -> Result<Vec<Launch>, StoreError>;
}
