//! Secrets that were replaced.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use vestibule_launch::{
    UnixTime,
    crypto::{Algorithm, InitializationVector, KeyType},
};

use super::SecretName;
use crate::{
    clock::{from_rfc3339, rfc3339},
    dialect::PreviousZoomSecrets,
};

/// Secrets that were replaced and stay valid for a while, so that launches under way
/// and an EHR that is changed later go on working. What is left out was not replaced.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PreviousSecrets {
    /// Until when they are valid, exclusively: RFC 3339.
    #[serde(
        serialize_with = "serialize_time",
        deserialize_with = "deserialize_time"
    )]
    pub valid_until: UnixTime,
    /// The key of the encrypted launch parameters.
    #[serde(skip_serializing)]
    pub epic_encryption_key: Option<SecretString>,
    /// What that key is given as: as the current one.
    pub epic_encryption_key_type: Option<KeyType>,
    /// What that key is for: as the current one.
    pub epic_encryption_algorithm: Option<Algorithm>,
    /// Where the initialisation vector was: as now.
    pub initialization_vector: Option<InitializationVector>,
    /// Secret of the patients' application.
    #[serde(skip_serializing)]
    pub epic_patient_app_client_secret: Option<SecretString>,
    /// Secret of the providers' application.
    #[serde(skip_serializing)]
    pub epic_provider_app_client_secret: Option<SecretString>,
    /// The private key of the backend application.
    #[serde(skip_serializing)]
    pub epic_backend_oauth2_app_private_key: Option<SecretString>,
    /// Those that end before `valid_until`, by the name of their field. One secret that
    /// is replaced later than another does not prolong it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ends: BTreeMap<String, EndsAt>,
    /// Zoom's API secrets.
    pub zoom: Option<PreviousZoomSecrets>,
}

/// When one secret ends, exclusively: RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct EndsAt(
    #[serde(
        serialize_with = "serialize_time",
        deserialize_with = "deserialize_time"
    )]
    pub UnixTime,
);

impl PreviousSecrets {
    /// Nothing yet that is valid until then.
    pub(crate) fn until(valid_until: UnixTime) -> Self {
        Self {
            valid_until,
            epic_encryption_key: None,
            epic_encryption_key_type: None,
            epic_encryption_algorithm: None,
            initialization_vector: None,
            epic_patient_app_client_secret: None,
            epic_provider_app_client_secret: None,
            epic_backend_oauth2_app_private_key: None,
            ends: BTreeMap::new(),
            zoom: None,
        }
    }

    /// Until when the secret that stood in this field is valid, exclusively.
    pub fn valid_until(&self, name: &str) -> UnixTime {
        let end = self.ends.get(name).map(|end| end.0);
        end.unwrap_or(self.valid_until).min(self.valid_until)
    }

    /// Lets the secret that stood in this field be valid until then, and all others as
    /// long as they were.
    pub(in crate::profile) fn add_until(&mut self, name: SecretName, until: UnixTime) {
        let before = self.valid_until;
        self.valid_until = before.max(until);
        let secrets = self.secrets_mut().into_iter();
        let others: Vec<_> = secrets
            .filter(|(_, secret)| secret.is_some())
            .filter_map(|(other, _)| other.strip_prefix("previous."))
            .collect();
        for other in others {
            let end = self.ends.entry(other.to_owned());
            end.or_insert(EndsAt(before));
        }
        self.ends.insert(name.to_owned(), EndsAt(until));
        let valid_until = self.valid_until;
        self.ends.retain(|_, end| end.0 < valid_until);
    }

    pub(in crate::profile) fn secrets_mut(
        &mut self,
    ) -> Vec<(SecretName, &mut Option<SecretString>)> {
        let mut secrets = vec![
            (
                "previous.epic_encryption_key",
                &mut self.epic_encryption_key,
            ),
            (
                "previous.epic_patient_app_client_secret",
                &mut self.epic_patient_app_client_secret,
            ),
            (
                "previous.epic_provider_app_client_secret",
                &mut self.epic_provider_app_client_secret,
            ),
            (
                "previous.epic_backend_oauth2_app_private_key",
                &mut self.epic_backend_oauth2_app_private_key,
            ),
        ];
        let zoom = self.zoom.iter_mut();
        secrets.extend(zoom.flat_map(PreviousZoomSecrets::secrets_mut));
        secrets
    }
}

fn serialize_time<S: Serializer>(time: &UnixTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*time))
}

/// A string, or a date-time of TOML.
fn deserialize_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UnixTime, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Toml(toml::value::Datetime),
    }
    let text = match Written::deserialize(deserializer) {
        Ok(Written::Text(text)) => text,
        Ok(Written::Toml(time)) => time.to_string(),
        Err(_) => String::new(),
    };
    from_rfc3339(&text).ok_or_else(|| {
        de::Error::custom("must be a time with its offset, such as \"2027-01-31T12:00:00Z\"")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_string_or_a_date_time_of_toml() {
        for text in [
            "valid_until = \"2027-01-15T08:00:00Z\"",
            "valid_until = 2027-01-15T09:00:00+01:00",
        ] {
            let previous: PreviousSecrets = toml::from_str(text).unwrap();
            assert_eq!(previous.valid_until.as_millis(), 1_800_000_000_000);
            let written = toml::to_string(&previous).unwrap();
            assert_eq!(written, "valid_until = \"2027-01-15T08:00:00Z\"\n");
        }
        for text in ["tomorrow", "2027-01-15", "2027-01-15T08:00:00", ""] {
            let toml = format!("valid_until = \"{text}\"");
            let error = toml::from_str::<PreviousSecrets>(&toml).unwrap_err();
            assert!(error.to_string().contains("with its offset"), "{error}");
        }
        assert!(toml::from_str::<PreviousSecrets>("valid_until = 2027-01-15").is_err());
        assert!(toml::from_str::<PreviousSecrets>("valid_until = 7").is_err());
    }
}
