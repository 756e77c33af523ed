//! `vestibule profile remove`.

use std::{fs, io::Write as _, process::ExitCode};

use anyhow::{Context as _, bail};
use clap::Args;
use uuid::Uuid;
use vestibule_store::AuditAction;

use self::elsewhere::elsewhere;
use super::recorded;
use crate::{
    cli::{
        chosen::{ConfigArgument, Known, Place, existing_sealer},
        database::Database,
        input, runtime,
    },
    config::Config,
    profile::{ProfileDocument, folder},
};

mod elsewhere;

/// What is removed.
#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// The profile
    uuid: Uuid,
    #[command(flatten)]
    config: ConfigArgument,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Even while visits of the profile run; they go on, but nobody joins any more, and the
    /// EHR is not told of their end
    #[arg(long)]
    while_visits_run: bool,
}

pub(super) fn remove(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let config = arguments.config.read()?;
    runtime()?.block_on(async {
        let database = Database::existing(&config).await?;
        let removed = removed(arguments, &config, database.as_ref()).await;
        if let Some(database) = database {
            database.close().await;
        }
        removed
    })
}

async fn removed(
    arguments: &Arguments,
    config: &Config,
    database: Option<&Database>,
) -> anyhow::Result<ExitCode> {
    let uuid = arguments.uuid;
    let in_file = in_file(config, uuid)?;
    let kept = match database {
        Some(database) => in_database(database, uuid).await?,
        None => InDatabase::default(),
    };
    if in_file.is_none() && !kept.is_there {
        bail!("this server has no profile {uuid}; `vestibule profile list` shows them");
    }
    if kept.running_visits > 0 && !arguments.while_visits_run {
        bail!(
            "{} visits of the profile run now; wait for their end, or insist by \
             --while-visits-run",
            kept.running_visits
        );
    }
    let document = in_file.as_ref().map(|known| &known.document);
    let document = document.or(kept.document.as_ref());
    let mut stdout = std::io::stdout();
    write!(stdout, "{}", elsewhere(uuid, document))?;
    if !arguments.yes {
        if !input::is_terminal() {
            bail!("nobody is here to be asked; --yes removes it without asking");
        }
        if !input::agrees(&format!("Remove the profile {uuid} and its secrets?"))? {
            return Ok(ExitCode::FAILURE);
        }
    }
    if let Some(database) = database.filter(|_| kept.is_there) {
        let details = match arguments.while_visits_run {
            true => "although visits may run",
            false => "",
        };
        let entry = recorded::entry(AuditAction::ProfileRemoved, uuid, details);
        database.profiles().remove(uuid, Some(entry)).await?;
        writeln!(stdout, "removed from the database: {uuid}")?;
    }
    if let Some(Place::File(path)) = in_file.map(|known| known.place) {
        fs::remove_file(&path).with_context(|| path.display().to_string())?;
        writeln!(
            stdout,
            "removed: {}; a server that runs forgets it once it gets SIGHUP",
            path.display()
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What the database knows of a profile.
#[derive(Default)]
struct InDatabase {
    is_there: bool,
    /// None of one that does not open any more, which can be removed all the same.
    document: Option<ProfileDocument>,
    running_visits: u64,
}

async fn in_database(database: &Database, uuid: Uuid) -> anyhow::Result<InDatabase> {
    let profiles = database.profiles();
    let opened = profiles.all().await.unwrap_or_default();
    let found = opened.into_iter().find(|kept| kept.document.uuid == uuid);
    Ok(InDatabase {
        is_there: database.holds(uuid).await?,
        document: found.map(|kept| kept.document),
        running_visits: profiles.running_visits(uuid).await?,
    })
}

fn in_file(config: &Config, uuid: Uuid) -> anyhow::Result<Option<Known>> {
    let sealer = existing_sealer(config)?;
    let paths = folder::paths(&config.profiles)
        .with_context(|| format!("profiles: {}", config.profiles.display()))?;
    // A file that cannot be read at all is not this profile's, as far as can be told.
    let known = paths
        .iter()
        .filter_map(|path| Known::read(path, sealer.as_ref()).ok());
    Ok(known.into_iter().find(|known| known.document.uuid == uuid))
}
