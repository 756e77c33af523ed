//! Changes of the profiles in the database, as the admin API and the command line make
//! them.

use std::{path::PathBuf, sync::Arc};

use uuid::Uuid;
use vestibule_store::{AuditAction, Inserted, NewAuditEntry, StoreError, Updated};

use super::{
    Entry, Faults, Kept, Profile, ProfileConflict, ProfileDocument, Registry, RegistryError,
};
use crate::conferencing::RoutingFault;

/// Why a profile is not changed. Nothing is stored then.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// Fields are wrong.
    #[error(transparent)]
    Faults(#[from] Faults),
    /// The profile could not be told apart from another one.
    #[error(transparent)]
    Conflict(#[from] ProfileConflict),
    /// The profile's aliases would lead nowhere.
    #[error(transparent)]
    Routing(#[from] RoutingFault),
    /// It is in a file.
    #[error("the profile is kept in {path}: change that file, then send the server SIGHUP", path = .0.display())]
    InFile(PathBuf),
    /// Its uuid would be another one.
    #[error(
        "the uuid of a profile cannot be changed: the EHR's launch URLs name it; make a new profile"
    )]
    OtherUuid,
    /// Somebody else was faster.
    #[error("the profile was changed by somebody else meanwhile; look at it again, then try again")]
    Meanwhile,
    /// Visits would be lost.
    #[error("{0} visits of the profile run now; wait for their end, or insist")]
    VisitsRun(u64),
    /// There is no such profile.
    #[error("there is no profile {0} in the database")]
    Missing(Uuid),
    /// The profiles cannot be read.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl Registry {
    /// Checks and stores a new profile, and takes launches of it from now on.
    ///
    /// # Errors
    /// [`ChangeError`].
    pub async fn create(&self, document: &ProfileDocument) -> Result<Arc<Entry>, ChangeError> {
        self.create_recorded(document, None).await
    }

    /// The same, stored together with the entry in the audit log that tells of it.
    ///
    /// # Errors
    /// [`ChangeError`].
    pub async fn create_recorded(
        &self,
        document: &ProfileDocument,
        entry: Option<NewAuditEntry>,
    ) -> Result<Arc<Entry>, ChangeError> {
        let _alone = self.changing.lock().await;
        let profile = self.check(document)?;
        match self.find_uuid(profile.uuid).as_deref() {
            None => {}
            Some(Entry {
                kept: Kept::File(path),
                ..
            }) => return Err(ChangeError::InFile(path.clone())),
            Some(_) => return Err(ProfileConflict::Uuid(profile.uuid).into()),
        }
        let back = taken_back(entry.as_ref(), AuditAction::ProfileRemoved);
        match self.database.insert(document, entry).await? {
            Inserted::New(_) => {
                let stored = self.changed(document.uuid).await;
                if is_conflict_of(&stored, document.uuid) {
                    self.database.remove(document.uuid, back).await?;
                }
                self.unless_taken_back(stored).await
            }
            Inserted::Exists => Err(ProfileConflict::Uuid(document.uuid).into()),
        }
    }

    /// Checks and stores another state of a profile that was read as `entry`. What
    /// [`complete`](super::complete) does is the caller's to do before.
    ///
    /// # Errors
    /// [`ChangeError`].
    pub async fn replace(
        &self,
        entry: &Entry,
        document: &ProfileDocument,
    ) -> Result<Arc<Entry>, ChangeError> {
        self.replace_recorded(entry, document, None).await
    }

    /// The same, stored together with the entry in the audit log that tells of it.
    ///
    /// # Errors
    /// [`ChangeError`].
    pub async fn replace_recorded(
        &self,
        entry: &Entry,
        document: &ProfileDocument,
        recorded: Option<NewAuditEntry>,
    ) -> Result<Arc<Entry>, ChangeError> {
        let uuid = entry.document.uuid;
        let read_at = match &entry.kept {
            Kept::File(path) => return Err(ChangeError::InFile(path.clone())),
            Kept::Database(read_at) => *read_at,
        };
        if document.uuid != uuid {
            return Err(ChangeError::OtherUuid);
        }
        let _alone = self.changing.lock().await;
        self.check(document)?;
        let back = taken_back(recorded.as_ref(), AuditAction::ProfileChanged);
        match self.database.update(document, read_at, recorded).await? {
            Updated::Now => {
                let stored = self.changed(uuid).await;
                if is_conflict_of(&stored, uuid) {
                    self.put_back(&entry.document, back).await?;
                }
                self.unless_taken_back(stored).await
            }
            Updated::Conflict => Err(ChangeError::Meanwhile),
            Updated::Missing => Err(ChangeError::Missing(uuid)),
        }
    }

    /// Forgets a profile; its launches find none from now on. While visits run only
    /// where the caller insists.
    ///
    /// # Errors
    /// [`ChangeError`].
    pub async fn remove(&self, entry: &Entry, while_visits_run: bool) -> Result<(), ChangeError> {
        self.remove_recorded(entry, while_visits_run, None).await
    }

    /// The same, stored together with the entry in the audit log that tells of it.
    ///
    /// # Errors
    /// [`ChangeError`].
    pub async fn remove_recorded(
        &self,
        entry: &Entry,
        while_visits_run: bool,
        recorded: Option<NewAuditEntry>,
    ) -> Result<(), ChangeError> {
        if let Kept::File(path) = &entry.kept {
            return Err(ChangeError::InFile(path.clone()));
        }
        let uuid = entry.document.uuid;
        let running = self.database.running_visits(uuid).await?;
        if running > 0 && !while_visits_run {
            return Err(ChangeError::VisitsRun(running));
        }
        if !self.database.remove(uuid, recorded).await? {
            return Err(ChangeError::Missing(uuid));
        }
        self.refresh().await?;
        Ok(())
    }

    /// Forgets secrets that were replaced and whose time is over. Says of how many
    /// profiles.
    ///
    /// # Errors
    /// [`ChangeError`], the last one; what can be forgotten is forgotten all the same.
    pub async fn forget_expired(&self) -> Result<usize, ChangeError> {
        let now = self.now();
        let mut forgotten = 0;
        let mut failed = None;
        for entry in self.entries().iter() {
            let previous = entry.document.previous.as_ref();
            let expired = previous.is_some_and(|previous| previous.valid_until <= now);
            if !expired || matches!(entry.kept, Kept::File(_)) {
                continue;
            }
            let mut document = entry.document.clone();
            document.previous = None;
            match self.replace(entry, &document).await {
                Ok(_) => forgotten += 1,
                // Another server, or somebody who knew nothing of it, was faster.
                Err(ChangeError::Meanwhile | ChangeError::Missing(_)) => {}
                // The others' have to go all the same.
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(forgotten), Err)
    }

    fn check(&self, document: &ProfileDocument) -> Result<Arc<Profile>, ChangeError> {
        let profile = Arc::new(Profile::check(document)?);
        self.fits(&profile)?;
        self.routes(&profile)?;
        Ok(profile)
    }

    /// Puts back what a profile said before, where nobody has changed it since.
    async fn put_back(
        &self,
        before: &ProfileDocument,
        entry: Option<NewAuditEntry>,
    ) -> Result<(), ChangeError> {
        let all = self.database.all().await.map_err(RegistryError::from)?;
        let stored = all.iter().find(|kept| kept.document.uuid == before.uuid);
        if let Some(stored) = stored {
            let at = stored.updated_at;
            self.database.update(before, at, entry).await?;
        }
        Ok(())
    }

    /// Another server may have stored a profile meanwhile that cannot be told apart from
    /// this one. No server could start with both, so this one was taken back.
    async fn unless_taken_back(
        &self,
        stored: Result<Arc<Entry>, ChangeError>,
    ) -> Result<Arc<Entry>, ChangeError> {
        match stored {
            Err(ChangeError::Registry(RegistryError::Conflict(conflict))) => {
                self.refresh().await?;
                Err(conflict.into())
            }
            stored => stored,
        }
    }

    async fn changed(&self, uuid: Uuid) -> Result<Arc<Entry>, ChangeError> {
        self.refresh().await?;
        self.find_uuid(uuid).ok_or(ChangeError::Missing(uuid))
    }
}

/// The entry of a change that is taken back, after that of the change itself.
fn taken_back(entry: Option<&NewAuditEntry>, action: AuditAction) -> Option<NewAuditEntry> {
    let entry = entry?.clone();
    Some(NewAuditEntry {
        action,
        details: "taken back: another server stored one like it meanwhile".to_owned(),
        ..entry
    })
}

fn is_conflict_of(stored: &Result<Arc<Entry>, ChangeError>, uuid: Uuid) -> bool {
    let Err(ChangeError::Registry(RegistryError::Conflict(conflict))) = stored else {
        return false;
    };
    match conflict {
        ProfileConflict::Uuid(one) => *one == uuid,
        ProfileConflict::Key(one, other) => [one, other].contains(&&uuid),
    }
}

impl From<StoreError> for ChangeError {
    fn from(error: StoreError) -> Self {
        Self::Registry(error.into())
    }
}
