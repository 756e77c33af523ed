//! Limits: what is counted of whom.

use async_trait::async_trait;
use vestibule_launch::UnixTime;

use crate::{AttemptLimit, Attempted, Bucket, LimitKey, StoreError, Taken};

/// Counts that hold for all servers of one store. They may be forgotten when the machine
/// of the database breaks down, and at no other time.
///
/// What a caller does where the store fails is the caller's: what guards a secret must
/// be refused then.
#[async_trait]
pub trait Limits {
    /// Takes a token from the bucket of a key, which is full where nobody took from it.
    /// For one key the bucket must be the same each time.
    async fn take(&self, key: LimitKey, bucket: Bucket, now: UnixTime)
    -> Result<Taken, StoreError>;

    /// Counts an attempt as failed before it is made, unless too many have: of callers
    /// at once no more than the limit go on. An attempt that succeeds is withdrawn.
    async fn attempt(
        &self,
        key: LimitKey,
        limit: AttemptLimit,
        now: UnixTime,
    ) -> Result<Attempted, StoreError>;

    /// Takes an attempt back that was counted at `at`.
    async fn withdraw(&self, key: LimitKey, at: UnixTime) -> Result<(), StoreError>;

    /// Until when no attempt may be made, where too many have failed. Counts nothing.
    async fn locked_until(
        &self,
        key: LimitKey,
        limit: AttemptLimit,
        now: UnixTime,
    ) -> Result<Option<UnixTime>, StoreError>;
}
