//! The node as its clients see it: over real HTTP, with a clock that the tests move.

mod answers;
mod discretion;
mod event_streams;
#[cfg(test)] // which also tells clippy that unwrap is at home there
mod house;
#[cfg(test)]
mod judge;
mod pexip_client;
mod pins;
mod timeouts;
mod tokens;
mod visits;
