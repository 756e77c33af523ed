//! The page's window.

use wasm_bindgen::prelude::*;
use web_sys::Window;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = window)]
    static WINDOW: Window;
}

/// The page's window. Taken by name: `web_sys` would look for every kind of global
/// object first.
pub(crate) fn window() -> Window {
    WINDOW.with(Window::clone)
}
