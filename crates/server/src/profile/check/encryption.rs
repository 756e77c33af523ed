//! How launch parameters are encrypted, and what the EHR calls them.

use secrecy::{ExposeSecret as _, SecretString};
use vestibule_launch::crypto::{Algorithm, InitializationVector, KeyType, LaunchCipher, LaunchKey};

use super::previous;
use crate::{
    dialect::EpicCipher,
    profile::{
        Faults, Overlap, ProfileDocument,
        field::{FieldError, required, wrong},
    },
};

/// Longest name of a parameter, in bytes.
const LONGEST_PARAMETER_NAME: usize = 64;

pub(super) fn cipher(document: &ProfileDocument, faults: &mut Faults) -> Option<EpicCipher> {
    let field = "epic_encryption_key";
    let current = required(field, &document.epic_encryption_key).and_then(|key| {
        launch_cipher(
            field,
            document.epic_encryption_algorithm,
            document.epic_encryption_key_type,
            document.initialization_vector,
            key,
        )
    });
    let current = faults.keep(current);
    let old = previous(document).and_then(|table| {
        let cipher = launch_cipher(
            "previous.epic_encryption_key",
            table
                .epic_encryption_algorithm
                .unwrap_or(document.epic_encryption_algorithm),
            table
                .epic_encryption_key_type
                .unwrap_or(document.epic_encryption_key_type),
            table
                .initialization_vector
                .unwrap_or(document.initialization_vector),
            table.epic_encryption_key.as_ref()?,
        );
        Some((faults.keep(cipher)?, table.valid_until(field)))
    });
    Some(EpicCipher {
        key_type: document.epic_encryption_key_type,
        ciphers: Overlap::new(current?, old),
        plus_sign: document.plus_sign,
        parameter_map: document.parameter_map.clone(),
    })
}

fn launch_cipher(
    field: &'static str,
    algorithm: Algorithm,
    key_type: KeyType,
    initialization_vector: InitializationVector,
    key: &SecretString,
) -> Result<LaunchCipher, FieldError> {
    LaunchKey::new(algorithm, key_type, key.expose_secret())
        .map(|key| LaunchCipher::new(key, initialization_vector))
        .map_err(|error| (field, error.to_string()))
}

pub(super) fn encrypted_parameter_name(document: &ProfileDocument) -> Result<String, FieldError> {
    let name = document.encrypted_parameter_name.as_deref();
    let name = name.unwrap_or("data");
    if !is_parameter_name(name) || ["iss", "launch"].contains(&name) {
        return wrong(
            "encrypted_parameter_name",
            "must be the name of the encrypted parameter in the launch URL, other than iss and launch",
        );
    }
    Ok(name.to_owned())
}

/// The names that the EHR uses.
pub(super) fn maps(document: &ProfileDocument, faults: &mut Faults) {
    let map = &document.parameter_map;
    let parameters = [
        (
            "parameter_map.unique_encounter_id",
            &map.unique_encounter_id,
        ),
        ("parameter_map.fname", &map.fname),
        ("parameter_map.mname", &map.mname),
        ("parameter_map.lname", &map.lname),
        ("parameter_map.encfacnpiname", &map.encfacnpiname),
        ("parameter_map.external_id", &map.external_id),
        ("parameter_map.conference_id", &map.conference_id),
    ];
    names(&parameters, faults);
    let map = &document.token_response_map;
    let fields = [
        (
            "token_response_map.unique_encounter_id",
            &map.unique_encounter_id,
        ),
        ("token_response_map.fname", &map.fname),
        ("token_response_map.mname", &map.mname),
        ("token_response_map.lname", &map.lname),
        ("token_response_map.encfacnpiname", &map.encfacnpiname),
        ("token_response_map.external_id", &map.external_id),
    ];
    let fields: Vec<_> = fields
        .iter()
        .filter_map(|(field, name)| Some((*field, name.as_ref()?)))
        .collect();
    names(&fields, faults);
}

fn names(names: &[(&'static str, &String)], faults: &mut Faults) {
    for (field, name) in names {
        if !is_parameter_name(name) {
            let problem = "must be a name of 1 to 64 letters, digits and .-_ without spaces";
            faults.keep(wrong::<()>(field, problem));
        }
    }
}

fn is_parameter_name(name: &str) -> bool {
    (1..=LONGEST_PARAMETER_NAME).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}
