//! A participant's time in the conference, from the node's events: waiting,
//! joined, who else is there, and how it ended. No input or output.

use std::fmt;

use vestibule_launch::{BrowserErrorName, Role};

use crate::{answer::Session, json::Json};

/// An event of the node that matters here.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NodeEvent {
    /// The conference has changed: whether a host is present.
    Started(bool),
    /// Somebody has come, or something about them has changed.
    Participant(Participant),
    /// The participant with this uuid has left.
    Left(String),
    /// The full list is about to be sent.
    SyncBegin,
    /// This participant is out, for this reason in the node's words.
    Disconnected(String),
    /// The node asks for the token to be renewed now.
    RenewToken,
}

/// Somebody in the conference.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Participant {
    /// Identifies the participant.
    pub(crate) uuid: String,
    /// The name others see.
    pub(crate) display_name: String,
    /// `chair` or `guest`.
    pub(crate) role: String,
    /// Not let in yet.
    pub(crate) waiting: bool,
}

impl fmt::Debug for Participant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Participant")
            .field("uuid", &self.uuid)
            .field("role", &self.role)
            .field("waiting", &self.waiting)
            .finish_non_exhaustive()
    }
}

impl NodeEvent {
    /// The names of the events that [`NodeEvent::read`] knows.
    pub(crate) const NAMES: [&str; 7] = [
        "conference_update",
        "participant_create",
        "participant_update",
        "participant_delete",
        "participant_sync_begin",
        "disconnect",
        "refresh_token",
    ];

    /// Reads an event by its name and data. `None`: it says nothing that matters.
    pub(crate) fn read(name: &str, data: &impl Json) -> Option<Self> {
        Some(match name {
            "conference_update" => Self::Started(data.get("started")?.as_truth()?),
            "participant_create" | "participant_update" => Self::Participant(Participant {
                uuid: data.text("uuid")?,
                display_name: data.text("display_name").unwrap_or_default(),
                role: data.text("role").unwrap_or_default(),
                waiting: data.text("service_type").as_deref() == Some("waiting_room"),
            }),
            "participant_delete" => Self::Left(data.text("uuid")?),
            "participant_sync_begin" => Self::SyncBegin,
            "disconnect" => Self::Disconnected(data.text("reason").unwrap_or_default()),
            "refresh_token" => Self::RenewToken,
            _ => return None,
        })
    }
}

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
    /// The token is to be renewed now.
    RenewToken,
    /// It is over.
    Ended(Ending),
}

/// The conference as this participant sees it.
#[derive(Debug)]
pub(crate) struct Attendance {
    own_uuid: String,
    role: Role,
    in_waiting_room: bool,
    started: Option<bool>,
    participants: Vec<Participant>,
}

impl Attendance {
    /// As it is when the token has just been granted.
    pub(crate) fn new(session: &Session) -> Self {
        Self {
            own_uuid: session.participant_uuid.clone(),
            role: session.role,
            in_waiting_room: session.waiting,
            started: None,
            participants: Vec::new(),
        }
    }

    /// What this participant is in the conference.
    pub(crate) fn role(&self) -> Role {
        self.role
    }

    /// Whether this participant still waits: in the waiting room, or as a guest
    /// in a conference without a host.
    pub(crate) fn waiting(&self) -> bool {
        self.in_waiting_room || (self.role == Role::Guest && self.started == Some(false))
    }

    /// Everybody present, oneself included, in order of arrival.
    pub(crate) fn participants(&self) -> impl Iterator<Item = &Participant> {
        self.participants.iter()
    }

    /// Whether this is oneself.
    pub(crate) fn is_own(&self, participant: &Participant) -> bool {
        participant.uuid == self.own_uuid
    }

    /// Takes an event in.
    pub(crate) fn apply(&mut self, event: NodeEvent) -> Change {
        match event {
            NodeEvent::Started(started) => {
                self.started = Some(started);
                Change::Shown
            }
            NodeEvent::Participant(participant) => {
                if self.is_own(&participant) {
                    self.in_waiting_room = participant.waiting;
                    self.role = match participant.role.as_str() {
                        "chair" => Role::Host,
                        "guest" => Role::Guest,
                        _ => self.role,
                    };
                }
                let known = self
                    .participants
                    .iter()
                    .position(|known| known.uuid == participant.uuid);
                match known {
                    Some(index) => self.participants[index] = participant,
                    None if self.participants.len() < PARTICIPANTS_SHOWN => {
                        self.participants.push(participant);
                    }
                    None => return Change::None,
                }
                Change::Shown
            }
            NodeEvent::Left(left) => {
                self.participants.retain(|known| known.uuid != left);
                Change::Shown
            }
            NodeEvent::SyncBegin => {
                self.participants.clear();
                Change::None
            }
            NodeEvent::Disconnected(reason) => Change::Ended(ending(&reason)),
            NodeEvent::RenewToken => Change::RenewToken,
        }
    }
}

/// A visit has a handful of participants; a list without end is no use to anybody.
const PARTICIPANTS_SHOWN: usize = 100;

fn ending(reason: &str) -> Ending {
    match reason {
        "Timeout waiting for conference host to join or permit access to locked conference" => {
            Ending::Failed(BrowserErrorName::HostDidNotJoin)
        }
        "Timer expired awaiting token refresh" | "Invalid token" => {
            Ending::Failed(BrowserErrorName::SessionLost)
        }
        _ => Ending::Over,
    }
}

#[cfg(test)]
mod tests;
