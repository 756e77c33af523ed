//! What stands behind an alias that somebody dialled: the one answer, whoever asks.

use vestibule_launch::UnixTime;
use vestibule_node::{ServiceConfiguration, ServiceConfigurationError};
use vestibule_store::{Appointment, EncounterKey, FoundAlias, StoreError};

use crate::{
    launch::{Shared, alias_hash},
    sealing::NotSealedHere,
    tools::Tools,
};

/// What stands behind an alias.
#[derive(Debug)]
pub enum Behind {
    /// An appointment.
    Appointment(ServiceConfiguration),
    /// An appointment, but the alias has expired.
    Expired,
    /// Nothing that a launch made.
    Nothing,
}

/// It cannot be known what stands behind an alias.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// What was sealed cannot be opened.
    #[error("an appointment {0}; was state.key replaced?")]
    Sealed(#[from] NotSealedHere),
    /// The appointment is none that a conference can be made of.
    #[error("an appointment makes no conference: {0}")]
    Service(#[from] ServiceConfigurationError),
    /// The store failed.
    #[error("an alias cannot be looked up: {0}")]
    Store(#[from] StoreError),
}

/// What stands behind `dialled`. It is the same for everybody in one appointment.
///
/// # Errors
/// [`PolicyError`].
pub async fn behind(tools: &Tools, dialled: &str) -> Result<Behind, PolicyError> {
    let alias = alias_hash(&tools.routing.known_as(dialled));
    let finding = tools.store.find_alias(alias, tools.now());
    if let Some(found) = tools.telemetry.stored("find_alias", finding).await? {
        return Ok(Behind::Appointment(service(tools, &found)?));
    }
    match tools.store.find_launch_by_alias(alias).await? {
        Some(_) => Ok(Behind::Expired),
        None => Ok(Behind::Nothing),
    }
}

/// The launch and the appointment of an alias, whether or not it has expired: a visit
/// may last longer than its alias.
///
/// # Errors
/// Where the store fails.
pub(super) async fn launch_behind(
    tools: &Tools,
    dialled: &str,
) -> Result<Option<FoundAlias>, StoreError> {
    let alias = alias_hash(&tools.routing.known_as(dialled));
    let ever = UnixTime::from_millis(i64::MIN);
    tools.store.find_alias(alias, ever).await
}

/// Names an appointment to conferencing systems, in events and in logs: says nothing of
/// the encounter, and is the same for everybody in it.
pub(crate) fn service_tag(encounter: &EncounterKey) -> String {
    let digits = encounter.as_bytes().iter();
    digits.map(|byte| format!("{byte:02x}")).collect()
}

/// The encounter of a [`service_tag`].
pub(super) fn encounter_of(service_tag: &str) -> Option<EncounterKey> {
    let mut bytes = [0; 32];
    if service_tag.len() != 64 || !service_tag.is_ascii() {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        let digits = &service_tag[2 * index..2 * index + 2];
        // `from_str_radix` would take a sign.
        let valid = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        *byte = valid
            .then(|| u8::from_str_radix(digits, 16).ok())
            .flatten()?;
    }
    Some(EncounterKey::from_bytes(bytes))
}

fn service(tools: &Tools, found: &FoundAlias) -> Result<ServiceConfiguration, PolicyError> {
    let Appointment { encounter, .. } = &found.appointment;
    let shared = Shared::open(&tools.sealer, &found.appointment)?;
    let pin = shared.host_pin().map_err(|_| NotSealedHere)?;
    let name = shared.service_name.clone();
    Ok(ServiceConfiguration::new(
        name,
        service_tag(encounter),
        Some(pin),
        None,
        true,
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_tag_names_its_encounter_and_nothing_else_does() {
        let bytes: Vec<u8> = (0..32).map(|index| index * 8).collect();
        let key = EncounterKey::from_bytes(bytes.try_into().unwrap());
        let tag = service_tag(&key);
        assert_eq!(tag.len(), 64);
        assert_eq!(encounter_of(&tag), Some(key));
        assert_eq!(encounter_of(&tag.to_uppercase()), Some(key));
        for other in [
            "",
            &tag[1..],
            &"g".repeat(64),
            &"+1".repeat(32),
            &"é".repeat(32),
        ] {
            assert_eq!(encounter_of(other), None, "{other}");
        }
    }
}
