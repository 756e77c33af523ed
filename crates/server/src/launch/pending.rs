//! What a launch remembers, sealed, while the user signs in at the EHR.

use serde::{Deserialize, Serialize};
use vestibule_launch::{EncounterId, LaunchContext, LaunchInformation};
use vestibule_smart::{Metadata, MetadataError, Verifier, VerifierInvalid};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The EHR's endpoints, the PKCE verifier and what the EHR said of the appointment.
/// The token endpoint is remembered, not looked up again, so that the code goes to
/// the EHR that the browser was sent to (RFC 9700 section 4.4).
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct PendingLaunch {
    authorization_endpoint: String,
    token_endpoint: String,
    verifier: String,
    #[zeroize(skip)]
    context: Option<PendingContext>,
}

#[derive(Serialize, Deserialize)]
struct PendingContext {
    unique_encounter_id: String,
    launch_information: LaunchInformation,
}

impl PendingLaunch {
    pub(super) fn new(
        metadata: &Metadata,
        verifier: &Verifier,
        context: Option<LaunchContext>,
    ) -> Self {
        Self {
            authorization_endpoint: metadata.authorization_endpoint().to_string(),
            token_endpoint: metadata.token_endpoint().to_string(),
            verifier: verifier.expose().to_owned(),
            context: context.map(|context| PendingContext {
                unique_encounter_id: context.unique_encounter_id.as_str().to_owned(),
                launch_information: context.launch_information,
            }),
        }
    }

    pub(super) fn verifier(&self) -> Result<Verifier, VerifierInvalid> {
        Verifier::from_exposed(&self.verifier)
    }

    /// The metadata, checked again as if the EHR had just sent it.
    pub(super) fn metadata(&self) -> Result<Metadata, MetadataError> {
        let document = serde_json::json!({
            "authorization_endpoint": self.authorization_endpoint,
            "token_endpoint": self.token_endpoint,
        });
        Metadata::from_response(&http::Response::new(document.to_string().into_bytes()))
    }

    /// What the launch said of the appointment.
    pub(super) fn context(&self) -> Option<LaunchContext> {
        let context = self.context.as_ref()?;
        Some(LaunchContext {
            unique_encounter_id: EncounterId::parse(&context.unique_encounter_id)?,
            launch_information: context.launch_information.clone(),
        })
    }
}
