//! The simulated EHR over real HTTP.
#![cfg(test)]

mod authorize;
mod connection_status;
mod discovery;
mod happy_path;
mod launch;
mod logs;
mod pages;
mod process;
mod program;
mod support;
mod token;
