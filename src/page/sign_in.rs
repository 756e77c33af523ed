//! Single sign-on: choosing an identity provider, and the way to it.

use wasm_bindgen::JsCast;
use web_sys::MessageEvent;

use super::{Page, Screen, find, listener::Listener};
use crate::{
    answer::IdentityProvider,
    json::Json,
    mailbox::{Mailbox, Message},
    window::window,
};

impl Page {
    /// Lets the user choose an identity provider.
    pub(crate) fn show_providers(&self, providers: &[IdentityProvider]) {
        if let Some(list) = find(&self.root, "#providers") {
            list.set_text_content(None);
            for provider in providers {
                let (Ok(item), Ok(button)) = (
                    self.document.create_element("li"),
                    self.document.create_element("button"),
                ) else {
                    return;
                };
                button.set_attribute("type", "button").ok();
                button.set_attribute("data-action", "provider").ok();
                button.set_attribute("data-provider", &provider.uuid).ok();
                button.set_text_content(Some(&provider.name));
                item.append_child(&button).ok();
                list.append_child(&item).ok();
            }
        }
        self.show(Screen::Provider);
    }

    /// Lets the user sign in at `url`, in a window of its own; the token with which
    /// that ends is posted.
    pub(crate) fn show_sign_in(&self, url: &str, provider: &str, node: &str, mailbox: &Mailbox) {
        if let Some(link) = find(&self.root, "#sign-in-link") {
            link.set_attribute("href", url).ok();
        }
        self.set_text("#sign-in-provider", Some(provider));
        self.sign_in.replace(Some(self.on_signed_in(node, mailbox)));
        self.show(Screen::SignIn);
    }

    /// The node's own page sends the token, so a message from any other origin than
    /// the node's counts for nothing.
    fn on_signed_in(&self, node: &str, mailbox: &Mailbox) -> Listener {
        let mailbox = mailbox.clone();
        let origin = if node.is_empty() {
            window().location().origin().unwrap_or_default()
        } else {
            node.to_owned()
        };
        Listener::new(&window(), "message", move |event| {
            let event: &MessageEvent = event.unchecked_ref();
            if event.origin() != origin {
                return;
            }
            let data = event.data();
            if data.text("result").as_deref() == Some("success")
                && let Some(token) = data.text("token")
            {
                mailbox.post(Message::SignedIn(token));
            }
        })
    }
}
