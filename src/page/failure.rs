//! The failed launch: the profile's error page in a frame that can run no
//! script, or the page's own words.

use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::HtmlIFrameElement;

use super::{Page, Screen, find, set_hidden};
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
        self.set_hidden("#failure-words", html.is_some());
        self.set_hidden("#failure-frame", html.is_none());
        if let Some(html) = html {
            self.fill_frame(html);
        }
        self.set_hidden("#retry", !retryable);
        self.show(Screen::Failed);
    }

    /// Loads the frame's document, and writes `html` into it. That document has a
    /// content security policy of its own and the frame's sandbox allows no script,
    /// so that a template can be styled but never act.
    fn fill_frame(&self, html: String) {
        let (Some(frame), Some(words)) = (
            find(&self.root, "#failure-frame"),
            find(&self.root, "#failure-words"),
        ) else {
            return;
        };
        let frame: HtmlIFrameElement = frame.unchecked_into();
        let loaded = {
            let frame = frame.clone();
            move || {
                let root = frame
                    .content_document()
                    .and_then(|document| document.document_element());
                set_hidden(&words, root.is_some());
                set_hidden(&frame, root.is_none());
                if let Some(root) = root {
                    root.set_inner_html(&html);
                    // As high as its content: the page is what scrolls.
                    frame.set_height(&root.scroll_height().to_string());
                }
            }
        };
        // The page outlives the visit, so this is not a listener of the visit's.
        let loaded = Closure::once_into_js(loaded);
        frame.set_onload(Some(loaded.unchecked_ref()));
        frame.set_src("error-frame.html");
    }

    fn set_hidden(&self, selector: &str, hidden: bool) {
        if let Some(element) = find(&self.root, selector) {
            set_hidden(&element, hidden);
        }
    }
}
