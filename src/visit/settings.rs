//! How the page wants the shim to run.

use alloc::string::String;

use vestibule_launch::ConnectForm;

use crate::json::Json;

/// What `start` is given.
pub(crate) struct Settings<J> {
    /// Base URL of the conferencing node; none: the page's own origin. A launch may name
    /// another one.
    pub(crate) node: Option<J>,
    /// Base URL of the launch API; none: the page's own origin.
    pub(crate) launch_api: Option<J>,
    /// A join link is given, in place of the page's address.
    pub(crate) linked: bool,
    /// What becomes of a visit that is joined.
    pub(crate) hand_over: HandOver,
    /// The devices can be checked before joining.
    pub(crate) ready_first: bool,
}

/// Who goes on with a visit that is joined.
pub(crate) enum HandOver {
    /// This page.
    Page,
    /// The embedding page, which gets the session.
    Event,
    /// The Connect web app below this address.
    Connect(String, ConnectForm),
}

impl<J: Json> Settings<J> {
    /// Reads `Options`. What is not there is at its default.
    pub(crate) fn read(options: &J) -> Self {
        let hand_over = match options.which("handOver", "event|connect") {
            0 => Some(HandOver::Event),
            1 => options.get("connect").and_then(|connect| on_to(&connect)),
            _ => None,
        };
        Self {
            node: options.text("node"),
            launch_api: options.text("launchApi"),
            linked: options.text("link").is_some(),
            hand_over: hand_over.unwrap_or(HandOver::Page),
            ready_first: options.which("deviceCheck", "before") == 0,
        }
    }
}

fn on_to(connect: &impl Json) -> Option<HandOver> {
    let form = match connect.which("form", "webapp|webapp2|webapp3") {
        0 => ConnectForm::Webapp,
        1 => ConnectForm::Webapp2,
        2 => ConnectForm::Webapp3,
        _ => return None,
    };
    Some(HandOver::Connect(connect.string("base")?, form))
}
