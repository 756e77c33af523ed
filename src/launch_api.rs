//! The backend launch API. Its wire types are in `vestibule_launch::launch_api`;
//! here their fields are read and written as they stand, because most of what
//! is answered is only handed on to the error page.

use vestibule_launch::{ClassicLink, DisplayName, Entry, LinkText, Pin, Role};

use crate::json::Json;

/// Deadline of a request, in milliseconds.
pub(crate) const DEADLINE: i32 = 8_000;

/// Paths below the base URL; the star stands for the launch's `telehealth_request_id`.
pub(crate) mod path {
    pub(crate) const REDEEM: &str = "/api/telehealth/v1/launch/redeem";
    pub(crate) const ERROR: &str = "/api/telehealth/v1/launch/error";
    pub(crate) const RESUME: &str = "/api/telehealth/v1/launch/*/resume";
    pub(crate) const EVENTS: &str = "/api/telehealth/v1/launch/*/events";
}

/// A launch that can be taken up again. Without `Debug`: it holds the bearer token.
pub(crate) struct Launch<J> {
    /// The launch's `telehealth_request_id`.
    pub(crate) id: J,
    /// Authorises every further request about it.
    pub(crate) bearer: J,
}

impl<J: Json> Launch<J> {
    /// Out of the object that has these texts under `id` and `bearer`; `None` where one
    /// is missing.
    pub(crate) fn read(object: &J, id: &str, bearer: &str) -> Option<Self> {
        Some(Self {
            id: object.text(id)?,
            bearer: object.text(bearer)?,
        })
    }
}

/// The link that a `RedeemedLaunch` stands for.
pub(crate) fn redeemed_link(launch: &impl Json) -> Option<ClassicLink> {
    let mut link = ClassicLink::new(link_text(launch, "conference")?);
    link.display_name = DisplayName::parse(&launch.string("display_name")?).ok();
    link.entry = match launch.string("pin") {
        Some(pin) => Entry::Pin(Pin::parse(&pin).ok()?),
        None => Entry::As(role(launch).unwrap_or(Role::Guest)),
    };
    Some(link)
}

/// The text under this key, as one of a link.
pub(crate) fn link_text(object: &impl Json, key: &str) -> Option<LinkText> {
    LinkText::parse(&object.string(key)?)
}

/// The role under this name, where it is one.
pub(crate) fn role(object: &impl Json) -> Option<Role> {
    match object.which("role", "host|guest") {
        0 => Some(Role::Host),
        1 => Some(Role::Guest),
        _ => None,
    }
}

/// Whether an answer to a failure report is an `ErrorPage`.
pub(crate) fn is_error_page(answer: &impl Json) -> bool {
    answer.text("telehealth_request_id").is_some() && answer.get("template").is_some()
}
