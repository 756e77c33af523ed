//! Zoom's notification: the EHR hears at an endpoint of its own who is connected
//! (Zoom's description of its video visit URL for medical record systems).

use http::Request;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use vestibule_store::WriteBackKind;

use super::{
    Authentication, AuthenticationDocument, CannotTell, ConnectionStatus, ConnectionStatusValues,
    ExternalIdTypes, Status, StatusChange, WriteBack,
};
use crate::profile::field::{FieldError, url, wrong};

/// The profile's table `[zoom.notification]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ZoomNotificationDocument {
    /// The EHR's endpoint.
    pub url: String,
    /// `VendorName`: `Vestibule`. Zoom says `Zoom`.
    pub vendor_name: Option<String>,
    /// The user for HTTP Basic, where the EHR wants it.
    pub username: Option<String>,
    /// The password for HTTP Basic.
    #[serde(skip_serializing)]
    pub password: Option<SecretString>,
    /// `ConnectionStatus` for each change.
    #[serde(default)]
    pub connection_status: ConnectionStatusValues,
    /// `ExternalIDType` for each role.
    #[serde(default)]
    pub external_id_type: ExternalIdTypes,
}

/// Notifies an EHR as Zoom does.
pub struct ZoomNotification {
    status: ConnectionStatus,
    authentication: Authentication,
}

impl ZoomNotification {
    /// Checks the table.
    pub(crate) fn check(document: &ZoomNotificationDocument) -> Result<Self, FieldError> {
        let authentication = match (&document.username, &document.password) {
            (None, None) => AuthenticationDocument::None {},
            (None, Some(_)) => return wrong("zoom.notification.username", "is missing"),
            (Some(username), password) => AuthenticationDocument::Basic {
                username: username.clone(),
                password: password.clone(),
            },
        };
        let vendor_name = document.vendor_name.as_deref();
        let status = ConnectionStatus {
            url: url("zoom.notification.url", &document.url)?,
            vendor_name: vendor_name.unwrap_or("Vestibule").to_owned(),
            values: document.connection_status.clone(),
            external_id_types: document.external_id_type.clone(),
        };
        Ok(Self {
            status: status.check(
                "zoom.notification.vendor_name",
                "zoom.notification.connection_status",
                "zoom.notification.external_id_type",
            )?,
            authentication: Authentication::check(&authentication, "zoom.notification.password")?,
        })
    }
}

impl WriteBack for ZoomNotification {
    fn kind(&self) -> WriteBackKind {
        WriteBackKind::ZoomNotification
    }

    fn tells(&self, change: StatusChange) -> bool {
        self.status.tells(change)
    }

    fn request(&self, status: &Status) -> Result<Request<Vec<u8>>, CannotTell> {
        self.status.request(status)
    }

    fn authentication(&self) -> &Authentication {
        &self.authentication
    }
}

#[cfg(test)]
mod tests {
    use vestibule_launch::{EhrRole, RequestId, UnixTime};

    use super::*;

    const URL: &str = "url = \"https://ehr.example.org/notify\"";

    fn check(table: &str) -> Result<ZoomNotification, FieldError> {
        ZoomNotification::check(&toml::from_str(&format!("{URL}\n{table}")).unwrap())
    }

    fn joined(role: EhrRole) -> Status {
        Status {
            request_id: RequestId::from_bytes([1; 16]),
            change: StatusChange::Connected,
            role,
            unique_encounter_id: "98765".into(),
            external_id: Some("3100312345".into()),
            conference_id: None,
            at: UnixTime::from_millis(0),
            device_test: None,
        }
    }

    #[test]
    fn the_five_fields_stand_in_the_query() {
        let zoom = check("vendor_name = \"Zoom\"").unwrap();
        let request = zoom.request(&joined(EhrRole::Patient)).unwrap();
        assert_eq!(request.method(), "GET");
        let url = url::Url::parse(&request.uri().to_string()).unwrap();
        assert_eq!(url.path(), "/notify");
        let mut fields: Vec<_> = url.query_pairs().into_owned().collect();
        fields.sort();
        let expected = [
            ("ConferenceID", "98765"),
            ("ConnectionStatus", "1"),
            ("ExternalID", "3100312345"),
            ("ExternalIDType", "2"),
            ("VendorName", "Zoom"),
        ];
        assert_eq!(
            fields,
            expected.map(|(name, value)| (name.into(), value.into()))
        );
        assert!(matches!(zoom.authentication(), Authentication::None));
    }

    #[test]
    fn the_published_credentials_make_the_published_header() {
        let zoom =
            check("username = \"johnlamar@theorville.com\"\npassword = \"runfromthekaylons\"")
                .unwrap();
        let header = zoom.authentication().header(None).unwrap().unwrap();
        assert_eq!(
            header,
            "Basic am9obmxhbWFyQHRoZW9ydmlsbGUuY29tOnJ1bmZyb210aGVrYXlsb25z"
        );
    }

    #[test]
    fn a_user_and_a_password_go_together() {
        let refused = |table| check(table).err().unwrap().0;
        assert_eq!(refused("username = \"a\""), "zoom.notification.password");
        assert_eq!(refused("password = \"a\""), "zoom.notification.username");
    }
}
