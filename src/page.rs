//! The page: shows one screen at a time, and turns forms and buttons into
//! messages. All words stand in `www/index.html`; nothing is written as HTML.

mod address;
mod attendance;
mod failure;
mod forms;
mod listener;
mod sign_in;

use std::cell::{Cell, RefCell};

use vestibule_launch::Role;
use wasm_bindgen::{JsCast, UnwrapThrowExt};
use web_sys::{Document, Element, HtmlElement};

use crate::{answer::ExtensionKind, mailbox::Mailbox, window::window};

use listener::Listener;

/// What the page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Screen {
    /// A request is under way.
    Connecting,
    /// The form for the name.
    Name {
        /// The name before cannot be used.
        refused: bool,
    },
    /// Host or guest?
    Role,
    /// The form for the PIN.
    Pin {
        /// Whose.
        whose: Option<Role>,
        /// The PIN before was wrong.
        wrong: bool,
    },
    /// The form for the extension.
    Extension {
        /// What kind of extension.
        kind: ExtensionKind,
        /// The extension before was not found.
        wrong: bool,
    },
    /// The list of identity providers.
    Provider,
    /// The link to the identity provider.
    SignIn,
    /// Waiting for the host.
    Waiting,
    /// In the visit.
    Joined(Role),
    /// The user has left.
    Left,
    /// The visit is over.
    Ended,
    /// The launch has failed.
    Failed,
}

impl Screen {
    /// The `data-screen` of its section.
    fn name(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Name { .. } => "name",
            Self::Role => "role",
            Self::Pin { .. } => "pin",
            Self::Extension { .. } => "extension",
            Self::Provider => "provider",
            Self::SignIn => "sign-in",
            Self::Waiting => "waiting",
            Self::Joined(_) => "joined",
            Self::Left => "left",
            Self::Ended => "ended",
            Self::Failed => "failed",
        }
    }

    /// Which of the section's `data-when` parts are shown.
    fn variant(self) -> &'static str {
        match self {
            Self::Pin { whose: role, .. } => role.map_or("any", Role::as_str),
            Self::Joined(role) => role.as_str(),
            Self::Extension { kind, .. } => match kind {
                ExtensionKind::Standard => "standard",
                ExtensionKind::Mssip => "mssip",
            },
            _ => "",
        }
    }

    /// Whether the section's fault is shown.
    fn faulty(self) -> bool {
        matches!(
            self,
            Self::Name { refused: true }
                | Self::Pin { wrong: true, .. }
                | Self::Extension { wrong: true, .. }
        )
    }
}

/// The heading that is shown.
const HEADING: &str = "h1:not([hidden])";

/// The landing page.
pub(crate) struct Page {
    document: Document,
    root: Element,
    screen: Cell<Screen>,
    _listeners: [Listener; 3],
    sign_in: RefCell<Option<Listener>>,
}

impl Page {
    /// Takes the page over: from now on its forms and buttons post to `mailbox`.
    pub(crate) fn new(mailbox: &Mailbox) -> Self {
        let document = window().document().unwrap_throw();
        let root = document.document_element().unwrap_throw();
        Self {
            root,
            _listeners: [
                forms::on_submit(&document, mailbox.clone()),
                forms::on_click(&document, mailbox.clone()),
                address::on_close(mailbox.clone()),
            ],
            document,
            screen: Cell::new(Screen::Connecting),
            sign_in: RefCell::default(),
        }
    }

    /// Shows a screen, moves the focus to it and has it announced.
    pub(crate) fn show(&self, screen: Screen) {
        self.screen.set(screen);
        let section = ["[data-screen=", screen.name(), "]"].concat();
        let Some(section) = find(&self.root, &section) else {
            return;
        };
        for other in all(&self.root, "[data-screen]") {
            set_hidden(&other, other != section);
        }
        for part in all(&section, "[data-when]") {
            let when = part.get_attribute("data-when").unwrap_or_default();
            set_hidden(&part, when != screen.variant());
        }
        if let Some(fault) = find(&section, ".fault") {
            set_hidden(&fault, !screen.faulty());
        }
        if let Some(input) = find(&section, "input") {
            let invalid = if screen.faulty() { "true" } else { "false" };
            input.set_attribute("aria-invalid", invalid).ok();
        }
        self.focus(&section);
        self.announce(&section, screen.faulty());
    }

    /// A form's field gets the focus, else the heading.
    fn focus(&self, section: &Element) {
        let target = find(section, "input").or_else(|| find(section, HEADING));
        if let Some(target) = target {
            target.unchecked_into::<HtmlElement>().focus().ok();
        }
    }

    fn announce(&self, section: &Element, faulty: bool) {
        let words = find(section, if faulty { ".fault" } else { HEADING });
        self.set_text(
            "#announcement",
            words.and_then(|words| words.text_content()).as_deref(),
        );
    }

    fn set_text(&self, selector: &str, text: Option<&str>) {
        if let Some(element) = find(&self.root, selector) {
            element.set_text_content(text);
        }
    }
}

// The page's markup decides what a selector finds, so elements are taken for what
// they should be unchecked: a wrong one throws at the first use.

fn find(within: &Element, selector: &str) -> Option<Element> {
    within.query_selector(selector).ok().flatten()
}

fn all(within: &Element, selector: &str) -> Vec<Element> {
    let Ok(found) = within.query_selector_all(selector) else {
        return Vec::new();
    };
    (0..found.length())
        .filter_map(|index| Some(found.get(index)?.unchecked_into()))
        .collect()
}

fn set_hidden(element: &Element, hidden: bool) {
    element.toggle_attribute_with_force("hidden", hidden).ok();
}
