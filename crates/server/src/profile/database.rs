//! Profiles that are kept in the database: sealed, secrets and all.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use vestibule_launch::UnixTime;
use vestibule_store::{Inserted, NewAuditEntry, ProfileNumber, StoreError, Updated};

use super::ProfileDocument;
use crate::{sealing::Purpose, tools::Tools};

/// The profiles of the database.
#[derive(Clone)]
pub struct ProfileDatabase(Tools);

/// A profile from the database.
#[derive(Clone, Debug)]
pub struct KeptProfile {
    /// `id` of the management API.
    pub number: ProfileNumber,
    /// What it says; secrets are open.
    pub document: ProfileDocument,
    /// When it was last written.
    pub updated_at: UnixTime,
}

/// Why the profiles of the database cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A profile does not open.
    #[error(
        "the profile {0} in the database cannot be opened: it was sealed under another state.key \
         or by a newer version; restore the key, or remove the profile with `vestibule profile remove`"
    )]
    Sealed(Uuid),
}

/// What is sealed.
#[derive(Deserialize)]
struct Opened {
    document: ProfileDocument,
    secrets: BTreeMap<String, SecretString>,
}

/// The same on its way in.
#[derive(Serialize)]
struct Sealing<'a> {
    document: &'a ProfileDocument,
    secrets: BTreeMap<&'static str, &'a str>,
}

impl ProfileDatabase {
    /// The profiles in this store.
    pub fn new(tools: Tools) -> Self {
        Self(tools)
    }

    /// Every profile, by number.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn all(&self) -> Result<Vec<KeptProfile>, DatabaseError> {
        let stored = self.0.store.profiles().await?;
        stored
            .into_iter()
            .map(|stored| {
                let document = self
                    .open(stored.uuid, &stored.sealed)
                    .ok_or(DatabaseError::Sealed(stored.uuid))?;
                Ok(KeptProfile {
                    number: stored.number,
                    document,
                    updated_at: stored.updated_at,
                })
            })
            .collect()
    }

    /// Grows with every change.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn revision(&self) -> Result<i64, StoreError> {
        self.0.store.profiles_revision().await
    }

    /// The number of a profile, wherever it is kept.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn number(&self, uuid: Uuid) -> Result<ProfileNumber, StoreError> {
        self.0.store.profile_number(uuid).await
    }

    /// Stores a new profile, which the caller has checked, and with it the entry in the
    /// audit log.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn insert(
        &self,
        document: &ProfileDocument,
        entry: Option<NewAuditEntry>,
    ) -> Result<Inserted, StoreError> {
        let sealed = self.seal(document);
        let now = self.0.now();
        self.0
            .store
            .insert_profile(document.uuid, sealed, entry, now)
            .await
    }

    /// Replaces a profile that the caller read at `read_at` and has checked, and stores with
    /// it the entry in the audit log.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn update(
        &self,
        document: &ProfileDocument,
        read_at: UnixTime,
        entry: Option<NewAuditEntry>,
    ) -> Result<Updated, StoreError> {
        let sealed = self.seal(document);
        let now = self.0.now();
        self.0
            .store
            .update_profile(document.uuid, sealed, read_at, entry, now)
            .await
    }

    /// Forgets a profile, and stores with it the entry in the audit log. Says whether there
    /// was one.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn remove(
        &self,
        uuid: Uuid,
        entry: Option<NewAuditEntry>,
    ) -> Result<bool, StoreError> {
        let now = self.0.now();
        self.0.store.delete_profile(uuid, entry, now).await
    }

    /// How many visits of a profile run now.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn running_visits(&self, uuid: Uuid) -> Result<u64, StoreError> {
        self.0.store.running_visits(uuid).await
    }

    fn seal(&self, document: &ProfileDocument) -> Vec<u8> {
        let secrets = document.secrets();
        let sealing = Sealing {
            document,
            secrets: secrets
                .iter()
                .map(|(name, secret)| (*name, secret.expose_secret()))
                .collect(),
        };
        self.0.random.with(|rng| {
            let sealer = &self.0.sealer;
            sealer.seal(Purpose::Profile, document.uuid, b"", &sealing, rng)
        })
    }

    fn open(&self, uuid: Uuid, sealed: &[u8]) -> Option<ProfileDocument> {
        let sealer = &self.0.sealer;
        let opened = sealer.open(Purpose::Profile, uuid, b"", sealed).ok()?;
        let Opened {
            mut document,
            mut secrets,
        } = opened;
        for (name, secret) in document.secrets_mut() {
            *secret = secrets.remove(name);
        }
        Some(document)
    }
}
