//! Dialects: how one vendor's EHR words a launch. Each turns the parameters of an
//! inbound launch into the one [`LaunchRequest`], and says where launches come in.

use std::fmt;

use secrecy::SecretString;
use vestibule_launch::{
    EhrRole, LaunchContext, UnixTime,
    crypto::{KeyCheckValue, KeyType},
};

mod epic;
pub(crate) mod zoom;

pub use epic::{Epic, EpicCipher};
pub use zoom::{PreviousZoomSecrets, Zoom, ZoomDocument};

/// Reads launches of one vendor's kind.
pub trait Dialect: Send + Sync {
    /// The dialect's name, among the labels of counts.
    fn name(&self) -> &'static str;

    /// The values by which launch URLs name the profile, where they do not name its
    /// uuid.
    fn keys(&self) -> Vec<&str> {
        Vec::new()
    }

    /// The key check value of the encryption key. None of a password: its value would
    /// let a reader of the log try passwords. Takes tens of milliseconds.
    fn key_check_value(&self) -> Option<KeyCheckValue>;

    /// The same of the key that was replaced and is still taken at `now`, if there is one;
    /// `key_type` says what it was made from.
    fn previous_key_check_value(&self, key_type: KeyType, now: UnixTime) -> Option<KeyCheckValue>;

    /// Reads the form-encoded parameters of a launch: a query without its `?`, or
    /// the body of a POST. Decrypts nothing.
    ///
    /// # Errors
    /// [`DialectError`].
    fn read(&self, parameters: &str) -> Result<LaunchRequest, DialectError>;

    /// Opens the encrypted parameters. To be called as late as the launch allows, so
    /// that who cannot sign in learns nothing about a ciphertext.
    ///
    /// # Errors
    /// [`DialectError::ParametersInvalid`], whatever is wrong.
    fn open(&self, encrypted: &SecretString, now: UnixTime) -> Result<Opened, DialectError>;
}

/// Where launches of a dialect come in.
pub struct Entrance {
    /// The route; `{uuid}` stands for the profile's.
    pub path: &'static str,
    /// Who launches here. Where the path does not say it, the dialect does.
    pub role: Option<EhrRole>,
    /// What names the profile.
    pub profile: NamedBy,
}

/// What names the profile of a launch URL.
pub enum NamedBy {
    /// `{uuid}` in the path.
    Uuid,
    /// A parameter, whose value is one of the dialect's [`Dialect::keys`].
    Parameter(&'static str),
}

/// The entrances of every dialect.
pub fn entrances() -> impl Iterator<Item = &'static Entrance> {
    [epic::ENTRANCES, zoom::ENTRANCES].into_iter().flatten()
}

/// A launch, whoever's EHR it came from.
pub struct LaunchRequest {
    /// How the EHR signs the user in; none where the encrypted parameters are all.
    pub sign_in: Option<SmartLaunch>,
    /// The encrypted parameters as they came, where there are any.
    pub encrypted: Option<SecretString>,
}

/// The parameters of a SMART on FHIR launch from an EHR.
pub struct SmartLaunch {
    /// The EHR's FHIR base URL, as sent.
    pub iss: String,
    /// The EHR's one-time launch token.
    pub launch: SecretString,
}

/// What encrypted parameters said.
pub struct Opened {
    /// Who launches, where the dialect has no other way to say it.
    pub role: Option<EhrRole>,
    /// Which appointment, and whose.
    pub context: LaunchContext,
}

impl fmt::Debug for LaunchRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaunchRequest")
            .field("sign_in", &self.sign_in)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SmartLaunch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmartLaunch")
            .field("iss", &self.iss)
            .finish_non_exhaustive()
    }
}

/// Why a launch cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialectError {
    /// The encrypted parameters are bad, in whatever way.
    #[error("the encrypted launch parameters cannot be read; compare key, key type and algorithm")]
    ParametersInvalid,
    /// A parameter of the launch URL is missing, empty, doubled or too long.
    #[error("the launch URL needs exactly one `{0}`")]
    Parameter(&'static str),
}
