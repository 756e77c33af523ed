//! The five fields with which several vendors tell an EHR who is connected: Epic's
//! `SetExternalConnectionStatus` and the notifications modelled on it.
//!
//! The EHR's documentation of the values is not public. The defaults are what published
//! samples show (`ConnectionStatus` 1 on connecting) or guesses: each hospital must
//! compare them with its own, and can set every one.

use http::Request;
use serde::{Deserialize, Serialize};
use url::Url;
use vestibule_launch::EhrRole;

use super::{CannotTell, Status, StatusChange, get};
use crate::profile::field::{FieldError, longest, text};

/// Longest value, in characters.
const LONGEST_VALUE: usize = 64;

/// `ConnectionStatus` for each change. A change without a value is not told.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConnectionStatusValues {
    /// Somebody connected: `1`.
    pub connected: String,
    /// Somebody left: `2`, which is unverified.
    pub disconnected: String,
    /// The visit is over: not told.
    pub ended: Option<String>,
}

/// `ExternalIDType` for each role: of which kind `ExternalID` is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExternalIdTypes {
    /// Of patients: `2`, which is unverified.
    pub patient: String,
    /// Of providers: `1`, which is unverified.
    pub provider: String,
}

/// Words a status in the five fields.
#[derive(Clone, Debug)]
pub struct ConnectionStatus {
    /// Where it goes.
    pub url: Url,
    /// `VendorName`.
    pub vendor_name: String,
    /// `ConnectionStatus`.
    pub values: ConnectionStatusValues,
    /// `ExternalIDType`.
    pub external_id_types: ExternalIdTypes,
}

impl ConnectionStatus {
    /// The same, where every value can be sent; the fields are for errors.
    pub(crate) fn check(
        self,
        vendor_name: &'static str,
        connection_status: &'static str,
        external_id_type: &'static str,
    ) -> Result<Self, FieldError> {
        text(vendor_name, &self.vendor_name, LONGEST_VALUE)?;
        let values = &self.values;
        text(connection_status, &values.connected, LONGEST_VALUE)?;
        text(connection_status, &values.disconnected, LONGEST_VALUE)?;
        if let Some(ended) = &values.ended {
            text(connection_status, ended, LONGEST_VALUE)?;
        }
        let types = &self.external_id_types;
        longest(external_id_type, &types.patient, LONGEST_VALUE)?;
        longest(external_id_type, &types.provider, LONGEST_VALUE)?;
        Ok(self)
    }

    /// Whether there is a value for this change.
    pub fn tells(&self, change: StatusChange) -> bool {
        self.value(change).is_some()
    }

    /// A GET with the five fields in its query.
    ///
    /// # Errors
    /// [`CannotTell`].
    pub fn request(&self, status: &Status) -> Result<Request<Vec<u8>>, CannotTell> {
        let external_id = status.external_id.as_deref();
        let fields = [
            ("ConferenceID", status.conference_id()),
            ("ExternalID", external_id.ok_or(CannotTell::NoExternalId)?),
            ("ExternalIDType", self.external_id_type(status.role)),
            ("VendorName", &self.vendor_name),
            (
                "ConnectionStatus",
                self.value(status.change).ok_or(CannotTell::NoRequest)?,
            ),
        ];
        get(&self.url, &fields)
    }

    fn value(&self, change: StatusChange) -> Option<&str> {
        match change {
            StatusChange::Connected => Some(&self.values.connected),
            StatusChange::Disconnected => Some(&self.values.disconnected),
            StatusChange::CallEnded => self.values.ended.as_deref(),
            StatusChange::DeviceTested => None,
        }
    }

    fn external_id_type(&self, role: EhrRole) -> &str {
        match role {
            EhrRole::Patient => &self.external_id_types.patient,
            EhrRole::Provider => &self.external_id_types.provider,
        }
    }
}

impl Default for ConnectionStatusValues {
    fn default() -> Self {
        Self {
            connected: "1".into(),
            disconnected: "2".into(),
            ended: None,
        }
    }
}

impl Default for ExternalIdTypes {
    fn default() -> Self {
        Self {
            patient: "2".into(),
            provider: "1".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use vestibule_launch::{RequestId, UnixTime};

    use super::*;

    fn connection_status() -> ConnectionStatus {
        ConnectionStatus {
            url: Url::parse("https://ehr.example.org/status?tenant=1").unwrap(),
            vendor_name: "Vestibule & Co".into(),
            values: ConnectionStatusValues::default(),
            external_id_types: ExternalIdTypes::default(),
        }
    }

    fn status(change: StatusChange) -> Status {
        Status {
            request_id: RequestId::from_bytes([1; 16]),
            change,
            role: EhrRole::Patient,
            unique_encounter_id: "4711".into(),
            external_id: Some("+165790".into()),
            conference_id: None,
            at: UnixTime::from_millis(0),
            device_test: None,
        }
    }

    #[test]
    fn the_five_fields_stand_in_the_query() {
        let request = connection_status().request(&status(StatusChange::Connected));
        assert_eq!(
            request.unwrap().uri(),
            "https://ehr.example.org/status?tenant=1&ConferenceID=4711&ExternalID=%2B165790\
             &ExternalIDType=2&VendorName=Vestibule+%26+Co&ConnectionStatus=1"
        );
        let mut provider = status(StatusChange::Disconnected);
        provider.role = EhrRole::Provider;
        provider.conference_id = Some("1853".into());
        let request = connection_status().request(&provider).unwrap();
        let query = request.uri().query().unwrap();
        assert!(query.contains("ConferenceID=1853&"), "{query}");
        assert!(query.contains("&ExternalIDType=1&"), "{query}");
        assert!(query.ends_with("&ConnectionStatus=2"), "{query}");
    }

    #[test]
    fn the_end_is_told_only_where_it_has_a_value() {
        let mut told = connection_status();
        assert!(!told.tells(StatusChange::CallEnded));
        told.values.ended = Some("3".into());
        assert!(told.tells(StatusChange::CallEnded));
        let request = told.request(&status(StatusChange::CallEnded)).unwrap();
        assert!(request.uri().query().unwrap().ends_with("=3"));
    }

    #[test]
    fn nobody_is_told_of_without_an_identifier() {
        let mut nobody = status(StatusChange::Connected);
        nobody.external_id = None;
        let refused = connection_status().request(&nobody).unwrap_err();
        assert_eq!(refused, CannotTell::NoExternalId);
    }
}
