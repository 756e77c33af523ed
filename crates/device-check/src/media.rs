//! A camera or microphone, from the attempt to open it until it is off.

use alloc::{borrow::ToOwned as _, string::String, vec::Vec};

use crate::{
    agent::{Agent, System},
    browser::{BETWEEN, Browser},
    check::Check,
    choice::Device,
    fault::Fault,
    outcome::Kind,
};

/// Which camera or microphone to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Any.
    Any,
    /// This one and no other: an id.
    Only(String),
}

/// What is known of a device that has been opened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    /// Its id; empty where the browser does not tell.
    pub(crate) id: String,
    /// Whether it is a phone's camera on the back, whose picture is no mirror.
    pub(crate) faces_away: bool,
    /// The devices of its kind that are there.
    pub(crate) devices: Vec<Device>,
}

/// A device that is being opened or in use. Dropped, it is off.
pub(crate) struct Live<'a> {
    browser: &'a Browser,
    /// The number of the attempt to open it.
    pub(crate) id: u32,
}

impl Opened {
    /// Reads what `browser.js` tells: id, direction, ids and labels.
    pub(crate) fn read(text: &str) -> Self {
        let mut words = text.split(BETWEEN);
        Self {
            id: words.next().unwrap_or_default().to_owned(),
            faces_away: words.next() == Some("environment"),
            devices: Device::list(words),
        }
    }
}

impl<'a> Live<'a> {
    /// Begins to open a device. The browser may ask the person first.
    pub(crate) fn open(check: &'a Check, kind: Kind, wanted: &Wanted) -> Self {
        let device = match wanted {
            Wanted::Only(id) => id.as_str(),
            Wanted::Any => "",
        };
        let id = check.attempt();
        let browser = &check.browser;
        browser.capture(id, kind.as_str(), device);
        Self { browser, id }
    }

    /// Lets the device pause and go on.
    pub(crate) fn pause(&self, paused: bool) {
        self.browser.pause(self.id, paused);
    }

    /// Whether the browser has taken the device away.
    pub(crate) fn is_lost(&self) -> bool {
        self.browser.lost(self.id)
    }
}

impl Drop for Live<'_> {
    fn drop(&mut self) {
        self.browser.stop(self.id);
    }
}

/// The sentence that helps with a fault here.
pub(crate) fn advice(browser: &Browser, fault: Fault, kind: Kind) -> &'static str {
    let user_agent = browser.user_agent();
    let agent = agent(browser, &user_agent);
    fault.advice(kind, agent.browser(), agent.system())
}

/// The system that this is.
pub(crate) fn system(browser: &Browser) -> System {
    let user_agent = browser.user_agent();
    agent(browser, &user_agent).system()
}

fn agent<'a>(browser: &Browser, user_agent: &'a str) -> Agent<'a> {
    let touch_points = browser.touch_points();
    Agent {
        user_agent,
        touch_points,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_device_is_told_with_those_beside_it() {
        let opened = Opened::read("a\0environment\0a\0Back camera\0b\0");
        assert!(opened.faces_away);
        assert_eq!(opened.id, "a");
        let devices = [("a", "Back camera"), ("b", "")];
        assert!(
            opened
                .devices
                .iter()
                .map(|it| (it.id.as_str(), it.label.as_str()))
                .eq(devices)
        );
    }

    #[test]
    fn a_browser_that_tells_nothing_of_a_device_leaves_it_unnamed() {
        let opened = Opened::read("\0");
        assert!(opened.id.is_empty() && opened.devices.is_empty() && !opened.faces_away);
    }
}
