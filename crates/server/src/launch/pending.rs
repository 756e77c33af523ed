//! What a launch remembers, sealed, while the user signs in at the EHR.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use vestibule_smart::{Metadata, Verifier, VerifierInvalid};
use vestibule_store::Fingerprint;
use zeroize::Zeroize;

/// The EHR's metadata, the PKCE verifier, the EHR's launch token by its fingerprint, and
/// the encrypted parameters, which are not opened before the EHR has signed the user in.
/// The metadata is remembered, not looked up again, so that the code goes to the EHR
/// that the browser was sent to (RFC 9700 section 4.4).
#[derive(Serialize, Deserialize)]
pub(super) struct PendingLaunch {
    /// Checked again when it is opened, as if the EHR had just sent it.
    pub(super) metadata: Metadata,
    verifier: String,
    token: [u8; 32],
    encrypted: Option<String>,
}

impl PendingLaunch {
    pub(super) fn new(
        metadata: &Metadata,
        verifier: &Verifier,
        token: Fingerprint,
        encrypted: Option<&str>,
    ) -> Self {
        Self {
            metadata: metadata.clone(),
            verifier: verifier.expose().to_owned(),
            token: *token.as_bytes(),
            encrypted: encrypted.map(str::to_owned),
        }
    }

    pub(super) fn verifier(&self) -> Result<Verifier, VerifierInvalid> {
        Verifier::from_exposed(&self.verifier)
    }

    /// The EHR's launch token.
    pub(super) fn token(&self) -> Fingerprint {
        Fingerprint::from_bytes(self.token)
    }

    /// The encrypted parameters as they came.
    pub(super) fn encrypted(&self) -> Option<SecretString> {
        self.encrypted.clone().map(SecretString::from)
    }
}

impl Drop for PendingLaunch {
    fn drop(&mut self) {
        self.verifier.zeroize();
        self.encrypted.zeroize();
    }
}
