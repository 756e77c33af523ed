//! Join links that were given out a moment ago.

use async_trait::async_trait;
use vestibule_launch::{RequestId, UnixTime};

use crate::{Fingerprint, StoreError};

/// Join links of launches that completed a moment ago, sealed, for the same browser to
/// have them again whichever server it asks. They are stored as the launch completes:
/// [`crate::Launches::complete_launch`].
#[async_trait]
pub trait JoinLinks {
    /// The join link of a launch, until it expires.
    async fn join_link_of(
        &self,
        request_id: RequestId,
        now: UnixTime,
    ) -> Result<Option<Vec<u8>>, StoreError>;

    /// The launch that completed with this EHR launch token, and its join link until
    /// that expires.
    async fn join_link_by_fingerprint(
        &self,
        fingerprint: Fingerprint,
        now: UnixTime,
    ) -> Result<Option<(RequestId, Vec<u8>)>, StoreError>;
}
