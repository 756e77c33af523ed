//! Waiting and joined: who is here, and what one is oneself.

use super::{Page, Screen, find};
use crate::session::Attendance;

/// The attribute that marks oneself, and holds the word for it.
const OWN: &str = "data-you";

impl Page {
    /// Shows where the participant stands: waiting, or joined with whom.
    pub(crate) fn show_attendance(&self, attendance: &Attendance) {
        let screen = if attendance.waiting() {
            Screen::Waiting
        } else {
            Screen::Joined(attendance.role())
        };
        // Coming and going of others must not move the focus.
        if self.screen.get() != screen {
            self.show(screen);
        }
        self.list_participants(attendance);
    }

    fn list_participants(&self, attendance: &Attendance) {
        let Some(list) = find(&self.root, "#participants") else {
            return;
        };
        list.set_text_content(None);
        for participant in attendance.participants() {
            let (Ok(item), Ok(name)) = (
                self.document.create_element("li"),
                self.document.create_element("bdi"),
            ) else {
                return;
            };
            name.set_text_content(Some(&participant.display_name));
            item.append_child(&name).ok();
            if attendance.is_own(participant)
                && let Some(you) = list.get_attribute(OWN)
            {
                item.set_attribute(OWN, &you).ok();
            }
            item.set_attribute("data-role", &participant.role).ok();
            list.append_child(&item).ok();
        }
    }
}
