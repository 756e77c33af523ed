//! What stands behind an alias, and who may enter it how.

use std::fmt;

use vestibule_launch::{Pin, Role};

/// Longest service name and service tag, in characters: the limit of Pexip's
/// status fields.
const LONGEST_NAME: usize = 250;

/// A service (a conference to be) as the policy describes it. It cannot hold a
/// combination of PINs that Pexip's policy contract forbids.
#[derive(Clone)]
pub struct ServiceConfiguration {
    name: String,
    service_tag: String,
    entry: Entry,
}

impl ServiceConfiguration {
    /// A service of this name. Aliases whose services have the same name and tag
    /// lead into the same conference. `service_tag` is handed on to events and logs.
    ///
    /// Without `pin` everybody enters as host; with `pin` alone everybody needs
    /// it and is a host; with `allow_guests` those without the host PIN are
    /// guests, who need `guest_pin` where there is one.
    ///
    /// # Errors
    /// [`ServiceConfigurationError`] where the parts do not go together.
    pub fn new(
        name: impl Into<String>,
        service_tag: impl Into<String>,
        pin: Option<Pin>,
        guest_pin: Option<Pin>,
        allow_guests: bool,
    ) -> Result<Self, ServiceConfigurationError> {
        let (name, service_tag) = (name.into(), service_tag.into());
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            return Err(ServiceConfigurationError::Name);
        }
        if service_tag.chars().count() > LONGEST_NAME {
            return Err(ServiceConfigurationError::ServiceTag);
        }
        let entry = match (pin, guest_pin, allow_guests) {
            (None, None, false) => Entry::Everybody,
            (None, _, true) => return Err(ServiceConfigurationError::GuestsWithoutHostPin),
            (_, Some(_), false) => return Err(ServiceConfigurationError::GuestPinWithoutGuests),
            (Some(pin), None, false) => Entry::HostPin { pin },
            (Some(pin), None, true) => Entry::HostPinOrNone { pin },
            (Some(pin), Some(guest_pin), true) => {
                check_pair(&pin, &guest_pin)?;
                Entry::EitherPin { pin, guest_pin }
            }
        };
        Ok(Self {
            name,
            service_tag,
            entry,
        })
    }

    /// The service name, which is the conference's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The tag handed on to events and logs.
    pub fn service_tag(&self) -> &str {
        &self.service_tag
    }

    /// The host PIN.
    pub fn pin(&self) -> Option<&Pin> {
        match &self.entry {
            Entry::Everybody => None,
            Entry::HostPin { pin }
            | Entry::HostPinOrNone { pin }
            | Entry::EitherPin { pin, .. } => Some(pin),
        }
    }

    /// The guest PIN.
    pub fn guest_pin(&self) -> Option<&Pin> {
        match &self.entry {
            Entry::EitherPin { guest_pin, .. } => Some(guest_pin),
            _ => None,
        }
    }

    /// Whether there are guests at all.
    pub fn allow_guests(&self) -> bool {
        matches!(
            self.entry,
            Entry::HostPinOrNone { .. } | Entry::EitherPin { .. }
        )
    }

    /// What the answer to `offer` is. The PIN alone decides the role.
    pub(crate) fn admit(&self, offer: &PinOffer) -> Admission {
        let prompt = |guest_pin| Admission::Prompt(PinPrompt { guest_pin });
        match (&self.entry, offer) {
            (Entry::Everybody, _) => Admission::Enter(Role::Host),
            (Entry::HostPinOrNone { .. }, PinOffer::NoPin) => Admission::Enter(Role::Guest),
            (Entry::HostPinOrNone { .. }, PinOffer::Nothing) => prompt(false),
            (_, PinOffer::Nothing | PinOffer::NoPin) => prompt(true),
            (_, PinOffer::NotAPin) => Admission::WrongPin,
            (Entry::HostPin { pin } | Entry::HostPinOrNone { pin }, PinOffer::Pin(offered)) => {
                if pin.matches(offered) {
                    Admission::Enter(Role::Host)
                } else {
                    Admission::WrongPin
                }
            }
            (Entry::EitherPin { pin, guest_pin }, PinOffer::Pin(offered)) => {
                // Both are always compared, so that time does not tell which one was near.
                match (pin.matches(offered), guest_pin.matches(offered)) {
                    (true, _) => Admission::Enter(Role::Host),
                    (false, true) => Admission::Enter(Role::Guest),
                    (false, false) => Admission::WrongPin,
                }
            }
        }
    }
}

impl fmt::Debug for ServiceConfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceConfiguration")
            .field("service_tag", &self.service_tag)
            .field("allow_guests", &self.allow_guests())
            .finish_non_exhaustive()
    }
}

/// Why a [`ServiceConfiguration`] was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServiceConfigurationError {
    /// The service name is missing or too long.
    #[error("a service name needs 1 to 250 characters")]
    Name,
    /// The service tag is too long.
    #[error("a service tag has at most 250 characters")]
    ServiceTag,
    /// Guests are allowed, but nothing tells a host from them.
    #[error("a service that allows guests needs a host PIN")]
    GuestsWithoutHostPin,
    /// There is a guest PIN, but guests are not allowed.
    #[error("a service with a guest PIN must allow guests")]
    GuestPinWithoutGuests,
    /// Both PINs are the same.
    #[error("host PIN and guest PIN must differ")]
    SamePins,
    /// One PIN is longer than the other.
    #[error(
        "host PIN and guest PIN must have the same number of digits, and both or neither end in #"
    )]
    PinsOfDifferentForm,
}

/// What somebody put into the `pin` header.
pub(crate) enum PinOffer {
    /// No header: the client asks what is needed.
    Nothing,
    /// The word `none`: to enter as a guest without a PIN.
    NoPin,
    /// A PIN.
    Pin(Pin),
    /// Something that can be nobody's PIN.
    NotAPin,
}

/// The answer to a [`PinOffer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Enter(Role),
    Prompt(PinPrompt),
    WrongPin,
}

/// Asks for a PIN. A host PIN is always among what is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PinPrompt {
    /// Whether nobody enters without a PIN.
    pub(crate) guest_pin: bool,
}

#[derive(Clone)]
enum Entry {
    Everybody,
    HostPin { pin: Pin },
    HostPinOrNone { pin: Pin },
    EitherPin { pin: Pin, guest_pin: Pin },
}

fn check_pair(pin: &Pin, guest_pin: &Pin) -> Result<(), ServiceConfigurationError> {
    if pin.matches(guest_pin) {
        return Err(ServiceConfigurationError::SamePins);
    }
    let form = |pin: &Pin| (pin.expose().len(), pin.expose().ends_with('#'));
    if form(pin) != form(guest_pin) {
        return Err(ServiceConfigurationError::PinsOfDifferentForm);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(text: &str) -> Pin {
        Pin::parse(text).unwrap()
    }

    fn service(
        host: Option<&str>,
        guest: Option<&str>,
        allow_guests: bool,
    ) -> Result<ServiceConfiguration, ServiceConfigurationError> {
        ServiceConfiguration::new("Visit", "tag", host.map(pin), guest.map(pin), allow_guests)
    }

    #[test]
    fn wrong_combinations_are_refused() {
        use ServiceConfigurationError as E;
        for (host, guest, allow_guests, error) in [
            (None, None, true, E::GuestsWithoutHostPin),
            (None, Some("1234"), true, E::GuestsWithoutHostPin),
            (None, Some("1234"), false, E::GuestPinWithoutGuests),
            (Some("4321"), Some("1234"), false, E::GuestPinWithoutGuests),
            (Some("1234"), Some("1234"), true, E::SamePins),
            (Some("12345"), Some("1234"), true, E::PinsOfDifferentForm),
            (Some("1234#"), Some("12345"), true, E::PinsOfDifferentForm),
        ] {
            assert_eq!(service(host, guest, allow_guests).unwrap_err(), error);
        }
        for name in [String::new(), "n".repeat(251)] {
            let refused = ServiceConfiguration::new(name, "", None, None, false);
            assert_eq!(refused.unwrap_err(), E::Name);
        }
        let refused = ServiceConfiguration::new("n", "t".repeat(251), None, None, false);
        assert_eq!(refused.unwrap_err(), E::ServiceTag);
    }

    #[test]
    fn the_parts_are_kept() {
        for (host, guest, allow_guests) in [
            (None, None, false),
            (Some("1234"), None, false),
            (Some("1234"), None, true),
            (Some("1234#"), Some("4321#"), true),
        ] {
            let service = service(host, guest, allow_guests).unwrap();
            assert_eq!(service.pin().map(Pin::expose), host);
            assert_eq!(service.guest_pin().map(Pin::expose), guest);
            assert_eq!(service.allow_guests(), allow_guests);
        }
    }

    #[test]
    fn the_pin_alone_decides_the_role() {
        use Admission::{Enter, Prompt, WrongPin};
        let offers = [
            PinOffer::Nothing,
            PinOffer::NoPin,
            PinOffer::NotAPin,
            PinOffer::Pin(pin("1111")),
            PinOffer::Pin(pin("2222")),
            PinOffer::Pin(pin("3333")),
        ];
        let (host, guest) = (Enter(Role::Host), Enter(Role::Guest));
        let (either, both) = (
            Prompt(PinPrompt { guest_pin: false }),
            Prompt(PinPrompt { guest_pin: true }),
        );
        for (service, answers) in [
            (service(None, None, false), [host; 6]),
            (
                service(Some("1111"), None, false),
                [both, both, WrongPin, host, WrongPin, WrongPin],
            ),
            (
                service(Some("1111"), None, true),
                [either, guest, WrongPin, host, WrongPin, WrongPin],
            ),
            (
                service(Some("1111"), Some("2222"), true),
                [both, both, WrongPin, host, guest, WrongPin],
            ),
        ] {
            let service = service.unwrap();
            assert_eq!(offers.each_ref().map(|offer| service.admit(offer)), answers);
        }
    }

    #[test]
    fn debug_shows_neither_name_nor_pins() {
        let service =
            ServiceConfiguration::new("Visit of Beverley", "t-1", Some(pin("1234")), None, true);
        let shown = format!("{:?}", service.unwrap());
        assert!(shown.contains("t-1"));
        assert!(
            !shown.contains("Beverley") && !shown.contains("1234"),
            "{shown}"
        );
    }
}
