//! Profiles on their way from one server to another: from Pexip Infinity's management
//! API or this server's, in JSON, or from a file of this server's, in TOML.

use std::path::Path;

use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::{
    ProfileDocument, SecretName,
    json::{self, JsonFaults, JsonObject},
    sealed,
};
use crate::config::{ConfigError, parse_toml};

/// A profile as it was exported.
#[derive(Debug)]
pub struct Import {
    /// The profile, unchecked.
    pub document: ProfileDocument,
    /// Fields that this server does not have; they were left out.
    pub unknown: Vec<String>,
}

/// Why nothing can be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The text is no JSON.
    #[error("not JSON: line {line}, column {column}")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// The JSON is something else.
    #[error(
        "neither a telehealth profile, nor a list of them, nor what the management API answers with"
    )]
    NoProfiles,
    /// A profile in it is none.
    #[error("{profile}:\n{faults}")]
    Profile {
        /// Its name, or which one it is.
        profile: String,
        /// What is wrong.
        faults: JsonFaults,
    },
    /// The TOML cannot be read.
    #[error(transparent)]
    Toml(#[from] ConfigError),
}

/// Reads one profile, a list of them, or the answer of the management API's list.
///
/// # Errors
/// [`ImportError`]: all or nothing.
pub fn from_json(text: &str) -> Result<Vec<Import>, ImportError> {
    let value: Value = serde_json::from_str(text).map_err(|error| ImportError::NotJson {
        line: error.line(),
        column: error.column(),
    })?;
    objects(value)?
        .into_iter()
        .enumerate()
        .map(|(index, object)| {
            let name = object.get("name").and_then(Value::as_str);
            let profile = name.map_or_else(|| format!("profile {}", index + 1), str::to_owned);
            let written =
                json::read(object).map_err(|faults| ImportError::Profile { profile, faults })?;
            Ok(Import {
                document: written.document,
                unknown: written.unknown,
            })
        })
        .collect()
}

/// Reads a profile's file. A sealed secret is of use on the server that sealed it only:
/// it counts as missing.
///
/// # Errors
/// [`ImportError::Toml`].
pub fn from_toml(path: &Path, text: &str) -> Result<Import, ImportError> {
    let mut document: ProfileDocument = parse_toml(path, text)?;
    for (_, secret) in document.secrets_mut() {
        if secret.as_ref().is_some_and(sealed::is_sealed) {
            *secret = None;
        }
    }
    Ok(Import {
        document,
        unknown: Vec::new(),
    })
}

impl Import {
    /// Secrets that the profile has not but may need: exports leave them out.
    pub fn missing_secrets(&self) -> Vec<SecretName> {
        let document = &self.document;
        let mut missing = document.clone();
        let mut missing: Vec<_> = missing
            .secrets_mut()
            .into_iter()
            .filter(|(_, secret)| {
                let given = secret.as_ref();
                given.is_none_or(|secret| secret.expose_secret().is_empty())
            })
            .map(|(name, _)| name)
            .collect();
        let has_backend = document.epic_backend_oauth2_app_client_id.is_some()
            || document
                .epic_backend_oauth2_app_token_endpoint_url
                .is_some();
        let has_patients = document
            .zoom
            .as_ref()
            .is_none_or(|zoom| zoom.patient_org_id.is_some());
        missing.retain(|name| match *name {
            "epic_backend_oauth2_app_private_key" => has_backend,
            "zoom.patient_api_secret" => has_patients,
            name if name.starts_with("previous.") => false,
            name if name.starts_with("epic_") => document.zoom.is_none(),
            _ => true,
        });
        missing
    }
}

/// Gives a profile a secret by its name. Says whether the profile has such a field.
pub fn set_secret(
    document: &mut ProfileDocument,
    name: &str,
    secret: secrecy::SecretString,
) -> bool {
    let mut secrets = document.secrets_mut();
    let place = secrets.iter_mut().find(|(known, _)| *known == name);
    match place {
        Some((_, place)) => {
            **place = Some(secret);
            true
        }
        None => false,
    }
}

fn objects(value: Value) -> Result<Vec<JsonObject>, ImportError> {
    let objects = match value {
        Value::Object(mut object) => match object.remove("objects") {
            Some(objects) => return self::objects(objects),
            None => return Ok(vec![object]),
        },
        Value::Array(objects) => objects,
        _ => return Err(ImportError::NoProfiles),
    };
    objects
        .into_iter()
        .map(|object| match object {
            Value::Object(object) => Ok(object),
            _ => Err(ImportError::NoProfiles),
        })
        .collect()
}
