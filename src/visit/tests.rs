use std::{format, string::String, vec::Vec};

use serde_json::{Value, json};

use super::{HandOver, Settings, Visit, timer};
use crate::browser::topic;

mod coming_back;
mod handing_over;
mod joining;
mod other_links;
mod recorded;
mod remembering;
mod tabs;

use recorded::Recorded;

/// The actions, in the order of their numbers.
const ACTIONS: [&str; 11] = [
    "leave",
    "cancel",
    "retry",
    "rejoin",
    "check-devices",
    "take-over",
    "join",
    "host",
    "guest",
    "back",
    "provider",
];

const LINK: &str = "https://page.example/webapp/#/?conference=visit&name=Ada";
const TICKET: &str = "https://page.example/webapp/#/?ticket=0123456789abcdefghjkmnpqrstvwxyz";
const ID: &str = "614221f4-3a5c-4d1f-8df6-3ae27188df54";

/// A visit that has begun with this link.
fn begin(href: &str) -> Visit<Recorded> {
    begin_with(Recorded::at(href), settings())
}

/// All at its default.
fn settings() -> Settings<Value> {
    Settings::read(&Value::Null)
}

fn begin_with(browser: Recorded, settings: Settings<Value>) -> Visit<Recorded> {
    let mut visit = Visit::new(browser, settings);
    visit.start();
    visit
}

impl Visit<Recorded> {
    /// What was asked of the browser since this was called last, one call a line.
    fn calls(&self) -> Vec<String> {
        self.browser.calls.take()
    }

    /// The calls that begin with this word, without it.
    fn calls_of(&self, name: &str) -> Vec<String> {
        let calls = self.calls();
        let calls = calls
            .iter()
            .filter_map(|call| call.strip_prefix(name)?.strip_prefix(' '));
        calls.map(String::from).collect()
    }

    fn shown(&self) -> String {
        self.browser.shown.borrow().clone()
    }

    fn tell(&mut self, topic: u32, number: u32, value: impl Into<Value>) {
        self.receive(topic, number, &value.into());
    }

    /// The node answers the newest `request_token`; one that is nobody's any more where
    /// there is no other.
    fn answer(&mut self, status: u32, answer: Value) {
        if self.browser.awaits(topic::ANSWERED) {
            self.tell(topic::ANSWERED, status, answer);
        } else {
            self.browser.answer_superseded(&answer);
        }
    }

    fn click(&mut self, action: &str) {
        let (name, uuid) = action.split_once(':').unwrap_or((action, ""));
        let place = ACTIONS.iter().position(|known| *known == name).unwrap();
        self.tell(topic::CLICKED, u32::try_from(place).unwrap(), uuid);
    }

    fn time_out(&mut self, timer: u32) {
        assert!(self.browser.running(timer), "timer {timer} is not running");
        self.browser.timers.borrow_mut().remove(&timer);
        self.tell(topic::TIMER, timer, Value::Null);
    }

    fn happen(&mut self, name: &str, data: Value) {
        let names = crate::session::EVENTS;
        let index = names.split(',').position(|known| known == name).unwrap();
        self.tell(topic::STREAM, u32::try_from(index).unwrap(), data);
    }

    fn launched(&mut self, launch: Value) {
        self.redeem(200, launch);
    }

    /// The launch API answers the newest request for a launch.
    fn redeem(&mut self, status: u32, answer: Value) {
        if self.browser.awaits(topic::REDEEMED) {
            self.tell(topic::REDEEMED, status, answer);
        }
    }

    /// The launch API has nothing to say to the failure, and nothing can be rendered.
    fn fail_plainly(&mut self) {
        self.tell(topic::ERROR_PAGE, 0, Value::Null);
        self.tell(topic::ERROR_HTML, 0, Value::Null);
    }
}

fn granted_as(role: &str) -> Value {
    json!({"status": "success", "result": {
        "token": "t", "expires": "120", "role": role, "participant_uuid": "me",
        "display_name": "Ada", "current_service_type": "conference", "version": {},
    }})
}

fn granted() -> Value {
    granted_as("GUEST")
}

fn host_pin_wanted() -> Value {
    json!({"result": {"pin": "required", "guest_pin": "none"}})
}

fn refused(reason: &str) -> Value {
    json!({"status": "failed", "result": reason})
}

fn launch() -> Value {
    json!({
        "telehealth_request_id": ID, "conference": "visit", "display_name": "Ada",
        "role": "host", "pin": "12345678", "node": "https://node.example", "token": "bearer",
    })
}

/// A guest in a visit that has started.
fn joined(href: &str) -> Visit<Recorded> {
    let mut visit = begin(href);
    if href == TICKET {
        visit.launched(launch());
    }
    visit.answer(200, granted());
    visit.happen("conference_update", json!({"started": true}));
    assert_eq!(visit.shown(), "joined guest");
    visit.calls();
    visit
}
