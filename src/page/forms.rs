//! Forms and buttons: name, PIN, extension, role, leaving, trying again.

use vestibule_launch::Role;
use wasm_bindgen::JsCast;
use web_sys::{Document, Element, Event, HtmlInputElement};

use super::{Page, Screen, find, listener::Listener};
use crate::mailbox::{Mailbox, Message};

impl Page {
    /// What was typed cannot be used: shows the same form again, saying so.
    pub(crate) fn refuse(&self) {
        self.show(match self.screen.get() {
            Screen::Name { .. } => Screen::Name { refused: true },
            Screen::Pin { whose, .. } => Screen::Pin { whose, wrong: true },
            Screen::Extension { kind, .. } => Screen::Extension { kind, wrong: true },
            screen => screen,
        });
    }
}

/// A form that is sent posts what its field holds.
pub(super) fn on_submit(document: &Document, mailbox: Mailbox) -> Listener {
    Listener::new(document, "submit", move |event: Event| {
        event.prevent_default();
        let Some(form) = event.target() else { return };
        let form: Element = form.unchecked_into();
        let Some(input) = find(&form, "input") else {
            return;
        };
        let input: HtmlInputElement = input.unchecked_into();
        let text = input.value();
        let message = match form.id().as_str() {
            "name-form" => Message::Name(text),
            "pin-form" => {
                input.set_value("");
                Message::Pin(text)
            }
            "extension-form" => Message::Extension(text),
            _ => return,
        };
        mailbox.post(message);
    })
}

/// A button with `data-action` posts its action.
pub(super) fn on_click(document: &Document, mailbox: Mailbox) -> Listener {
    Listener::new(document, "click", move |event: Event| {
        let clicked = event.target().map(JsCast::unchecked_into::<Element>);
        let Some(button) =
            clicked.and_then(|clicked| clicked.closest("[data-action]").ok().flatten())
        else {
            return;
        };
        let message = match button.get_attribute("data-action").as_deref() {
            Some("host") => Message::Role(Role::Host),
            Some("guest") => Message::Role(Role::Guest),
            Some("leave") => Message::Leave,
            Some("retry") => Message::Retry,
            Some("provider") => {
                Message::Provider(button.get_attribute("data-provider").unwrap_or_default())
            }
            _ => return,
        };
        mailbox.post(message);
    })
}
