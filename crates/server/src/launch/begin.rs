//! From the EHR's button to its sign-in.

use secrecy::ExposeSecret as _;
use url::Url;
use vestibule_launch::{EhrRole, RequestId};
use vestibule_smart::{
    AuthorizeRequest, Metadata, MetadataError, MetadataRequestError, Verifier, metadata_request,
};
use vestibule_store::{Begun, NewLaunch, StoreError};

use super::{METADATA_DEADLINE, SIGN_IN, pending::PendingLaunch};
use crate::{
    dialect::{Dialect as _, DialectError},
    http_client::TransportError,
    profile::Profile,
    sealing::Purpose,
    tools::Tools,
};

/// Why a launch does not begin.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The launch cannot be read.
    #[error(transparent)]
    Dialect(#[from] DialectError),
    /// The profile does not allow this EHR.
    #[error(
        "the profile does not allow this `iss`; see allowed_iss and telehealth_integration_oauth2_base_api_url"
    )]
    IssuerNotAllowed,
    /// The EHR cannot be asked for its metadata.
    #[error(transparent)]
    MetadataRequest(#[from] MetadataRequestError),
    /// The EHR did not answer with its metadata.
    #[error("the EHR's SMART metadata: {0}")]
    MetadataTransport(TransportError),
    /// The EHR's metadata is of no use.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// A launch with the same launch token has completed.
    #[error("the launch was used already")]
    Used,
    /// The store failed.
    #[error("the server cannot get at its database; try again soon")]
    Store(#[from] StoreError),
}

/// Reads a launch, stores it under `request_id` and says where the EHR signs the
/// user in.
///
/// # Errors
/// [`BeginError`]; nothing was stored then.
pub async fn begin(
    tools: &Tools,
    profile: &Profile,
    role: EhrRole,
    request_id: RequestId,
    parameters: &str,
) -> Result<Url, BeginError> {
    let request = profile.dialect.read(parameters)?;
    let iss = Url::parse(&request.iss)
        .ok()
        .filter(|iss| profile.allows(iss))
        .ok_or(BeginError::IssuerNotAllowed)?;
    // Not before: who cannot name the EHR learns nothing about a ciphertext.
    let context = profile.dialect.context(&request)?;
    let application = profile.role(role);
    let client_id = application.credentials.client_id();

    let question = metadata_request(&iss, client_id)?;
    let answer = tools
        .transport
        .send(question, METADATA_DEADLINE)
        .await
        .map_err(BeginError::MetadataTransport)?;
    let metadata = Metadata::from_response(&answer)?;

    let launch = request.launch.expose_secret();
    let fingerprint = tools
        .sealer
        .fingerprint(profile.uuid, role, &request.iss, launch);
    let (verifier, state, sealed) = tools.random.with(|rng| {
        let verifier = Verifier::generate(rng);
        let state = tools.sealer.seal_state(request_id, profile.uuid, role, rng);
        let pending = PendingLaunch::new(&metadata, &verifier, context);
        let id = request_id.as_bytes();
        let sealed = tools
            .sealer
            .seal(Purpose::Launch, profile.uuid, id, &pending, rng);
        (verifier, state, sealed)
    });
    let now = tools.now();
    let begun = tools
        .store
        .begin_launch(
            NewLaunch {
                request_id,
                profile: profile.uuid,
                role,
                fingerprint,
                sealed,
                expires_at: now + SIGN_IN,
            },
            now,
        )
        .await?;
    if begun == Begun::AlreadyUsed {
        return Err(BeginError::Used);
    }
    let authorize = AuthorizeRequest {
        client_id,
        redirect_uri: &application.redirect_uri,
        scope: &profile.scope,
        launch,
        aud: &request.iss,
        state: &state,
        code_challenge: &verifier.challenge(),
    };
    Ok(authorize.url(&metadata))
}
