//! The server over real HTTP, with a scripted EHR on the other side.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod binary;
mod departure;
mod faults;
mod headers;
mod launch;
mod launch_error;
mod refusals;
mod samples;
mod sandbox;
mod secrets;
mod support;
mod ticket;
