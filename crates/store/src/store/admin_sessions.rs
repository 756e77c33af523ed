//! Sessions of administrators.

use std::time::Duration;

use async_trait::async_trait;
use vestibule_launch::UnixTime;

use crate::{AdminSession, AdminSessionHash, StoreError};

/// Who has signed in on the admin pages. Only a hash of what the browser holds is here.
#[async_trait]
pub trait AdminSessions {
    /// Stores a session.
    async fn begin_admin_session(
        &self,
        hash: AdminSessionHash,
        session: AdminSession,
    ) -> Result<(), StoreError>;

    /// A session that is not over and was used within `idle` before `now`; it counts as
    /// used now.
    async fn use_admin_session(
        &self,
        hash: AdminSessionHash,
        idle: Duration,
        now: UnixTime,
    ) -> Result<Option<AdminSession>, StoreError>;

    /// The same without counting as use: for what goes on by itself.
    async fn find_admin_session(
        &self,
        hash: AdminSessionHash,
        idle: Duration,
        now: UnixTime,
    ) -> Result<Option<AdminSession>, StoreError>;

    /// Ends a session. Says whether there was one.
    async fn end_admin_session(&self, hash: AdminSessionHash) -> Result<bool, StoreError>;
}
