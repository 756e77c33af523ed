//! What the participants of one appointment share.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use vestibule_launch::{Pin, PinError};
use vestibule_store::{AliasHash, Appointment};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::sealing::{NotSealedHere, Purpose, Sealer};

/// Service name and host PIN of an appointment.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct Shared {
    /// The conference's name.
    pub service_name: String,
    host_pin: String,
}

impl Shared {
    /// For a new appointment.
    pub fn new(service_name: String, host_pin: &Pin) -> Self {
        Self {
            service_name,
            host_pin: host_pin.expose().to_owned(),
        }
    }

    /// Opens what an appointment's first launch sealed.
    ///
    /// # Errors
    /// Where it was sealed under another key.
    pub fn open(sealer: &Sealer, appointment: &Appointment) -> Result<Self, NotSealedHere> {
        let id = appointment.encounter.as_bytes();
        sealer.open(
            Purpose::Appointment,
            appointment.profile,
            id,
            &appointment.sealed,
        )
    }

    /// The host PIN.
    ///
    /// # Errors
    /// Where what was sealed is none.
    pub fn host_pin(&self) -> Result<Pin, PinError> {
        Pin::parse(&self.host_pin)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared(…)")
    }
}

/// Under which a rendered alias is stored: aliases are the same in either case.
pub fn alias_hash(alias: &str) -> AliasHash {
    AliasHash::from_bytes(Sha256::digest(alias.trim().to_lowercase()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_is_the_same_in_either_case() {
        assert_eq!(
            alias_hash("Telehealth.1@Example.org"),
            alias_hash("telehealth.1@example.org")
        );
        assert_ne!(
            alias_hash("telehealth.1@example.org"),
            alias_hash("telehealth.2@example.org")
        );
    }

    #[test]
    fn debug_shows_neither_name_nor_pin() {
        let shared = Shared::new("Visit of Beverley".into(), &Pin::parse("12345678").unwrap());
        assert_eq!(format!("{shared:?}"), "Shared(…)");
    }
}
