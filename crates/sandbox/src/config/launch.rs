//! The tables `[launch]` and `[zoom]`.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;
use vestibule_launch::crypto::{Algorithm, InitializationVector, KeyType, LaunchCipher, LaunchKey};

use super::{ConfigError, invalid};
use crate::{
    basic::BasicUser,
    launch_link::{LaunchMethod, LaunchRecord},
    token_policy::ExtraFields,
    zoom::ZoomRecord,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LaunchTable {
    provider_url: String,
    patient_url: String,
    guest_direct_url: Option<String>,
    provider_direct_url: Option<String>,
    #[serde(default = "default_parameter_name")]
    encrypted_parameter_name: String,
    epic_encryption_key: SecretString,
    epic_encryption_key_type: KeyType,
    epic_encryption_algorithm: Algorithm,
    #[serde(default)]
    initialization_vector: InitializationVector,
    #[serde(default = "default_method")]
    method: LaunchMethod,
    #[serde(default)]
    token_fields: toml::Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ZoomTable {
    url: String,
    org_id: String,
    api_secret: SecretString,
    notification_username: Option<String>,
    notification_password: Option<SecretString>,
}

fn default_parameter_name() -> String {
    "data".to_owned()
}

fn default_method() -> LaunchMethod {
    LaunchMethod::Get
}

impl LaunchTable {
    /// How launches are made, and what token answers say beside.
    pub(super) fn into_record(self) -> Result<(LaunchRecord, ExtraFields), ConfigError> {
        const NAME: &str = "launch.encrypted_parameter_name";
        match self.encrypted_parameter_name.as_str() {
            "" => return Err(invalid(NAME, "give the parameter a name")),
            "iss" | "launch" => return Err(invalid(NAME, "taken by SMART: choose another name")),
            _ => {}
        }
        let key = LaunchKey::new(
            self.epic_encryption_algorithm,
            self.epic_encryption_key_type,
            self.epic_encryption_key.expose_secret(),
        )
        .map_err(|fault| invalid("launch.epic_encryption_key", fault.to_string()))?;
        let optional =
            |field, text: Option<String>| text.map(|text| launch_url(field, &text)).transpose();
        let record = LaunchRecord {
            provider_url: launch_url("launch.provider_url", &self.provider_url)?,
            patient_url: launch_url("launch.patient_url", &self.patient_url)?,
            guest_direct_url: optional("launch.guest_direct_url", self.guest_direct_url)?,
            provider_direct_url: optional("launch.provider_direct_url", self.provider_direct_url)?,
            parameter: self.encrypted_parameter_name,
            cipher: LaunchCipher::new(key, self.initialization_vector),
            method: self.method,
        };
        Ok((record, extra_fields(self.token_fields)?))
    }
}

impl ZoomTable {
    pub(super) fn into_record(self) -> Result<ZoomRecord, ConfigError> {
        if self.org_id.is_empty() {
            return Err(invalid("zoom.org_id", "give the API key of the account"));
        }
        let key = LaunchKey::new(
            Algorithm::Aes128Cbc,
            KeyType::Password,
            self.api_secret.expose_secret(),
        )
        .map_err(|fault| invalid("zoom.api_secret", fault.to_string()))?;
        let notification = match (self.notification_username, self.notification_password) {
            (Some(username), Some(password)) => Some(BasicUser { username, password }),
            (None, None) => None,
            _ => {
                return Err(invalid(
                    "zoom.notification_username, zoom.notification_password",
                    "give both or neither",
                ));
            }
        };
        Ok(ZoomRecord {
            url: launch_url("zoom.url", &self.url)?,
            org_id: self.org_id,
            cipher: LaunchCipher::new(key, InitializationVector::Zero),
            notification,
        })
    }
}

fn extra_fields(fields: toml::Table) -> Result<ExtraFields, ConfigError> {
    const NAME: &str = "launch.token_fields";
    let fields = fields
        .into_iter()
        .map(|(name, value)| Ok((name, serde_json::to_value(value)?)))
        .collect::<serde_json::Result<_>>()
        .map_err(|fault| invalid(NAME, fault.to_string()))?;
    ExtraFields::new(fields).map_err(|taken| invalid(NAME, taken.to_string()))
}

fn launch_url(field: &'static str, text: &str) -> Result<Url, ConfigError> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.fragment().is_none())
        .ok_or_else(|| {
            invalid(
                field,
                "must be an absolute http or https address without a fragment",
            )
        })
}
