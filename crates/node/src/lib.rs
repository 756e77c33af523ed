//! The embedded conferencing node: speaks the Pexip client REST API, version 2,
//! so that Vestibule works where there is no Pexip Infinity deployment.
//!
//! Signalling only: it admits hosts and guests, keeps guests waiting until a
//! host has joined, and says who is there. It carries no media.
//!
//! The logic (`conferences` and below) does no I/O and is given the time and
//! the random generator; [`Node`] joins it to HTTP, to the [`ServicePolicy`]
//! that knows the services, to the [`PinAttempts`] that count wrong PINs, and to the
//! [`EventSink`] that hears what happens.

mod alias;
mod answer;
mod client_event;
mod conference;
mod conferences;
mod effect;
mod event_streams;
mod node;
mod node_event;
mod participant;
mod pin_attempts;
mod pin_count;
mod refusal;
mod requests;
mod service_configuration;
mod service_policy;
mod settings;
mod token;

pub use node::Node;
pub use node_event::{
    ConferenceData, DisconnectReason, EventSink, NodeEvent, NodeEventData, ParticipantData,
    ServiceType,
};
pub use pin_attempts::{PinAttempt, PinAttempts, PinAttemptsUnavailable, PinLimit, PinTarget};
pub use service_configuration::{ServiceConfiguration, ServiceConfigurationError};
pub use service_policy::{PolicyUnavailable, ServicePolicy};
pub use settings::NodeSettings;
