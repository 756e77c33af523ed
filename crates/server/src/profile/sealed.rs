//! Secrets that stand sealed in a TOML file: `sealed:` and base64. Each is bound to
//! the profile and to its field, so that it opens nowhere else.

use base64ct::{Base64, Encoding as _};
use rand::CryptoRng;
use secrecy::{ExposeSecret as _, SecretString};
use toml_edit::{DocumentMut, Item, TomlError, Value};
use uuid::Uuid;

use super::{Faults, ProfileDocument, SecretName, field::FieldError};
use crate::sealing::{Purpose, Sealer};

/// What a sealed value begins with.
const PREFIX: &str = "sealed:";

/// Why the secrets of a file cannot be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The file is no profile.
    #[error("not a profile that can be sealed; `vestibule profile check` says what is wrong")]
    NotAProfile,
    /// The profile has no uuid to which secrets could be bound.
    #[error("the profile has no uuid; give it one first")]
    NoUuid,
}

/// A profile's TOML with its secrets sealed, and which were sealed now.
#[derive(Debug)]
pub struct SealedToml {
    /// The text, with comments and order as they were.
    pub text: String,
    /// The fields that were in the clear.
    pub sealed: Vec<SecretName>,
}

/// Seals the secrets that stand in the clear in a profile's TOML.
///
/// # Errors
/// [`SealError`]; nothing of the text is in it.
pub fn seal_toml(
    text: &str,
    sealer: &Sealer,
    rng: &mut (impl CryptoRng + ?Sized),
) -> Result<SealedToml, SealError> {
    let not_a_profile = |_: TomlError| SealError::NotAProfile;
    let mut toml: DocumentMut = text.parse().map_err(not_a_profile)?;
    let document: ProfileDocument = toml::from_str(text).map_err(|_| SealError::NotAProfile)?;
    if document.uuid.is_nil() {
        return Err(SealError::NoUuid);
    }
    let mut sealed = Vec::new();
    for (field, secret) in document.secrets() {
        if is_sealed(&secret) {
            continue;
        }
        let place = find(toml.as_item_mut(), field).ok_or(SealError::NotAProfile)?;
        let mut value = Value::from(seal(sealer, document.uuid, field, &secret, rng));
        // The comment at the end of the line stays.
        *value.decor_mut() = place.decor().clone();
        *place = value;
        sealed.push(field);
    }
    let text = toml.to_string();
    Ok(SealedToml { text, sealed })
}

pub(super) fn is_sealed(secret: &SecretString) -> bool {
    secret.expose_secret().starts_with(PREFIX)
}

/// Opens every secret of a document that is sealed.
pub(crate) fn open(document: &mut ProfileDocument, sealer: Option<&Sealer>) -> Result<(), Faults> {
    let mut faults = Faults::default();
    let uuid = document.uuid;
    for (field, secret) in document.secrets_mut() {
        if let Some(sealed) = secret.as_ref().filter(|secret| is_sealed(secret)) {
            *secret = faults.keep(open_one(sealer, uuid, field, sealed));
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}

fn seal(
    sealer: &Sealer,
    uuid: Uuid,
    field: SecretName,
    secret: &SecretString,
    rng: &mut (impl CryptoRng + ?Sized),
) -> String {
    let value = secret.expose_secret();
    let sealed = sealer.seal(Purpose::Profile, uuid, binding(field), &value, rng);
    format!("{PREFIX}{}", Base64::encode_string(&sealed))
}

fn open_one(
    sealer: Option<&Sealer>,
    uuid: Uuid,
    field: SecretName,
    sealed: &SecretString,
) -> Result<SecretString, FieldError> {
    let Some(sealer) = sealer else {
        let problem = "is sealed, and only the server's own key opens it: name its vestibule.toml";
        return Err((field, problem.to_owned()));
    };
    let text = sealed.expose_secret().trim_start_matches(PREFIX);
    Base64::decode_vec(text)
        .ok()
        .and_then(|sealed| {
            sealer
                .open::<SecretString>(Purpose::Profile, uuid, binding(field), &sealed)
                .ok()
        })
        .ok_or_else(|| {
            let problem = "is sealed for another profile, field or server, or was altered; \
                           give it anew in the clear, then seal it";
            (field, problem.to_owned())
        })
}

/// A secret that was replaced moves to the table `previous` as it is.
fn binding(field: SecretName) -> &'static [u8] {
    field.strip_prefix("previous.").unwrap_or(field).as_bytes()
}

fn find<'a>(item: &'a mut Item, field: &str) -> Option<&'a mut Value> {
    field
        .split('.')
        .try_fold(item, |item, key| item.get_mut(key))?
        .as_value_mut()
}
