//! The tables `[status]` and `[end_of_call]`.

use secrecy::SecretString;
use serde::Deserialize;

use super::{ConfigError, invalid};
use crate::{
    basic::BasicUser,
    connection_status::StatusCredentials,
    end_of_call::{DEVICE_TEST, EndOfCallRecord},
};

/// Under what all configured paths are, so that none is a path of another route.
const PREFIX: &str = "/interconnect/";
/// Where the call goes that says a visit has ended, if nothing is said.
const END_OF_CALL: &str = "/interconnect/api/telehealth/end-of-call";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StatusTable {
    username: String,
    password: SecretString,
    client_id: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndOfCallTable {
    path: Option<String>,
    username: Option<String>,
    password: Option<SecretString>,
}

impl StatusTable {
    pub(super) fn into_credentials(self) -> StatusCredentials {
        StatusCredentials {
            user: BasicUser {
                username: self.username,
                password: self.password,
            },
            client_id: self.client_id,
        }
    }
}

impl EndOfCallTable {
    pub(super) fn into_record(self) -> Result<EndOfCallRecord, ConfigError> {
        let path = self.path.unwrap_or_else(|| END_OF_CALL.to_owned());
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
        if !path.starts_with(PREFIX)
            || !path.bytes().all(plain)
            || path.ends_with("/SetExternalConnectionStatus")
            || path == DEVICE_TEST
        {
            return Err(invalid(
                "end_of_call.path",
                "must be a path of its own under /interconnect/, of letters, digits and / - . _ ~",
            ));
        }
        let user = match (self.username, self.password) {
            (Some(username), Some(password)) => Some(BasicUser { username, password }),
            (None, None) => None,
            _ => {
                return Err(invalid(
                    "end_of_call.username, end_of_call.password",
                    "give both or neither",
                ));
            }
        };
        Ok(EndOfCallRecord { path, user })
    }
}
