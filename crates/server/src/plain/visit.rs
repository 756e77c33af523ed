//! What the server must know of a visit from one page to the next.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use vestibule_launch::{
    ClassicLink, Entry, LaunchTicket, LinkText, Pin, RequestId, Role, UnixTime,
};

use super::answer::PinsWanted;

/// How long somebody may take to answer a question.
const ASKING: Duration = Duration::from_secs(15 * 60);

/// How long a visit is known of which no launch says how long its alias lives.
const LASTING: Duration = Duration::from_secs(12 * 60 * 60);

/// A visit in plain HTML. It is sealed in a cookie of the browser, which cannot read it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Visit {
    /// What this browser proves a repeat of its ticket with.
    pub(crate) browser: String,
    /// The launch, where it is known.
    pub(crate) request_id: Option<RequestId>,
    /// Whether the launch is this browser's own: it had the ticket, or the bearer token.
    /// Anybody may know an alias.
    #[serde(default)]
    pub(crate) is_own_launch: bool,
    /// By what the ticket is known again that led here.
    ticket: Option<String>,
    /// Alias of the conference.
    pub(crate) conference: String,
    pub(crate) display_name: Option<String>,
    /// The PIN of the link or the ticket. One that was typed is not kept.
    pub(crate) pin: Option<String>,
    /// That of the link, or the one in which the node let this browser in.
    pub(crate) role: Option<Role>,
    pub(crate) extension: Option<String>,
    pub(crate) call_tag: Option<String>,
    /// Primary tag of the language in which the visit began.
    pub(crate) language: Option<String>,
    pub(crate) stage: Stage,
    /// When the alias leads nowhere any more, or that may be thought: milliseconds of
    /// Unix time, as all times here.
    ends_at: i64,
    /// When it is forgotten.
    expires_at: i64,
}

/// How far a visit is.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// The name is asked for; the one before was none.
    Name { faulty: bool },
    /// Role or PIN are asked for; the PIN before was wrong.
    Pin { wanted: PinsWanted, wrong: bool },
    /// The node could not be asked, or has shut the conference for a while.
    Unreached {
        /// By which support finds the failure.
        reference: String,
    },
    /// In, or waiting.
    In(Session),
    /// Out, and not because somebody chose so: the node has put this browser out, or has
    /// forgotten it.
    Out,
}

/// A session with the conferencing node.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) token: String,
    pub(crate) participant: String,
    pub(crate) role: Role,
    /// What was seen last.
    pub(crate) shown: Option<Shown>,
    renew_at: i64,
    dies_at: i64,
}

/// Where somebody is who has a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Shown {
    /// No host is there.
    Waiting,
    /// Somebody must let the guest in.
    LetIn,
    /// In the visit.
    Joined,
}

impl Session {
    /// One whose token lives for so many seconds. It is renewed after a third of them, as
    /// Pexip's clients do.
    pub(super) fn new(
        token: String,
        participant: String,
        role: Role,
        seconds: u32,
        now: UnixTime,
    ) -> Self {
        let mut session = Self {
            token: String::new(),
            participant,
            role,
            shown: None,
            renew_at: 0,
            dies_at: 0,
        };
        session.renew(token, seconds, now);
        session
    }

    /// Another token in place of the one before.
    pub(super) fn renew(&mut self, token: String, seconds: u32, now: UnixTime) {
        self.token = token;
        self.renew_at = (now + Duration::from_secs((seconds / 3).into())).as_millis();
        self.dies_at = (now + Duration::from_secs(seconds.into())).as_millis();
    }

    /// Whether the token is to be renewed.
    pub(super) fn is_due(&self, now: UnixTime) -> bool {
        self.renew_at <= now.as_millis()
    }

    /// Whether the token's time is over.
    pub(super) fn is_over(&self, now: UnixTime) -> bool {
        self.dies_at <= now.as_millis()
    }
}

impl Visit {
    /// A visit that begins with this link.
    pub(crate) fn new(link: ClassicLink, browser: String, now: UnixTime) -> Self {
        let role = link.role();
        let pin = link.pin().map(|pin| pin.expose().to_owned());
        Self {
            browser,
            request_id: None,
            is_own_launch: false,
            ticket: None,
            display_name: link.display_name.map(|name| name.as_str().to_owned()),
            pin,
            role,
            extension: link.extension.map(Into::into),
            call_tag: link.call_tag.map(Into::into),
            conference: link.conference.into(),
            language: None,
            stage: Stage::Name { faulty: false },
            ends_at: (now + LASTING).as_millis(),
            expires_at: (now + ASKING).as_millis(),
        }
    }

    /// The same visit of a launch that was found by its alias.
    #[must_use]
    pub(crate) fn of_launch(mut self, request_id: RequestId) -> Self {
        self.request_id = Some(request_id);
        self
    }

    /// The same visit of the browser's own launch, whose alias lives until then.
    #[must_use]
    pub(crate) fn of_own_launch(
        mut self,
        request_id: RequestId,
        ends_at: Option<UnixTime>,
    ) -> Self {
        self.request_id = Some(request_id);
        self.is_own_launch = true;
        self.ends_at = ends_at.map_or(self.ends_at, UnixTime::as_millis);
        self
    }

    /// The same visit, known again by the ticket that led to it.
    #[must_use]
    pub(crate) fn by_ticket(mut self, ticket: &LaunchTicket) -> Self {
        self.ticket = Some(known_again(ticket));
        self
    }

    /// Whether this ticket led here.
    pub(crate) fn is_of_ticket(&self, ticket: &LaunchTicket) -> bool {
        self.ticket.as_ref() == Some(&known_again(ticket))
    }

    /// Whether this link leads to where somebody is already.
    pub(crate) fn is_at(&self, link: &ClassicLink) -> bool {
        let pin = link.pin().map(Pin::expose);
        matches!(self.stage, Stage::In(_))
            && self
                .conference
                .eq_ignore_ascii_case(link.conference.as_str())
            && (pin.is_none() || pin == self.pin.as_deref())
    }

    /// A question is asked, and time given to answer it.
    pub(super) fn ask(&mut self, stage: Stage, now: UnixTime) {
        self.stage = stage;
        self.expires_at = (now + ASKING).as_millis();
    }

    /// In, and known for as long as the alias is.
    pub(super) fn enter(&mut self, session: Session) {
        self.role = Some(session.role);
        self.stay(Stage::In(session));
    }

    /// Somewhere where nothing is asked.
    pub(crate) fn stay(&mut self, stage: Stage) {
        self.stage = stage;
        self.expires_at = self.ends_at;
    }

    /// Whether it is forgotten.
    pub(crate) fn is_over(&self, now: UnixTime) -> bool {
        self.expires_at <= now.as_millis()
    }

    /// What was seen last.
    pub(crate) fn shown(&self) -> Option<Shown> {
        match &self.stage {
            Stage::In(session) => session.shown,
            _ => None,
        }
    }

    /// The link to the same visit for another browser. It holds neither name nor PIN.
    pub(crate) fn link(&self) -> Option<ClassicLink> {
        let mut link = ClassicLink::new(LinkText::parse(&self.conference)?);
        let role = match &self.stage {
            Stage::In(session) => Some(session.role),
            _ => self.role,
        };
        link.entry = role.map_or(Entry::Ask, Entry::As);
        link.extension = self.extension.as_deref().and_then(LinkText::parse);
        Some(link)
    }

    /// The link's PIN, where somebody is or becomes host with it: for another browser.
    pub(crate) fn host_pin(&self) -> Option<&str> {
        match &self.stage {
            Stage::In(session) if session.role == Role::Guest => None,
            _ => self.pin.as_deref(),
        }
    }

    /// The link's PIN, to be sent.
    pub(super) fn link_pin(&self) -> Option<Pin> {
        Pin::parse(self.pin.as_deref()?).ok()
    }
}

/// Enough of a ticket's hash to tell it from the browser's others.
fn known_again(ticket: &LaunchTicket) -> String {
    let hash = ticket.hash();
    let (beginning, _) = hash.split_at(16);
    beginning
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

impl fmt::Debug for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visit")
            .field("request_id", &self.request_id)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}
