//! All conferences of the node, and the tokens that lead into them.

use std::collections::HashMap;

use rand::CryptoRng;
use uuid::Uuid;
use vestibule_launch::{Role, UnixTime};

use crate::{
    DisconnectReason, NodeEventData, NodeSettings, ServiceConfiguration,
    alias::Alias,
    answer::{ConferenceState, ParticipantState, TokenGranted, TokenRefreshed},
    client_event::ClientEvent,
    conference::{Conference, Timeouts},
    effect::Effects,
    participant::{Issued, Newcomer, Participant},
    refusal::Refusal,
    service_configuration::{Admission, PinOffer},
    token::TokenHash,
};

/// Conferences by service. Does no I/O: time and randomness come in, what is to
/// be done outside comes out as [`Effects`].
///
/// Whoever's time is over is removed before a conference is looked at, so that
/// no answer depends on how often [`Self::sweep`] is called.
pub(crate) struct Conferences {
    settings: NodeSettings,
    by_service: HashMap<ServiceKey, Conference>,
    by_token: HashMap<TokenHash, Seat>,
    shut_down: bool,
}

/// What an event stream begins with.
pub(crate) struct Roster {
    pub(crate) participant: Uuid,
    pub(crate) events: Vec<ClientEvent>,
}

impl Conferences {
    pub(crate) fn new(settings: NodeSettings) -> Self {
        Self {
            settings,
            by_service: HashMap::new(),
            by_token: HashMap::new(),
            shut_down: false,
        }
    }

    /// Lets a newcomer into `service` if the PIN allows it. PINs are counted before.
    ///
    /// # Errors
    /// A [`Refusal`] about the PIN, because a bound is reached, or because of
    /// [`Self::shut_down`].
    pub(crate) fn request_token(
        &mut self,
        service: &ServiceConfiguration,
        newcomer: Newcomer,
        offer: &PinOffer,
        now: UnixTime,
        rng: &mut (impl CryptoRng + ?Sized),
        effects: &mut Effects,
    ) -> Result<TokenGranted, Refusal> {
        if self.shut_down {
            return Err(Refusal::ShutDown);
        }
        let key = ServiceKey::of(service);
        let role = match service.admit(offer) {
            Admission::Enter(role) => role,
            Admission::Prompt(prompt) => return Err(Refusal::PinNeeded(prompt)),
            Admission::WrongPin => return Err(Refusal::WrongPin),
        };
        self.expire(&key, now, effects);
        if !self.by_service.contains_key(&key) && self.by_service.len() >= self.settings.conferences
        {
            return Err(Refusal::OutOfResource);
        }
        let conference = self.by_service.entry(key.clone()).or_insert_with(|| {
            Conference::new(service.name(), service.service_tag(), now, effects)
        });
        // Guests come in by a link alone: they must not be able to keep a host out.
        let in_the_way = match role {
            Role::Guest => conference.participants().len(),
            Role::Host => conference.hosts(),
        };
        if in_the_way >= self.settings.participants_per_conference.max(1) {
            return Err(Refusal::ParticipantLimit);
        }
        let (participant, token) = Participant::new(
            newcomer,
            conference.standing_of(role),
            now,
            self.settings.token_lifetime,
            rng,
        );
        self.by_token.insert(
            token.hash(),
            Seat {
                conference: key,
                participant: participant.uuid,
            },
        );
        let expires = self.settings.token_lifetime.as_secs();
        let granted = TokenGranted::new(token, expires, &participant, service.name());
        conference.join(participant, effects);
        Ok(granted)
    }

    /// A new token for whoever holds an old one.
    ///
    /// # Errors
    /// [`Refusal::InvalidToken`].
    pub(crate) fn refresh_token(
        &mut self,
        alias: &Alias,
        token: TokenHash,
        now: UnixTime,
        rng: &mut (impl CryptoRng + ?Sized),
        effects: &mut Effects,
    ) -> Result<TokenRefreshed, Refusal> {
        let lifetime = self.settings.token_lifetime;
        let seat = self.seat(alias, token, now, effects)?;
        let participant = self
            .by_service
            .get_mut(&seat.conference)
            .and_then(|conference| conference.participant_mut(seat.participant))
            .ok_or(Refusal::InvalidToken)?;
        let role = participant.role();
        let Issued { token, displaced } = participant.issue_token(now, lifetime, rng);
        if let Some(displaced) = displaced {
            self.by_token.remove(&displaced);
        }
        self.by_token.insert(token.hash(), seat);
        Ok(TokenRefreshed::new(token, lifetime.as_secs(), role))
    }

    /// Whoever holds the token leaves.
    ///
    /// # Errors
    /// [`Refusal::InvalidToken`].
    pub(crate) fn release_token(
        &mut self,
        alias: &Alias,
        token: TokenHash,
        now: UnixTime,
        effects: &mut Effects,
    ) -> Result<(), Refusal> {
        let seat = self.seat(alias, token, now, effects)?;
        if let Some(conference) = self.by_service.get_mut(&seat.conference) {
            let left = conference.leave(seat.participant, DisconnectReason::Left, now, effects);
            self.forget(&seat.conference, left, effects);
        }
        Ok(())
    }

    /// What the event stream of whoever holds the token begins with.
    ///
    /// # Errors
    /// [`Refusal::InvalidToken`].
    pub(crate) fn roster(
        &mut self,
        alias: &Alias,
        token: TokenHash,
        now: UnixTime,
        effects: &mut Effects,
    ) -> Result<Roster, Refusal> {
        self.look(alias, token, now, effects, |conference, participant| {
            Roster {
                participant: participant.uuid,
                events: conference.roster_events(participant),
            }
        })
    }

    /// The conference of whoever holds the token.
    ///
    /// # Errors
    /// [`Refusal::InvalidToken`].
    pub(crate) fn conference_status(
        &mut self,
        alias: &Alias,
        token: TokenHash,
        now: UnixTime,
        effects: &mut Effects,
    ) -> Result<ConferenceState, Refusal> {
        self.look(alias, token, now, effects, |conference, _| {
            conference.state()
        })
    }

    /// Everybody whom the holder of the token sees.
    ///
    /// # Errors
    /// [`Refusal::InvalidToken`].
    pub(crate) fn participants(
        &mut self,
        alias: &Alias,
        token: TokenHash,
        now: UnixTime,
        effects: &mut Effects,
    ) -> Result<Vec<ParticipantState>, Refusal> {
        self.look(alias, token, now, effects, Conference::roster)
    }

    /// Removes everybody whose time is over, in all conferences.
    pub(crate) fn sweep(&mut self, now: UnixTime, effects: &mut Effects) {
        for key in self.keys() {
            self.expire(&key, now, effects);
        }
    }

    /// Whether newcomers are refused for good.
    pub(crate) fn is_shut_down(&self) -> bool {
        self.shut_down
    }

    /// Removes everybody and refuses newcomers from then on.
    pub(crate) fn shut_down(&mut self, now: UnixTime, effects: &mut Effects) {
        self.shut_down = true;
        for key in self.keys() {
            let Some(conference) = self.by_service.get_mut(&key) else {
                continue;
            };
            let uuids: Vec<Uuid> = conference.participants().iter().map(|it| it.uuid).collect();
            let reason = DisconnectReason::NodeShutDown;
            let gone: Vec<_> = uuids
                .into_iter()
                .filter_map(|uuid| conference.leave(uuid, reason, now, effects))
                .collect();
            self.forget(&key, gone, effects);
        }
    }

    fn keys(&self) -> Vec<ServiceKey> {
        self.by_service.keys().cloned().collect()
    }

    fn look<T>(
        &mut self,
        alias: &Alias,
        token: TokenHash,
        now: UnixTime,
        effects: &mut Effects,
        look: impl FnOnce(&Conference, &Participant) -> T,
    ) -> Result<T, Refusal> {
        let seat = self.seat(alias, token, now, effects)?;
        let conference = self.by_service.get(&seat.conference);
        conference
            .and_then(|it| {
                it.participant(seat.participant)
                    .map(|found| look(it, found))
            })
            .ok_or(Refusal::InvalidToken)
    }

    /// Where the token leads, if it works still and was given out for this alias.
    fn seat(
        &mut self,
        alias: &Alias,
        token: TokenHash,
        now: UnixTime,
        effects: &mut Effects,
    ) -> Result<Seat, Refusal> {
        let seat = self
            .by_token
            .get(&token)
            .cloned()
            .ok_or(Refusal::InvalidToken)?;
        self.expire(&seat.conference, now, effects);
        self.by_service
            .get(&seat.conference)
            .and_then(|conference| conference.participant(seat.participant))
            .filter(|participant| participant.alias == *alias && participant.has_token(token, now))
            .map(|_| seat)
            .ok_or(Refusal::InvalidToken)
    }

    fn expire(&mut self, key: &ServiceKey, now: UnixTime, effects: &mut Effects) {
        let timeouts = Timeouts {
            waiting_for_chair: self.settings.waiting_for_chair_timeout,
            guests_only: self.settings.guests_only_timeout,
        };
        if let Some(conference) = self.by_service.get_mut(key) {
            let gone = conference.expire(timeouts, now, effects);
            self.forget(key, gone, effects);
        }
    }

    /// Forgets the tokens of those who have gone, and the conference with the last of them.
    fn forget(
        &mut self,
        key: &ServiceKey,
        gone: impl IntoIterator<Item = Participant>,
        effects: &mut Effects,
    ) {
        for token in gone
            .into_iter()
            .flat_map(|it| it.tokens().collect::<Vec<_>>())
        {
            self.by_token.remove(&token);
        }
        if let Some(conference) = self.by_service.get(key)
            && conference.participants().is_empty()
        {
            effects.report(NodeEventData::ConferenceEnded(conference.data()));
            self.by_service.remove(key);
        }
    }
}

/// What tells conferences apart. The name alone would do for Pexip; but names
/// come from templates, and two visits of one name must not meet.
#[derive(Clone, PartialEq, Eq, Hash)]
struct ServiceKey {
    name: String,
    service_tag: String,
}

impl ServiceKey {
    fn of(service: &ServiceConfiguration) -> Self {
        Self {
            name: service.name().to_owned(),
            service_tag: service.service_tag().to_owned(),
        }
    }
}

#[derive(Clone)]
struct Seat {
    conference: ServiceKey,
    participant: Uuid,
}

#[cfg(test)]
mod tests;
