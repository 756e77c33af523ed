//! What a command works with: the server's configuration, its profiles, and one of them.

use std::{
    convert::Infallible,
    fmt, fs,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use anyhow::{Context as _, bail};
use clap::Args;
use uuid::Uuid;

use super::database::Database;
use crate::{
    config::{Config, parse_toml},
    profile::{
        Entry, Faults, Kept, Profile, ProfileDocument, ProfileError, ProfileFile, Remark, folder,
        sealed,
    },
    random,
    sealing::{self, Sealer},
};

/// Where the configuration is unless somebody says otherwise.
const USUAL: &str = "vestibule.toml";

/// Which server.
#[derive(Clone, Debug, Args)]
pub(super) struct ConfigArgument {
    /// The server's configuration
    #[arg(id = "config", long, value_name = "FILE", default_value = USUAL)]
    pub(super) path: PathBuf,
}

/// Which profile.
#[derive(Debug, Args)]
pub(super) struct ProfileArgument {
    #[command(flatten)]
    pub(super) config: ConfigArgument,
    /// The telehealth profile: its uuid, or a TOML file. May be left out where the
    /// server has one only
    #[arg(long, value_name = "UUID|FILE")]
    pub(super) profile: Option<ProfileName>,
}

/// How a profile is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ProfileName {
    /// One of the server's.
    Uuid(Uuid),
    /// One that need not be a server's.
    File(PathBuf),
}

impl FromStr for ProfileName {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.parse() {
            Ok(uuid) => Self::Uuid(uuid),
            Err(_) => Self::File(text.into()),
        })
    }
}

/// A profile, good or not.
pub(super) struct Known {
    /// Where it is kept.
    pub(super) place: Place,
    /// What it says. Secrets are open, where they open.
    pub(super) document: ProfileDocument,
    /// The same, checked.
    pub(super) checked: Result<Arc<Profile>, Faults>,
    /// Secrets that others on this machine can read.
    pub(super) exposed: Vec<Remark>,
}

/// Where a profile is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In this file.
    File(PathBuf),
    /// In the server's database.
    Database,
}

impl Known {
    /// A profile of a file. Where its fields are wrong, it is known all the same.
    pub(super) fn read(path: &Path, sealer: Option<&Sealer>) -> anyhow::Result<Self> {
        let place = Place::File(path.to_owned());
        match ProfileFile::read(path, sealer) {
            Ok(file) => {
                let own = file.profile.warnings().len();
                Ok(Self {
                    place,
                    exposed: file.warnings().skip(own).cloned().collect(),
                    document: file.document,
                    checked: Ok(file.profile),
                })
            }
            Err(ProfileError::Fields { faults, .. }) => {
                let text = fs::read_to_string(path)?;
                let mut document = parse_toml(path, &text)?;
                // A secret that does not open is among the faults, and missing here.
                let _ = sealed::open(&mut document, sealer);
                Ok(Self {
                    place,
                    document,
                    checked: Err(faults),
                    exposed: Vec::new(),
                })
            }
            Err(error @ ProfileError::File(_)) => Err(error.into()),
        }
    }

    fn kept(document: ProfileDocument) -> Self {
        Self {
            place: Place::Database,
            checked: Profile::check(&document).map(Arc::new),
            document,
            exposed: Vec::new(),
        }
    }

    /// One that a running server uses.
    pub(super) fn used(entry: &Entry) -> Self {
        Self {
            place: match &entry.kept {
                Kept::File(path) => Place::File(path.clone()),
                Kept::Database(_) => Place::Database,
            },
            document: entry.document.clone(),
            checked: Ok(Arc::clone(&entry.profile)),
            exposed: Vec::new(),
        }
    }

    /// The profile, where it can be used.
    pub(super) fn good(&self) -> anyhow::Result<&Arc<Profile>> {
        self.checked
            .as_ref()
            .map_err(|faults| anyhow::anyhow!("{}:\n{faults}", self.place))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Database => f.write_str("database"),
        }
    }
}

impl ProfileArgument {
    /// The profile that is meant.
    pub(super) async fn choose(&self) -> anyhow::Result<Known> {
        match &self.profile {
            Some(ProfileName::File(path)) => {
                if !path.exists() {
                    bail!("{}: neither a uuid nor a file", path.display());
                }
                // Its secrets may be sealed, or not.
                let config = self.config.read_if_any()?;
                let sealer = config.as_ref().map(existing_sealer).transpose()?;
                let sealer = sealer.flatten();
                Known::read(path, sealer.as_ref())
            }
            Some(ProfileName::Uuid(uuid)) => {
                let known = all(&self.config.read()?).await?;
                let found = known.into_iter().find(|one| one.document.uuid == *uuid);
                found.with_context(|| format!("this server has no profile {uuid}"))
            }
            None => only(all(&self.config.read()?).await?),
        }
    }
}

impl ConfigArgument {
    /// What the file says.
    pub(super) fn read(&self) -> anyhow::Result<Config> {
        Ok(Config::read(&self.path)?)
    }

    /// The same for commands that can do without: none where nobody named a file, and
    /// there is none.
    pub(super) fn read_if_any(&self) -> anyhow::Result<Option<Config>> {
        if self.path == Path::new(USUAL) && !self.path.exists() {
            return Ok(None);
        }
        self.read().map(Some)
    }
}

/// Every profile of a server, those in the folder first.
pub(super) async fn all(config: &Config) -> anyhow::Result<Vec<Known>> {
    let sealer = existing_sealer(config)?;
    let paths = folder::paths(&config.profiles)
        .with_context(|| format!("profiles: {}", config.profiles.display()))?;
    let read = paths.iter().map(|path| Known::read(path, sealer.as_ref()));
    let mut known: Vec<_> = read.collect::<Result<_, _>>()?;
    if let Some(database) = Database::existing(config).await? {
        let kept = database.profiles().all().await;
        database.close().await;
        known.extend(kept?.into_iter().map(|kept| Known::kept(kept.document)));
    }
    Ok(known)
}

/// What opens secrets that this server has sealed; none where it never sealed any.
pub(super) fn existing_sealer(config: &Config) -> anyhow::Result<Option<Sealer>> {
    let environment = sealing::environment();
    let nowhere = environment.is_none() && config.state_key_file.is_none();
    if nowhere && !config.data.join("state.key").exists() {
        return Ok(None);
    }
    let key = sealing::state_key(config, environment.as_ref(), &mut *random::system())?;
    Ok(Some(Sealer::new(&key)))
}

fn only(mut known: Vec<Known>) -> anyhow::Result<Known> {
    match (known.pop(), known.len()) {
        (Some(one), 0) => Ok(one),
        (None, _) => bail!("this server has no profile; `vestibule profile import` brings one"),
        (Some(last), _) => {
            known.push(last);
            let names: Vec<_> = known
                .iter()
                .map(|one| format!("{} {}", one.document.uuid, one.document.name))
                .collect();
            bail!("say which profile, by --profile:\n{}", names.join("\n"))
        }
    }
}
