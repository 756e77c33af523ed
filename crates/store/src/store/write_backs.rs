//! Write-backs: the outbox.

use std::time::Duration;

use async_trait::async_trait;
use vestibule_launch::{RequestId, UnixTime};

use crate::{NotTold, Reason, StoreError, Unsent, WriteBack, WriteBackRecord};

/// The outbox. [`crate::Visits::apply_event`] and [`crate::LaunchEvents::record_event`]
/// fill it.
///
/// Whoever claims a write-back holds a lease on it, as with [`crate::Sessions`]. One
/// whose sender has vanished is claimed again when its lease is over: it is sent at
/// least once.
#[async_trait]
pub trait WriteBacks {
    /// At most `limit` write-backs that are due, those that wait longest first, and that
    /// nobody else sends until `now + lease`. Of one launch only the oldest that is unsent,
    /// and the oldest device test beside it, so that the EHR hears them in order; of one
    /// profile no more than `of_profile`, those that are leased already included, so that
    /// an EHR that does not answer holds up no other. Each counts as an attempt.
    async fn claim_write_backs(
        &self,
        now: UnixTime,
        lease: Duration,
        limit: u32,
        of_profile: u32,
    ) -> Result<Vec<WriteBack>, StoreError>;

    /// Records that the EHR took it. `false`, and nothing recorded, where the caller
    /// does not hold the lease.
    async fn write_back_sent(
        &self,
        write_back: &WriteBack,
        status: u16,
        now: UnixTime,
    ) -> Result<bool, StoreError>;

    /// Records that it was not told, with the status where there was an answer, why, and
    /// what follows. Where it is given up or not needed it stays on record, and later
    /// ones of the same launch go on. `false`, and nothing recorded, where the
    /// caller does not hold the lease.
    async fn write_back_failed(
        &self,
        write_back: &WriteBack,
        status: Option<u16>,
        reason: Reason,
        then: NotTold,
        now: UnixTime,
    ) -> Result<bool, StoreError>;

    /// How much is unsent. Cheap, whatever was sent before.
    async fn unsent_write_backs(&self) -> Result<Unsent, StoreError>;

    /// All write-backs of a launch that are on record, the oldest first.
    async fn write_backs_of(
        &self,
        request_id: RequestId,
    ) -> Result<Vec<WriteBackRecord>, StoreError>;
}
