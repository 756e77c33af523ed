//! Conferencing back-ends: what makes an appointment joinable, and reports what
//! happened in it.

mod embedded;

pub use embedded::{EventLog, StorePolicy};
