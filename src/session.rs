//! A participant's time in the conference, from the node's events: waiting,
//! joined, who else is there, and how it ended. No input or output.

use core::mem;

use vestibule_launch::{BrowserErrorName, Role};

use crate::{answer::Session, json::Json, page::Screen};

/// The events of the node that matter here, with commas between; [`Attendance::apply`]
/// has their places in this list.
pub(crate) const EVENTS: &str = "conference_update,participant_create,participant_update,\
    participant_delete,participant_sync_begin,disconnect,refresh_token,participant_sync_end";

/// How the time in the conference ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The visit is over, or a host has ended it.
    Over,
    /// Something went wrong.
    Failed(BrowserErrorName),
}

/// What an event changes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Nothing that anybody sees.
    None,
    /// Waiting has begun or ended, or the list of participants is another.
    Shown,
    /// The node begins to tell who is there, whole and anew. Where it is not at the end of
    /// that after a while, [`Attendance::settle`] is.
    Syncing,
    /// The token is to be renewed now.
    RenewToken,
    /// It is over.
    Ended(Ending),
}

/// The conference as this participant sees it.
pub(crate) struct Attendance<J> {
    /// Identifies this participant.
    pub(crate) own_uuid: J,
    /// What this participant is now.
    pub(crate) role: Role,
    in_waiting_room: bool,
    started: Option<bool>,
    /// The node has said how the conference stands, or has not for too long.
    known: bool,
    /// Everybody present, oneself included: what the node has said of each, by uuid.
    participants: J,
    /// The node is telling who is present, whole and anew.
    syncing: bool,
}

impl<J: Json> Attendance<J> {
    /// As it is when the token has just been granted.
    pub(crate) fn new(session: &Session<J>) -> Self {
        Self {
            own_uuid: session.participant_uuid.clone(),
            role: session.role,
            in_waiting_room: session.waiting,
            started: None,
            known: false,
            participants: J::object(),
            syncing: false,
        }
    }

    /// What this participant is to see. A guest waits until the node has said that
    /// the conference has started, or that a host is in it; before the node has said how it
    /// stands there is nothing to see.
    pub(crate) fn screen(&self) -> Option<Screen> {
        let started = self.started.unwrap_or_else(|| self.host_is_there());
        match (self.in_waiting_room, self.role) {
            (false, Role::Host) => Some(Screen::JoinedHost),
            (false, Role::Guest) if started => Some(Screen::JoinedGuest),
            (true, _) if started => Some(Screen::LetIn),
            _ => (self.known && !self.syncing).then_some(Screen::Waiting),
        }
    }

    fn host_is_there(&self) -> bool {
        let participants = self.participants.values();
        (0..)
            .map_while(|place| participants.item(place))
            .any(|participant| role(&participant) == Some(Role::Host) && !self.is_own(&participant))
    }

    /// Everybody present, oneself included, in order of arrival: an array of what the
    /// node has said of each. None while the node is telling it anew.
    pub(crate) fn participants(&self) -> Option<J> {
        (!self.syncing).then(|| self.participants.values())
    }

    fn is_own(&self, participant: &J) -> bool {
        participant.holds(UUID, &self.own_uuid)
    }

    /// Takes what the node has said for all that it is going to say of how it stands.
    /// Whether that changes anything.
    pub(crate) fn settle(&mut self) -> bool {
        let known = mem::replace(&mut self.known, true);
        mem::take(&mut self.syncing) || !known
    }

    /// Takes an event in, by its place in [`EVENTS`].
    pub(crate) fn apply(&mut self, event: u32, data: &J) -> Change {
        match event {
            0 if data.get("started").is_some() => {
                self.started = Some(data.number("started") == 1);
                self.known = true;
            }
            1..=3 => {
                let Some(uuid) = data.string(UUID) else {
                    return Change::None;
                };
                if event < 3 && self.is_own(data) {
                    self.in_waiting_room = data.which("service_type", "waiting_room") == 0;
                    self.role = role(data).unwrap_or(self.role);
                }
                if event == 3 {
                    self.participants.remove(&uuid);
                } else if self.participants.values().item(MOST - 1).is_none() {
                    self.participants.put_value(&uuid, data);
                }
                if self.syncing {
                    return Change::None;
                }
            }
            4 => {
                self.participants = J::object();
                self.syncing = true;
                return Change::Syncing;
            }
            7 if mem::take(&mut self.syncing) => {}
            5 => return Change::Ended(ending(data)),
            6 => return Change::RenewToken,
            _ => return Change::None,
        }
        Change::Shown
    }
}

/// A visit has a handful of participants; a list without end is no use to anybody.
const MOST: u32 = 100;

/// What the node's events call the participant's identity.
const UUID: &str = "uuid";

/// What the node's events say of a participant's role.
fn role(participant: &impl Json) -> Option<Role> {
    match participant.which("role", "chair|guest") {
        0 => Some(Role::Host),
        1 => Some(Role::Guest),
        _ => None,
    }
}

/// Why the node has ended it, in its words, where that is not simply the end.
const REASONS: &str = "Timeout waiting for conference host to join or permit access to locked \
    conference|Timer expired awaiting token refresh|Invalid token";

fn ending(data: &impl Json) -> Ending {
    match data.which("reason", REASONS) {
        0 => Ending::Failed(BrowserErrorName::HostDidNotJoin),
        1 | 2 => Ending::Failed(BrowserErrorName::SessionLost),
        _ => Ending::Over,
    }
}

#[cfg(test)]
mod tests;
