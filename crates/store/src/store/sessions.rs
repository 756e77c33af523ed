//! EHR sessions.

use std::time::Duration;

use async_trait::async_trait;
use vestibule_launch::{RequestId, UnixTime};

use crate::{Session, StoreError};

/// Sessions, begun by [`crate::Launches::complete_launch`], and their renewal.
///
/// Whoever claims a session for renewal holds a lease on it. The lease stays the
/// holder's until somebody else claims the session, which is possible as soon as the
/// lease is over: a renewal that came late is still stored where nobody else began
/// one, because the EHR may have made the old tokens useless.
#[async_trait]
pub trait Sessions {
    /// The session of a launch. It shows the tokens, and gives no right to renew them.
    async fn find_session(&self, request_id: RequestId) -> Result<Option<Session>, StoreError>;

    /// At most `limit` sessions whose renewal is due, the longest due first, and that
    /// nobody else renews until `now + lease`. Only those that are of use: whose visit
    /// runs, whose alias can still be dialled, or of which a write-back is unsent, or was
    /// given up within [`crate::SENT_AGAIN_WITHIN`] and not overtaken: see
    /// [`crate::SentAgain::Overtaken`].
    async fn claim_renewals(
        &self,
        now: UnixTime,
        lease: Duration,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError>;

    /// The session of this launch, to be renewed at once, whether or not that is due:
    /// `None` where it has ended, or where somebody else renews it.
    async fn claim_renewal(
        &self,
        request_id: RequestId,
        now: UnixTime,
        lease: Duration,
    ) -> Result<Option<Session>, StoreError>;

    /// Stores renewed tokens and gives the lease back. `false`, and nothing stored,
    /// where the caller does not hold the lease or the session has ended.
    async fn renewed(
        &self,
        session: &Session,
        sealed: Vec<u8>,
        renew_at: Option<UnixTime>,
        expires_at: UnixTime,
    ) -> Result<bool, StoreError>;

    /// Gives the lease back without new tokens, to try again then or never. `false`
    /// where the caller does not hold the lease or the session has ended.
    async fn renewal_failed(
        &self,
        session: &Session,
        try_again_at: Option<UnixTime>,
    ) -> Result<bool, StoreError>;

    /// Forgets the tokens of this launch, unless they are of use at `now`: see
    /// [`Sessions::claim_renewals`]. Says whether any were forgotten.
    async fn end_session(&self, request_id: RequestId, now: UnixTime) -> Result<bool, StoreError>;
}
