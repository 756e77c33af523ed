//! A simulated EHR, for the demo and for tests: a schedule with launch
//! buttons, a SMART authorization server as strict as a real one, and the
//! endpoint that takes connection statuses.

mod appointment;
mod authorization_server;
mod basic;
mod client;
mod client_assertion;
mod client_keys;
mod clock;
mod config;
mod connection_status;
mod controls;
mod direct_launch;
mod ehr;
mod end_of_call;
mod endpoint;
mod expiring;
mod fault;
mod fhir;
mod id_token;
mod journal;
mod key_fetch;
mod launch_link;
mod metadata_forms;
mod opaque;
mod pages;
mod parameters;
mod pkce;
mod routes;
mod sandbox;
mod scope;
mod token_policy;
mod visit;
mod zoom;

pub use clock::SystemClock;
pub use config::{Config, ConfigError};
pub use controls::Controls;
pub use endpoint::Endpoint;
pub use fault::{Fault, FaultAnswer};
pub use id_token::IdTokenKey;
pub use sandbox::{BindError, Sandbox, router};
