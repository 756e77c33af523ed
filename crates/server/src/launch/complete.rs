//! From a known appointment to the join link: the same for every dialect.

use http::HeaderValue;
use vestibule_launch::{
    BaseAlias, DisplayName, EhrRole, LaunchContext, LaunchTicket, Pin, RequestId,
    launch_api::RedeemedLaunch,
};
use vestibule_store::{
    AppointmentId, Completed, Completion, FailureSource, NewAppointment, NewBearer, NewSession,
    NewTicket, StoreError, TicketHash,
};

use super::{Shared, TICKET, Trail, alias_hash, bearer::BearerToken, repeats::JoinLinks};
use crate::{
    clock::rfc3339,
    conferencing::{NoRoute, service_tag},
    failure::Failure,
    profile::{JoinLinkValues, Profile, RenderError},
    sealing::{NotSealedHere, Purpose},
    session::{Held, SignedIn},
    telemetry::{LaunchKind, Step},
    tools::Tools,
};

/// Why there is no join link for a known appointment.
#[derive(Debug, thiserror::Error)]
pub enum CompleteError {
    /// Another launch with the same launch token was completed before.
    #[error("the launch was used already")]
    Used,
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

/// A launch that is authorised.
pub(super) struct Completing<'a> {
    pub(super) tools: &'a Tools,
    pub(super) profile: &'a Profile,
    pub(super) role: EhrRole,
    pub(super) request_id: RequestId,
    pub(super) trail: &'a Trail,
}

/// Records on the launch that it is lost, and how it went. That this fails too must not
/// hide `failure`.
pub(super) async fn record_failure(
    tools: &Tools,
    request_id: RequestId,
    trail: &Trail,
    failure: &impl Failure,
) {
    let (_, name) = failure.answer();
    let (source, course) = (FailureSource::Server, trail.so_far());
    let recording = tools
        .store
        .record_failure(request_id, source, name, course, tools.now());
    match tools.telemetry.stored("record_failure", recording).await {
        Ok(true) => trail.was_stored(),
        Ok(false) => {}
        Err(error) => {
            tracing::error!(%request_id, %error, "the failure of a launch cannot be recorded");
        }
    }
}

impl Completing<'_> {
    /// The join link as the value of a `Location` header. It may carry name and PIN:
    /// not to be logged. `signed_in` are the user's tokens, where the EHR gave any: the
    /// join link can be given again then, to the browser in which the launch began.
    ///
    /// # Errors
    /// [`CompleteError`].
    pub(super) async fn complete(
        &self,
        context: &LaunchContext,
        signed_in: Option<SignedIn>,
    ) -> Result<HeaderValue, CompleteError> {
        self.trail.leads_to(context);
        let (shared, appointment) = self.appointment(context).await?;
        let is_repeatable = signed_in.is_some();
        let held = Held::new(context, signed_in);
        let session = held.into_session(self.tools, self.profile, self.request_id);
        self.link(context, &shared, appointment, session, is_repeatable)
            .await
    }

    /// The appointment, found or made. Whoever comes first names it.
    async fn appointment(
        &self,
        context: &LaunchContext,
    ) -> Result<(Shared, AppointmentId), CompleteError> {
        let Tools {
            store,
            sealer,
            random,
            telemetry,
            ..
        } = self.tools;
        let profile = self.profile.uuid;
        let encounter = sealer.encounter_key(profile, context.unique_encounter_id.as_str());
        let name = || self.profile.service_name(context, &service_tag(&encounter));
        let service_name = self.trail.step_now(self.tools, Step::Templates, name)?;
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
        let finding = store.find_or_create_appointment(new, self.tools.now());
        let appointment = telemetry
            .stored("find_or_create_appointment", finding)
            .await?;
        Ok((Shared::open(sealer, &appointment)?, appointment.id))
    }

    async fn link(
        &self,
        context: &LaunchContext,
        shared: &Shared,
        appointment: AppointmentId,
        session: NewSession,
        is_repeatable: bool,
    ) -> Result<HeaderValue, CompleteError> {
        let Self {
            tools,
            profile,
            role,
            request_id,
            trail,
        } = *self;
        let (base_alias, ticket) = tools
            .random
            .with(|rng| (BaseAlias::generate(rng), LaunchTicket::generate(rng)));
        let alias = profile.alias(role, &base_alias, context, request_id)?;
        let routed = tools
            .routing
            .base_alias(&alias)
            .map_err(|NoRoute| no_route(role))?;
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
        let render = || profile.join_link(role, &values);
        let link = trail.step_now(tools, Step::Templates, render)?;

        let now = tools.now();
        let alias_expires_at = now + profile.launch_validity;
        let stored_ticket = profile.uses_ticket(role).then(|| {
            let redeemed = RedeemedLaunch {
                telehealth_request_id: request_id,
                conference: alias.clone(),
                display_name: values.display_name.to_owned(),
                role: role.conference_role(),
                pin: pin.as_ref().map(|pin| pin.expose().to_owned()),
                node: String::new(),
                token: String::new(),
                expires_at: rfc3339(alias_expires_at),
                language: profile.language.clone(),
            };
            self.ticket(&ticket, redeemed)
        });
        let links = JoinLinks { tools, profile };
        let given = is_repeatable.then(|| links.given(request_id, &link, now));
        let given = given.flatten();
        let completion = Completion {
            request_id,
            appointment,
            course: trail.so_far(),
            alias: alias_hash(&routed),
            alias_expires_at,
            ticket: stored_ticket,
            session: Some(session),
            link: given,
        };
        let completing = tools.store.complete_launch(completion, now);
        let telemetry = &tools.telemetry;
        match telemetry.stored("complete_launch", completing).await? {
            Completed::Now => {
                trail.was_stored();
                telemetry.launch_completed(LaunchKind {
                    profile: profile.uuid,
                    role,
                    dialect: profile.dialect.name(),
                });
                Ok(link)
            }
            Completed::Refused => Err(CompleteError::Used),
        }
    }

    /// The ticket with all that it is redeemed for. The bearer token stands only in what
    /// is forgotten a minute after the ticket is redeemed; of what is kept as long as the
    /// alias the token is the key.
    fn ticket(&self, ticket: &LaunchTicket, redeemed: RedeemedLaunch) -> NewTicket {
        let Tools { random, sealer, .. } = self.tools;
        let id = self.request_id.as_bytes();
        let seal = |purpose, launch: &RedeemedLaunch| {
            random.with(|rng| sealer.seal(purpose, self.profile.uuid, id, launch, rng))
        };
        let token = random.with(|rng| BearerToken::generate(rng));
        let resumption = seal(Purpose::Resumption, &redeemed);
        let redeemed = RedeemedLaunch {
            token: token.expose().to_owned(),
            ..redeemed
        };
        NewTicket {
            hash: TicketHash::from_bytes(ticket.hash()),
            sealed: seal(Purpose::Ticket, &redeemed),
            expires_at: self.tools.now() + TICKET,
            bearer: NewBearer {
                hash: token.hash(),
                sealed: resumption,
            },
        }
    }
}

/// The conferencing system would turn the caller away.
fn no_route(role: EhrRole) -> RenderError {
    RenderError::Unusable {
        field: match role {
            EhrRole::Patient => "patient_alias_template",
            EhrRole::Provider => "provider_alias_template",
        },
        problem: "an alias that no routing rule matches; adapt it or routing_rules",
    }
}
