//! Where everything that happens on the page arrives: forms, buttons, answers, the
//! node's events and timers post here, and the visit takes it from there.

use std::rc::Rc;

use vestibule_launch::Role;
use wasm_bindgen::JsValue;

use crate::{answer::Answer, conference::Renewal, launch_api::Redeemed, session::NodeEvent};

/// Something that happened. Without `Debug`: it holds what the user has typed.
pub(crate) enum Message {
    /// The launch API has answered for the ticket.
    Redeemed(Redeemed),
    /// The node has answered `request_token`.
    Answered(Answer),
    /// The name form was sent.
    Name(String),
    /// The PIN form was sent.
    Pin(String),
    /// A role was chosen.
    Role(Role),
    /// The extension form was sent.
    Extension(String),
    /// An identity provider was chosen, by its uuid.
    Provider(String),
    /// The identity provider has signed the user in, with this token.
    SignedIn(String),
    /// The node has sent an event.
    Event(NodeEvent),
    /// The stream of events has ended and will not come back by itself.
    StreamLost,
    /// It is time to renew the token.
    RenewalDue,
    /// The token was renewed, or not.
    Renewed(Renewal),
    /// The user wants to leave.
    Leave,
    /// The page is being closed.
    Closed,
    /// What the error page is to show has come; `None` where it could not be had.
    ErrorPage(Option<JsValue>),
    /// The error page is rendered; `None` where that failed.
    ErrorHtml(Option<String>),
    /// The user wants to try again.
    Retry,
}

/// The way to the visit.
#[derive(Clone)]
pub(crate) struct Mailbox(Rc<dyn Fn(Message)>);

impl Mailbox {
    /// A mailbox whose messages are taken in by `take_in`. Nothing that is done there
    /// posts another at once.
    pub(crate) fn new(take_in: impl Fn(Message) + 'static) -> Self {
        Self(Rc::new(take_in))
    }

    /// Has the visit take a message in.
    pub(crate) fn post(&self, message: Message) {
        (self.0)(message);
    }
}
