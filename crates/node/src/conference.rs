//! One conference: who is there, who waits, and until when.

use std::time::Duration;

use uuid::Uuid;
use vestibule_launch::{Role, UnixTime};

use crate::{
    ConferenceData, DisconnectReason, NodeEventData,
    answer::{ConferenceState, ParticipantState},
    client_event::ClientEvent,
    effect::Effects,
    participant::{Participant, Standing},
};

/// A conference with, between two steps, at least one participant. A guest is
/// in it only while a host is, or for the guests-only timeout after the last one left.
pub(crate) struct Conference {
    name: String,
    service_tag: String,
    started_at: UnixTime,
    /// In the order in which they came.
    participants: Vec<Participant>,
    presence: HostPresence,
}

/// Timeouts of a conference.
#[derive(Clone, Copy)]
pub(crate) struct Timeouts {
    pub(crate) waiting_for_chair: Duration,
    pub(crate) guests_only: Duration,
}

impl Conference {
    pub(crate) fn new(name: &str, service_tag: &str, now: UnixTime, effects: &mut Effects) -> Self {
        let conference = Self {
            name: name.to_owned(),
            service_tag: service_tag.to_owned(),
            started_at: now,
            participants: Vec::new(),
            presence: HostPresence::NotYet,
        };
        effects.report(NodeEventData::ConferenceStarted(conference.data()));
        conference
    }

    pub(crate) fn is_started(&self) -> bool {
        self.presence == HostPresence::There
    }

    pub(crate) fn participants(&self) -> &[Participant] {
        &self.participants
    }

    /// How many hosts are there.
    pub(crate) fn hosts(&self) -> usize {
        let hosts = self.participants.iter();
        hosts.filter(|it| it.standing == Standing::Host).count()
    }

    pub(crate) fn participant(&self, uuid: Uuid) -> Option<&Participant> {
        self.participants.iter().find(|it| it.uuid == uuid)
    }

    pub(crate) fn participant_mut(&mut self, uuid: Uuid) -> Option<&mut Participant> {
        self.participants.iter_mut().find(|it| it.uuid == uuid)
    }

    /// How somebody of this role would stand on joining now.
    pub(crate) fn standing_of(&self, role: Role) -> Standing {
        match role {
            Role::Host => Standing::Host,
            Role::Guest if self.is_started() => Standing::AdmittedGuest,
            Role::Guest => Standing::WaitingGuest,
        }
    }

    /// Adds a participant whose standing is that of [`Self::standing_of`]. The
    /// first host lets every waiting guest in.
    pub(crate) fn join(&mut self, participant: Participant, effects: &mut Effects) {
        let is_host = participant.standing == Standing::Host;
        effects.report(NodeEventData::ParticipantConnected(
            participant.data(&self.name, &self.service_tag),
        ));
        let created = ClientEvent::ParticipantCreate(Box::new(ParticipantState::of(&participant)));
        self.tell_those_who_see(&participant, &created, effects);
        self.participants.push(participant);
        if is_host && self.presence != HostPresence::There {
            self.presence = HostPresence::There;
            self.let_guests_in(effects);
            self.tell_started(effects);
        }
    }

    /// Removes a participant; `None` where there is none such.
    pub(crate) fn leave(
        &mut self,
        uuid: Uuid,
        reason: DisconnectReason,
        now: UnixTime,
        effects: &mut Effects,
    ) -> Option<Participant> {
        let index = self.participants.iter().position(|it| it.uuid == uuid)?;
        let gone = self.participants.remove(index);
        effects.tell(uuid, ClientEvent::Disconnect(reason));
        effects.close(uuid);
        self.tell_those_who_see(&gone, &ClientEvent::ParticipantDelete(uuid), effects);
        effects.report(NodeEventData::ParticipantDisconnected {
            participant: gone.data(&self.name, &self.service_tag),
            disconnect_reason: reason,
            duration: now.since(gone.connected_at),
        });
        let a_host_stays = self
            .participants
            .iter()
            .any(|it| it.standing == Standing::Host);
        if gone.standing == Standing::Host && !a_host_stays {
            self.presence = HostPresence::LeftAt(now);
            self.tell_started(effects);
        }
        Some(gone)
    }

    /// Removes everybody whose time is over and gives them back.
    pub(crate) fn expire(
        &mut self,
        timeouts: Timeouts,
        now: UnixTime,
        effects: &mut Effects,
    ) -> Vec<Participant> {
        let mut gone = Vec::new();
        let expired = self.who(|it| it.has_expired(now));
        self.leave_all(
            expired,
            DisconnectReason::TokenExpired,
            now,
            effects,
            &mut gone,
        );
        let waited = self.who(|it| {
            it.standing == Standing::WaitingGuest
                && now.since(it.connected_at) >= timeouts.waiting_for_chair
        });
        self.leave_all(
            waited,
            DisconnectReason::NoHostCame,
            now,
            effects,
            &mut gone,
        );
        if let HostPresence::LeftAt(left_at) = self.presence
            && now.since(left_at) >= timeouts.guests_only
        {
            let left_alone = self.who(|it| it.standing == Standing::AdmittedGuest);
            self.leave_all(
                left_alone,
                DisconnectReason::HostsLeft,
                now,
                effects,
                &mut gone,
            );
        }
        gone
    }

    /// What `viewer` is told on opening an event stream.
    pub(crate) fn roster_events(&self, viewer: &Participant) -> Vec<ClientEvent> {
        let roster = self.roster(viewer).into_iter();
        std::iter::once(ClientEvent::ParticipantSyncBegin)
            .chain(roster.map(|state| ClientEvent::ParticipantCreate(Box::new(state))))
            .chain([
                ClientEvent::ParticipantSyncEnd,
                ClientEvent::ConferenceUpdate(self.state()),
            ])
            .collect()
    }

    /// Everybody that `viewer` sees.
    pub(crate) fn roster(&self, viewer: &Participant) -> Vec<ParticipantState> {
        let seen = self.participants.iter().filter(|it| viewer.sees(it));
        seen.map(ParticipantState::of).collect()
    }

    pub(crate) fn state(&self) -> ConferenceState {
        ConferenceState::new(self.is_started())
    }

    pub(crate) fn data(&self) -> ConferenceData {
        ConferenceData {
            name: self.name.clone(),
            tag: self.service_tag.clone(),
            is_started: self.is_started(),
            start_time: self.started_at,
        }
    }

    fn who(&self, is_meant: impl Fn(&Participant) -> bool) -> Vec<Uuid> {
        let meant = self.participants.iter().filter(|it| is_meant(it));
        meant.map(|it| it.uuid).collect()
    }

    fn leave_all(
        &mut self,
        uuids: Vec<Uuid>,
        reason: DisconnectReason,
        now: UnixTime,
        effects: &mut Effects,
        gone: &mut Vec<Participant>,
    ) {
        gone.extend(
            uuids
                .into_iter()
                .filter_map(|uuid| self.leave(uuid, reason, now, effects)),
        );
    }

    /// Lets all waiting guests in: they learn who else is there, and the others
    /// that they are in.
    fn let_guests_in(&mut self, effects: &mut Effects) {
        let waiting = self.who(|it| it.standing == Standing::WaitingGuest);
        for participant in &mut self.participants {
            if participant.standing == Standing::WaitingGuest {
                participant.standing = Standing::AdmittedGuest;
            }
        }
        for admitted in self
            .participants
            .iter()
            .filter(|it| waiting.contains(&it.uuid))
        {
            effects.report(NodeEventData::ParticipantUpdated(
                admitted.data(&self.name, &self.service_tag),
            ));
            let updated = ClientEvent::ParticipantUpdate(Box::new(ParticipantState::of(admitted)));
            for other in self
                .participants
                .iter()
                .filter(|it| it.uuid != admitted.uuid)
            {
                let state = Box::new(ParticipantState::of(other));
                effects.tell(admitted.uuid, ClientEvent::ParticipantCreate(state));
                if !waiting.contains(&other.uuid) {
                    effects.tell(other.uuid, updated.clone());
                }
            }
            effects.tell(admitted.uuid, updated);
        }
    }

    fn tell_started(&self, effects: &mut Effects) {
        effects.report(NodeEventData::ConferenceUpdated(self.data()));
        for participant in &self.participants {
            effects.tell(
                participant.uuid,
                ClientEvent::ConferenceUpdate(self.state()),
            );
        }
    }

    fn tell_those_who_see(
        &self,
        subject: &Participant,
        event: &ClientEvent,
        effects: &mut Effects,
    ) {
        for viewer in self.participants.iter().filter(|it| it.sees(subject)) {
            effects.tell(viewer.uuid, event.clone());
        }
    }
}

/// Whether a host is in the conference.
#[derive(Clone, Copy, PartialEq, Eq)]
enum HostPresence {
    NotYet,
    There,
    LeftAt(UnixTime),
}
