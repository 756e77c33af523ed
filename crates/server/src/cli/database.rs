//! The server's database, as commands use it beside a running server.

use std::{fs, os::unix::fs::MetadataExt as _, sync::Arc};

use anyhow::{Context as _, bail};
use uuid::Uuid;
use vestibule_store::StoreError;

use crate::{
    clock::SystemClock,
    config::Config,
    database::{self, Place},
    http_client::HttpClient,
    profile::{ProfileDatabase, Registry},
    random::{self, Random},
    sealing::{self, Sealer},
    server,
    tools::Tools,
};

/// The server's database.
pub(super) struct Database {
    tools: Tools,
}

impl Database {
    /// The database, where the server has one already.
    pub(super) async fn existing(config: &Config) -> anyhow::Result<Option<Self>> {
        if !Place::of(config, database::environment().as_ref())?.exists() {
            return Ok(None);
        }
        Self::open(config).await.map(Some)
    }

    /// The database. It is made where there is none, as the server does at its start.
    pub(super) async fn open(config: &Config) -> anyhow::Result<Self> {
        let place = Place::of(config, database::environment().as_ref())?;
        server::make_data_folder(config)?;
        refuse_other_user(config)?;
        let mut rng = random::system();
        let key = sealing::state_key(config, sealing::environment().as_ref(), &mut *rng)?;
        let tools = Tools {
            store: place.open().await?,
            clock: Arc::new(SystemClock),
            random: Arc::new(Random::new(rng)),
            transport: Arc::new(HttpClient::trusting(
                config.trusted_certificates.as_deref(),
            )?),
            sealer: Arc::new(Sealer::new(&key)),
            routing: Arc::new(config.routing_rules.clone()),
            metadata: Arc::default(),
            repeats: Arc::default(),
            turned_away: Default::default(),
            telemetry: Arc::default(),
        };
        Ok(Self { tools })
    }

    /// The profiles in it.
    pub(super) fn profiles(&self) -> ProfileDatabase {
        ProfileDatabase::new(self.tools.clone())
    }

    /// Whether a profile is in it, whether or not it opens.
    pub(super) async fn holds(&self, profile: Uuid) -> Result<bool, StoreError> {
        let stored = self.tools.store.profiles().await?;
        Ok(stored.iter().any(|stored| stored.uuid == profile))
    }

    /// All profiles of the server, which have to be good.
    pub(super) async fn registry(&self, config: &Config) -> anyhow::Result<Registry> {
        Ok(Registry::open(&config.profiles, self.tools.clone()).await?)
    }

    /// To be called last, so that nothing is left open beside the server's own.
    pub(super) async fn close(self) {
        self.tools.store.close().await;
    }
}

/// What is made in the data folder, the database's files and the state key, belongs to
/// whoever makes it: a server that runs as somebody else could not use it.
pub(super) fn refuse_other_user(config: &Config) -> anyhow::Result<()> {
    let owner = fs::metadata(&config.data)
        .with_context(|| format!("data: {}", config.data.display()))?
        .uid();
    let own = nix::unistd::geteuid().as_raw();
    if owner != own {
        bail!(
            "{} belongs to the user with the number {owner}, and this command runs as {own}; \
             run it as the server's user, such as with `sudo -u vestibule`",
            config.data.display()
        );
    }
    Ok(())
}
