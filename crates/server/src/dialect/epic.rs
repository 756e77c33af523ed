//! Epic: SMART `iss` and `launch` in the open, the appointment in one encrypted
//! parameter (Pexip's documentation of its Epic
//! integration, "Recommended Epic crypto algorithms").

use secrecy::{ExposeSecret as _, SecretString};
use url::form_urlencoded;
use vestibule_launch::{
    LaunchContext, LaunchParameters, ParameterMap, PlusSign, crypto::LaunchCipher,
};
use zeroize::Zeroizing;

use super::{Dialect, DialectError, LaunchRequest};

/// Longest `iss`, in bytes.
const LONGEST_ISS: usize = 2048;

/// Longest `launch`, in bytes: Epic's can be long JWTs.
const LONGEST_LAUNCH: usize = 16 * 1024;

/// How Epic words a launch of one profile.
pub struct Epic {
    /// Name of the encrypted parameter.
    pub encrypted_parameter_name: String,
    /// Opens it.
    pub cipher: LaunchCipher,
    /// What `+` means inside.
    pub plus_sign: PlusSign,
    /// What the EHR calls the fields inside.
    pub parameter_map: ParameterMap,
}

impl Dialect for Epic {
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
            iss: iss
                .filter(within(LONGEST_ISS))
                .ok_or(DialectError::Parameter("iss"))?,
            launch: launch
                .filter(within(LONGEST_LAUNCH))
                .map(SecretString::from)
                .ok_or(DialectError::Parameter("launch"))?,
            encrypted: encrypted.map(SecretString::from),
        })
    }

    fn context(&self, request: &LaunchRequest) -> Result<Option<LaunchContext>, DialectError> {
        let encrypted = request.encrypted.as_ref();
        encrypted
            .map(|text| self.decrypt(text.expose_secret()))
            .transpose()
    }
}

impl Epic {
    /// Every fault gives the same error, so that it cannot be used to decrypt.
    fn decrypt(&self, text: &str) -> Result<LaunchContext, DialectError> {
        let plaintext: Zeroizing<String> = self
            .cipher
            .decrypt(text)
            .map_err(|_| DialectError::ParametersInvalid)?;
        LaunchParameters::parse(&plaintext, self.plus_sign)
            .ok()
            .and_then(|parameters| {
                LaunchContext::from_parameters(&parameters, &self.parameter_map).ok()
            })
            .ok_or(DialectError::ParametersInvalid)
    }
}
