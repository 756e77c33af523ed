//! A call of the hospital's choice that says that a visit is over. Which one an EHR
//! wants is not public, so the profile says all of it: URL, form, fields.

use std::collections::BTreeMap;

use http::Request;
use serde::{Deserialize, Serialize};
use vestibule_store::WriteBackKind;

use super::{
    Authentication, AuthenticationDocument, CannotTell, Status, StatusChange, WriteBack,
    field_table::{FieldTable, Given, Names},
};
use crate::{clock::rfc3339, field_call::FieldForm, profile::field::FieldError};

/// The profile's table `[end_of_call]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EndOfCallDocument {
    /// Where it goes.
    pub url: String,
    /// How its fields are sent: `post-json`.
    #[serde(default)]
    pub form: FieldForm,
    /// What the EHR calls each value.
    #[serde(default)]
    pub fields: BTreeMap<String, FieldValue>,
    /// Fields whose value is always the same.
    #[serde(default)]
    pub constants: BTreeMap<String, String>,
    /// What the request is sent with: the access token of the launch.
    #[serde(default)]
    pub authentication: AuthenticationDocument,
}

/// A value that a field can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldValue {
    /// The appointment.
    UniqueEncounterId,
    /// The EHR's conference, or else the appointment.
    ConferenceId,
    /// The EHR's identifier of who launched. A call with this field is not made for
    /// launches that carried none.
    ExternalId,
    /// `patient` or `provider`.
    Role,
    /// When the visit was over: RFC 3339, UTC, whole seconds.
    EndedAt,
    /// The launch.
    TelehealthRequestId,
}

/// Says that a visit is over, once for each launch of it.
pub struct EndOfCall(FieldTable<FieldValue>);

impl EndOfCall {
    /// Checks the table.
    pub(crate) fn check(document: &EndOfCallDocument) -> Result<Self, FieldError> {
        let given = Given {
            url: &document.url,
            form: document.form,
            fields: &document.fields,
            constants: &document.constants,
            authentication: &document.authentication,
        };
        let names = Names {
            url: "end_of_call.url",
            fields: "end_of_call.fields",
            constants: "end_of_call.constants",
            authentication: "end_of_call.authentication",
        };
        let names_the_visit = |value: &FieldValue| {
            matches!(
                value,
                FieldValue::UniqueEncounterId
                    | FieldValue::ConferenceId
                    | FieldValue::TelehealthRequestId
            )
        };
        FieldTable::check(&given, &names, names_the_visit).map(Self)
    }
}

impl WriteBack for EndOfCall {
    fn kind(&self) -> WriteBackKind {
        WriteBackKind::EndOfCall
    }

    fn tells(&self, change: StatusChange) -> bool {
        change == StatusChange::CallEnded
    }

    fn request(&self, status: &Status) -> Result<Request<Vec<u8>>, CannotTell> {
        self.0.request(|value| value.of(status))
    }

    fn authentication(&self) -> &Authentication {
        self.0.authentication()
    }
}

impl FieldValue {
    fn of(self, status: &Status) -> Result<String, CannotTell> {
        Ok(match self {
            Self::UniqueEncounterId => status.unique_encounter_id.clone(),
            Self::ConferenceId => status.conference_id().to_owned(),
            Self::ExternalId => {
                let external_id = status.external_id.clone();
                external_id.ok_or(CannotTell::NoExternalId)?
            }
            Self::Role => status.role.as_str().to_owned(),
            Self::EndedAt => rfc3339(status.at),
            Self::TelehealthRequestId => status.request_id.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use vestibule_launch::{EhrRole, RequestId, UnixTime};

    use super::*;

    const URL: &str = "url = \"https://ehr.example.org/end?tenant=1\"\n";

    /// A table that says of which visit it is.
    fn named() -> String {
        format!("{URL}fields = {{ Visit = \"unique_encounter_id\" }}\n")
    }

    fn check(table: &str) -> Result<EndOfCall, FieldError> {
        EndOfCall::check(&toml::from_str(table).unwrap())
    }

    fn ended() -> Status {
        Status {
            request_id: RequestId::from_bytes([1; 16]),
            change: StatusChange::CallEnded,
            role: EhrRole::Provider,
            unique_encounter_id: "4711".into(),
            external_id: Some("19".into()),
            conference_id: None,
            at: UnixTime::from_millis(1_800_000_000_000),
            device_test: None,
        }
    }

    #[test]
    fn the_fields_have_the_names_that_the_profile_gives_them() {
        let table = format!(
            r#"{URL}
            [fields]
            Conference = "conference_id"
            Launch = "telehealth_request_id"
            Role = "role"
            Visit = "unique_encounter_id"
            When = "ended_at"
            Who = "external_id"
            [constants]
            State = "ended & done""#
        );
        let request = check(&table).unwrap().request(&ended()).unwrap();
        assert_eq!(request.method(), "POST");
        assert_eq!(request.uri(), "https://ehr.example.org/end?tenant=1");
        let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        let expected = serde_json::json!({
            "Visit": "4711", "Conference": "4711", "Who": "19", "Role": "provider",
            "When": "2027-01-15T08:00:00Z", "State": "ended & done",
            "Launch": "01010101-0101-0101-0101-010101010101",
        });
        assert_eq!(body, expected);

        let get = format!("{URL}form = \"get\"\nfields = {{ Visit = \"conference_id\" }}");
        let request = check(&get).unwrap().request(&ended()).unwrap();
        assert_eq!(request.method(), "GET");
        assert_eq!(request.uri().query(), Some("tenant=1&Visit=4711"));
    }

    #[test]
    fn nobody_is_told_of_by_an_identifier_that_is_not_there() {
        let table = format!(
            "{URL}fields = {{ Who = \"external_id\", Launch = \"telehealth_request_id\" }}"
        );
        let mut nobody = ended();
        nobody.external_id = None;
        let refused = check(&table).unwrap().request(&nobody).unwrap_err();
        assert_eq!(refused, CannotTell::NoExternalId);
        assert!(check(&named()).unwrap().request(&nobody).is_ok());
    }

    #[test]
    fn it_tells_of_the_end_alone() {
        let call = check(&named()).unwrap();
        assert!(call.tells(StatusChange::CallEnded));
        assert!(!call.tells(StatusChange::Connected));
        assert!(!call.tells(StatusChange::Disconnected));
    }

    #[test]
    fn what_cannot_be_sent_is_refused_by_field() {
        let plain = named().replace("https", "http");
        let both = "fields = { A = \"conference_id\" }\nconstants = { A = \"1\" }";
        for (table, field) in [
            (plain, "end_of_call.url"),
            (format!("{URL}{both}"), "end_of_call.constants"),
            (
                format!("{URL}fields = {{ \"\" = \"conference_id\" }}"),
                "end_of_call.fields",
            ),
            (URL.to_owned(), "end_of_call.fields"),
            (
                format!("{URL}fields = {{ A = \"external_id\", B = \"role\", C = \"ended_at\" }}"),
                "end_of_call.fields",
            ),
        ] {
            assert_eq!(check(&table).err().unwrap().0, field, "{table}");
        }
        let template = format!("{URL}fields = {{ A = \"{{{{template}}}}\" }}");
        assert!(toml::from_str::<EndOfCallDocument>(&template).is_err());
    }
}
