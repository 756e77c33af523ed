//! Profiles as the management API words them in JSON: every field with its value or
//! its default, secrets only on the way in.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use vestibule_smart::Scope;
use vestibule_template::defaults;
use zeroize::Zeroize as _;

use super::{ProfileDocument, replacing::OVERLAP_MINUTES};
use crate::{dialect::zoom, wording::reworded};

mod faults;

pub use faults::JsonFaults;

/// A profile's JSON.
pub type JsonObject = Map<String, Value>;

/// Fields of an answer that are not read back.
const READ_ONLY: [&str; 7] = [
    "id",
    "resource_uri",
    "epic_encryption_key_check_value",
    "kept_in",
    "secrets",
    "unknown_fields",
    "warnings",
];

/// What a profile's JSON said.
#[derive(Debug)]
pub struct Written {
    /// The profile, unchecked. Secrets that were not given are not in it.
    pub document: ProfileDocument,
    /// The secrets, and `previous`, that were given as `null`: to be taken away.
    pub removed: BTreeSet<String>,
    /// Fields that there are not; they were left out.
    pub unknown: Vec<String>,
}

/// Reads a whole profile. Empty texts stand for fields that are not given, as in what
/// Pexip Infinity exports.
///
/// # Errors
/// [`JsonFaults`], each field's type.
pub fn read(mut object: JsonObject) -> Result<Written, JsonFaults> {
    let removed = removed(&object);
    let unknown = without_unknown(&mut object);
    Ok(Written {
        document: document(object)?,
        removed,
        unknown,
    })
}

/// Reads a change of a profile as a merge patch (RFC 7396). The secrets of `old` that
/// it does not give are not in the result.
///
/// # Errors
/// [`JsonFaults`]: each field's type, and fields that there are not.
pub fn read_patch(mut patch: JsonObject, old: &ProfileDocument) -> Result<Written, JsonFaults> {
    let removed = removed(&patch);
    let unknown = without_unknown(&mut patch);
    if !unknown.is_empty() {
        let fault = |field| (field, vec!["There is no such field.".to_owned()]);
        return Err(JsonFaults(unknown.into_iter().map(fault).collect()));
    }
    let mut object = plain(old);
    merge(&mut object, patch);
    Ok(Written {
        document: document(object)?,
        removed,
        unknown,
    })
}

/// Every field but the secrets, with its default where it has no value.
pub fn write(document: &ProfileDocument) -> JsonObject {
    let mut object = plain(document);
    for (field, default) in field_defaults(document) {
        let value = object.entry(field).or_insert(Value::Null);
        if value.is_null() {
            *value = default;
        }
    }
    object
}

/// The fields without the secrets, `null` where there is no value.
fn plain(document: &ProfileDocument) -> JsonObject {
    match serde_json::to_value(document) {
        Ok(Value::Object(object)) => object,
        _ => unreachable!("a profile has a JSON form, and it is an object"),
    }
}

/// What fields mean that have no value.
fn field_defaults(document: &ProfileDocument) -> Vec<(&'static str, Value)> {
    let bare = ProfileDocument {
        zoom: document.zoom.clone(),
        ..ProfileDocument::default()
    };
    let bare = zoom::with_templates(&bare);
    let template = |own: &Option<String>, documented: &str| {
        Value::from(own.clone().unwrap_or_else(|| documented.to_owned()))
    };
    vec![
        ("patient_alias_template", defaults::ALIAS.into()),
        ("provider_alias_template", defaults::ALIAS.into()),
        (
            "patient_display_name_template",
            template(
                &bare.patient_display_name_template,
                defaults::PATIENT_DISPLAY_NAME,
            ),
        ),
        (
            "provider_display_name_template",
            template(
                &bare.provider_display_name_template,
                defaults::PROVIDER_DISPLAY_NAME,
            ),
        ),
        (
            "patient_web_join_link_template",
            defaults::PATIENT_JOIN_LINK.into(),
        ),
        (
            "provider_web_join_link_template",
            defaults::PROVIDER_JOIN_LINK.into(),
        ),
        (
            "service_name_template",
            template(&bare.service_name_template, defaults::SERVICE_NAME),
        ),
        ("launch_error_web_template", defaults::ERROR_PAGE.into()),
        ("encrypted_parameter_name", "data".into()),
        ("launch_validity_minutes", 60.into()),
        ("secret_overlap_minutes", OVERLAP_MINUTES.into()),
        ("scope", Scope::default().to_string().into()),
    ]
}

/// The secrets, and `previous`, that are given as `null`.
fn removed(object: &JsonObject) -> BTreeSet<String> {
    let is_null = |path: &str| {
        let mut parts = path.split('.');
        let first = parts.next().and_then(|part| object.get(part));
        let found = first.and_then(|first| parts.try_fold(first, |value, part| value.get(part)));
        found.is_some_and(Value::is_null)
    };
    let mut names: BTreeSet<String> = secret_names()
        .filter(|name| is_null(name))
        .map(str::to_owned)
        .collect();
    if is_null("previous") {
        names.insert("previous".to_owned());
    }
    names
}

/// The secrets that stand in no table but `previous`.
fn secret_names() -> impl Iterator<Item = &'static str> {
    let mut names = ProfileDocument {
        previous: Some(super::PreviousSecrets::until(
            vestibule_launch::UnixTime::from_millis(0),
        )),
        ..ProfileDocument::default()
    };
    let names: Vec<_> = names
        .secrets_mut()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    names.into_iter()
}

/// Takes out what is not read back and what there is not; gives the names of the latter.
fn without_unknown(object: &mut JsonObject) -> Vec<String> {
    let known = plain(&ProfileDocument::default());
    let is_known =
        |name: &String| known.contains_key(name) || secret_names().any(|secret| secret == name);
    object.retain(|name, _| !READ_ONLY.contains(&name.as_str()));
    let unknown: Vec<String> = object
        .keys()
        .filter(|name| !is_known(name))
        .cloned()
        .collect();
    object.retain(|name, _| !unknown.contains(name));
    unknown
}

fn document(mut object: JsonObject) -> Result<ProfileDocument, JsonFaults> {
    tidy(&mut object);
    let mut faults = JsonFaults::default();
    let document = loop {
        let value = Value::Object(object.clone());
        match serde_path_to_error::deserialize::<_, ProfileDocument>(value) {
            Ok(document) => {
                if !without_defaults(&mut object, &document) {
                    break Some(document);
                }
            }
            Err(error) => {
                let path = error.path().to_string();
                faults.add(&path, reworded(&error.inner().to_string()));
                // On to the next fault. Where the field cannot be told there is none.
                let field = path.split(['.', '[']).next().unwrap_or_default();
                if object.remove(field).is_none() {
                    break None;
                }
            }
        }
    };
    object.values_mut().for_each(wipe);
    match document {
        Some(document) if faults.0.is_empty() => Ok(document),
        _ => Err(faults),
    }
}

/// Takes out what is the default anyway, so that a profile that was read and written
/// back follows the defaults of later versions. Says whether there was any.
fn without_defaults(object: &mut JsonObject, document: &ProfileDocument) -> bool {
    let before = object.len();
    for (field, default) in field_defaults(document) {
        if object.get(field) == Some(&default) {
            object.remove(field);
        }
    }
    object.len() < before
}

/// Some of the texts are secrets.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(values) => values.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Empty texts and `null` are fields that are not given; a display name may be empty.
/// The name of an algorithm may be written as others do.
fn tidy(object: &mut JsonObject) {
    object.retain(|name, value| {
        let may_be_empty = name.ends_with("_display_name_template")
            || ["name", "description"].contains(&name.as_str());
        let is_empty = value.as_str().is_some_and(str::is_empty) && !may_be_empty;
        !value.is_null() && !is_empty
    });
    let algorithm = object.get_mut("epic_encryption_algorithm");
    if let Some(Value::String(algorithm)) = algorithm {
        let letters: String = algorithm
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        match letters.to_ascii_uppercase().as_str() {
            "AES128" | "AES128CBC" => *algorithm = "AES-128-CBC".to_owned(),
            "AES256" | "AES256CBC" => *algorithm = "AES-256-CBC".to_owned(),
            _ => {}
        }
    }
}

/// RFC 7396.
fn merge(object: &mut JsonObject, patch: JsonObject) {
    for (name, value) in patch {
        match (object.get_mut(&name), value) {
            (_, Value::Null) => {
                object.remove(&name);
            }
            (Some(Value::Object(inner)), Value::Object(patch)) => merge(inner, patch),
            (_, value) => {
                object.insert(name, value);
            }
        }
    }
}
