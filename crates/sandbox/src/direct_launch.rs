//! "Get telehealth direct launch token": whoever follows a direct join link is
//! let in only if the EHR says that the visit is open.
//!
//! Epic's own call is not public. This one is `POST /api/telehealth/direct-launch-token`
//! by a backend (`Authorization: Bearer`), with `{"link": "…"}`: the value of
//! the link's encrypted parameter as it stood in the link, percent-decoded.
//! Other members are ignored. It is answered with
//! `{"launch_token": "…", "expires_in": 300}`, or with `{"error": "…"}` of
//! [`DirectLaunchFault::code`].

use serde::Serialize;
use serde_json::Value;
use vestibule_launch::crypto::LaunchCipher;

use crate::{
    appointment::{Appointment, Standing},
    opaque::Opaque,
    parameters::Parameters,
};

/// How long a direct launch token is good for, in seconds.
const LIFETIME_SECONDS: u32 = 300;

/// The body of a successful answer.
#[derive(Serialize)]
pub(crate) struct DirectLaunchAnswer {
    launch_token: String,
    /// Seconds.
    expires_in: u32,
}

/// Why a direct join link does not let anybody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DirectLaunchFault {
    #[error("use an access token of a backend (client_credentials) that is good now")]
    Unauthorized,
    #[error("send a JSON object with link, a text")]
    Malformed,
    #[error("the link cannot be read or names no appointment of this EHR")]
    Unknown,
    #[error("the appointment of the link is over")]
    Over,
    #[error("the appointment of the link is not open yet")]
    NotOpenYet,
}

impl DirectLaunchFault {
    /// The `error` of the answer.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Unauthorized => "invalid_token",
            Self::Malformed => "invalid_request",
            Self::Unknown => "link_unknown",
            Self::Over => "appointment_over",
            Self::NotOpenYet => "appointment_not_open",
        }
    }
}

impl DirectLaunchAnswer {
    pub(crate) fn new(token: &Opaque) -> Self {
        Self {
            launch_token: token.as_str().to_owned(),
            expires_in: LIFETIME_SECONDS,
        }
    }
}

/// The appointment that a request names, whether it is open or not.
pub(crate) fn appointment_of(
    body: &[u8],
    cipher: &LaunchCipher,
) -> Result<&'static Appointment, DirectLaunchFault> {
    let body: Value = serde_json::from_slice(body).map_err(|_| DirectLaunchFault::Malformed)?;
    let link = body
        .get("link")
        .and_then(Value::as_str)
        .ok_or(DirectLaunchFault::Malformed)?;
    let context = cipher
        .decrypt(link)
        .map_err(|_| DirectLaunchFault::Unknown)?;
    let context = Parameters::parse(context.as_bytes()).map_err(|_| DirectLaunchFault::Unknown)?;
    context
        .get("csn")
        .ok()
        .flatten()
        .and_then(Appointment::find_by_csn)
        .ok_or(DirectLaunchFault::Unknown)
}

/// Whether people may join the appointment now.
pub(crate) fn is_open(appointment: &Appointment) -> Result<(), DirectLaunchFault> {
    match appointment.standing {
        Standing::Over => Err(DirectLaunchFault::Over),
        Standing::Open => Ok(()),
        Standing::NotOpenYet => Err(DirectLaunchFault::NotOpenYet),
    }
}

#[cfg(test)]
mod tests {
    use rand::{rand_core::UnwrapErr, rngs::SysRng};
    use serde_json::json;
    use vestibule_launch::crypto::{Algorithm, InitializationVector, KeyType, LaunchKey};

    use super::*;

    fn cipher() -> LaunchCipher {
        let key = LaunchKey::new(Algorithm::Aes128Cbc, KeyType::Password, "Secret123!").unwrap();
        LaunchCipher::new(key, InitializationVector::PrefixBinary)
    }

    fn asked(context: &str) -> Result<&'static Appointment, DirectLaunchFault> {
        let link = cipher().encrypt(context, &mut UnwrapErr(SysRng));
        let body = json!({ "link": link, "more": 1 }).to_string();
        appointment_of(body.as_bytes(), &cipher())
    }

    #[test]
    fn the_appointment_of_a_link_is_found_by_its_serial_number() {
        let found = asked("fname=Kai&csn=5ec8f1667f531781afe19c1774322f7b8").unwrap();
        assert_eq!(found.id, "2");
        for context in ["csn=1", "csn=", "fname=Kai"] {
            assert_eq!(asked(context).unwrap_err(), DirectLaunchFault::Unknown);
        }
    }

    #[test]
    fn what_is_no_request_or_no_link_is_told_apart() {
        for (body, fault) in [
            ("", DirectLaunchFault::Malformed),
            ("{}", DirectLaunchFault::Malformed),
            (r#"{"link":7}"#, DirectLaunchFault::Malformed),
            (r#"{"link":"AAAA"}"#, DirectLaunchFault::Unknown),
        ] {
            let outcome = appointment_of(body.as_bytes(), &cipher());
            assert_eq!(outcome.unwrap_err(), fault, "{body}");
        }
    }

    #[test]
    fn only_an_open_appointment_lets_people_in() {
        let of = |id| is_open(Appointment::find(id).unwrap());
        assert_eq!(of("1"), Ok(()));
        assert_eq!(of("5"), Err(DirectLaunchFault::Over));
        assert_eq!(of("6"), Err(DirectLaunchFault::NotOpenYet));
    }
}
