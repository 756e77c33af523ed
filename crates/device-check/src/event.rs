//! What happens while a check runs, in one queue: buttons, devices, timers and
//! the page itself.

use alloc::{collections::VecDeque, string::String};
use core::{
    cell::{Cell, RefCell},
    future::poll_fn,
    task::Poll,
};

use crate::{
    choice::Device,
    fault::{Fault, Refusal},
    media::Opened,
};

/// The buttons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Press {
    /// Turn on, or play.
    Start,
    /// Leave this step out.
    Skip,
    /// On to the next step.
    Continue,
    /// The same step once more.
    Retry,
    /// The picture cannot be seen.
    Dark,
    /// The sound was heard.
    Yes,
    /// The sound was not heard.
    No,
    /// Leave all that is left out.
    Leave,
    /// The check is finished.
    Done,
    /// The whole check once more.
    Again,
}

/// What happens. A number is that of the attempt that it belongs to.
#[derive(Debug, PartialEq)]
pub(crate) enum Event {
    /// A button was pressed.
    Pressed(Press),
    /// A device was chosen: its id.
    Chosen(String),
    /// The attempt to open a device has ended.
    Opened(u32, Result<Opened, Fault>),
    /// The camera's picture is there.
    Picture(u32),
    /// The device in use is gone.
    Lost(u32),
    /// A timer has run down.
    Tick(u32),
    /// The page is out of sight: another tab, another app.
    Hidden,
    /// The page is in sight again.
    Shown,
    /// The page is being left; it may come back out of the page cache.
    Left,
    /// The check is called off, or its screen was left.
    Closed,
    /// The devices of a kind are listed.
    Listed(u32, alloc::vec::Vec<Device>),
    /// A request has ended: after how many milliseconds it was answered.
    Answered(u32, Option<f64>),
    /// A candidate was gathered: its line; none at the end.
    Candidate(u32, Option<String>),
}

/// Why a check ends before its last step: its screen was left, it was called off, or
/// the person skips what is left.
pub(crate) struct Stop;

/// The queue.
#[derive(Default)]
pub(crate) struct Events {
    waiting: RefCell<VecDeque<Event>>,
    closed: Cell<bool>,
}

const NAMES: [(Press, &str); 10] = [
    (Press::Start, "start"),
    (Press::Skip, "skip"),
    (Press::Continue, "continue"),
    (Press::Retry, "retry"),
    (Press::Dark, "dark"),
    (Press::Yes, "yes"),
    (Press::No, "no"),
    (Press::Leave, "leave"),
    (Press::Done, "done"),
    (Press::Again, "again"),
];

impl Press {
    /// The name in the markup.
    pub(crate) fn as_str(self) -> &'static str {
        NAMES
            .iter()
            .find(|(press, _)| *press == self)
            .map_or("", |(_, name)| name)
    }

    /// The button of this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(press, _)| *press)
    }
}

impl Event {
    /// What `browser.js` has told, by the topics that stand there. None where it
    /// means nothing here.
    pub(crate) fn read(topic: u32, of: u32, number: f64, text: Option<String>) -> Option<Self> {
        let words = || text.as_deref().unwrap_or_default();
        Some(match topic {
            // The second click of two in a row was meant for the button that was
            // there before.
            1 if number > 1.0 => return None,
            1 => Self::Pressed(Press::parse(words())?),
            2 => Self::Chosen(text?),
            3 => Self::Opened(of, Ok(Opened::read(words()))),
            4 => Self::Opened(of, Err(Fault::of(&Refusal::read(words())))),
            5 => Self::Picture(of),
            6 => Self::Lost(of),
            7 => Self::Tick(of),
            8 => Self::Hidden,
            9 => Self::Shown,
            10 => Self::Left,
            11 => Self::Closed,
            12 => Self::Listed(of, Device::read(words())),
            13 => Self::Answered(of, (number >= 0.0).then_some(number)),
            14 => Self::Candidate(of, text),
            _ => return None,
        })
    }
}

impl Events {
    /// Puts an event at the end; the end of the check before all others.
    pub(crate) fn push(&self, event: Event) {
        if event == Event::Closed {
            self.closed.set(true);
        }
        self.waiting.borrow_mut().push_back(event);
    }

    /// The next event, when there is one.
    pub(crate) async fn next(&self) -> Result<Event, Stop> {
        let event = poll_fn(|_| {
            if self.closed.get() {
                return Poll::Ready(Event::Closed);
            }
            match self.waiting.borrow_mut().pop_front() {
                Some(event) => Poll::Ready(event),
                None => Poll::Pending,
            }
        })
        .await;
        match event {
            Event::Pressed(Press::Leave) | Event::Closed => Err(Stop),
            event => Ok(event),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned as _;

    use super::*;

    #[test]
    fn every_button_is_known_by_the_name_in_the_markup() {
        for (press, name) in NAMES {
            assert_eq!(press.as_str(), name);
            assert_eq!(Press::parse(name), Some(press));
        }
        assert_eq!(Press::parse("host"), None);
    }

    #[test]
    fn the_second_click_of_a_double_click_presses_nothing() {
        let click = |count| Event::read(1, 0, count, Some("skip".to_owned()));
        // A key presses a button without a click: 0.
        assert_eq!(click(0.0), Some(Event::Pressed(Press::Skip)));
        assert_eq!(click(1.0), Some(Event::Pressed(Press::Skip)));
        assert_eq!(click(2.0), None);
    }
}
