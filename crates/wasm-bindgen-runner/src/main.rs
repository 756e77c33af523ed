//! The runner that `cargo test --target wasm32-unknown-unknown` calls with a
//! test module (`.cargo/config.toml`).
//!
//! It is wasm-bindgen's own test runner, taken from `Cargo.lock`: nothing to
//! install, and its version is always the one the module was compiled with.

use std::{env, process::ExitCode};

use wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args;

fn main() -> ExitCode {
    match run_cli_with_args(env::args_os()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
