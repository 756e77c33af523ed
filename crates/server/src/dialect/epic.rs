//! Epic: SMART `iss` and `launch` in the open, the appointment in one encrypted
//! parameter (Pexip's documentation of its Epic
//! integration, "Recommended Epic crypto algorithms").

use secrecy::{ExposeSecret as _, SecretString};
use url::form_urlencoded;
use vestibule_launch::{
    EhrRole, LaunchContext, LaunchParameters, ParameterMap, PlusSign, UnixTime,
    crypto::{KeyCheckValue, KeyType, LaunchCipher},
};
use zeroize::Zeroizing;

use super::{Dialect, DialectError, Entrance, LaunchRequest, NamedBy, Opened, SmartLaunch};
use crate::profile::Overlap;

/// The launch buttons of patients and of providers.
pub(super) const ENTRANCES: &[Entrance] = &[
    Entrance {
        path: "/api/telehealth/v1/patient/oauth2smartlaunch/{uuid}",
        role: Some(EhrRole::Patient),
        profile: NamedBy::Uuid,
    },
    Entrance {
        path: "/api/telehealth/v1/provider/oauth2smartlaunch/{uuid}",
        role: Some(EhrRole::Provider),
        profile: NamedBy::Uuid,
    },
];

/// Longest `iss`, in bytes.
const LONGEST_ISS: usize = 2048;

/// Longest `launch`, in bytes: Epic's can be long JWTs.
const LONGEST_LAUNCH: usize = 16 * 1024;

/// How Epic words a launch of one profile.
pub struct Epic {
    /// Name of the encrypted parameter.
    pub encrypted_parameter_name: String,
    /// Opens it.
    pub cipher: EpicCipher,
}

/// Opens encrypted launch parameters of one profile.
#[derive(Clone)]
pub struct EpicCipher {
    /// What the key is made from.
    pub key_type: KeyType,
    /// The keys that are valid.
    pub ciphers: Overlap<LaunchCipher>,
    /// What `+` means inside.
    pub plus_sign: PlusSign,
    /// What the EHR calls the fields inside.
    pub parameter_map: ParameterMap,
}

impl Dialect for Epic {
    fn name(&self) -> &'static str {
        "epic"
    }

    fn key_check_value(&self) -> Option<KeyCheckValue> {
        match self.cipher.key_type {
            KeyType::Base64Key => Some(KeyCheckValue::of(self.cipher.ciphers.current().key())),
            KeyType::Password => None,
        }
    }

    fn previous_key_check_value(&self, key_type: KeyType, now: UnixTime) -> Option<KeyCheckValue> {
        let previous = self.cipher.ciphers.valid(now).nth(1)?;
        (key_type == KeyType::Base64Key).then(|| KeyCheckValue::of(previous.key()))
    }

    fn read(&self, parameters: &str) -> Result<LaunchRequest, DialectError> {
        let mut iss = None;
        let mut launch = None;
        let mut encrypted = None;
        for (name, value) in form_urlencoded::parse(parameters.as_bytes()) {
            let (place, error) = match name.as_ref() {
                "iss" => (&mut iss, DialectError::Parameter("iss")),
                "launch" => (&mut launch, DialectError::Parameter("launch")),
                name if name == self.encrypted_parameter_name => {
                    (&mut encrypted, DialectError::ParametersInvalid)
                }
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return Err(error);
            }
        }
        let within = |longest| move |value: &String| !value.is_empty() && value.len() <= longest;
        Ok(LaunchRequest {
            sign_in: Some(SmartLaunch {
                iss: iss
                    .filter(within(LONGEST_ISS))
                    .ok_or(DialectError::Parameter("iss"))?,
                launch: launch
                    .filter(within(LONGEST_LAUNCH))
                    .map(SecretString::from)
                    .ok_or(DialectError::Parameter("launch"))?,
            }),
            encrypted: encrypted.map(SecretString::from),
        })
    }

    fn open(&self, encrypted: &SecretString, now: UnixTime) -> Result<Opened, DialectError> {
        let context = self.cipher.open(encrypted, now)?;
        Ok(Opened {
            role: None,
            context,
        })
    }
}

impl EpicCipher {
    /// Every fault gives the same error, so that it cannot be used to decrypt. While
    /// two keys are valid both are tried, whichever fits.
    ///
    /// # Errors
    /// [`DialectError::ParametersInvalid`].
    pub fn open(
        &self,
        encrypted: &SecretString,
        now: UnixTime,
    ) -> Result<LaunchContext, DialectError> {
        let opened: Vec<_> = self
            .ciphers
            .valid(now)
            .map(|cipher| self.open_with(cipher, encrypted.expose_secret()))
            .collect();
        opened
            .into_iter()
            .flatten()
            .next()
            .ok_or(DialectError::ParametersInvalid)
    }

    fn open_with(&self, cipher: &LaunchCipher, text: &str) -> Option<LaunchContext> {
        let plaintext: Zeroizing<String> = cipher.decrypt(text).ok()?;
        let parameters = LaunchParameters::parse(&plaintext, self.plus_sign).ok()?;
        LaunchContext::from_parameters(&parameters, &self.parameter_map).ok()
    }
}
