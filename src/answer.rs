//! What a conferencing node answers to `request_token`, read tolerantly:
//! captured answers and clients disagree about `status`, so only the HTTP
//! status and the shape of `result` count.

use std::fmt;

use vestibule_launch::Role;

use crate::json::Json;

/// What the answer means.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A token: in, or waiting to be let in.
    Granted(Session),
    /// A PIN is wanted.
    PinWanted {
        /// Hosts need one.
        host_pin: bool,
        /// Guests need one.
        guest_pin: bool,
        /// An extension is wanted as well.
        extension: Option<ExtensionKind>,
    },
    /// The PIN was wrong.
    WrongPin,
    /// Too many PINs were wrong.
    PinLocked,
    /// A virtual reception wants to know whom to call.
    ExtensionWanted(ExtensionKind),
    /// An identity provider must be chosen.
    ProviderWanted(Vec<IdentityProvider>),
    /// The user must sign in at this address.
    SignInWanted {
        /// An `https` address.
        url: String,
        /// Name of the identity provider.
        provider: String,
    },
    /// There is no such conference.
    NotFound,
    /// The node refuses, with a reason that the user cannot mend.
    Refused,
    /// The node cannot be reached or is out of order.
    Unavailable,
    /// The answer cannot be understood.
    Malformed,
}

/// Kind of extension that a virtual reception asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExtensionKind {
    /// A conference.
    Standard,
    /// A Skype for Business conference id.
    Mssip,
}

/// Somebody who can sign the user in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IdentityProvider {
    /// Name for the user to choose by.
    pub(crate) name: String,
    /// What the choice is sent as.
    pub(crate) uuid: String,
}

/// A participant's session with the node.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Session {
    /// Authorises every further request.
    pub(crate) token: String,
    /// How long the token lives unless it is renewed, in seconds.
    pub(crate) expires: u32,
    /// Identifies the participant in the node's events.
    pub(crate) participant_uuid: String,
    /// What the node has made of the PIN.
    pub(crate) role: Role,
    /// In the waiting room, not in the conference yet.
    pub(crate) waiting: bool,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("expires", &self.expires)
            .field("participant_uuid", &self.participant_uuid)
            .field("role", &self.role)
            .field("waiting", &self.waiting)
            .finish_non_exhaustive()
    }
}

/// Lifetime of a token whose answer does not say it: Pexip's default.
pub(crate) const DEFAULT_EXPIRES: u32 = 120;

impl Answer {
    /// What an answer with this HTTP status and body means. A body that is no JSON
    /// is handed in as null.
    pub(crate) fn read(status: u16, body: &impl Json) -> Self {
        let result = body.get("result");
        match (status, result) {
            (404, _) => Self::NotFound,
            (429 | 500.., _) => Self::Unavailable,
            (200, Some(result)) => granted(&result).map_or(Self::Malformed, Self::Granted),
            (403 | 415, Some(result)) => match result.as_text() {
                Some(text) => refused(&text),
                None => wanted(&result).unwrap_or(Self::Malformed),
            },
            _ => Self::Malformed,
        }
    }
}

/// The lifetime in the result of a granted or renewed token, in seconds: a number
/// that Pexip writes as a string.
pub(crate) fn expires(result: &impl Json) -> u32 {
    let written = result.get("expires").and_then(|expires| {
        let text = expires.as_text().and_then(|text| text.parse().ok());
        // `as` saturates, and turns a number that is none into zero.
        text.or_else(|| expires.as_number().map(|number| number as u32))
    });
    written.unwrap_or(DEFAULT_EXPIRES)
}

fn granted(result: &impl Json) -> Option<Session> {
    Some(Session {
        token: result.text("token")?,
        expires: expires(result),
        participant_uuid: result.text("participant_uuid")?,
        role: match result.text("role")?.as_str() {
            "HOST" => Role::Host,
            "GUEST" => Role::Guest,
            _ => return None,
        },
        waiting: result.text("current_service_type").as_deref() == Some("waiting_room"),
    })
}

fn refused(text: &str) -> Answer {
    match text {
        "Invalid PIN" => Answer::WrongPin,
        "Participant exceeded PIN entry retries" => Answer::PinLocked,
        _ => Answer::Refused,
    }
}

/// The order is that of Pexip's clients: PIN, then identity provider, then
/// redirect, then extension.
fn wanted(result: &impl Json) -> Option<Answer> {
    let kind = result
        .text("conference_extension_type")
        .or_else(|| result.text("conference_extension"));
    let extension = kind.map(|kind| match kind.as_str() {
        "mssip" => ExtensionKind::Mssip,
        _ => ExtensionKind::Standard,
    });
    let pin = result.text("pin");
    let guest_pin = result.text("guest_pin");
    if pin.is_some() || guest_pin.is_some() {
        let required = |pin: Option<String>| pin.as_deref() == Some("required");
        return Some(Answer::PinWanted {
            host_pin: required(pin),
            guest_pin: required(guest_pin),
            extension,
        });
    }
    if let Some(providers) = result.get("idp") {
        let providers = providers.items()?;
        let providers = providers.iter().filter_map(identity_provider).collect();
        return Some(Answer::ProviderWanted(providers));
    }
    if let Some(url) = result.text("redirect_url") {
        let provider = result.get("redirect_idp");
        return url
            .starts_with(SIGN_IN_SCHEME)
            .then(|| Answer::SignInWanted {
                url,
                provider: provider
                    .and_then(|provider| provider.text("name"))
                    .unwrap_or_default(),
            });
    }
    extension.map(Answer::ExtensionWanted)
}

/// Anything else, `javascript:` above all, is no place to send a user to.
const SIGN_IN_SCHEME: &str = "https://";

fn identity_provider(json: &impl Json) -> Option<IdentityProvider> {
    Some(IdentityProvider {
        name: json.text("name")?,
        uuid: json.text("uuid")?,
    })
}

#[cfg(test)]
mod tests;
