//! Zoom: `/telehealth?org_id=…&data=…`, and all that there is stands encrypted in
//! `data` (Zoom's description of its video visit URL for medical record systems, and
//! its sample `AESUtil`). Nobody signs in.
//!
//! So this dialect has to take the role from the encrypted text, which carries no
//! authentication. What stands against forging it: the initialisation vector is fixed,
//! so the first block can only be replaced as a whole; the role must be the first
//! parameter, in that block; and the text must hold the documented parameters and
//! nothing else, so that a block that was altered or moved shows. An organisation whose
//! patients have a key of their own does not depend on that: see [`Zoom::patients`].

use std::borrow::Cow;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use url::form_urlencoded;
use vestibule_launch::{
    EhrRole, LaunchContext, LaunchParameters, ParameterMap, PlusSign, UnixTime,
    crypto::{Algorithm, InitializationVector, KeyCheckValue, KeyType, LaunchCipher, LaunchKey},
};

use super::{Dialect, DialectError, Entrance, LaunchRequest, NamedBy, Opened};
use crate::{
    profile::{
        Overlap, ProfileDocument, SecretName,
        field::{FieldError, required, text, wrong},
    },
    write_back::ZoomNotificationDocument,
};

#[cfg(test)]
mod tests;

/// The video visit URL.
pub(super) const ENTRANCES: &[Entrance] = &[Entrance {
    path: "/telehealth",
    role: None,
    profile: NamedBy::Parameter(ORG_ID),
}];

const ORG_ID: &str = "org_id";
const DATA: &str = "data";

/// Longest `data`, in bytes: six parameters of names and numbers need a fraction of it.
const LONGEST_DATA: usize = 2048;

/// Longest API key, in characters.
const LONGEST_ORG_ID: usize = 250;

/// What the encrypted text may hold. `email` names a Zoom account, of which there are
/// none here.
const PARAMETERS: [&str; 6] = [
    "usertype",
    "userid",
    "sessionid",
    "firstname",
    "lastname",
    "email",
];

/// Display name of providers: their own, which their URLs may hold.
const PROVIDER_DISPLAY_NAME: &str = r#"{{" ".join([launch_information.fname or "", launch_information.lname or ""]) if launch_information.fname or launch_information.lname else telehealth_integration.name}}"#;

/// Service name, without the names: those of a provider's URL are the provider's.
const SERVICE_NAME: &str = "{{telehealth_integration.name}}:{{unique_encounter_id}}";

/// `[zoom]` of a telehealth profile, unchecked: it makes the profile one for Zoom's
/// video visit URLs.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ZoomDocument {
    /// The API key, which URLs name as `org_id`.
    pub org_id: String,
    /// The API secret, from which the encryption key is derived.
    #[serde(skip_serializing)]
    pub api_secret: Option<SecretString>,
    /// Another API key, for the URLs of patients: a provider's is refused under it.
    pub patient_org_id: Option<String>,
    /// The API secret of the patients' URLs, where it is another one.
    #[serde(skip_serializing)]
    pub patient_api_secret: Option<SecretString>,
    /// Where the EHR hears who is connected; without it, it does not.
    pub notification: Option<ZoomNotificationDocument>,
}

impl ZoomDocument {
    /// Every field that holds a secret.
    pub(crate) fn secrets_mut(&mut self) -> Vec<(SecretName, &mut Option<SecretString>)> {
        let mut secrets = vec![
            ("zoom.api_secret", &mut self.api_secret),
            ("zoom.patient_api_secret", &mut self.patient_api_secret),
        ];
        if let Some(notification) = &mut self.notification {
            secrets.push(("zoom.notification.password", &mut notification.password));
        }
        secrets
    }
}

/// Zoom's secrets that were replaced and stay valid for a while.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PreviousZoomSecrets {
    /// The API secret.
    #[serde(skip_serializing)]
    pub api_secret: Option<SecretString>,
    /// The API secret of the patients' URLs.
    #[serde(skip_serializing)]
    pub patient_api_secret: Option<SecretString>,
}

impl PreviousZoomSecrets {
    /// Every field that holds a secret.
    pub(crate) fn secrets_mut(&mut self) -> [(SecretName, &mut Option<SecretString>); 2] {
        [
            ("previous.zoom.api_secret", &mut self.api_secret),
            (
                "previous.zoom.patient_api_secret",
                &mut self.patient_api_secret,
            ),
        ]
    }
}

/// How Zoom's video visit URLs of one profile are worded.
pub struct Zoom {
    /// The account whose URLs are for everybody.
    pub everybody: Account,
    /// An account whose URLs are for patients only, whatever they hold encrypted.
    pub patients: Option<Account>,
    /// What `+` means inside the encrypted text.
    pub plus_sign: PlusSign,
}

/// What Zoom calls API key and API secret.
pub struct Account {
    /// The API key, which names the profile in the URL.
    pub org_id: String,
    /// Made of the API secrets that are valid.
    pub ciphers: Overlap<LaunchCipher>,
}

/// Checks `[zoom]` of a profile, which then needs nothing of Epic's.
///
/// # Errors
/// The first fault that is found, by field.
pub(crate) fn check(document: &ProfileDocument, zoom: &ZoomDocument) -> Result<Zoom, FieldError> {
    without_epic(document)?;
    let previous = document.previous.as_ref();
    let old = |name, secret: fn(&PreviousZoomSecrets) -> &Option<SecretString>| {
        let table = previous?;
        let secret = secret(table.zoom.as_ref()?).as_ref()?;
        Some((secret, table.valid_until(name)))
    };
    let everybody = Account {
        org_id: org_id("zoom.org_id", &zoom.org_id)?,
        ciphers: ciphers(
            ("zoom.api_secret", "previous.zoom.api_secret"),
            required("zoom.api_secret", &zoom.api_secret)?,
            old("zoom.api_secret", |zoom| &zoom.api_secret),
        )?,
    };
    let patients = match (&zoom.patient_org_id, &zoom.patient_api_secret) {
        (None, None) => None,
        (None, Some(_)) => return wrong("zoom.patient_org_id", "is missing"),
        (Some(id), _) if *id == zoom.org_id => {
            return wrong("zoom.patient_org_id", "is the same as org_id");
        }
        (Some(id), secret) => Some(Account {
            org_id: org_id("zoom.patient_org_id", id)?,
            ciphers: match secret {
                Some(secret) => ciphers(
                    (
                        "zoom.patient_api_secret",
                        "previous.zoom.patient_api_secret",
                    ),
                    secret,
                    old("zoom.patient_api_secret", |zoom| &zoom.patient_api_secret),
                )?,
                None => everybody.ciphers.clone(),
            },
        }),
    };
    Ok(Zoom {
        everybody,
        patients,
        plus_sign: document.plus_sign,
    })
}

/// The profile with the templates that suit it where it has none of its own: the
/// documented ones take names to be the patient's.
pub(crate) fn with_templates(document: &ProfileDocument) -> Cow<'_, ProfileDocument> {
    if document.zoom.is_none() {
        return Cow::Borrowed(document);
    }
    let mut document = document.clone();
    for (template, default) in [
        (
            &mut document.provider_display_name_template,
            PROVIDER_DISPLAY_NAME,
        ),
        (&mut document.service_name_template, SERVICE_NAME),
    ] {
        template.get_or_insert_with(|| default.to_owned());
    }
    Cow::Owned(document)
}

impl Dialect for Zoom {
    fn name(&self) -> &'static str {
        "zoom"
    }

    fn keys(&self) -> Vec<&str> {
        self.accounts()
            .map(|account| account.org_id.as_str())
            .collect()
    }

    fn key_check_value(&self) -> Option<KeyCheckValue> {
        None
    }

    fn previous_key_check_value(&self, _: KeyType, _: UnixTime) -> Option<KeyCheckValue> {
        None
    }

    /// Keeps the parameters together: which account `data` belongs to counts when it
    /// is opened.
    fn read(&self, parameters: &str) -> Result<LaunchRequest, DialectError> {
        fields(parameters)?;
        Ok(LaunchRequest {
            sign_in: None,
            encrypted: Some(SecretString::from(parameters)),
        })
    }

    fn open(&self, encrypted: &SecretString, now: UnixTime) -> Result<Opened, DialectError> {
        let (org_id, data) = fields(encrypted.expose_secret())?;
        let account = self
            .accounts()
            .find(|account| account.org_id == org_id)
            .ok_or(DialectError::ParametersInvalid)?;
        let for_patients_only = self
            .patients
            .as_ref()
            .is_some_and(|patients| patients.org_id == org_id);
        let opened: Vec<_> = account
            .ciphers
            .valid(now)
            .map(|cipher| self.open_with(cipher, &data))
            .collect();
        opened
            .into_iter()
            .flatten()
            .find(|opened| !for_patients_only || opened.role == Some(EhrRole::Patient))
            .ok_or(DialectError::ParametersInvalid)
    }
}

impl Zoom {
    fn accounts(&self) -> impl Iterator<Item = &Account> {
        std::iter::once(&self.everybody).chain(&self.patients)
    }

    fn open_with(&self, cipher: &LaunchCipher, data: &str) -> Option<Opened> {
        let plaintext = cipher.decrypt(data).ok()?;
        let role = role(&plaintext)?;
        let parameters = LaunchParameters::parse(&plaintext, self.plus_sign).ok()?;
        if !parameters
            .iter()
            .all(|(name, _)| PARAMETERS.contains(&name))
        {
            return None;
        }
        let context = LaunchContext::from_parameters(&parameters, &parameter_map()).ok()?;
        context.external_id.as_ref()?;
        Some(Opened {
            role: Some(role),
            context,
        })
    }
}

/// `org_id` and `data` of a video visit URL, each there once.
fn fields(parameters: &str) -> Result<(String, String), DialectError> {
    let mut org_id = None;
    let mut data = None;
    for (name, value) in form_urlencoded::parse(parameters.as_bytes()) {
        let (place, error) = match name.as_ref() {
            ORG_ID => (&mut org_id, DialectError::Parameter(ORG_ID)),
            DATA => (&mut data, DialectError::ParametersInvalid),
            _ => continue,
        };
        if place.replace(value.into_owned()).is_some() {
            return Err(error);
        }
    }
    Ok((
        org_id.ok_or(DialectError::Parameter(ORG_ID))?,
        data.filter(|data| data.len() <= LONGEST_DATA)
            .ok_or(DialectError::ParametersInvalid)?,
    ))
}

/// Who launches: 1 is a provider, 2 a patient. Counts as the very first characters
/// only, unescaped.
fn role(plaintext: &str) -> Option<EhrRole> {
    let (user_type, _) = plaintext.strip_prefix("usertype=")?.split_once('&')?;
    match user_type {
        "1" => Some(EhrRole::Provider),
        "2" => Some(EhrRole::Patient),
        _ => None,
    }
}

/// The names of a provider's URL are the provider's.
fn parameter_map() -> ParameterMap {
    ParameterMap {
        unique_encounter_id: "sessionid".to_owned(),
        fname: "firstname".to_owned(),
        lname: "lastname".to_owned(),
        external_id: "userid".to_owned(),
        ..ParameterMap::default()
    }
}

fn org_id(field: &'static str, value: &str) -> Result<String, FieldError> {
    text(field, value, LONGEST_ORG_ID)?;
    if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return wrong(field, "must be visible ASCII without spaces; copy it again");
    }
    Ok(value.to_owned())
}

/// Of the secret in the first field and what it replaced, in the second.
fn ciphers(
    fields: (&'static str, &'static str),
    current: &SecretString,
    old: Option<(&SecretString, UnixTime)>,
) -> Result<Overlap<LaunchCipher>, FieldError> {
    let old = old.map(|(old, until)| Ok((cipher(fields.1, old)?, until)));
    Ok(Overlap::new(cipher(fields.0, current)?, old.transpose()?))
}

/// AES-128-CBC under a key that is derived from the API secret as from a password.
fn cipher(field: &'static str, secret: &SecretString) -> Result<LaunchCipher, FieldError> {
    let secret = secret.expose_secret();
    let key = LaunchKey::new(Algorithm::Aes128Cbc, KeyType::Password, secret)
        .map_err(|error| (field, error.to_string()))?;
    Ok(LaunchCipher::new(key, InitializationVector::Zero))
}

/// A profile is for one dialect: whatever it says of Epic would not count.
fn without_epic(document: &ProfileDocument) -> Result<(), FieldError> {
    let texts = [
        (
            "telehealth_integration_base_url",
            &document.telehealth_integration_base_url,
        ),
        (
            "telehealth_integration_oauth2_base_api_url",
            &document.telehealth_integration_oauth2_base_api_url,
        ),
        (
            "patient_oauth2_redirect_url",
            &document.patient_oauth2_redirect_url,
        ),
        (
            "provider_oauth2_redirect_url",
            &document.provider_oauth2_redirect_url,
        ),
        (
            "epic_patient_app_client_id",
            &document.epic_patient_app_client_id,
        ),
        (
            "epic_provider_app_client_id",
            &document.epic_provider_app_client_id,
        ),
        (
            "epic_backend_oauth2_app_client_id",
            &document.epic_backend_oauth2_app_client_id,
        ),
        (
            "epic_backend_oauth2_app_token_endpoint_url",
            &document.epic_backend_oauth2_app_token_endpoint_url,
        ),
    ];
    let secrets = [
        (
            "epic_patient_app_client_secret",
            &document.epic_patient_app_client_secret,
        ),
        (
            "epic_provider_app_client_secret",
            &document.epic_provider_app_client_secret,
        ),
        ("epic_encryption_key", &document.epic_encryption_key),
        (
            "epic_backend_oauth2_app_private_key",
            &document.epic_backend_oauth2_app_private_key,
        ),
    ];
    let texts = texts.map(|(field, value)| (field, value.is_some()));
    let secrets = secrets.map(|(field, value)| (field, value.is_some()));
    for (field, given) in texts.into_iter().chain(secrets) {
        if given {
            return wrong(
                field,
                "is Epic's, and the profile has [zoom]; remove one of them",
            );
        }
    }
    Ok(())
}
