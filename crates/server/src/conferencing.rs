//! Conferencing back-ends: what makes an appointment joinable, and reports what
//! happened in it.

mod attendance;
mod embedded;
mod event;
mod pexip;
mod pin_attempts;
mod policy;
mod routing_rule;
mod sink_message;

pub use attendance::Attendance;
pub(crate) use attendance::Seen;
pub use embedded::{EmbeddedEvents, EmbeddedPolicy, Recorder};
pub use event::{Conference, Event, EventData, Participant, Whereabouts};
pub use pexip::{Appearance, BasicCredentials, PexipConfig, PexipServer, UnknownAlias, View};
pub use pin_attempts::StoredPinAttempts;
pub(crate) use policy::service_tag;
pub use policy::{Behind, PolicyError, behind};
pub(crate) use routing_rule::LONGEST_ALIAS;
pub use routing_rule::{
    NoRoute, RoutingFault, RoutingRuleDocument, RoutingRuleError, RoutingRules, check_routing,
};
pub use sink_message::{NotASinkMessage, SinkMessage};
