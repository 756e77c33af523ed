//! The failed launch: the profile's error page in a frame that can run no
//! script, or the page's own words.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::HtmlIFrameElement;

use super::{Page, Screen, find, listener::Listener, set_hidden};
use crate::json::Json;

impl Page {
    /// Shows what went wrong. `html` is the rendered template of the profile.
    pub(crate) fn show_failure(&self, page: &JsValue, html: Option<String>, retryable: bool) {
        for (element, key) in [
            ("#failure-id", "telehealth_request_id"),
            ("#failure-time", "utc_time"),
            ("#failure-name", "error_name"),
        ] {
            self.set_text(element, page.text(key).as_deref());
        }
        let framed = html.is_some();
        self.loaded.replace(html.and_then(|html| self.frame(html)));
        self.set_hidden("#failure-words", framed);
        self.set_hidden("#failure-frame", !framed);
        self.set_hidden("#retry", !retryable);
        self.show(Screen::Failed);
    }

    /// Loads the frame's document, and writes `html` into it. That document has a
    /// content security policy of its own and the frame's sandbox allows no script,
    /// so that a template can be styled but never act.
    fn frame(&self, html: String) -> Option<Listener> {
        let frame = find(&self.root, "#failure-frame")?;
        let words = find(&self.root, "#failure-words")?;
        let loaded = Listener::new(&frame, "load", {
            let frame = frame.clone();
            move |_| {
                let document = frame
                    .unchecked_ref::<HtmlIFrameElement>()
                    .content_document()
                    .and_then(|document| document.document_element());
                set_hidden(&words, document.is_some());
                set_hidden(&frame, document.is_none());
                if let Some(document) = document {
                    document.set_inner_html(&html);
                }
            }
        });
        frame.set_attribute("src", "error-frame.html").ok()?;
        Some(loaded)
    }

    fn set_hidden(&self, selector: &str, hidden: bool) {
        if let Some(element) = find(&self.root, selector) {
            set_hidden(&element, hidden);
        }
    }
}
