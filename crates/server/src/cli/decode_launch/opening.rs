//! Opening encrypted parameters with the keys of profiles.

use vestibule_launch::{
    LaunchParameters, LaunchParametersError, UnixTime,
    crypto::{Algorithm, InitializationVector, KeyCheckValue, KeyType, LaunchKey},
};

use secrecy::ExposeSecret as _;

use crate::{
    launch_diagnosis::{Change, Diagnosis, Settings, Shut, diagnose},
    profile::ProfileDocument,
};

/// A key of a profile, and how it is used.
pub(super) struct Key {
    /// The field that it stands in.
    pub(super) field: &'static str,
    /// Until when it is valid, where it was replaced.
    pub(super) valid_until: Option<UnixTime>,
    /// How it is used.
    pub(super) settings: Settings,
}

/// What became of the encrypted parameters.
pub(super) enum Opening<'a> {
    /// A key opens them, once all of this is changed.
    Opens(&'a Key, Vec<Change>, LaunchParameters),
    /// What is inside breaks the grammar.
    Ungrammatical(&'a Key, LaunchParametersError),
    /// No key opens them. This is of the first one.
    Shut(Shut),
    /// There is no key.
    NoKey,
}

/// Every key of a profile, the current one first.
pub(super) fn keys(document: &ProfileDocument) -> Vec<Key> {
    let mut keys = Vec::new();
    if let Some(key) = &document.epic_encryption_key {
        keys.push(Key {
            field: "epic_encryption_key",
            valid_until: None,
            settings: Settings {
                key: key.clone(),
                key_type: document.epic_encryption_key_type,
                algorithm: document.epic_encryption_algorithm,
                initialization_vector: document.initialization_vector,
                plus_sign: document.plus_sign,
            },
        });
    }
    let previous = document.previous.as_ref();
    if let Some((previous, key)) =
        previous.and_then(|table| Some((table, table.epic_encryption_key.as_ref()?)))
    {
        let (key_type, algorithm, layout) = (
            previous.epic_encryption_key_type,
            previous.epic_encryption_algorithm,
            previous.initialization_vector,
        );
        keys.push(Key {
            field: "previous.epic_encryption_key",
            valid_until: Some(previous.valid_until("epic_encryption_key")),
            settings: Settings {
                key: key.clone(),
                key_type: key_type.unwrap_or(document.epic_encryption_key_type),
                algorithm: algorithm.unwrap_or(document.epic_encryption_algorithm),
                initialization_vector: layout.unwrap_or(document.initialization_vector),
                plus_sign: document.plus_sign,
            },
        });
    }
    if let Some(zoom) = &document.zoom {
        let old = previous.and_then(|previous| previous.zoom.as_ref());
        let until = |name| previous.map(|previous| previous.valid_until(name));
        let secrets = [
            ("zoom.api_secret", zoom.api_secret.as_ref(), None),
            (
                "zoom.patient_api_secret",
                zoom.patient_api_secret.as_ref(),
                None,
            ),
            (
                "previous.zoom.api_secret",
                old.and_then(|old| old.api_secret.as_ref()),
                until("zoom.api_secret"),
            ),
            (
                "previous.zoom.patient_api_secret",
                old.and_then(|old| old.patient_api_secret.as_ref()),
                until("zoom.patient_api_secret"),
            ),
        ];
        for (field, secret, valid_until) in secrets {
            let Some(secret) = secret else { continue };
            keys.push(Key {
                field,
                valid_until,
                settings: Settings {
                    key: secret.clone(),
                    key_type: KeyType::Password,
                    algorithm: Algorithm::Aes128Cbc,
                    initialization_vector: InitializationVector::Zero,
                    plus_sign: document.plus_sign,
                },
            });
        }
    }
    keys
}

/// The likeliest of what the keys say about `text`, the encrypted parameter once
/// percent-decoded.
pub(super) fn open<'a>(text: &str, keys: &'a [Key]) -> Opening<'a> {
    let diagnoses = keys.iter().map(|key| (key, diagnose(text, &key.settings)));
    // Of equals the first counts: the current key's.
    match diagnoses.min_by_key(|(_, diagnosis)| distance(diagnosis)) {
        None => Opening::NoKey,
        Some((key, Diagnosis::Opens(parameters))) => Opening::Opens(key, Vec::new(), parameters),
        Some((key, Diagnosis::OpensWith(changes, parameters))) => {
            Opening::Opens(key, changes, parameters)
        }
        Some((key, Diagnosis::Ungrammatical(error))) => Opening::Ungrammatical(key, error),
        Some((_, Diagnosis::Shut(shut))) => Opening::Shut(shut),
    }
}

impl Key {
    /// In words, without the key. Takes tens of milliseconds.
    pub(super) fn describe(&self) -> String {
        let Settings {
            key,
            key_type,
            algorithm,
            initialization_vector,
            ..
        } = &self.settings;
        let check = match key_type {
            KeyType::Password => None,
            KeyType::Base64Key => LaunchKey::new(*algorithm, *key_type, key.expose_secret()).ok(),
        };
        let check = check.map_or_else(String::new, |key| {
            format!(", key check value {}", KeyCheckValue::of(&key))
        });
        format!(
            "{}: {key_type}, {algorithm}, initialization_vector {initialization_vector}{check}",
            self.field
        )
    }
}

/// How far what was tried is from the settings as they are.
fn distance(diagnosis: &Diagnosis) -> usize {
    match diagnosis {
        Diagnosis::Opens(_) => 0,
        Diagnosis::OpensWith(changes, _) => changes.len(),
        Diagnosis::Ungrammatical(_) => usize::MAX - 1,
        Diagnosis::Shut(_) => usize::MAX,
    }
}
