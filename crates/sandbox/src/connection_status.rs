//! `SetExternalConnectionStatus`: a video system tells the EHR who is connected.
//! Zoom notifies of the same with the same five fields.

use serde::Serialize;

use crate::{
    basic::BasicUser,
    parameters::{Parameters, Repeated},
};

/// What a video system told. The meaning of the values is for the hospital to
/// set up, so they are kept as they came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ConnectionStatus {
    pub(crate) conference_id: String,
    pub(crate) external_id: String,
    pub(crate) external_id_type: String,
    pub(crate) vendor_name: String,
    pub(crate) connection_status: String,
}

/// Who may tell it, where the EHR asks for that.
#[derive(Debug)]
pub(crate) struct StatusCredentials {
    pub(crate) user: BasicUser,
    /// What the header `Epic-Client-ID` has to say beside, where that is asked for.
    pub(crate) client_id: Option<String>,
}

/// Why a connection status was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConnectionStatusFault {
    #[error("sign in by HTTP Basic or with an access token of this EHR that is good now")]
    Unauthorized,
    #[error("the header Epic-Client-ID is not the id of a registered application")]
    ClientId,
    #[error("the request is too long")]
    TooLong,
    #[error(transparent)]
    Repeated(#[from] Repeated),
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} is longer than 255 bytes")]
    ValueTooLong(&'static str),
}

const VALUE_MAX: usize = 255;

impl ConnectionStatus {
    pub(crate) fn from_parameters(parameters: &Parameters) -> Result<Self, ConnectionStatusFault> {
        let value = |name| {
            let value = parameters
                .get(name)?
                .ok_or(ConnectionStatusFault::Missing(name))?;
            if value.len() > VALUE_MAX {
                return Err(ConnectionStatusFault::ValueTooLong(name));
            }
            Ok(value.to_owned())
        };
        Ok(Self {
            conference_id: value("ConferenceID")?,
            external_id: value("ExternalID")?,
            external_id_type: value("ExternalIDType")?,
            vendor_name: value("VendorName")?,
            connection_status: value("ConnectionStatus")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(query: &str) -> Result<ConnectionStatus, ConnectionStatusFault> {
        ConnectionStatus::from_parameters(&Parameters::parse(query.as_bytes()).unwrap())
    }

    #[test]
    fn all_five_values_are_needed() {
        let query =
            "ConferenceID=1853&ExternalID=19&ExternalIDType=2&VendorName=V&ConnectionStatus=1";
        assert!(told(query).is_ok());
        for pair in query.split('&') {
            let name = pair.split('=').next().unwrap();
            let without = query.replace(pair, "other=1");
            let fault = told(&without).unwrap_err();
            assert!(
                matches!(fault, ConnectionStatusFault::Missing(missing) if missing == name),
                "{fault}"
            );
        }
    }

    #[test]
    fn a_value_has_a_length_cap() {
        let query = format!(
            "ConferenceID={}&ExternalID=19&ExternalIDType=2&VendorName=V&ConnectionStatus=1",
            "1".repeat(256)
        );
        assert_eq!(
            told(&query),
            Err(ConnectionStatusFault::ValueTooLong("ConferenceID"))
        );
    }
}
