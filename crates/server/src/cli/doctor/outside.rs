//! The way out, for checks.

use std::{sync::Arc, time::Duration};

use http::{Request, Response};
use rand::CryptoRng;
use vestibule_launch::{Clock, UnixTime};

use crate::{
    http_client::{Transport, TransportError},
    random::Random,
};

/// How long each question may take.
const DEADLINE: Duration = Duration::from_secs(8);

/// Network, clock and randomness.
pub(super) struct Outside {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    random: Random,
}

impl Outside {
    pub(super) fn new(
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        rng: Box<dyn CryptoRng + Send>,
    ) -> Self {
        Self {
            transport,
            clock,
            random: Random::new(rng),
        }
    }

    pub(super) fn now(&self) -> UnixTime {
        self.clock.now()
    }

    pub(super) fn random(&self) -> &Random {
        &self.random
    }

    pub(super) async fn send(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        self.transport.send(request, DEADLINE).await
    }

    /// The same for an answer that may be longer: up to `longest` bytes.
    pub(super) async fn send_long(
        &self,
        request: Request<Vec<u8>>,
        longest: usize,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        self.transport.send_long(request, DEADLINE, longest).await
    }
}
