//! The handshake with the conferencing node: which of name, role, PIN,
//! extension and sign-in are still missing, as a state machine without input
//! or output.
//!
//! The rules are those of Pexip's own clients: the first request carries no
//! PIN; the node answers with what it needs; a guest without a PIN asks again
//! with the header `pin: none`; the node alone decides the role, from the PIN.
//! What the join link knows is used once; whatever the node still wants after
//! that is asked of the user, so that no sequence of answers can make the
//! machine send requests by itself for ever.

use core::mem;

use vestibule_launch::{
    BrowserErrorName, ClassicLink, DisplayName, Entry, LinkText, Pin, Role, client_api::NONE,
};

use crate::{
    answer::{Answer, ExtensionKind},
    json::Json,
};

/// What to do next. What belongs to it is in the handshake or in the answer that
/// led to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Send a `request_token` of [`Handshake::body`] and [`Handshake::pin`], and hand
    /// in the answer.
    Send,
    /// Ask for the name that others shall see.
    AskName,
    /// Ask whether the user is the host or a guest.
    AskRole,
    /// Ask for a PIN.
    AskPin {
        /// Whose PIN, where that is known.
        whose: Option<Role>,
        /// The one before was wrong.
        wrong: bool,
    },
    /// Ask for the extension that a virtual reception wants.
    AskExtension {
        /// What kind of extension.
        kind: ExtensionKind,
        /// The one before was not found.
        wrong: bool,
    },
    /// Let the user choose who signs them in.
    ChooseProvider,
    /// Let the user sign in where the answer says.
    SignIn,
    /// In, or let into the waiting room.
    Join,
    /// The launch has failed.
    Fail(Failure),
    /// The input does not fit the current step: nothing changes.
    Ignore,
}

/// Why a launch failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Public name.
    pub(crate) error_name: BrowserErrorName,
    /// Whether trying the same again can help.
    pub(crate) retryable: bool,
}

/// The `pin` header of a `request_token`.
pub(crate) enum PinHeader {
    /// No such header.
    Absent,
    /// `none`: enter as a guest without a PIN.
    None,
    /// A PIN.
    Pin(Pin),
}

/// The state machine. Every method takes what happened and says what to do. Without
/// `Debug`: it holds PIN and name.
pub(crate) struct Handshake<J> {
    /// The fields of `vestibule_launch`'s `RequestTokenBody` that are text, as far as they
    /// are known. `direct_media` is left at the node's default.
    body: J,
    display_name: Option<DisplayName>,
    /// From the link; each is taken out when it is used.
    link_pin: Option<Pin>,
    link_extension: Option<LinkText>,
    link_role: Option<Role>,
    /// An extension was given, and not refused since.
    extended: bool,
    extension_kind: ExtensionKind,
    /// An identity provider was chosen.
    chosen: bool,
    pin: PinHeader,
    /// What the node has left open: whether hosts and whether guests need a PIN.
    open: Option<(bool, bool)>,
    step: Step,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    New,
    Name,
    Requested,
    Role,
    Pin { whose: Option<Role> },
    Extension,
    Provider,
    SignIn,
    Failed,
    Over,
}

impl<J: Json> Handshake<J> {
    /// A handshake for `link`. `node` is the host name of the conferencing
    /// node as the browser sees it.
    pub(crate) fn new(link: ClassicLink, node: &J) -> Self {
        let mut body = J::object();
        if let Some(name) = &link.display_name {
            body.put_text(DISPLAY_NAME, name.as_str());
        }
        body.put_text(CHOSEN_IDP, NONE);
        body.put_text(SSO_TOKEN, NONE);
        body.put_value("node", node);
        if let Some(tag) = &link.call_tag {
            body.put_text("call_tag", tag.as_str());
        }
        let (link_pin, link_role) = match link.entry {
            Entry::Ask => (None, None),
            Entry::Pin(pin) => (Some(pin), None),
            Entry::As(role) => (None, Some(role)),
        };
        Self {
            body,
            display_name: link.display_name,
            link_pin,
            link_extension: link.extension,
            link_role,
            extended: false,
            extension_kind: ExtensionKind::Standard,
            chosen: false,
            pin: PinHeader::Absent,
            open: None,
            step: Step::New,
        }
    }

    /// The `pin` header of the request to send.
    pub(crate) fn pin(&self) -> &PinHeader {
        &self.pin
    }

    /// The body of the request to send.
    pub(crate) fn body(&self) -> &J {
        &self.body
    }

    /// Begins. Later calls change nothing.
    pub(crate) fn start(&mut self) -> Action {
        match self.step {
            Step::New => self.send(PinHeader::Absent),
            _ => Action::Ignore,
        }
    }

    /// The user has given a name.
    pub(crate) fn name_given(&mut self, name: DisplayName) -> Action {
        let Step::Name = self.step else {
            return Action::Ignore;
        };
        self.body.put_text(DISPLAY_NAME, name.as_str());
        self.display_name = Some(name);
        self.send(PinHeader::Absent)
    }

    /// The user says who they are.
    pub(crate) fn role_chosen(&mut self, role: Role) -> Action {
        let (Step::Role, Some((host_pin, guest_pin))) = (self.step, self.open) else {
            return Action::Ignore;
        };
        self.link_role = Some(role);
        let pin_needed = match role {
            Role::Host => host_pin,
            Role::Guest => guest_pin,
        };
        if pin_needed {
            self.ask_pin(Some(role), false)
        } else {
            self.send(PinHeader::None)
        }
    }

    /// The user has typed a PIN.
    pub(crate) fn pin_given(&mut self, pin: Pin) -> Action {
        let Step::Pin { whose } = self.step else {
            return Action::Ignore;
        };
        self.link_role = whose;
        self.send(PinHeader::Pin(pin))
    }

    /// The user has typed an extension.
    pub(crate) fn extension_given(&mut self, extension: &LinkText) -> Action {
        let Step::Extension = self.step else {
            return Action::Ignore;
        };
        self.extend(extension)
    }

    /// The user has chosen an identity provider by its uuid.
    pub(crate) fn provider_chosen(&mut self, uuid: &J) -> Action {
        let Step::Provider = self.step else {
            return Action::Ignore;
        };
        self.chosen = true;
        self.body.put_value(CHOSEN_IDP, uuid);
        self.body.put_text(SSO_TOKEN, NONE);
        self.send_again()
    }

    /// The sign-in has ended with this token.
    pub(crate) fn signed_in(&mut self, sso_token: &J) -> Action {
        let Step::SignIn = self.step else {
            return Action::Ignore;
        };
        self.body.put_value(SSO_TOKEN, sso_token);
        self.send_again()
    }

    /// The user wants to go back: from a PIN that only hosts or only guests need to the
    /// question who they are, from the sign-in to the choice of who does it.
    pub(crate) fn back(&mut self) -> Action {
        if !self.has_way_back() {
            return Action::Ignore;
        }
        if let Step::SignIn = self.step {
            self.chosen = false;
            self.step = Step::Provider;
            Action::ChooseProvider
        } else {
            self.step = Step::Role;
            Action::AskRole
        }
    }

    /// Whether [`Handshake::back`] leads anywhere.
    pub(crate) fn has_way_back(&self) -> bool {
        match self.step {
            Step::Pin { whose: Some(_) } => self.open.is_some(),
            Step::SignIn => self.chosen,
            _ => false,
        }
    }

    /// Whether a request is under way.
    pub(crate) fn requested(&self) -> bool {
        matches!(self.step, Step::Requested)
    }

    /// With which name and how the user has come in.
    pub(crate) fn into_entry(self) -> (Option<DisplayName>, Entry) {
        let entry = match self.pin {
            PinHeader::Absent => Entry::Ask,
            PinHeader::None => Entry::As(Role::Guest),
            PinHeader::Pin(pin) => Entry::Pin(pin),
        };
        (self.display_name, entry)
    }

    /// The user wants to try again after a failure: the same request once more.
    pub(crate) fn retry(&mut self) -> Action {
        match self.step {
            Step::Failed => self.send_again(),
            _ => Action::Ignore,
        }
    }

    /// The node has answered the last request.
    pub(crate) fn answered(&mut self, answer: Answer) -> Action {
        let Step::Requested = self.step else {
            return Action::Ignore;
        };
        self.step = Step::Over;
        let failure = match answer {
            Answer::Granted => {
                self.link_pin = None;
                return Action::Join;
            }
            Answer::PinWanted {
                extension: Some(kind),
                ..
            }
            | Answer::ExtensionWanted(kind)
                if !self.extended =>
            {
                return self.extension_wanted(kind);
            }
            Answer::PinWanted {
                host_pin,
                guest_pin,
                ..
            } => return self.pin_wanted(host_pin, guest_pin),
            Answer::WrongPin => {
                return self.ask_pin(self.link_role, matches!(self.pin, PinHeader::Pin(_)));
            }
            Answer::ExtensionWanted(kind) => return self.ask_extension(kind),
            Answer::ProviderWanted { any: true } => {
                self.step = Step::Provider;
                return Action::ChooseProvider;
            }
            Answer::SignInWanted => {
                self.step = Step::SignIn;
                return Action::SignIn;
            }
            Answer::NotFound if self.extended => {
                return self.ask_extension(self.extension_kind);
            }
            Answer::NotFound => BrowserErrorName::ConferenceNotFound,
            Answer::PinLocked => BrowserErrorName::PinLocked,
            Answer::Refused | Answer::ProviderWanted { .. } => BrowserErrorName::NodeRefused,
            Answer::Unavailable => BrowserErrorName::NodeUnavailable,
            Answer::Malformed => BrowserErrorName::NodeAnswerInvalid,
        };
        let retryable = matches!(answer, Answer::Unavailable | Answer::Malformed);
        if retryable {
            self.step = Step::Failed;
        }
        Action::Fail(Failure {
            error_name: failure,
            retryable,
        })
    }

    fn pin_wanted(&mut self, host_pin: bool, guest_pin: bool) -> Action {
        self.open = (!(host_pin && guest_pin)).then_some((host_pin, guest_pin));
        match self.pin {
            // Some nodes answer a wrong PIN with the prompt once more.
            PinHeader::Pin(_) => return self.ask_pin(self.link_role, true),
            // Entering without a PIN was refused after all.
            PinHeader::None => return self.ask_pin(self.link_role, false),
            PinHeader::Absent => {}
        }
        if let Some(pin) = self.link_pin.take() {
            return self.send(PinHeader::Pin(pin));
        }
        match (self.link_role, host_pin, guest_pin) {
            (_, false, false) | (Some(Role::Guest), _, false) | (Some(Role::Host), false, _) => {
                self.send(PinHeader::None)
            }
            (Some(role), ..) => self.ask_pin(Some(role), false),
            (None, true, true) => self.ask_pin(None, false),
            (None, ..) => {
                self.step = Step::Role;
                Action::AskRole
            }
        }
    }

    fn ask_pin(&mut self, whose: Option<Role>, wrong: bool) -> Action {
        // A PIN that was refused is of no use any more.
        self.pin = PinHeader::Absent;
        self.step = Step::Pin { whose };
        Action::AskPin { whose, wrong }
    }

    fn extension_wanted(&mut self, kind: ExtensionKind) -> Action {
        match self.link_extension.take() {
            Some(extension) => {
                self.extension_kind = kind;
                self.extend(&extension)
            }
            None => self.ask_extension(kind),
        }
    }

    fn ask_extension(&mut self, kind: ExtensionKind) -> Action {
        let wrong = mem::take(&mut self.extended);
        self.extension_kind = kind;
        self.step = Step::Extension;
        Action::AskExtension { kind, wrong }
    }

    fn extend(&mut self, extension: &LinkText) -> Action {
        self.extended = true;
        self.body
            .put_text("conference_extension", extension.as_str());
        self.send_again()
    }

    /// Sends what was sent before, with what has come to it since: a PIN that was
    /// given once holds for every further request.
    fn send_again(&mut self) -> Action {
        self.step = Step::Requested;
        Action::Send
    }

    fn send(&mut self, pin: PinHeader) -> Action {
        if self.display_name.is_none() {
            self.step = Step::Name;
            return Action::AskName;
        }
        self.pin = pin;
        self.step = Step::Requested;
        Action::Send
    }
}

const DISPLAY_NAME: &str = "display_name";
const CHOSEN_IDP: &str = "chosen_idp";
const SSO_TOKEN: &str = "sso_token";

#[cfg(test)]
mod tests;
