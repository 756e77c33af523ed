//! The conferencing node's client API, version 2: what the handshake and the
//! session need of it, over HTTP and server-sent events.

use std::{cell::RefCell, rc::Rc};

use js_sys::{Array, JSON, encode_uri_component};
use vestibule_launch::client_api::PIN_NONE;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Blob, BlobPropertyBag, EventSource, MessageEvent};

use crate::{
    answer::{Answer, expires},
    handshake::{Handshake, PinHeader},
    http::{self, Request, Timer},
    json::{self, Json},
    mailbox::{Mailbox, Message},
    session::NodeEvent,
    window::window,
};

/// Deadline of a `request_token`, in milliseconds: a node may be routing the call.
const TOKEN_DEADLINE: i32 = 60_000;
/// Deadline of every other request, in milliseconds.
const DEADLINE: i32 = 10_000;
/// How often a broken stream of events is opened again in a row.
const STREAM_ATTEMPTS: u32 = 8;
/// Shortest wait before a renewal, in milliseconds, whatever lifetime a node claims.
const SHORTEST_RENEWAL: u32 = 1_000;

/// A conference on a node.
#[derive(Clone)]
pub(crate) struct Conference {
    base: String,
    token: Rc<RefCell<String>>,
}

/// What becomes of a renewal. Without `Debug`: it holds a token.
pub(crate) enum Renewal {
    /// A new token, and how many seconds it lives.
    Renewed(String, u32),
    /// The node does not know the token any more.
    Refused,
    /// The node could not be reached.
    Unreachable,
}

impl Conference {
    /// The conference `alias` on the node at `node`; an empty `node` is the page's own origin.
    pub(crate) fn new(node: &str, alias: &str) -> Self {
        let alias = String::from(encode_uri_component(alias));
        Self {
            base: [node, "/api/client/v2/conferences/", &alias, "/"].concat(),
            token: Rc::default(),
        }
    }

    /// Sends the handshake's request; the answer is posted.
    pub(crate) fn request_token(&self, handshake: &Handshake, mailbox: &Mailbox) {
        let request = Request::post(self.url("request_token"));
        let request = match handshake.pin() {
            PinHeader::Absent => request,
            PinHeader::None => request.header("pin", PIN_NONE),
            PinHeader::Pin(pin) => request.header("pin", pin.expose()),
        };
        let request = request.json(json::text(&handshake.body()));
        let mailbox = mailbox.clone();
        request.send(TOKEN_DEADLINE, move |answer| {
            mailbox.post(Message::Answered(match answer {
                Some(answer) => Answer::read(answer.status, &answer.json),
                None => Answer::Unavailable,
            }));
        });
    }

    /// From now on requests carry this token.
    pub(crate) fn enter(&self, token: String) {
        self.token.replace(token);
    }

    /// Renews the token; what becomes of that is posted.
    pub(crate) fn renew(&self, mailbox: &Mailbox) {
        let mailbox = mailbox.clone();
        let request = Request::post(self.url("refresh_token"));
        let request = request.header("token", &self.token.borrow());
        request.send(DEADLINE, move |answer| {
            mailbox.post(Message::Renewed(read_renewal(answer)));
        });
    }

    /// Gives the token back: the participant leaves, for this reason. Sent so that it
    /// arrives even where the page is closed at once; where it does not the node
    /// notices by itself, when the token expires.
    pub(crate) fn release(&self, reason: &str) {
        let reason = json::text(&[("reason", Some(reason))]);
        let options = BlobPropertyBag::new();
        options.set_type("application/json");
        let blob = Blob::new_with_str_sequence_and_options(&Array::of1(&reason.into()), &options);
        window()
            .navigator()
            .send_beacon_with_opt_blob(&self.url_with_token("release_token"), blob.ok().as_ref())
            .ok();
    }

    /// Follows the conference's events into `mailbox`, until the result is dropped.
    pub(crate) fn follow(&self, mailbox: &Mailbox) -> Stream {
        let stream = Stream(Rc::new(RefCell::new(StreamState {
            conference: self.clone(),
            mailbox: mailbox.clone(),
            open: None,
            failures: 0,
            retry: None,
        })));
        open_stream(&stream.0);
        stream
    }

    fn url(&self, request: &str) -> String {
        [&self.base, request].concat()
    }

    fn url_with_token(&self, request: &str) -> String {
        [&self.base, request, "?token=", &*self.token.borrow()].concat()
    }
}

fn read_renewal(answer: Option<http::Answer>) -> Renewal {
    let Some(answer) = answer else {
        return Renewal::Unreachable;
    };
    match answer.status {
        200 => {
            let renewed = answer.json.get("result").and_then(|result| {
                let token = result.text("token")?;
                Some(Renewal::Renewed(token, expires(&result)))
            });
            renewed.unwrap_or(Renewal::Unreachable)
        }
        401 | 403 | 404 => Renewal::Refused,
        _ => Renewal::Unreachable,
    }
}

/// When a token that lives `expires` seconds is to be renewed: after a third of that.
pub(crate) fn renewal_after(expires: u32) -> i32 {
    let milliseconds = (expires.saturating_mul(1000) / 3).max(SHORTEST_RENEWAL);
    i32::try_from(milliseconds).unwrap_or(i32::MAX)
}

/// An open stream of events; closed when dropped.
pub(crate) struct Stream(Rc<RefCell<StreamState>>);

struct StreamState {
    conference: Conference,
    mailbox: Mailbox,
    open: Option<OpenStream>,
    failures: u32,
    retry: Option<Timer>,
}

struct OpenStream {
    source: EventSource,
    _callbacks: Vec<Closure<dyn FnMut(MessageEvent)>>,
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.source.set_onerror(None);
        self.source.close();
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut state = self.0.borrow_mut();
        state.open = None;
        state.retry = None;
    }
}

/// Opens the stream with the current token: the one it was opened with may
/// have expired by the time a broken stream is opened again.
fn open_stream(state: &Rc<RefCell<StreamState>>) {
    let url = state.borrow().conference.url_with_token("events");
    let Ok(source) = EventSource::new(&url) else {
        let mailbox = state.borrow().mailbox.clone();
        mailbox.post(Message::StreamLost);
        return;
    };
    let mut callbacks = Vec::with_capacity(NodeEvent::NAMES.len() + 1);
    for name in NodeEvent::NAMES {
        let weak = Rc::downgrade(state);
        let callback = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(state) = weak.upgrade() {
                received(&state, name, &event);
            }
        });
        source
            .add_event_listener_with_callback(name, callback.as_ref().unchecked_ref())
            .ok();
        callbacks.push(callback);
    }
    let weak = Rc::downgrade(state);
    let failed = Closure::<dyn FnMut(MessageEvent)>::new(move |_| {
        if let Some(state) = weak.upgrade() {
            stream_failed(&state);
        }
    });
    source.set_onerror(Some(failed.as_ref().unchecked_ref()));
    callbacks.push(failed);
    state.borrow_mut().open = Some(OpenStream {
        source,
        _callbacks: callbacks,
    });
}

// The visit may drop the stream while it takes a message in, so nothing of the
// stream is borrowed when one is posted.

fn received(state: &RefCell<StreamState>, name: &str, event: &MessageEvent) {
    let data = event.data().as_string().unwrap_or_default();
    let data = JSON::parse(&data).unwrap_or_default();
    let mailbox = {
        let mut state = state.borrow_mut();
        state.failures = 0;
        state.mailbox.clone()
    };
    if let Some(event) = NodeEvent::read(name, &data) {
        mailbox.post(Message::Event(event));
    }
}

fn stream_failed(state: &Rc<RefCell<StreamState>>) {
    let (failures, mailbox) = {
        let mut state = state.borrow_mut();
        state.failures += 1;
        if let Some(open) = &state.open {
            open.source.close();
        }
        (state.failures, state.mailbox.clone())
    };
    if failures > STREAM_ATTEMPTS {
        mailbox.post(Message::StreamLost);
        return;
    }
    let weak = Rc::downgrade(state);
    let retry = Timer::start(250 << failures.min(6), move || {
        if let Some(state) = weak.upgrade() {
            open_stream(&state);
        }
    });
    state.borrow_mut().retry = Some(retry);
}
