//! The whole system: the programs as they are built, a real browser, nothing
//! mocked in between.
#![cfg(not(target_arch = "wasm32"))]

mod demo;
mod support;
mod visit;
