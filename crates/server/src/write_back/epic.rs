//! Epic's `SetExternalConnectionStatus` (2018): who is connected, told by a GET.

use http::{HeaderName, HeaderValue, Request};
use serde::{Deserialize, Serialize};
use url::Url;
use vestibule_store::WriteBackKind;

use super::{
    Authentication, AuthenticationDocument, CannotTell, ConnectionStatus, ConnectionStatusValues,
    ExternalIdTypes, Status, StatusChange, WriteBack,
};
use crate::profile::field::{FieldError, client_id, required, url};

/// Below the base of Epic's web services.
const PATH: &str = "api/epic/2018/Telehealth/ContextLinking/SetExternalConnectionStatus";

const CLIENT_ID: HeaderName = HeaderName::from_static("epic-client-id");
const USER_ID: HeaderName = HeaderName::from_static("epic-user-id");
const USER_ID_TYPE: HeaderName = HeaderName::from_static("epic-user-idtype");

/// The profile's table `[write_back]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EpicDocument {
    /// Where it goes; Epic's path below `telehealth_integration_oauth2_base_api_url`
    /// unless it says otherwise.
    pub url: Option<String>,
    /// `VendorName`: `Vestibule`.
    pub vendor_name: Option<String>,
    /// The header `Epic-Client-ID`, which Epic wants with HTTP Basic.
    pub epic_client_id: Option<String>,
    /// The header `Epic-User-ID`; `Epic-User-IDType: EXTERNAL` goes with it.
    pub epic_user_id: Option<String>,
    /// `ConnectionStatus` for each change.
    #[serde(default)]
    pub connection_status: ConnectionStatusValues,
    /// `ExternalIDType` for each role.
    #[serde(default)]
    pub external_id_type: ExternalIdTypes,
    /// What the requests are sent with.
    #[serde(default)]
    pub authentication: AuthenticationDocument,
}

/// Tells Epic who is connected.
pub struct EpicConnectionStatus {
    status: ConnectionStatus,
    authentication: Authentication,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl EpicConnectionStatus {
    /// Checks the table; `base` is the profile's `telehealth_integration_oauth2_base_api_url`.
    pub(crate) fn check(document: &EpicDocument, base: Option<&str>) -> Result<Self, FieldError> {
        let mut headers = Vec::new();
        if let Some(id) = &document.epic_client_id {
            headers.push((CLIENT_ID, header("write_back.epic_client_id", id)?));
        }
        if let Some(id) = &document.epic_user_id {
            headers.push((USER_ID, header("write_back.epic_user_id", id)?));
            headers.push((USER_ID_TYPE, HeaderValue::from_static("EXTERNAL")));
        }
        let vendor_name = document.vendor_name.as_deref();
        let status = ConnectionStatus {
            url: endpoint(document.url.as_deref(), base)?,
            vendor_name: vendor_name.unwrap_or("Vestibule").to_owned(),
            values: document.connection_status.clone(),
            external_id_types: document.external_id_type.clone(),
        };
        Ok(Self {
            status: status.check(
                "write_back.vendor_name",
                "write_back.connection_status",
                "write_back.external_id_type",
            )?,
            authentication: Authentication::check(
                &document.authentication,
                "write_back.authentication",
            )?,
            headers,
        })
    }
}

impl WriteBack for EpicConnectionStatus {
    fn kind(&self) -> WriteBackKind {
        WriteBackKind::EpicConnectionStatus
    }

    fn tells(&self, change: StatusChange) -> bool {
        self.status.tells(change)
    }

    fn request(&self, status: &Status) -> Result<Request<Vec<u8>>, CannotTell> {
        let mut request = self.status.request(status)?;
        request.headers_mut().extend(self.headers.iter().cloned());
        Ok(request)
    }

    fn authentication(&self) -> &Authentication {
        &self.authentication
    }
}

fn endpoint(given: Option<&str>, base: Option<&str>) -> Result<Url, FieldError> {
    match given {
        Some(given) => url("write_back.url", given),
        None => {
            let base = required("write_back.url", &base)?.trim_end_matches('/');
            url("write_back.url", &format!("{base}/{PATH}"))
        }
    }
}

fn header(field: &'static str, value: &str) -> Result<HeaderValue, FieldError> {
    client_id(field, value)?;
    HeaderValue::from_str(value).map_err(|_| (field, "cannot be sent; copy it again".to_owned()))
}

#[cfg(test)]
mod tests {
    use vestibule_launch::{EhrRole, RequestId, UnixTime};

    use super::*;

    fn check(table: &str) -> Result<EpicConnectionStatus, FieldError> {
        let document = toml::from_str(table).unwrap();
        EpicConnectionStatus::check(&document, Some("https://ehr.example.org/interconnect/"))
    }

    fn connected() -> Status {
        Status {
            request_id: RequestId::from_bytes([1; 16]),
            change: StatusChange::Connected,
            role: EhrRole::Provider,
            unique_encounter_id: "4711".into(),
            external_id: Some("19".into()),
            conference_id: None,
            at: UnixTime::from_millis(0),
            device_test: None,
        }
    }

    #[test]
    fn an_empty_table_is_epics_path_with_the_launchs_token() {
        let epic = check("").unwrap();
        let request = epic.request(&connected()).unwrap();
        assert_eq!(
            request.uri(),
            "https://ehr.example.org/interconnect/api/epic/2018/Telehealth/ContextLinking/\
             SetExternalConnectionStatus?ConferenceID=4711&ExternalID=19&ExternalIDType=1\
             &VendorName=Vestibule&ConnectionStatus=1"
        );
        assert!(request.headers().is_empty());
        assert!(matches!(epic.authentication(), Authentication::AccessToken));
        assert!(epic.tells(StatusChange::Disconnected));
        assert!(!epic.tells(StatusChange::CallEnded));
    }

    #[test]
    fn basic_authentication_comes_with_epics_headers() {
        let epic = check(
            r#"
            authentication = { method = "basic", username = "emp$video", password = "hunter2" }
            epic_client_id = "d45049c3"
            epic_user_id = "VIDEO"
            "#,
        )
        .unwrap();
        let request = epic.request(&connected()).unwrap();
        let header = |name| request.headers()[name].to_str().unwrap();
        assert_eq!(header("epic-client-id"), "d45049c3");
        assert_eq!(header("epic-user-id"), "VIDEO");
        assert_eq!(header("epic-user-idtype"), "EXTERNAL");
        assert!(matches!(
            epic.authentication(),
            Authentication::Basic { .. }
        ));
    }

    #[test]
    fn what_is_written_down_again_is_the_same_but_for_the_password() {
        let table = r#"
            vendor_name = "Video"
            connection_status = { connected = "in", ended = "over" }
            authentication = { method = "basic", username = "a", password = "hunter2" }
        "#;
        let document: EpicDocument = toml::from_str(table).unwrap();
        let written = toml::to_string(&document).unwrap();
        assert!(!written.contains("hunter2"), "{written}");
        let mut again: EpicDocument = toml::from_str(&written).unwrap();
        assert_eq!(again.vendor_name, document.vendor_name);
        assert_eq!(again.connection_status, document.connection_status);
        assert_eq!(again.external_id_type, document.external_id_type);
        let base = Some("https://ehr.example.org");
        let lacking = EpicConnectionStatus::check(&again, base).err().unwrap();
        assert_eq!(lacking.0, "write_back.authentication");
        *again.authentication.password_mut().unwrap() = Some("hunter2".into());
        assert!(EpicConnectionStatus::check(&again, base).is_ok());
    }

    #[test]
    fn what_cannot_be_sent_is_refused_by_field() {
        for (table, field) in [
            (r#"url = "http://ehr.example.org/""#, "write_back.url"),
            (r#"vendor_name = """#, "write_back.vendor_name"),
            (
                r#"connection_status = { connected = "" }"#,
                "write_back.connection_status",
            ),
            (
                r#"authentication = { method = "basic", username = "a:b", password = "x" }"#,
                "write_back.authentication",
            ),
            (
                r#"authentication = { method = "basic", username = "a", password = " x" }"#,
                "write_back.authentication",
            ),
            (r#"epic_client_id = "a b""#, "write_back.epic_client_id"),
        ] {
            assert_eq!(check(table).err().unwrap().0, field, "{table}");
        }
        let nowhere = EpicConnectionStatus::check(&toml::from_str("").unwrap(), None);
        assert_eq!(nowhere.err().unwrap().0, "write_back.url");
        for unknown in [
            "colour = 1",
            "authentication = { method = \"none\", colour = 1 }",
            "authentication = { method = \"digest\" }",
        ] {
            assert!(
                toml::from_str::<EpicDocument>(unknown).is_err(),
                "{unknown}"
            );
        }
    }
}
