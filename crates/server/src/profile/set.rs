//! The profiles of this server: all of them at one time, replaced as a whole.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use uuid::Uuid;

use super::Profile;
use crate::dialect::NamedBy;

/// The profiles as they are at a time. Each uuid, and each key of a dialect, is one
/// profile's.
#[derive(Clone, Default)]
pub struct ProfileSet(BTreeMap<Uuid, Arc<Profile>>);

/// Two profiles cannot be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileConflict {
    /// They have the same uuid.
    #[error("another profile has the uuid {0}; give each a uuid of its own")]
    Uuid(Uuid),
    /// Their launch URLs would be the same.
    #[error("the launch URLs of {0} and {1} would be the same; give each a key of its own")]
    Key(Uuid, Uuid),
}

impl ProfileSet {
    /// Adds a profile.
    ///
    /// # Errors
    /// Where it cannot be told apart from one that is there.
    pub fn add(&mut self, profile: Profile) -> Result<(), ProfileConflict> {
        self.add_shared(Arc::new(profile))
    }

    pub(crate) fn add_shared(&mut self, profile: Arc<Profile>) -> Result<(), ProfileConflict> {
        if self.0.contains_key(&profile.uuid) {
            return Err(ProfileConflict::Uuid(profile.uuid));
        }
        for key in profile.dialect.keys() {
            if let Some(other) = self.find_by_key(key) {
                return Err(ProfileConflict::Key(other.uuid, profile.uuid));
            }
        }
        self.0.insert(profile.uuid, profile);
        Ok(())
    }

    /// The profile of this uuid.
    pub fn find(&self, uuid: Uuid) -> Option<Arc<Profile>> {
        self.0.get(&uuid).cloned()
    }

    /// The profile that an entrance's launch URL names by `name`.
    pub fn find_named(&self, by: &NamedBy, name: &str) -> Option<Arc<Profile>> {
        match by {
            NamedBy::Uuid => self.find(name.parse().ok()?),
            NamedBy::Parameter(_) => self.find_by_key(name),
        }
    }

    /// Every profile, by uuid.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Profile>> {
        self.0.values()
    }

    fn find_by_key(&self, key: &str) -> Option<Arc<Profile>> {
        self.iter()
            .find(|profile| profile.dialect.keys().contains(&key))
            .cloned()
    }
}

/// The profiles as they are now. A launch takes one and keeps it while it needs it.
#[derive(Default)]
pub struct Profiles(RwLock<Arc<ProfileSet>>);

impl Profiles {
    /// Begins with these.
    pub fn new(profiles: ProfileSet) -> Self {
        Self(RwLock::new(Arc::new(profiles)))
    }

    /// All as they are now.
    pub fn now(&self) -> Arc<ProfileSet> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts others in their place.
    pub fn replace(&self, profiles: ProfileSet) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(profiles);
    }
}

impl fmt::Debug for Profiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = self.now();
        f.debug_set().entries(now.0.keys()).finish()
    }
}
