//! The address bar, what the tab remembers, and leaving the page.

use wasm_bindgen::JsValue;
use web_sys::Storage;

use super::{Page, listener::Listener};
use crate::{
    mailbox::{Mailbox, Message},
    window::window,
};

/// Where the tab keeps the key by which the launch API knows it again.
const BROWSER_KEY: &str = "vestibule.browser";

impl Page {
    /// The page's address, which is replaced at once, in the address bar and in
    /// the history, by what `scrub` leaves of it.
    pub(crate) fn take_link(&self, scrub: fn(&str) -> String) -> String {
        let href = window().location().href().unwrap_or_default();
        if let Ok(history) = window().history() {
            history
                .replace_state_with_url(&JsValue::NULL, "", Some(&scrub(&href)))
                .ok();
        }
        href
    }

    /// The conferencing node's host name, as `request_token` wants it.
    pub(crate) fn node_name(&self, node: &str) -> String {
        match node.split_once("://") {
            Some((_, host)) => host.trim_end_matches('/').to_owned(),
            None => window().location().host().unwrap_or_default(),
        }
    }

    /// 128 random bits by which the launch API knows this tab again; they are
    /// kept while the tab is open, where the browser lets them be.
    pub(crate) fn browser_key(&self) -> String {
        let storage: Option<Storage> = window().session_storage().ok().flatten();
        let known = storage
            .as_ref()
            .and_then(|storage| storage.get_item(BROWSER_KEY).ok().flatten());
        known.unwrap_or_else(|| {
            let key = hexadecimal(random_bytes(), &[]);
            if let Some(storage) = storage {
                storage.set_item(BROWSER_KEY, &key).ok();
            }
            key
        })
    }

    /// A request id for a failure that the server cannot be told of: a version 4
    /// UUID (RFC 9562 section 5.4).
    pub(crate) fn random_id() -> String {
        let mut bytes = random_bytes();
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        hexadecimal(bytes, &[4, 6, 8, 10])
    }
}

/// The page is being closed or left.
pub(super) fn on_close(mailbox: Mailbox) -> Listener {
    Listener::new(&window(), "pagehide", move |_| {
        mailbox.post(Message::Closed);
    })
}

fn random_bytes() -> [u8; 16] {
    let mut bytes = [0; 16];
    if let Ok(crypto) = window().crypto() {
        crypto.get_random_values_with_u8_array(&mut bytes).ok();
    }
    bytes
}

/// The bytes as hexadecimal digits, with a hyphen before each byte of `hyphens`.
fn hexadecimal(bytes: [u8; 16], hyphens: &[usize]) -> String {
    let mut text = String::new();
    for (index, byte) in bytes.into_iter().enumerate() {
        if hyphens.contains(&index) {
            text.push('-');
        }
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    text
}
