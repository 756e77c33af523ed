//! Dialects: how one vendor's EHR words a launch. Each turns the parameters of an
//! inbound launch into the one [`LaunchRequest`].

use std::fmt;

use secrecy::SecretString;
use vestibule_launch::LaunchContext;

mod epic;

pub use epic::Epic;

/// Reads launches of one vendor's kind.
pub trait Dialect: Send + Sync {
    /// Reads the form-encoded parameters of a launch: a query without its `?`, or
    /// the body of a POST. Decrypts nothing.
    ///
    /// # Errors
    /// [`DialectError`].
    fn read(&self, parameters: &str) -> Result<LaunchRequest, DialectError>;

    /// What the EHR said of the appointment, where it did. To be called only once
    /// the profile allows the launch's `iss`.
    ///
    /// # Errors
    /// [`DialectError::ParametersInvalid`], whatever is wrong.
    fn context(&self, request: &LaunchRequest) -> Result<Option<LaunchContext>, DialectError>;
}

/// A launch, whoever's EHR it came from.
pub struct LaunchRequest {
    /// The EHR's FHIR base URL, as sent.
    pub iss: String,
    /// The EHR's one-time launch token.
    pub launch: SecretString,
    /// The encrypted parameters as they came, where there are any.
    pub encrypted: Option<SecretString>,
}

impl fmt::Debug for LaunchRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaunchRequest")
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
