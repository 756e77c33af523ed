//! What every step of a launch works with.

use std::sync::Arc;

use vestibule_launch::{Clock, RequestId, UnixTime};
use vestibule_store::Store;

use crate::{http_client::Transport, random::Random, sealing::Sealer};

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
