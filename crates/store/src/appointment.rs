//! Appointments: what the participants of one encounter share.

use std::{fmt, num::ParseIntError, str::FromStr};

use uuid::Uuid;
use vestibule_launch::UnixTime;

use crate::EncounterKey;

/// Identifies an appointment within its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AppointmentId(pub(crate) i64);

impl fmt::Display for AppointmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for AppointmentId {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// An appointment to find or to make.
#[derive(Clone)]
pub struct NewAppointment {
    /// The telehealth profile.
    pub profile: Uuid,
    /// The encounter.
    pub encounter: EncounterKey,
    /// Service name and host PIN, sealed; kept only where the appointment is new.
    pub sealed: Vec<u8>,
}

/// An appointment as stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Appointment {
    /// Identifies it within the store.
    pub id: AppointmentId,
    /// The telehealth profile.
    pub profile: Uuid,
    /// The encounter.
    pub encounter: EncounterKey,
    /// Service name and host PIN, sealed by whoever came first.
    pub sealed: Vec<u8>,
    /// When it was first launched.
    pub created_at: UnixTime,
}

impl fmt::Debug for NewAppointment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewAppointment")
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Appointment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Appointment")
            .field("id", &self.id)
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}
