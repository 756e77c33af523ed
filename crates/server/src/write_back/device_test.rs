//! A call of the hospital's choice that says how a device check went. EHRs take such
//! results (Epic's hardware test), but how is not public, so the profile says all of it:
//! URL, form, fields, and the EHR's words for the results.

use std::collections::BTreeMap;

use http::Request;
use serde::{Deserialize, Serialize};
use vestibule_launch::TestResult;
use vestibule_store::WriteBackKind;

use super::{
    Authentication, AuthenticationDocument, CannotTell, Status, StatusChange, WriteBack,
    field_table::{FieldTable, Given, Names},
};
use crate::{
    clock::rfc3339,
    field_call::FieldForm,
    profile::field::{FieldError, text},
};

/// Longest word for a result, in characters.
const LONGEST_WORD: usize = 64;

/// The profile's table `[device_test]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceTestDocument {
    /// Where it goes.
    pub url: String,
    /// How its fields are sent: `post-json`.
    #[serde(default)]
    pub form: FieldForm,
    /// What the EHR calls each value.
    #[serde(default)]
    pub fields: BTreeMap<String, DeviceTestValue>,
    /// Fields whose value is always the same.
    #[serde(default)]
    pub constants: BTreeMap<String, String>,
    /// What the EHR says for each result: the result's own name.
    #[serde(default)]
    pub results: BTreeMap<TestResult, String>,
    /// What the request is sent with: the access token of the launch.
    #[serde(default)]
    pub authentication: AuthenticationDocument,
}

/// A value that a field can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceTestValue {
    /// The appointment.
    UniqueEncounterId,
    /// The EHR's conference, or else the appointment.
    ConferenceId,
    /// The EHR's identifier of who launched. A call with this field is not made for
    /// launches that carried none.
    ExternalId,
    /// `patient` or `provider`.
    Role,
    /// When the result arrived: RFC 3339, UTC, whole seconds.
    TestedAt,
    /// The launch.
    TelehealthRequestId,
    /// The result of the camera.
    Camera,
    /// The result of the microphone.
    Microphone,
    /// The result of the speaker.
    Speaker,
    /// The result of the connection.
    Connection,
    /// `failed` where anything failed, was denied or is missing, `skipped` where nothing
    /// was tried, otherwise `passed`.
    Overall,
}

/// Says how a device check went, each time that there is a result.
pub struct DeviceTestCall {
    table: FieldTable<DeviceTestValue>,
    results: BTreeMap<TestResult, String>,
}

impl DeviceTestCall {
    /// Checks the table.
    pub(crate) fn check(document: &DeviceTestDocument) -> Result<Self, FieldError> {
        for word in document.results.values() {
            text("device_test.results", word, LONGEST_WORD)?;
        }
        let given = Given {
            url: &document.url,
            form: document.form,
            fields: &document.fields,
            constants: &document.constants,
            authentication: &document.authentication,
        };
        let names = Names {
            url: "device_test.url",
            fields: "device_test.fields",
            constants: "device_test.constants",
            authentication: "device_test.authentication",
        };
        let names_the_visit = |value: &DeviceTestValue| {
            matches!(
                value,
                DeviceTestValue::UniqueEncounterId
                    | DeviceTestValue::ConferenceId
                    | DeviceTestValue::TelehealthRequestId
            )
        };
        Ok(Self {
            table: FieldTable::check(&given, &names, names_the_visit)?,
            results: document.results.clone(),
        })
    }

    fn word(&self, result: TestResult) -> String {
        let word = self.results.get(&result).map(String::as_str);
        word.unwrap_or(result.as_str()).to_owned()
    }
}

impl WriteBack for DeviceTestCall {
    fn kind(&self) -> WriteBackKind {
        WriteBackKind::DeviceTest
    }

    fn tells(&self, change: StatusChange) -> bool {
        change == StatusChange::DeviceTested
    }

    fn request(&self, status: &Status) -> Result<Request<Vec<u8>>, CannotTell> {
        let test = status.device_test.ok_or(CannotTell::NoRequest)?;
        self.table.request(|value| {
            Ok(match value {
                DeviceTestValue::UniqueEncounterId => status.unique_encounter_id.clone(),
                DeviceTestValue::ConferenceId => status.conference_id().to_owned(),
                DeviceTestValue::ExternalId => {
                    let external_id = status.external_id.clone();
                    external_id.ok_or(CannotTell::NoExternalId)?
                }
                DeviceTestValue::Role => status.role.as_str().to_owned(),
                DeviceTestValue::TestedAt => rfc3339(status.at),
                DeviceTestValue::TelehealthRequestId => status.request_id.to_string(),
                DeviceTestValue::Camera => self.word(test.camera),
                DeviceTestValue::Microphone => self.word(test.microphone),
                DeviceTestValue::Speaker => self.word(test.speaker),
                DeviceTestValue::Connection => self.word(test.connection),
                DeviceTestValue::Overall => self.word(test.overall()),
            })
        })
    }

    fn authentication(&self) -> &Authentication {
        self.table.authentication()
    }
}

#[cfg(test)]
mod tests {
    use vestibule_launch::{DeviceTest, EhrRole, RequestId, UnixTime};

    use super::*;

    const URL: &str = "url = \"https://ehr.example.org/device-test?tenant=1\"\n";

    fn check(table: &str) -> Result<DeviceTestCall, FieldError> {
        DeviceTestCall::check(&toml::from_str(table).unwrap())
    }

    fn tested() -> Status {
        Status {
            request_id: RequestId::from_bytes([1; 16]),
            change: StatusChange::DeviceTested,
            role: EhrRole::Patient,
            unique_encounter_id: "4711".into(),
            external_id: None,
            conference_id: None,
            at: UnixTime::from_millis(1_800_000_000_000),
            device_test: Some(DeviceTest {
                camera: TestResult::Passed,
                microphone: TestResult::Denied,
                speaker: TestResult::Skipped,
                connection: TestResult::Missing,
            }),
        }
    }

    #[test]
    fn fields_and_results_have_the_names_that_the_profile_gives_them() {
        let table = format!(
            r#"{URL}
            [fields]
            Visit = "unique_encounter_id"
            Conference = "conference_id"
            Launch = "telehealth_request_id"
            Role = "role"
            When = "tested_at"
            Video = "camera"
            Audio = "microphone"
            Sound = "speaker"
            Network = "connection"
            Result = "overall"
            [results]
            passed = "1"
            failed = "2"
            [constants]
            Vendor = "Video & co""#
        );
        let call = check(&table).unwrap();
        let request = call.request(&tested()).unwrap();
        assert_eq!(request.method(), "POST");
        assert_eq!(
            request.uri(),
            "https://ehr.example.org/device-test?tenant=1"
        );
        let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        let expected = serde_json::json!({
            "Visit": "4711", "Conference": "4711", "Role": "patient",
            "Launch": "01010101-0101-0101-0101-010101010101",
            "When": "2027-01-15T08:00:00Z", "Video": "1", "Audio": "denied",
            "Sound": "skipped", "Network": "missing", "Result": "2", "Vendor": "Video & co",
        });
        assert_eq!(body, expected);
        assert!(matches!(call.authentication(), Authentication::AccessToken));
        for change in [
            StatusChange::Connected,
            StatusChange::Disconnected,
            StatusChange::CallEnded,
        ] {
            assert!(!call.tells(change));
        }
    }

    #[test]
    fn a_status_without_a_result_or_an_identifier_is_not_told() {
        let table = format!("{URL}fields = {{ V = \"conference_id\", U = \"external_id\" }}");
        let call = check(&table).unwrap();
        let told = call.request(&tested());
        assert_eq!(told.unwrap_err(), CannotTell::NoExternalId);
        let mut nothing = tested();
        nothing.device_test = None;
        assert_eq!(call.request(&nothing).unwrap_err(), CannotTell::NoRequest);
    }

    #[test]
    fn what_cannot_be_sent_is_refused_by_field() {
        let visit = "fields = { V = \"unique_encounter_id\" }\n";
        for (table, field) in [
            (
                format!("url = \"http://ehr.example.org/\"\n{visit}"),
                "device_test.url",
            ),
            (URL.to_owned(), "device_test.fields"),
            (
                format!("{URL}fields = {{ V = \"camera\" }}"),
                "device_test.fields",
            ),
            (
                format!("{URL}{visit}constants = {{ V = \"1\" }}"),
                "device_test.constants",
            ),
            (
                format!("{URL}{visit}results = {{ passed = \"\" }}"),
                "device_test.results",
            ),
            (
                format!("{URL}{visit}authentication = {{ method = \"basic\", username = \"a\" }}"),
                "device_test.authentication",
            ),
        ] {
            assert_eq!(check(&table).err().unwrap().0, field, "{table}");
        }
        for unknown in ["fields = { V = \"name\" }", "results = { good = \"1\" }"] {
            let table = format!("{URL}{unknown}");
            assert!(toml::from_str::<DeviceTestDocument>(&table).is_err());
        }
    }
}
