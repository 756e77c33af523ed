//! From the EHR's answer to the join link.

use http::HeaderValue;
use vestibule_launch::{
    BaseAlias, DisplayName, EhrRole, EncounterId, LaunchContext, LaunchInformation, LaunchTicket,
    Pin, RequestId, launch_api::RedeemedLaunch,
};
use vestibule_smart::{Callback, OAuthError, TokenError, TokenRequest, TokenResponse};
use vestibule_store::{
    Completed, Completion, Consumed, FailureSource, NewAppointment, NewTicket, StoreError,
    TicketHash,
};

use super::{Shared, TICKET, TOKEN_DEADLINE, alias_hash, pending::PendingLaunch};
use crate::{
    failure::Failure as _,
    http_client::TransportError,
    profile::{JoinLinkValues, Profile, RenderError},
    sealing::{NotSealedHere, Purpose},
    tools::Tools,
};

/// Why there is no join link.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// There is no such launch of this profile and role, or its time is over.
    #[error("no launch of this profile and role waits for this sign-in, or it took too long")]
    StateUnknown,
    /// The sign-in, or another one with the same launch token, was used before.
    #[error("the launch was used already")]
    Used,
    /// The EHR or the user refused.
    #[error("the EHR refused the sign-in: {0}")]
    Refused(OAuthError),
    /// The EHR's token endpoint did not answer.
    #[error("the EHR's token endpoint: {0}")]
    TokenTransport(TransportError),
    /// The EHR's token answer is a refusal or of no use.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Neither the launch nor the token answer names an appointment.
    #[error(
        "the EHR named no appointment, neither in the launch parameters nor in its token answer"
    )]
    NoEncounter,
    /// A template of the profile failed.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// What was sealed cannot be opened.
    #[error("what was stored {0}")]
    Sealed(#[from] NotSealedHere),
    /// The store failed.
    #[error("the server cannot get at its database; try again soon")]
    Store(#[from] StoreError),
}

/// Goes on with the launch `request_id`, once, and gives the join link as the value
/// of a `Location` header. It may carry name and PIN: not to be logged.
///
/// # Errors
/// [`JoinError`]. Where the launch is lost by it, that is recorded on the launch.
pub async fn join(
    tools: &Tools,
    profile: &Profile,
    role: EhrRole,
    request_id: RequestId,
    callback: Callback,
) -> Result<HeaderValue, JoinError> {
    let consumed = tools
        .store
        .consume_state(request_id, profile.uuid, role, tools.now())
        .await?;
    let sealed = match consumed {
        Consumed::Now(sealed) => sealed,
        Consumed::Before => return Err(JoinError::Used),
        Consumed::Never => return Err(JoinError::StateUnknown),
    };
    let launch = Authorised {
        tools,
        profile,
        role,
        request_id,
    };
    match launch.go_on(callback, &sealed).await {
        Ok(link) => Ok(link),
        Err(error) => {
            let (_, name) = error.answer();
            let recorded = tools
                .store
                .record_failure(request_id, FailureSource::Server, name, tools.now())
                .await;
            if let Err(store) = recorded {
                tracing::error!(%request_id, error = %store, "the failure of a launch cannot be recorded");
            }
            Err(error)
        }
    }
}

/// A launch whose state is consumed.
struct Authorised<'a> {
    tools: &'a Tools,
    profile: &'a Profile,
    role: EhrRole,
    request_id: RequestId,
}

impl Authorised<'_> {
    async fn go_on(&self, callback: Callback, sealed: &[u8]) -> Result<HeaderValue, JoinError> {
        let id = self.request_id.as_bytes();
        let pending: PendingLaunch =
            self.tools
                .sealer
                .open(Purpose::Launch, self.profile.uuid, id, sealed)?;
        let tokens = self.tokens(callback, &pending).await?;
        let context = self.context(&pending, &tokens)?;
        let (shared, appointment) = self.appointment(&context).await?;
        self.complete(&context, &shared, appointment).await
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
        let application = self.profile.role(self.role);
        let request = TokenRequest::AuthorizationCode {
            code,
            redirect_uri: application.redirect_uri.clone(),
            verifier: pending.verifier().map_err(|_| NotSealedHere)?,
        };
        let metadata = pending.metadata().map_err(|_| NotSealedHere)?;
        let request = request.into_request(&metadata, &application.credentials);
        let answer = self
            .tools
            .transport
            .send(request, TOKEN_DEADLINE)
            .await
            .map_err(JoinError::TokenTransport)?;
        Ok(TokenResponse::from_response(&answer)?)
    }

    /// What the launch said of the appointment, or else the token answer.
    fn context(
        &self,
        pending: &PendingLaunch,
        tokens: &TokenResponse,
    ) -> Result<LaunchContext, JoinError> {
        let from_tokens = || {
            let unique_encounter_id = EncounterId::parse(tokens.encounter.as_deref()?)?;
            let launch_information = LaunchInformation::default();
            Some(LaunchContext {
                unique_encounter_id,
                launch_information,
            })
        };
        pending
            .context()
            .or_else(from_tokens)
            .ok_or(JoinError::NoEncounter)
    }

    /// The appointment, found or made. Whoever comes first names it.
    async fn appointment(
        &self,
        context: &LaunchContext,
    ) -> Result<(Shared, vestibule_store::AppointmentId), JoinError> {
        let Tools {
            store,
            sealer,
            random,
            ..
        } = self.tools;
        let profile = self.profile.uuid;
        let service_name = self.profile.service_name(context)?;
        let encounter = sealer.encounter_key(profile, context.unique_encounter_id.as_str());
        let sealed = random.with(|rng| {
            let shared = Shared::new(service_name, &Pin::generate(rng));
            sealer.seal(
                Purpose::Appointment,
                profile,
                encounter.as_bytes(),
                &shared,
                rng,
            )
        });
        let new = NewAppointment {
            profile,
            encounter,
            sealed,
        };
        let appointment = store
            .find_or_create_appointment(new, self.tools.now())
            .await?;
        Ok((Shared::open(sealer, &appointment)?, appointment.id))
    }

    async fn complete(
        &self,
        context: &LaunchContext,
        shared: &Shared,
        appointment: vestibule_store::AppointmentId,
    ) -> Result<HeaderValue, JoinError> {
        let Self {
            tools,
            profile,
            role,
            request_id,
        } = *self;
        let (base_alias, ticket) = tools
            .random
            .with(|rng| (BaseAlias::generate(rng), LaunchTicket::generate(rng)));
        let alias = profile.alias(role, &base_alias, context, request_id)?;
        let display_name = profile.display_name(role, context, request_id)?;
        let pin = match role {
            EhrRole::Provider => Some(shared.host_pin().map_err(|_| NotSealedHere)?),
            EhrRole::Patient => None,
        };
        let values = JoinLinkValues {
            telehealth_alias: &alias,
            display_name: display_name.as_ref().map_or("", DisplayName::as_str),
            pin: pin.as_ref(),
            launch_ticket: &ticket,
            request_id,
            unique_encounter_id: context.unique_encounter_id.as_str(),
        };
        let link = profile.join_link(role, &values)?;

        let now = tools.now();
        let stored_ticket = profile.uses_ticket(role).then(|| {
            let redeemed = RedeemedLaunch {
                telehealth_request_id: request_id,
                conference: alias.clone(),
                display_name: values.display_name.to_owned(),
                role: role.conference_role(),
                pin: pin.as_ref().map(|pin| pin.expose().to_owned()),
                node: String::new(),
            };
            let id = request_id.as_bytes();
            let sealed = tools.random.with(|rng| {
                tools
                    .sealer
                    .seal(Purpose::Ticket, profile.uuid, id, &redeemed, rng)
            });
            NewTicket {
                hash: TicketHash::from_bytes(ticket.hash()),
                sealed,
                expires_at: now + TICKET,
            }
        });
        let completion = Completion {
            request_id,
            appointment,
            alias: alias_hash(&alias),
            alias_expires_at: now + profile.launch_validity,
            ticket: stored_ticket,
        };
        match tools.store.complete_launch(completion, now).await? {
            Completed::Now => Ok(link),
            Completed::Refused => Err(JoinError::Used),
        }
    }
}
