//! What becomes of a visit that is joined: it stays on this page, goes to the
//! embedding page, or on to the Connect web app.

use core::mem;

use vestibule_launch::{ClassicLink, Entry, LinkText, Role, connect_link};

use super::{HandOver, Stage, Visit};
use crate::{browser::Browser, json::Json, page::Screen};

impl HandOver {
    /// Whether somebody else goes on with a visit that is this far. Nobody is sent away to
    /// wait for the host elsewhere; the Connect web app has to be let in itself, so it is
    /// opened before this page is.
    pub(super) fn is_for(&self, screen: Screen) -> bool {
        match screen {
            Screen::JoinedHost | Screen::JoinedGuest => !matches!(self, Self::Page),
            Screen::LetIn => matches!(self, Self::Connect(..)),
            _ => false,
        }
    }
}

impl<B: Browser> Visit<B> {
    /// Keeps how the user has come in, where that is of use later.
    pub(super) fn keep_entry(&mut self, entry: Entry) {
        if let HandOver::Connect(..) = self.settings.hand_over {
            self.entry = entry;
        }
        // Otherwise the PIN goes before anything else is kept in memory.
    }

    /// Hands the visit to whoever goes on with it.
    pub(super) fn hand_over(&mut self) {
        let entry = mem::replace(&mut self.entry, Entry::Ask);
        let Stage::Attending(attendance) = mem::replace(&mut self.stage, Stage::Over) else {
            return;
        };
        self.stop();
        self.tell_launch_api("joined", None);
        match &self.settings.hand_over {
            HandOver::Page => {}
            HandOver::Event => {
                let mut detail = B::Value::object();
                detail.put_text("conference", &self.alias);
                match &self.node {
                    Some(node) => detail.put_value("node", node),
                    None => detail.put_text("node", ""),
                }
                if let Some(token) = &self.conference.token {
                    detail.put_value("token", token);
                }
                detail.put_number("expires", self.renewals.expires);
                detail.put_value("participantUuid", &attendance.own_uuid);
                detail.put_text("role", attendance.role.as_str());
                if let Some(name) = &self.display_name {
                    detail.put_text("displayName", name.as_str());
                }
                self.show(Screen::HandedToPage);
                self.browser.finish(Some(&detail));
            }
            HandOver::Connect(base, form) => {
                let Some(alias) = LinkText::parse(&self.alias) else {
                    return;
                };
                let mut link = ClassicLink::new(alias);
                link.display_name.clone_from(&self.display_name);
                link.entry = match (entry, attendance.role) {
                    (Entry::Pin(pin), _) => Entry::Pin(pin),
                    (_, Role::Guest) => Entry::As(Role::Guest),
                    (entry, Role::Host) => entry,
                };
                let url = connect_link(link, base, *form);
                self.release("Transfer");
                self.show(Screen::HandedToConnect);
                self.browser.finish(None);
                self.browser.go(&url);
            }
        }
    }
}
