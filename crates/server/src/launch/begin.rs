//! From the EHR's button to its sign-in.

use std::sync::Arc;

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use url::Url;
use vestibule_launch::{EhrRole, LaunchContext, RequestId};
use vestibule_smart::{AuthorizeRequest, Metadata, Verifier};
use vestibule_store::{Begun, Fingerprint, NewLaunch, StoreError};

use super::{
    Browser, MetadataFetchError, SIGN_IN, SignInRequest, Trail, Whereabouts,
    complete::{CompleteError, Completing, record_failure},
    pending::PendingLaunch,
    repeats::{JoinLinks, RepeatError},
};
use crate::{
    dialect::{DialectError, SmartLaunch},
    profile::{Profile, SignIn},
    sealing::Purpose,
    telemetry::{LaunchKind, Step},
    tools::Tools,
};

/// Why a launch does not begin.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The launch cannot be read.
    #[error(transparent)]
    Dialect(#[from] DialectError),
    /// The launch does not say who launches.
    #[error("the launch does not say whether a patient or a provider launches")]
    NoRole,
    /// The profile does not allow this EHR.
    #[error(
        "the profile does not allow this `iss`; see allowed_iss and telehealth_integration_oauth2_base_api_url"
    )]
    IssuerNotAllowed,
    /// The EHR's metadata cannot be had.
    #[error(transparent)]
    Metadata(#[from] MetadataFetchError),
    /// A launch with the same launch token has completed.
    #[error("the launch was used already")]
    Used,
    /// The join link cannot be given again.
    #[error(transparent)]
    Repeat(#[from] RepeatError),
    /// Appointment or join link cannot be made.
    #[error(transparent)]
    Complete(#[from] CompleteError),
    /// The store failed.
    #[error("the server cannot get at its database; try again soon")]
    Store(#[from] StoreError),
}

impl BeginError {
    /// Whether the store may have nothing of the launch, and can be asked to.
    pub(crate) fn is_before_the_launch(&self) -> bool {
        match self {
            Self::Dialect(_)
            | Self::NoRole
            | Self::IssuerNotAllowed
            | Self::Metadata(_)
            | Self::Used
            | Self::Repeat(RepeatError::Sealed(_)) => true,
            Self::Repeat(RepeatError::Store(_)) | Self::Complete(_) | Self::Store(_) => false,
        }
    }
}

/// What follows on a launch.
pub enum Next {
    /// The EHR signs the user in.
    SignIn(SignInRequest),
    /// The join link, as the value of a `Location` header. It may carry name and PIN:
    /// not to be logged.
    Join(HeaderValue),
}

/// Reads a launch, stores it under `request_id` and says what follows. `role` is who
/// launches where the entrance says it; it goes before whatever is encrypted. What becomes
/// of the launch until it is stored is on the `trail`.
///
/// # Errors
/// [`BeginError`].
pub async fn begin(
    tools: &Tools,
    profile: &Profile,
    role: Option<EhrRole>,
    request_id: RequestId,
    parameters: &str,
    browser: &Browser<'_>,
    trail: &Trail,
) -> Result<Next, BeginError> {
    let request = profile.dialect.read(parameters)?;
    let encrypted = request.encrypted.as_ref();
    match &request.sign_in {
        Some(launch) => {
            let role = role.ok_or(BeginError::NoRole)?;
            let beginning = Beginning {
                tools,
                profile,
                role,
                request_id,
                trail,
            };
            beginning.sign_in(launch, encrypted, browser).await
        }
        None => {
            let encrypted = encrypted.ok_or(DialectError::ParametersInvalid)?;
            let open = || profile.dialect.open(encrypted, tools.now());
            let opened = trail.step_now(tools, Step::Decrypt, open)?;
            trail.leads_to(&opened.context);
            let role = role.or(opened.role).ok_or(BeginError::NoRole)?;
            let beginning = Beginning {
                tools,
                profile,
                role,
                request_id,
                trail,
            };
            Ok(Next::Join(beginning.join(&opened.context).await?))
        }
    }
}

struct Beginning<'a> {
    tools: &'a Tools,
    profile: &'a Profile,
    role: EhrRole,
    request_id: RequestId,
    trail: &'a Trail,
}

impl Beginning<'_> {
    /// Stores the launch until the EHR has signed the user in, and says how the browser
    /// gets there. A launch that has led into a visit a moment ago leads there again,
    /// in the same browser.
    async fn sign_in(
        &self,
        smart: &SmartLaunch,
        encrypted: Option<&SecretString>,
        browser: &Browser<'_>,
    ) -> Result<Next, BeginError> {
        let Self {
            tools,
            profile,
            role,
            request_id,
            trail,
        } = *self;
        let sign_in = profile.sign_in.as_ref();
        let sign_in = sign_in.ok_or(BeginError::IssuerNotAllowed)?;
        let pressed_at = tools.now();
        let metadata = self.metadata(sign_in, smart);
        let metadata = trail.step(tools, Step::Metadata, metadata).await?;
        let launch = smart.launch.expose_secret();
        let token = tools
            .sealer
            .fingerprint(profile.uuid, role, &smart.iss, launch);
        let (verifier, state, sealed) = tools.random.with(|rng| {
            let verifier = Verifier::generate(rng);
            let state = tools.sealer.seal_state(request_id, profile.uuid, role, rng);
            let encrypted = encrypted.map(ExposeSecret::expose_secret);
            let pending = PendingLaunch::new(&metadata, &verifier, token, encrypted);
            let id = request_id.as_bytes();
            let sealed = tools
                .sealer
                .seal(Purpose::Launch, profile.uuid, id, &pending, rng);
            (verifier, state, sealed)
        });
        let new = self.new_launch(token, sealed);
        let beginning = tools.store.begin_launch(new, pressed_at);
        let begun = tools.telemetry.stored("begin_launch", beginning).await?;
        if begun == Begun::AlreadyUsed {
            let links = JoinLinks { tools, profile };
            let again = links.of_token(token, browser).await?;
            tracing::info!(%request_id, same_link = again.is_some(), "a launch is opened again");
            return again.map(Next::Join).ok_or(BeginError::Used);
        }
        trail.was_stored();
        tools.telemetry.launch_begun(self.kind());
        let application = sign_in.application(role);
        let authorize = AuthorizeRequest {
            client_id: application.credentials.current().client_id(),
            redirect_uri: &application.redirect_uri,
            scope: &sign_in.scope,
            launch,
            aud: &smart.iss,
            state: &state,
            code_challenge: &verifier.challenge(),
        };
        let by_post = sign_in.authorize_by_post;
        let request = SignInRequest::new(&authorize, &metadata, by_post);
        Ok(Next::SignIn(request))
    }

    async fn metadata(
        &self,
        sign_in: &SignIn,
        smart: &SmartLaunch,
    ) -> Result<Arc<Metadata>, BeginError> {
        let iss = Url::parse(&smart.iss)
            .ok()
            .filter(|iss| sign_in.allows(iss))
            .ok_or(BeginError::IssuerNotAllowed)?;
        let credentials = &sign_in.application(self.role).credentials;
        let place = Whereabouts {
            iss,
            client_id: credentials.current().client_id().to_owned(),
            oauth2_base: sign_in.oauth2_base.clone(),
        };
        Ok(self.tools.metadata.find(self.tools, &place).await?)
    }

    /// Nothing is to be waited for: straight to the join link. Such launch URLs may be
    /// opened again, so each opening is a launch of its own.
    async fn join(&self, context: &LaunchContext) -> Result<HeaderValue, BeginError> {
        let Self {
            tools,
            profile,
            role,
            request_id,
            trail,
        } = *self;
        let id = request_id.to_string();
        let fingerprint = tools.sealer.fingerprint(profile.uuid, role, "", &id);
        let new = self.new_launch(fingerprint, Vec::new());
        let beginning = tools.store.begin_authorised(new, tools.now());
        tools
            .telemetry
            .stored("begin_authorised", beginning)
            .await?;
        trail.was_stored();
        tools.telemetry.launch_begun(self.kind());
        let completing = Completing {
            tools,
            profile,
            role,
            request_id,
            trail,
        };
        match completing.complete(context, None).await {
            Ok(link) => Ok(link),
            Err(error) => {
                record_failure(tools, request_id, trail, &error).await;
                Err(error.into())
            }
        }
    }

    fn kind(&self) -> LaunchKind<'_> {
        LaunchKind {
            profile: self.profile.uuid,
            role: self.role,
            dialect: self.profile.dialect.name(),
        }
    }

    fn new_launch(&self, fingerprint: Fingerprint, sealed: Vec<u8>) -> NewLaunch {
        NewLaunch {
            request_id: self.request_id,
            profile: self.profile.uuid,
            role: self.role,
            fingerprint,
            sealed,
            expires_at: self.tools.now() + SIGN_IN,
            course: self.trail.so_far(),
        }
    }
}
