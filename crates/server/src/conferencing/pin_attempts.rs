//! Wrong PINs at the embedded node, counted in the store: they count whichever server a
//! participant comes to.

use std::fmt;

use async_trait::async_trait;
use vestibule_launch::UnixTime;
use vestibule_node::{PinAttempt, PinAttempts, PinAttemptsUnavailable, PinLimit, PinTarget};
use vestibule_store::{AttemptLimit, Attempted, LimitKey, StoreError};

use crate::tools::Tools;

/// Counts for the embedded node.
#[derive(Clone)]
pub struct StoredPinAttempts(Tools);

impl StoredPinAttempts {
    /// Counts in these tools' store.
    pub fn new(tools: Tools) -> Self {
        Self(tools)
    }

    fn key(&self, at: PinTarget<'_>) -> LimitKey {
        let sealer = &self.0.sealer;
        match at {
            PinTarget::Alias(alias) => sealer.limit_key("PINs of alias", &[alias.as_bytes()]),
            PinTarget::Conference { name, service_tag } => {
                let parts = [name.as_bytes(), service_tag.as_bytes()];
                sealer.limit_key("PINs of conference", &parts)
            }
        }
    }
}

#[async_trait]
impl PinAttempts for StoredPinAttempts {
    async fn begin(
        &self,
        at: PinTarget<'_>,
        limit: PinLimit,
        now: UnixTime,
    ) -> Result<PinAttempt, PinAttemptsUnavailable> {
        let limit = AttemptLimit {
            most: u32::try_from(limit.attempts).unwrap_or(u32::MAX),
            window: limit.window,
        };
        let attempted = self.0.store.attempt(self.key(at), limit, now).await;
        Ok(match attempted.map_err(|error| unavailable(&error))? {
            Attempted::Now => PinAttempt::Counted,
            Attempted::Locked { until } => PinAttempt::Locked {
                retry_after: until.since(now),
            },
        })
    }

    async fn withdraw(
        &self,
        at: PinTarget<'_>,
        began: UnixTime,
    ) -> Result<(), PinAttemptsUnavailable> {
        let withdrawn = self.0.store.withdraw(self.key(at), began).await;
        withdrawn.map_err(|error| unavailable(&error))
    }
}

fn unavailable(error: &StoreError) -> PinAttemptsUnavailable {
    tracing::error!(%error, "PINs cannot be counted");
    PinAttemptsUnavailable
}

impl fmt::Debug for StoredPinAttempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredPinAttempts(…)")
    }
}
