//! What every step of a launch works with.

use std::sync::Arc;

use vestibule_launch::{Clock, RequestId, UnixTime};
use vestibule_store::Store;

use crate::{
    conferencing::RoutingRules,
    http_client::Transport,
    launch::{MetadataCache, Repeats, TurnedAway},
    random::Random,
    sealing::Sealer,
    telemetry::Telemetry,
};

/// Store, clock, randomness, transport and sealing: everything outside that a
/// launch touches, so that a test can put its own in their place.
#[derive(Clone)]
pub struct Tools {
    /// What the server remembers.
    pub store: Arc<dyn Store>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<Random>,
    /// The way to the EHR.
    pub transport: Arc<dyn Transport>,
    /// Seals what leaves the memory.
    pub sealer: Arc<Sealer>,
    /// How aliases become base aliases.
    pub routing: Arc<RoutingRules>,
    /// The metadata of EHRs.
    pub metadata: Arc<MetadataCache>,
    /// Whose turn it is to go on with a launch, on this server.
    pub repeats: Arc<Repeats>,
    /// Launches that fail before they begin, while they are stored.
    pub turned_away: TurnedAway,
    /// What is counted.
    pub telemetry: Arc<Telemetry>,
}

impl Tools {
    /// What time it is.
    pub fn now(&self) -> UnixTime {
        self.clock.now()
    }

    /// A new request id.
    pub fn request_id(&self) -> RequestId {
        self.random.with(|rng| RequestId::generate(rng))
    }
}
