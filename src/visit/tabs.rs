//! Two tabs of one browser: a visit that is open in another one is not joined a
//! second time unasked.

use super::{Stage, Visit, timer};
use crate::{browser::Browser, json::Json, page::Screen};

/// The channel between the tabs.
const CHANNEL: &str = "vestibule";
/// Where the browser remembers that a tab has a visit open. Without that nobody is
/// asked, so that nobody is waited for.
const OPEN: &str = "vestibule.open";
/// How long an answer is waited for, in milliseconds.
const PATIENCE: i32 = 500;

/// What one tab tells the others. A message is one of these, the tab's id and the
/// hash of the alias.
mod say {
    /// Has another tab this visit open?
    pub(super) const ASK: u32 = 1;
    /// This one has.
    pub(super) const HERE: u32 = 2;
    /// It is joined here now: leave it.
    pub(super) const MINE: u32 = 3;
    /// A visit was closed.
    pub(super) const BYE: u32 = 4;
}

/// This tab.
#[derive(Default)]
pub(super) struct Tab {
    /// Random; 0 while there is no channel.
    id: u32,
    /// A visit is open in it.
    open: bool,
}

impl<B: Browser> Visit<B> {
    /// Asks the other tabs for this visit; `false` where there can be none.
    pub(super) fn ask_tabs(&mut self) -> bool {
        let others = self.browser.recall(OPEN, true).is_some() && self.open_channel();
        if others {
            self.tell_tabs(say::ASK);
            self.browser.timer(timer::TABS, PATIENCE);
        }
        others
    }

    /// This tab has the visit open from now on.
    pub(super) fn open_tab(&mut self) {
        if self.open_channel() {
            self.tab.open = true;
            self.remember_open();
        }
    }

    fn remember_open(&self) {
        let open = B::Value::from_text("1");
        self.browser.remember(OPEN, Some(&open), true);
    }

    /// This tab has no visit open any more.
    pub(super) fn close_tab(&mut self) {
        if self.tab.open {
            self.tab.open = false;
            self.browser.remember(OPEN, None, true);
            self.tell_tabs(say::BYE);
        }
    }

    /// The user wants the visit in this tab.
    pub(super) fn take_over(&mut self) {
        if let Screen::Elsewhere = self.screen {
            self.tell_tabs(say::MINE);
            self.admit();
        }
    }

    /// Another tab has said something.
    pub(super) fn tab_told(&mut self, message: &B::Value) {
        let said = message.number("0");
        if said == say::BYE && self.tab.open {
            self.remember_open();
        }
        if message.number("2") != hash(&self.alias) {
            return;
        }
        let asking = matches!(self.stage, Stage::Asking(_));
        match said {
            // Of two that ask at the same time one is first.
            say::ASK if self.tab.open || (asking && self.tab.id < message.number("1")) => {
                self.tell_tabs(say::HERE);
            }
            say::HERE if asking => {
                self.browser.timer(timer::TABS, -1);
                self.show(Screen::Elsewhere);
            }
            say::MINE if self.tab.open => self.leave(true),
            _ => {}
        }
    }

    fn open_channel(&mut self) -> bool {
        if self.tab.id == 0 {
            self.tab.id = self.browser.channel(CHANNEL);
        }
        self.tab.id != 0
    }

    fn tell_tabs(&self, said: u32) {
        self.browser.tell_tabs(said, self.tab.id, hash(&self.alias));
    }
}

/// FNV-1a of 32 bits: an alias or a ticket itself opens the visit to whoever reads it.
pub(super) fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::hash;

    #[test]
    fn the_hash_is_fnv_1a() {
        // Test vectors of the algorithm's authors.
        assert_eq!(hash(""), 0x811c_9dc5);
        assert_eq!(hash("foobar"), 0xbf9c_f968);
    }
}
