//! Telehealth profiles.

use async_trait::async_trait;
use uuid::Uuid;
use vestibule_launch::UnixTime;

use crate::{Inserted, NewAuditEntry, ProfileNumber, StoreError, StoredProfile, Updated};

/// Profiles that are kept here, and the numbers of all.
#[async_trait]
pub trait Profiles {
    /// The number of a profile, wherever it is kept (also of one that lives in a
    /// file): assigned at the first question, the same for ever.
    async fn profile_number(&self, uuid: Uuid) -> Result<ProfileNumber, StoreError>;

    /// Stores a profile, unless one with this UUID is here, and with it the entry in the
    /// audit log that tells of it: neither without the other.
    async fn insert_profile(
        &self,
        uuid: Uuid,
        sealed: Vec<u8>,
        entry: Option<NewAuditEntry>,
        now: UnixTime,
    ) -> Result<Inserted, StoreError>;

    /// Replaces a profile, unless its `updated_at` is another one than `read_at`, that
    /// which the caller read. `updated_at` becomes `now`, or later where the last
    /// change was not before `now`. The entry is stored with the change, or not at all.
    async fn update_profile(
        &self,
        uuid: Uuid,
        sealed: Vec<u8>,
        read_at: UnixTime,
        entry: Option<NewAuditEntry>,
        now: UnixTime,
    ) -> Result<Updated, StoreError>;

    /// Forgets a profile; its number stays its own. Says whether there was one. The entry
    /// is stored with the change, or not at all.
    async fn delete_profile(
        &self,
        uuid: Uuid,
        entry: Option<NewAuditEntry>,
        now: UnixTime,
    ) -> Result<bool, StoreError>;

    /// The profiles that are kept here, by number.
    async fn profiles(&self) -> Result<Vec<StoredProfile>, StoreError>;

    /// Grows with every change of a profile, so that other servers notice it.
    async fn profiles_revision(&self) -> Result<i64, StoreError>;
}
