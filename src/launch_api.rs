//! The backend launch API. Its wire types are in `vestibule_launch::launch_api`;
//! here their fields are read and written as they stand, because most of what
//! is answered is only handed on to the error page.

use vestibule_launch::LaunchTicket;
use wasm_bindgen::JsValue;

use crate::{
    http::{Answer, Request},
    json::{self, Json},
    mailbox::{Mailbox, Message},
};

/// Deadline of a request, in milliseconds.
const DEADLINE: i32 = 8_000;

/// Where the launch API is: a base URL; empty means the page's own origin.
#[derive(Clone, Debug)]
pub(crate) struct LaunchApi(pub(crate) String);

/// What becomes of a ticket.
pub(crate) enum Redeemed {
    /// A `RedeemedLaunch`.
    Launch(JsValue),
    /// A `Problem`.
    Refused(JsValue),
    /// The launch API could not be reached, is out of order, or its answer makes no
    /// sense.
    Unreachable,
}

impl LaunchApi {
    /// Redeems a one-time ticket; what becomes of it is posted.
    pub(crate) fn redeem(&self, ticket: &LaunchTicket, browser: &str, mailbox: &Mailbox) {
        let fields = [
            ("ticket", Some(ticket.expose())),
            ("browser", Some(browser)),
        ];
        let mailbox = mailbox.clone();
        let request = self.post("/api/telehealth/v1/launch/redeem", &fields);
        request.send(DEADLINE, move |answer| {
            mailbox.post(Message::Redeemed(match answer {
                Some(Answer { status: 200, json }) if json.get("conference").is_some() => {
                    Redeemed::Launch(json)
                }
                Some(Answer {
                    status: 400..500,
                    json,
                }) if json.get("error_name").is_some() => Redeemed::Refused(json),
                _ => Redeemed::Unreachable,
            }));
        });
    }

    /// Reports a failure (an `ErrorReport`), and asks what the error page is to show:
    /// an `ErrorPage`, `None` where the launch API cannot be reached.
    pub(crate) fn error_page(
        &self,
        report: &[(&str, Option<&str>)],
        done: impl FnOnce(Option<JsValue>) + 'static,
    ) {
        let request = self.post("/api/telehealth/v1/launch/error", report);
        request.send(DEADLINE, |answer| {
            done(answer.map(|answer| answer.json).filter(is_error_page));
        });
    }

    fn post(&self, path: &str, body: &[(&str, Option<&str>)]) -> Request {
        Request::post([&self.0, path].concat()).json(json::text(body))
    }
}

fn is_error_page(json: &JsValue) -> bool {
    json.text("telehealth_request_id").is_some() && json.text("template").is_some()
}
