//! The whole system: the programs as they are built, a real browser, nothing
//! mocked in between.
#![cfg(not(target_arch = "wasm32"))]

mod agreements;
mod demo;
mod row_12;
mod support;
mod visit;
