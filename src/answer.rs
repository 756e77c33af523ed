//! What a conferencing node answers to `request_token`, read tolerantly:
//! captured answers and clients disagree about `status`, so only the HTTP
//! status and the shape of `result` count.

use vestibule_launch::Role;

use crate::json::Json;

/// What the answer means. What belongs to it stays in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A token: in, or waiting to be let in.
    Granted,
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
    ProviderWanted {
        /// There is one to choose.
        any: bool,
    },
    /// The user must sign in at the answer's `https` address.
    SignInWanted,
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

/// A participant's session with the node. Without `Debug`: it holds the token.
pub(crate) struct Session<J> {
    /// Authorises every further request.
    pub(crate) token: J,
    /// How long the token lives unless it is renewed, in seconds.
    pub(crate) expires: u32,
    /// Identifies the participant in the node's events.
    pub(crate) participant_uuid: J,
    /// What the node has made of the PIN.
    pub(crate) role: Role,
    /// In the waiting room, not in the conference yet.
    pub(crate) waiting: bool,
}

/// Lifetime of a token whose answer does not say it: Pexip's default.
pub(crate) const DEFAULT_EXPIRES: u32 = 120;

impl Answer {
    /// What an answer with this HTTP status and body means. A body that is no JSON
    /// is handed in as null.
    pub(crate) fn read(status: u32, body: &impl Json) -> Self {
        match status {
            404 => Self::NotFound,
            0 | 429 | 500.. => Self::Unavailable,
            200 if Session::read(body).is_some() => Self::Granted,
            403 | 415 => match body.which("result", REASONS) {
                0 => Self::WrongPin,
                1 => Self::PinLocked,
                _ if body.text("result").is_some() => Self::Refused,
                _ => wanted(body).unwrap_or(Self::Malformed),
            },
            _ => Self::Malformed,
        }
    }
}

/// Why a node refuses, in its words, where the user can do something about it.
const REASONS: &str = "Invalid PIN|Participant exceeded PIN entry retries";

/// The lifetime in the result of a granted or renewed token, in seconds: a number
/// that Pexip writes as a string.
pub(crate) fn expires(result: &impl Json) -> u32 {
    match result.number("expires") {
        0 => DEFAULT_EXPIRES,
        expires => expires,
    }
}

impl<J: Json> Session<J> {
    /// Out of the answer that grants a token.
    pub(crate) fn read(answer: &J) -> Option<Self> {
        let result = answer.get("result")?;
        Some(Self {
            token: result.text("token")?,
            expires: expires(&result),
            participant_uuid: result.text("participant_uuid")?,
            role: match result.which("role", "HOST|GUEST") {
                0 => Role::Host,
                1 => Role::Guest,
                _ => return None,
            },
            waiting: result.which("current_service_type", "waiting_room") == 0,
        })
    }
}

/// The order is that of Pexip's clients: PIN, then identity provider, then
/// redirect, then extension.
fn wanted(answer: &impl Json) -> Option<Answer> {
    let result = answer.get("result")?;
    let has = |key| result.text(key).is_some();
    let extension = |key| match result.which(key, "mssip") {
        0 => Some(ExtensionKind::Mssip),
        _ => has(key).then_some(ExtensionKind::Standard),
    };
    let extension =
        extension("conference_extension_type").or_else(|| extension("conference_extension"));
    let required = |key| result.which(key, "required") == 0;
    if has("pin") || has("guest_pin") {
        return Some(Answer::PinWanted {
            host_pin: required("pin"),
            guest_pin: required("guest_pin"),
            extension,
        });
    }
    if let Some(providers) = result.get("idp") {
        let mut providers = (0..).map_while(|place| providers.item(place));
        return Some(Answer::ProviderWanted {
            any: providers.any(|it| it.text("name").is_some() && it.text("uuid").is_some()),
        });
    }
    if let Some(url) = result.string("redirect_url") {
        return url
            .starts_with(SIGN_IN_SCHEME)
            .then_some(Answer::SignInWanted);
    }
    extension.map(Answer::ExtensionWanted)
}

/// Anything else, `javascript:` above all, is no place to send a user to.
const SIGN_IN_SCHEME: &str = "https://";

#[cfg(test)]
mod tests;
