//! The shim in a real browser, against a scripted node: every answer that the
//! embedded node never gives, too.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

mod form;
mod node;
mod pin;
mod scene;
mod ticket;
mod token;
mod visit;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
