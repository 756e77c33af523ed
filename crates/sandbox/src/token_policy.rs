//! How the EHR issues tokens: what its administrator can choose.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::visit::Visit;

/// What an administrator of the EHR can choose about tokens.
#[derive(Debug)]
pub(crate) struct TokenPolicy {
    /// How long an access token is good for, in seconds as it is announced.
    pub(crate) access_token_seconds: u32,
    /// Whether a refresh token is replaced by every use ("rolling").
    pub(crate) rolling_refresh: bool,
    pub(crate) extra: ExtraFields,
}

/// Fields that an integration record adds to token answers. In texts, `{csn}`,
/// `{appointment}`, `{encounter}`, `{patient}` and `{user}` stand for those of
/// the visit.
#[derive(Debug, Default)]
pub(crate) struct ExtraFields(Map<String, Value>);

/// An extra field has the name of a field that token answers have anyway.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is a field of every token answer: choose another name")]
pub(crate) struct Taken(String);

const OWN_FIELDS: [&str; 8] = [
    "access_token",
    "token_type",
    "expires_in",
    "scope",
    "refresh_token",
    "id_token",
    "state",
    "error",
];

impl TokenPolicy {
    pub(crate) fn access_token_lifetime(&self) -> Duration {
        Duration::from_secs(self.access_token_seconds.into())
    }
}

impl ExtraFields {
    pub(crate) fn new(fields: Map<String, Value>) -> Result<Self, Taken> {
        match fields
            .keys()
            .find(|name| OWN_FIELDS.contains(&name.as_str()))
        {
            Some(name) => Err(Taken(name.clone())),
            None => Ok(Self(fields)),
        }
    }

    /// The fields of a token answer for this visit.
    pub(crate) fn of(&self, visit: Visit) -> Map<String, Value> {
        self.0
            .iter()
            .map(|(name, value)| (name.clone(), filled(value, visit)))
            .collect()
    }
}

fn filled(value: &Value, visit: Visit) -> Value {
    let Value::String(text) = value else {
        return value.clone();
    };
    let appointment = visit.appointment;
    let patient = visit.patient().map_or("", |patient| patient.fhir_id);
    text.replace("{csn}", appointment.csn)
        .replace("{appointment}", appointment.fhir_appointment)
        .replace("{encounter}", appointment.fhir_encounter)
        .replace("{patient}", patient)
        .replace("{user}", visit.user_id())
        .into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{appointment::Appointment, visit::Visitor};

    #[test]
    fn placeholders_stand_for_the_visit() {
        let Value::Object(fields) = json!({
            "encounter_csn": "{csn}",
            "who": "user {user} for {patient}",
            "level": 3,
        }) else {
            panic!();
        };
        let visit = Visit {
            appointment: Appointment::find("1").unwrap(),
            visitor: Visitor::Provider,
        };
        assert_eq!(
            Value::Object(ExtraFields::new(fields).unwrap().of(visit)),
            json!({
                "encounter_csn": "6ea6d1427f684721abd21c1634386f7b6",
                "who": "user ePrM2vKd7HtQe9Lw4Xs6ZnQ3 for eSpDnKq7TzW0mBv1fXh2AaQ3",
                "level": 3,
            })
        );
    }

    #[test]
    fn an_extra_field_does_not_take_the_place_of_a_token() {
        let mut fields = Map::new();
        fields.insert("access_token".to_owned(), "x".into());
        let taken = ExtraFields::new(fields).unwrap_err().to_string();
        assert!(taken.contains("access_token"), "{taken}");
    }
}
