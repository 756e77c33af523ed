//! From a direct join link to the join link: the EHR is asked in the place of a
//! sign-in.

use std::time::Duration;

use http::HeaderValue;
use secrecy::SecretString;
use vestibule_launch::{EhrRole, LaunchContext, RequestId};
use vestibule_store::{NewLaunch, StoreError};

use super::{
    SIGN_IN, Trail,
    complete::{CompleteError, Completing, record_failure},
};
use crate::{
    backend::Backend,
    dialect::DialectError,
    direct_link::{DirectLinks, LinkAnswer, LinkRefused, OpenedLink},
    http_client::TransportError,
    profile::Profile,
    telemetry::{LaunchKind, Step},
    token_endpoint::TokenEndpointError,
    tools::Tools,
};

/// How long the EHR may take to say whether a link is good.
const CHECK_DEADLINE: Duration = Duration::from_secs(5);

/// How long it may take for all that it is asked about one, the tokens of the backend among it:
/// what is stored of it has its time in the same step of a launch.
const DEADLINE: Duration = Duration::from_secs(8);

/// Why a direct join link does not lead into the visit.
#[derive(Debug, thiserror::Error)]
pub enum DirectLinkError {
    /// The profile has no direct join links.
    #[error(
        "the profile has no direct join links; give its fields that begin with epic_backend_oauth2_app_"
    )]
    None,
    /// The link cannot be read.
    #[error(transparent)]
    Parameters(#[from] DialectError),
    /// The EHR gives no access token for the backend application.
    #[error("the backend application: {0}")]
    Token(#[from] TokenEndpointError),
    /// The EHR does not answer whether the link is good.
    #[error("the EHR's check of direct join links: {0}")]
    Transport(#[from] TransportError),
    /// The EHR's answer is no yes.
    #[error(transparent)]
    Refused(#[from] LinkRefused),
    /// The link is too long for what the EHR is asked with.
    #[error("the direct join link cannot be sent to the EHR; see direct_links.form")]
    Request(#[from] http::Error),
    /// Appointment or join link cannot be made.
    #[error(transparent)]
    Complete(#[from] CompleteError),
    /// The store failed.
    #[error("the server cannot get at its database; try again soon")]
    Store(#[from] StoreError),
}

/// What a profile has for direct join links.
///
/// # Errors
/// [`DirectLinkError::None`].
pub fn direct_links(profile: &Profile) -> Result<(&DirectLinks, &Backend), DirectLinkError> {
    let links = profile.direct_links.as_ref();
    links
        .zip(profile.backend.as_ref())
        .ok_or(DirectLinkError::None)
}

/// Goes on from a link that somebody wants to join by, and gives the join link as the
/// value of a `Location` header. It may carry name and PIN: not to be logged. The link
/// stays as good as it was.
///
/// # Errors
/// [`DirectLinkError`]. Where the link could be opened, that is recorded on the launch;
/// what came before is on the `trail`.
pub async fn join_directly(
    tools: &Tools,
    profile: &Profile,
    role: EhrRole,
    request_id: RequestId,
    parameters: &str,
    trail: &Trail,
) -> Result<HeaderValue, DirectLinkError> {
    let (links, backend) = direct_links(profile)?;
    let link = links.read(parameters)?;
    let now = tools.now();
    let open = || links.open(&link, now);
    let opened = trail.step_now(tools, Step::Decrypt, open)?;
    trail.leads_to(&opened.context);
    // Each opening is a launch of its own.
    let id = request_id.to_string();
    let new = NewLaunch {
        request_id,
        profile: profile.uuid,
        role,
        fingerprint: tools.sealer.fingerprint(profile.uuid, role, "", &id),
        sealed: Vec::new(),
        expires_at: now + SIGN_IN,
        course: trail.so_far(),
    };
    let beginning = tools.store.begin_authorised(new, now);
    let telemetry = &tools.telemetry;
    telemetry.stored("begin_authorised", beginning).await?;
    trail.was_stored();
    telemetry.launch_begun(LaunchKind {
        profile: profile.uuid,
        role,
        dialect: profile.dialect.name(),
    });
    let asking = Asking {
        tools,
        links,
        backend,
        role,
        link,
        trail,
    };
    let joined = async {
        let checked = tokio::time::timeout(DEADLINE, asking.checked(opened)).await;
        let context = checked.map_err(|_| TransportError::Timeout(DEADLINE))??;
        let completing = Completing {
            tools,
            profile,
            role,
            request_id,
            trail,
        };
        Ok(completing.complete(&context, None).await?)
    };
    match joined.await {
        Ok(link) => Ok(link),
        Err(error) => {
            record_failure(tools, request_id, trail, &error).await;
            Err(error)
        }
    }
}

/// Asks the EHR about a link that could be opened.
struct Asking<'a> {
    tools: &'a Tools,
    links: &'a DirectLinks,
    backend: &'a Backend,
    role: EhrRole,
    link: SecretString,
    trail: &'a Trail,
}

impl Asking<'_> {
    /// What the link and the EHR say together, where the EHR says that the link is good.
    async fn checked(&self, opened: OpenedLink) -> Result<LaunchContext, DirectLinkError> {
        let OpenedLink {
            context,
            for_provider,
        } = opened;
        let provider = &self.links.provider;
        let may_be = self.role == EhrRole::Patient || for_provider || provider.answer.is_some();
        if !may_be {
            return Err(LinkRefused::NotForProviders.into());
        }
        let (tools, trail) = (self.tools, self.trail);
        let token = self.backend.access_token(tools);
        let token = trail.step(tools, Step::Token, token).await?;
        let asked = trail.step(tools, Step::LinkCheck, self.ask(&context, &token));
        let answer = match asked.await {
            Err(DirectLinkError::Refused(LinkRefused::Token)) => {
                // It may have been revoked, or have ended early.
                let token = self.backend.new_access_token(tools, &token);
                let token = trail.step(tools, Step::Token, token).await?;
                let asked = trail.step(tools, Step::LinkCheck, self.ask(&context, &token));
                asked.await?
            }
            asked => asked?,
        };
        if self.role == EhrRole::Provider
            && let Some(name) = &provider.answer
            && !answer.says(name, &provider.value)
        {
            return Err(LinkRefused::NotForProviders.into());
        }
        Ok(answer.complete(context, &self.links.check.answer)?)
    }

    async fn ask(
        &self,
        context: &LaunchContext,
        token: &SecretString,
    ) -> Result<LinkAnswer, DirectLinkError> {
        let check = &self.links.check;
        let request = check.request(&self.link, context, self.role, token)?;
        let transport = &self.tools.transport;
        let answer = transport.send(request, CHECK_DEADLINE).await?;
        Ok(LinkAnswer::read(&answer)?)
    }
}
