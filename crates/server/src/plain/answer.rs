//! What a conferencing node answers, read tolerantly: only the HTTP status and the shape
//! of `result` count, because captured answers disagree about `status`.

use http::StatusCode;
use serde_json::Value;
use vestibule_launch::Role;

use super::VisitFault;

/// What the answer to `request_token` means.
#[derive(Debug)]
pub(super) enum Answer {
    /// In, or waiting to be let in.
    Granted(Granted),
    /// A PIN is wanted.
    PinWanted(PinsWanted),
    /// The PIN was wrong.
    WrongPin,
    /// A virtual reception wants to know whom to call.
    ExtensionWanted,
}

/// Who needs a PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct PinsWanted {
    pub(crate) host: bool,
    pub(crate) guest: bool,
}

/// A session with the node.
pub(super) struct Granted {
    pub(super) token: String,
    /// In seconds.
    pub(super) expires: u32,
    pub(super) participant: String,
    pub(super) role: Role,
}

/// A token in the place of another.
pub(super) struct Renewed {
    pub(super) token: String,
    /// In seconds.
    pub(super) expires: u32,
    pub(super) role: Option<Role>,
}

/// Pexip's default, where the answer does not say it.
const EXPIRES: u32 = 120;

/// A token that lives longer than this is renewed long before.
const LONGEST: u32 = 24 * 60 * 60;

impl Answer {
    pub(super) fn read(status: StatusCode, body: &Value) -> Result<Self, VisitFault> {
        let result = &body["result"];
        match status.as_u16() {
            200 => granted(result).map(Self::Granted),
            404 => Err(VisitFault::NotFound),
            403 | 415 => match result {
                Value::String(text) => refused(text),
                _ => wanted(result),
            },
            status @ (429 | 500..) => Err(out_of_order(status)),
            _ => Err(VisitFault::Malformed),
        }
    }
}

/// The answer to `refresh_token`; none where the token is good no more.
pub(super) fn renewed(status: StatusCode, body: &Value) -> Result<Option<Renewed>, VisitFault> {
    let result = &body["result"];
    match status.as_u16() {
        200 => {
            let token = result["token"].as_str().ok_or(VisitFault::Malformed)?;
            Ok(Some(Renewed {
                token: token.to_owned(),
                expires: expires(result),
                role: role(result),
            }))
        }
        401 | 403 | 404 => Ok(None),
        status @ (429 | 500..) => Err(out_of_order(status)),
        _ => Err(VisitFault::Malformed),
    }
}

fn out_of_order(status: u16) -> VisitFault {
    VisitFault::Unavailable(format!("it answered {status}"))
}

fn granted(result: &Value) -> Result<Granted, VisitFault> {
    let text = |name: &str| result[name].as_str().map(str::to_owned);
    let granted = || {
        Some(Granted {
            token: text("token")?,
            expires: expires(result),
            participant: text("participant_uuid")?,
            role: role(result)?,
        })
    };
    granted().ok_or(VisitFault::Malformed)
}

/// A number that Pexip writes as a string.
fn expires(result: &Value) -> u32 {
    let expires = &result["expires"];
    let text = || expires.as_str()?.parse().ok();
    let number = || u32::try_from(expires.as_u64()?).ok();
    text().or_else(number).unwrap_or(EXPIRES).min(LONGEST)
}

fn role(result: &Value) -> Option<Role> {
    match result["role"].as_str()? {
        "HOST" => Some(Role::Host),
        "GUEST" => Some(Role::Guest),
        _ => None,
    }
}

fn refused(text: &str) -> Result<Answer, VisitFault> {
    match text {
        "Invalid PIN" => Ok(Answer::WrongPin),
        "Participant exceeded PIN entry retries" => Err(VisitFault::PinLocked),
        _ => Err(VisitFault::Refused),
    }
}

/// The order is that of Pexip's clients: PIN, identity provider, redirect, extension. A
/// sign-in needs a window of a current browser.
fn wanted(result: &Value) -> Result<Answer, VisitFault> {
    let needed = |name: &str| result[name].as_str() == Some("required");
    if result["pin"].is_string() || result["guest_pin"].is_string() {
        Ok(Answer::PinWanted(PinsWanted {
            host: needed("pin"),
            guest: needed("guest_pin"),
        }))
    } else if result.get("idp").is_some() || result.get("redirect_url").is_some() {
        Err(VisitFault::Refused)
    } else if result["conference_extension"].is_string() {
        Ok(Answer::ExtensionWanted)
    } else {
        Err(VisitFault::Malformed)
    }
}

impl std::fmt::Debug for Granted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Granted")
            .field("expires", &self.expires)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(status: u16, result: &Value) -> Result<Answer, VisitFault> {
        let status = StatusCode::from_u16(status).unwrap();
        Answer::read(status, &json!({"status": "success", "result": result}))
    }

    #[test]
    fn a_token_is_read_with_its_lifetime_as_text_or_number() {
        for (expires, seconds) in [
            (json!("90"), 90),
            (json!(90), 90),
            (Value::Null, 120),
            (json!("99999999"), 86_400),
        ] {
            let result = json!({
                "token": "t", "participant_uuid": "p", "role": "HOST", "expires": expires,
            });
            let Ok(Answer::Granted(granted)) = read(200, &result) else {
                panic!("{result}")
            };
            assert_eq!((granted.expires, granted.role), (seconds, Role::Host));
        }
        let without = json!({"participant_uuid": "p", "role": "HOST"});
        assert_eq!(read(200, &without).unwrap_err(), VisitFault::Malformed);
    }

    #[test]
    fn what_the_node_wants_and_refuses_is_told_apart() {
        let prompt = json!({"pin": "required", "guest_pin": "none"});
        let Ok(Answer::PinWanted(wanted)) = read(403, &prompt) else {
            panic!("a prompt")
        };
        assert_eq!((wanted.host, wanted.guest), (true, false));
        assert!(matches!(
            read(403, &json!("Invalid PIN")),
            Ok(Answer::WrongPin)
        ));
        let reception =
            json!({"conference_extension": "required", "conference_extension_type": "standard"});
        assert!(matches!(read(403, &reception), Ok(Answer::ExtensionWanted)));
        for (status, result, fault) in [
            (
                403,
                json!("Participant exceeded PIN entry retries"),
                VisitFault::PinLocked,
            ),
            (
                403,
                json!("System in maintenance mode"),
                VisitFault::Refused,
            ),
            (403, json!({"idp": []}), VisitFault::Refused),
            (
                403,
                json!({"redirect_url": "https://idp.example"}),
                VisitFault::Refused,
            ),
            (403, json!({}), VisitFault::Malformed),
            (404, json!("x"), VisitFault::NotFound),
            (302, json!("x"), VisitFault::Malformed),
        ] {
            assert_eq!(read(status, &result).unwrap_err(), fault, "{result}");
        }
        assert!(matches!(
            read(503, &Value::Null),
            Err(VisitFault::Unavailable(_))
        ));
    }

    #[test]
    fn a_renewal_that_is_refused_is_no_fault_but_the_end() {
        let read = |status, body| renewed(StatusCode::from_u16(status).unwrap(), &body);
        let new = json!({"result": {"token": "t", "expires": "120", "role": "GUEST"}});
        assert_eq!(read(200, new).unwrap().unwrap().role, Some(Role::Guest));
        assert!(
            read(403, json!({"result": "Invalid token"}))
                .unwrap()
                .is_none()
        );
        assert!(read(503, Value::Null).is_err());
        assert!(read(200, Value::Null).is_err());
    }

    #[test]
    fn debug_shows_no_token() {
        let result = json!({"token": "secret", "participant_uuid": "p", "role": "HOST"});
        assert!(!format!("{:?}", read(200, &result)).contains("secret"));
    }
}
