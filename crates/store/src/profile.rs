//! Telehealth profiles that are kept here rather than in files.

use std::fmt;

use uuid::Uuid;
use vestibule_launch::UnixTime;

/// `id` of the management API: given to a profile once, never to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProfileNumber(pub i64);

/// A profile as stored.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredProfile {
    /// `id` of the management API.
    pub number: ProfileNumber,
    /// `integration_uuid`.
    pub uuid: Uuid,
    /// The profile, sealed: it carries secrets.
    pub sealed: Vec<u8>,
    /// When it was last written; every change has a later one.
    pub updated_at: UnixTime,
}

/// How [`crate::Profiles::insert_profile`] went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// The profile is stored, under this number.
    New(ProfileNumber),
    /// A profile with this UUID is here already; nothing was stored.
    Exists,
}

/// How [`crate::Profiles::update_profile`] went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Updated {
    /// The profile is replaced.
    Now,
    /// Somebody else changed it since the caller read it; nothing was stored.
    Conflict,
    /// There is no such profile here.
    Missing,
}

impl fmt::Debug for StoredProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredProfile")
            .field("number", &self.number)
            .field("uuid", &self.uuid)
            .field("updated_at", &self.updated_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_not_shown() {
        let sealed = vec![222, 173];
        let shown = format!(
            "{:?}",
            StoredProfile {
                number: ProfileNumber(7),
                uuid: Uuid::nil(),
                sealed,
                updated_at: UnixTime::from_millis(0),
            }
        );
        assert!(!shown.contains("222"), "{shown}");
        assert!(shown.contains("ProfileNumber(7)"), "{shown}");
    }
}
