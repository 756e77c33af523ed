//! A simulated EHR, for the demo and for tests: a schedule with launch
//! buttons, a SMART authorization server as strict as a real one, and the
//! endpoint that takes connection statuses.

mod appointment;
mod authorization_server;
mod basic;
mod client;
mod clock;
mod config;
mod connection_status;
mod ehr;
mod expiring;
mod journal;
mod launch_link;
mod opaque;
mod pages;
mod parameters;
mod pkce;
mod routes;
mod sandbox;

pub use clock::SystemClock;
pub use config::{Config, ConfigError};
pub use sandbox::{BindError, Sandbox};
