//! Every profile that this server has: those of the folder, and those of the database.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use tokio::sync::Mutex;
use uuid::Uuid;
use vestibule_launch::UnixTime;
use vestibule_store::{ProfileNumber, StoreError};

use super::{
    Faults, KeptProfile, Profile, ProfileConflict, ProfileDatabase, ProfileDocument, ProfileFile,
    ProfileSet, Profiles,
    database::DatabaseError,
    folder::{self, FolderErrors},
    reloaded,
};
use crate::{
    conferencing::{RoutingFault, check_routing},
    tools::Tools,
};

/// The profiles and where they are kept. What launches see of it is [`Profiles`].
pub struct Registry {
    folder: PathBuf,
    tools: Tools,
    pub(super) database: ProfileDatabase,
    profiles: Arc<Profiles>,
    entries: RwLock<Arc<Vec<Arc<Entry>>>>,
    /// Held while a profile is checked against the others and stored.
    pub(super) changing: Mutex<()>,
    /// What was read last; held while it is read anew.
    read: Mutex<Read>,
}

/// One profile.
#[derive(Debug)]
pub struct Entry {
    /// `id` of the management API.
    pub number: ProfileNumber,
    /// What it says; secrets are open.
    pub document: ProfileDocument,
    /// The same, checked.
    pub profile: Arc<Profile>,
    /// Where it is kept.
    pub kept: Kept,
}

/// Where a profile is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// In this file.
    File(PathBuf),
    /// In the database, as last written at this time.
    Database(UnixTime),
}

/// Why the profiles cannot be used. Those from before stay in use.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Something is wrong in the folder.
    #[error(transparent)]
    Folder(#[from] FolderErrors),
    /// Something is wrong in the database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A profile of the database cannot be used.
    #[error("the profile {uuid} in the database:\n{faults}\nimport it again without these faults")]
    Kept {
        /// Which.
        uuid: Uuid,
        /// What is wrong with it.
        faults: Faults,
    },
    /// A profile is in the folder and in the database.
    #[error(
        "{path}: the profile {uuid} is in the database too; remove this file, or the other one with `vestibule profile remove`",
        path = path.display()
    )]
    Both {
        /// The file.
        path: PathBuf,
        /// The profile.
        uuid: Uuid,
    },
    /// Two profiles cannot be told apart.
    #[error(transparent)]
    Conflict(#[from] ProfileConflict),
    /// A profile's aliases would lead nowhere.
    #[error(transparent)]
    Routing(#[from] RoutingFault),
}

struct Read {
    files: Vec<Arc<Entry>>,
    revision: i64,
}

impl Registry {
    /// Reads folder and database.
    ///
    /// # Errors
    /// [`RegistryError`]: all or nothing.
    pub async fn open(folder: &Path, tools: Tools) -> Result<Self, RegistryError> {
        let registry = Self {
            folder: folder.to_owned(),
            database: ProfileDatabase::new(tools.clone()),
            tools,
            profiles: Arc::default(),
            entries: RwLock::default(),
            changing: Mutex::default(),
            read: Mutex::new(Read {
                files: Vec::new(),
                revision: 0,
            }),
        };
        *registry.read.lock().await = registry.read_all().await?;
        Ok(registry)
    }

    /// What launches see.
    pub fn profiles(&self) -> Arc<Profiles> {
        Arc::clone(&self.profiles)
    }

    /// Every profile as it is now, by number.
    pub fn entries(&self) -> Arc<Vec<Arc<Entry>>> {
        Arc::clone(&self.entries.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The profile of this number.
    pub fn find(&self, number: ProfileNumber) -> Option<Arc<Entry>> {
        let entries = self.entries();
        entries.iter().find(|entry| entry.number == number).cloned()
    }

    /// The profile of this uuid.
    pub fn find_uuid(&self, uuid: Uuid) -> Option<Arc<Entry>> {
        let entries = self.entries();
        let found = entries.iter().find(|entry| entry.document.uuid == uuid);
        found.cloned()
    }

    /// Reads folder and database anew. What has changed in the folder is in the audit log
    /// then.
    ///
    /// # Errors
    /// [`RegistryError`]; the profiles from before stay.
    pub async fn reload(&self) -> Result<(), RegistryError> {
        let mut read = self.read.lock().await;
        let now = self.read_all().await?;
        let changes = reloaded::changes(&read.files, &now.files, &self.entries());
        *read = now;
        if changes.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.tools.store.record_audit_all(changes, self.now()).await {
            tracing::error!(%error, "the audit log lacks what has changed in the folder");
        }
        Ok(())
    }

    async fn read_all(&self) -> Result<Read, RegistryError> {
        let files = self.files().await?;
        let revision = self.put_together(&files).await?;
        Ok(Read { files, revision })
    }

    /// Reads the database anew where it has changed. Says whether it had.
    ///
    /// # Errors
    /// [`RegistryError`]; the profiles from before stay.
    pub async fn refresh(&self) -> Result<bool, RegistryError> {
        let mut read = self.read.lock().await;
        let revision = self
            .database
            .revision()
            .await
            .map_err(DatabaseError::Store)?;
        if revision == read.revision {
            return Ok(false);
        }
        read.revision = self.put_together(&read.files).await?;
        Ok(true)
    }

    async fn files(&self) -> Result<Vec<Arc<Entry>>, RegistryError> {
        let folder = self.folder.clone();
        let sealer = Arc::clone(&self.tools.sealer);
        let read = tokio::task::spawn_blocking(move || folder::read(&folder, Some(&sealer)));
        let files = match read.await {
            Ok(files) => files?,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        let mut entries = Vec::new();
        for file in files {
            for warning in file.warnings() {
                let file = file.path.display();
                tracing::warn!(%file, %warning, "profile");
            }
            let previous = file.document.previous.as_ref();
            if previous.is_some_and(|previous| previous.valid_until <= self.now()) {
                let file = file.path.display();
                tracing::warn!(%file, "profile: the secrets in [previous] have expired; remove them");
            }
            entries.push(Arc::new(self.entry_of(file).await?));
        }
        Ok(entries)
    }

    async fn entry_of(&self, file: ProfileFile) -> Result<Entry, RegistryError> {
        let number = self.database.number(file.document.uuid).await;
        Ok(Entry {
            number: number.map_err(DatabaseError::Store)?,
            document: file.document,
            profile: file.profile,
            kept: Kept::File(file.path),
        })
    }

    /// Makes all of the files and the database what launches see. Gives the database's
    /// revision.
    async fn put_together(&self, files: &[Arc<Entry>]) -> Result<i64, RegistryError> {
        // Asked first: what changes meanwhile is seen at the next look.
        let revision = self
            .database
            .revision()
            .await
            .map_err(DatabaseError::Store)?;
        let before = self.entries();
        let mut entries = files.to_vec();
        for kept in self.database.all().await? {
            let file = files
                .iter()
                .find(|entry| entry.document.uuid == kept.document.uuid);
            if let Some(Kept::File(path)) = file.map(|entry| &entry.kept) {
                return Err(RegistryError::Both {
                    path: path.clone(),
                    uuid: kept.document.uuid,
                });
            }
            entries.push(unless_unchanged(&before, kept)?);
        }
        let mut profiles = ProfileSet::default();
        for entry in &entries {
            profiles.add_shared(Arc::clone(&entry.profile))?;
            self.surround(&entry.profile);
            check_routing(&entry.profile, &self.tools.routing)?;
        }
        entries.sort_by_key(|entry| entry.number);
        self.profiles.replace(profiles);
        *self.entries.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(entries);
        Ok(revision)
    }

    /// Whether a profile could be used beside all others.
    pub(super) fn fits(&self, profile: &Arc<Profile>) -> Result<(), ProfileConflict> {
        let mut others = ProfileSet::default();
        for entry in self.entries().iter() {
            if entry.document.uuid != profile.uuid {
                others.add_shared(Arc::clone(&entry.profile))?;
            }
        }
        others.add_shared(Arc::clone(profile))
    }

    fn surround(&self, profile: &Profile) {
        let Tools { clock, random, .. } = &self.tools;
        profile.surround(clock, random);
    }

    pub(super) fn routes(&self, profile: &Profile) -> Result<(), RoutingFault> {
        self.surround(profile);
        check_routing(profile, &self.tools.routing)
    }

    pub(super) fn now(&self) -> UnixTime {
        self.tools.now()
    }
}

/// The entry from before, where the profile was not written since.
fn unless_unchanged(before: &[Arc<Entry>], kept: KeptProfile) -> Result<Arc<Entry>, RegistryError> {
    let at = Kept::Database(kept.updated_at);
    let uuid = kept.document.uuid;
    let unchanged = before
        .iter()
        .find(|entry| entry.document.uuid == uuid && entry.kept == at);
    if let Some(entry) = unchanged {
        return Ok(Arc::clone(entry));
    }
    let profile =
        Profile::check(&kept.document).map_err(|faults| RegistryError::Kept { uuid, faults })?;
    Ok(Arc::new(Entry {
        number: kept.number,
        document: kept.document,
        profile: Arc::new(profile),
        kept: at,
    }))
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("folder", &self.folder)
            .field("profiles", &self.profiles)
            .finish_non_exhaustive()
    }
}

impl From<StoreError> for RegistryError {
    fn from(error: StoreError) -> Self {
        Self::Database(error.into())
    }
}
