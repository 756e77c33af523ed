//! From the EHR's answer to the join link.

use http::HeaderValue;
use vestibule_launch::{EhrRole, LaunchContext, RequestId};
use vestibule_smart::{
    Callback, IssuerMismatch, OAuthError, TokenEndpoint, TokenRequest, TokenResponse,
};
use vestibule_store::{Consumed, StoreError};

use super::{
    Browser, EncounterMismatch, Trail,
    browser::Binding,
    complete::{CompleteError, Completing, record_failure},
    pending::PendingLaunch,
    repeats::{JoinLinks, RepeatError},
    token_fields,
};
use crate::{
    dialect::DialectError,
    in_flight::InFlight,
    profile::{Application, Profile},
    sealing::{NotSealedHere, Purpose},
    session::SignedIn,
    telemetry::Step,
    token_endpoint::{self, TokenEndpointError},
    tools::Tools,
};

/// Why there is no join link.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// There is no such launch of this profile and role, or its time is over.
    #[error("no launch of this profile and role waits for this sign-in, or it took too long")]
    StateUnknown,
    /// The launch began in another browser, or nobody knows in which.
    #[error(
        "the launch did not begin in this browser; \
         where browsers keep cookies back in the EHR's frame, see require_launch_cookie"
    )]
    OtherBrowser,
    /// Another authorization server answered.
    #[error(transparent)]
    Issuer(#[from] IssuerMismatch),
    /// The sign-in, or another one with the same launch token, was used before.
    #[error("the launch was used already")]
    Used,
    /// The EHR or the user refused.
    #[error("the EHR refused the sign-in: {0}")]
    Refused(OAuthError),
    /// The EHR gave no tokens.
    #[error(transparent)]
    Token(#[from] TokenEndpointError),
    /// Neither the launch nor the token response names an appointment.
    #[error(
        "the EHR named no appointment, neither in the launch parameters nor in its token response"
    )]
    NoEncounter,
    /// They name two.
    #[error(transparent)]
    Encounters(#[from] EncounterMismatch),
    /// The encrypted launch parameters cannot be read.
    #[error(transparent)]
    Parameters(#[from] DialectError),
    /// The join link cannot be given again.
    #[error(transparent)]
    Repeat(#[from] RepeatError),
    /// Appointment or join link cannot be made.
    #[error(transparent)]
    Complete(#[from] CompleteError),
    /// What was sealed cannot be opened.
    #[error("what was stored {0}")]
    Sealed(#[from] NotSealedHere),
    /// The store failed.
    #[error("the server cannot get at its database; try again soon")]
    Store(#[from] StoreError),
}

/// A browser that comes back from the EHR's sign-in.
pub struct Return<'a> {
    /// What the EHR says.
    pub callback: Callback,
    /// The browser.
    pub browser: Browser<'a>,
    /// Whether it must prove that the launch began in it.
    pub cookie_required: bool,
    /// Counts what goes on after the answer.
    pub in_flight: &'a InFlight,
}

/// Goes on with the launch `request_id`, once, and gives the join link as the value
/// of a `Location` header. It may carry name and PIN: not to be logged. The browser in
/// which the launch began gets the same link again for a minute.
///
/// # Errors
/// [`JoinError`]. Where the launch is lost by it, that is recorded on the launch.
pub async fn join(
    tools: &Tools,
    profile: &Profile,
    role: EhrRole,
    request_id: RequestId,
    returned: Return<'_>,
) -> Result<HeaderValue, JoinError> {
    let browser = &returned.browser;
    match browser.binding(request_id) {
        Binding::Same => {}
        Binding::Unknown if !returned.cookie_required => {}
        Binding::Other | Binding::Unknown => {
            let under_way = returned.in_flight.more();
            tools
                .turned_away
                .record_other_browser(tools, request_id, under_way);
            return Err(JoinError::OtherBrowser);
        }
    }
    // A second click waits here for the first one's link.
    let turn = tools.repeats.turn(request_id, tools.now()).await;
    let links = JoinLinks { tools, profile };
    let consuming = tools
        .store
        .consume_state(request_id, profile.uuid, role, tools.now());
    let consumed = tools.telemetry.stored("consume_state", consuming).await?;
    let sealed = match consumed {
        Consumed::Now(sealed) => sealed,
        Consumed::Before => {
            // Perhaps on another server, which is still at it. Whoever comes next waits
            // beside this one, not after it.
            drop(turn);
            let again = links.of_launch_under_way(request_id, browser).await?;
            return again.ok_or(JoinError::Used);
        }
        Consumed::Never => {
            // Where there is one, nobody can go on with it any more.
            let error = JoinError::StateUnknown;
            record_failure(tools, request_id, &Trail::default(), &error).await;
            return Err(error);
        }
    };
    let trail = Trail::default();
    let launch = Authorised {
        tools,
        profile,
        role,
        request_id,
        trail: &trail,
    };
    let joined = launch.go_on(returned.callback, browser, &sealed).await;
    if let Err(error) = &joined {
        record_failure(tools, request_id, &trail, error).await;
    }
    joined
}

/// A launch whose state is consumed.
struct Authorised<'a> {
    tools: &'a Tools,
    profile: &'a Profile,
    role: EhrRole,
    request_id: RequestId,
    trail: &'a Trail,
}

impl Authorised<'_> {
    async fn go_on(
        &self,
        callback: Callback,
        browser: &Browser<'_>,
        sealed: &[u8],
    ) -> Result<HeaderValue, JoinError> {
        let tools = self.tools;
        let id = self.request_id.as_bytes();
        let pending: PendingLaunch =
            tools
                .sealer
                .open(Purpose::Launch, self.profile.uuid, id, sealed)?;
        callback.check_issuer(&pending.metadata)?;
        let asked_at = tools.now();
        let tokens = self.tokens(callback, &pending);
        let tokens = self.trail.step(tools, Step::Token, tokens).await?;
        let context = self.context(&pending, &tokens)?;
        let token_endpoint: &TokenEndpoint = pending.metadata.as_ref();
        let signed_in = SignedIn::new(&tokens, token_endpoint.clone(), asked_at);
        let completing = Completing {
            tools,
            profile: self.profile,
            role: self.role,
            request_id: self.request_id,
            trail: self.trail,
        };
        match completing.complete(&context, Some(signed_in)).await {
            Ok(link) => Ok(link),
            // The same launch in a second tab was faster.
            Err(CompleteError::Used) => {
                let profile = self.profile;
                let links = JoinLinks { tools, profile };
                let again = links.of_token(pending.token(), browser).await?;
                let link = again.ok_or(CompleteError::Used)?;
                // The visit is the other launch's: this one has come to its end.
                let used = &CompleteError::Used;
                record_failure(tools, self.request_id, self.trail, used).await;
                Ok(link)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The application that signed in. A profile that was changed meanwhile may have
    /// none any more: then nobody can go on with the launch.
    fn application(&self) -> Result<&Application, JoinError> {
        let sign_in = self.profile.sign_in.as_ref();
        let sign_in = sign_in.ok_or(JoinError::StateUnknown)?;
        Ok(sign_in.application(self.role))
    }

    async fn tokens(
        &self,
        callback: Callback,
        pending: &PendingLaunch,
    ) -> Result<TokenResponse, JoinError> {
        let code = match callback {
            Callback::Code { code, .. } => code,
            Callback::Refused { error, .. } => return Err(JoinError::Refused(error)),
        };
        let application = self.application()?;
        let request = TokenRequest::AuthorizationCode {
            code,
            redirect_uri: application.redirect_uri.clone(),
            verifier: pending.verifier().map_err(|_| NotSealedHere)?,
        };
        let credentials = &application.credentials;
        let asked = token_endpoint::ask(self.tools, &pending.metadata, credentials, &request);
        Ok(asked.await?)
    }

    /// What the launch said of the appointment, completed by the token response.
    fn context(
        &self,
        pending: &PendingLaunch,
        tokens: &TokenResponse,
    ) -> Result<LaunchContext, JoinError> {
        let now = self.tools.now();
        let opened = pending
            .encrypted()
            .map(|encrypted| {
                let open = || self.profile.dialect.open(&encrypted, now);
                self.trail.step_now(self.tools, Step::Decrypt, open)
            })
            .transpose()?;
        let parameters = opened.map(|opened| opened.context);
        if let Some(parameters) = &parameters {
            self.trail.leads_to(parameters);
        }
        let map = &self.profile.token_response_map;
        token_fields::complete(parameters, tokens, map)?.ok_or(JoinError::NoEncounter)
    }
}
