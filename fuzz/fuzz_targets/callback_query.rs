//! Any text is an answer of an EHR's sign-in or an error; the same goes for the
//! documents that its servers send.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vestibule_smart::{Callback, Metadata, TokenResponse};

fuzz_target!(|text: &str| {
    if let Ok(callback) = Callback::from_query(text) {
        assert!(!callback.state().is_empty());
    }
    let answer = http::Response::new(text.as_bytes().to_vec());
    let _ = Metadata::from_response(&answer);
    let _ = TokenResponse::from_response(&answer);
});
