//! `vestibule profile import`.

use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use clap::Args;
use uuid::Uuid;
use vestibule_launch::Clock as _;
use vestibule_store::AuditAction;

use self::into_folder::Folder;
use super::{
    recorded,
    secrets::{Source, variable},
};
use crate::{
    cli::{chosen::ConfigArgument, database::Database, runtime},
    clock::SystemClock,
    config::Config,
    profile::{
        Profile, ProfileDocument, changed_fields,
        import::{Import, from_json, from_toml},
    },
};

mod into_folder;

/// What is imported, and where it goes.
#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// JSON as Pexip Infinity's management API gives it (one profile, or a list), JSON of
    /// Vestibule's admin API, or a profile's TOML file
    file: PathBuf,
    #[command(flatten)]
    config: ConfigArgument,
    /// Only the profile of this uuid
    #[arg(long, value_name = "UUID")]
    only: Option<Uuid>,
    /// Write a TOML file into this folder, or into that of the server, in the place of
    /// the database. Secrets in it are sealed
    #[arg(long, value_name = "FOLDER", num_args = 0..=1)]
    to_folder: Option<Option<PathBuf>>,
    /// Leave the secrets in the file in the clear
    #[arg(long, requires = "to_folder")]
    clear: bool,
    /// Take secrets from variables of the environment: EPIC_ENCRYPTION_KEY and so on, after
    /// the fields
    #[arg(long)]
    secrets_from_env: bool,
    /// Replace a profile of the same uuid in the database; its secrets stay where none
    /// are given
    #[arg(long, conflicts_with = "to_folder")]
    replace: bool,
}

pub(super) fn import(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut imports = read(&arguments.file)?;
    if let Some(uuid) = arguments.only {
        imports.retain(|import| import.document.uuid == uuid);
    }
    if imports.is_empty() {
        bail!(
            "{}: there is no such profile in it",
            arguments.file.display()
        );
    }
    let uuids: BTreeSet<Uuid> = imports.iter().map(|import| import.document.uuid).collect();
    if uuids.len() < imports.len() {
        bail!("{}: the same uuid is in it twice", arguments.file.display());
    }
    if arguments.secrets_from_env && imports.len() > 1 {
        bail!(
            "the secrets of several profiles cannot be told apart: import one at a time, by --only"
        );
    }
    let source = Source::choose(arguments.secrets_from_env);
    for import in &mut imports {
        complete(import, source, arguments)?;
    }
    match &arguments.to_folder {
        None => {
            let config = arguments.config.read()?;
            runtime()?.block_on(into_database(&config, imports, arguments.replace))?;
        }
        Some(folder) => into_folder(&imports, folder.as_deref(), arguments)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path) -> anyhow::Result<Vec<Import>> {
    let name = || path.display().to_string();
    let text = fs::read_to_string(path).with_context(name)?;
    let is_toml = path
        .extension()
        .is_some_and(|extension| extension == "toml");
    if is_toml {
        // Its errors name the file.
        return Ok(vec![from_toml(path, &text)?]);
    }
    from_json(&text).with_context(name)
}

/// Gives a profile its secrets, and says what it has not got.
fn complete(import: &mut Import, source: Source, arguments: &Arguments) -> anyhow::Result<()> {
    let name = import.document.name.clone();
    let mut stderr = std::io::stderr();
    if !import.unknown.is_empty() {
        writeln!(
            stderr,
            "{name}: left out, as Vestibule has no such fields: {}",
            import.unknown.join(", ")
        )?;
    }
    for missing in source.complete(import)? {
        // A profile that is replaced keeps its own.
        if !arguments.replace {
            writeln!(
                stderr,
                "{name}: {missing} is not given; --secrets-from-env takes it from {}",
                variable(missing)
            )?;
        }
    }
    Ok(())
}

/// All or nothing, as far as it can be told before.
async fn into_database(config: &Config, imports: Vec<Import>, replace: bool) -> anyhow::Result<()> {
    let database = Database::open(config).await?;
    let stored = store(&database, config, imports, replace).await;
    database.close().await;
    stored
}

async fn store(
    database: &Database,
    config: &Config,
    mut imports: Vec<Import>,
    replace: bool,
) -> anyhow::Result<()> {
    let registry = database.registry(config).await?;
    for import in &mut imports {
        let uuid = import.document.uuid;
        let document = &mut import.document;
        match registry.find_uuid(uuid) {
            Some(entry) if replace => {
                let now = SystemClock.now();
                crate::profile::complete(document, &entry.document, &BTreeSet::new(), now);
            }
            Some(_) => bail!("the server has a profile {uuid} already; --replace replaces it"),
            None => {}
        }
        Profile::check(document).with_context(|| format!("{uuid} {}", document.name))?;
    }
    for import in &imports {
        let document = &import.document;
        let uuid = document.uuid;
        let told = |action, before: &ProfileDocument| {
            let fields = changed_fields(before, document).join(", ");
            Some(recorded::entry(action, uuid, &fields))
        };
        let stored = match registry.find_uuid(uuid) {
            Some(entry) => {
                let told = told(AuditAction::ProfileChanged, &entry.document);
                registry.replace_recorded(&entry, document, told).await
            }
            None => {
                let told = told(AuditAction::ProfileCreated, &ProfileDocument::default());
                registry.create_recorded(document, told).await
            }
        };
        let entry = stored.with_context(|| format!("{} {}", document.uuid, document.name))?;
        let name = &document.name;
        writeln!(
            std::io::stdout(),
            "database: {} {name}{}",
            document.uuid,
            key_check_value(&entry.profile)
        )?;
    }
    Ok(())
}

fn into_folder(
    imports: &[Import],
    folder: Option<&Path>,
    arguments: &Arguments,
) -> anyhow::Result<()> {
    let config = match (folder, arguments.clear) {
        (Some(_), true) => None,
        _ => Some(arguments.config.read()?),
    };
    let path = match (folder, &config) {
        (Some(folder), _) => folder,
        (None, Some(config)) => &config.profiles,
        (None, None) => unreachable!("without a folder there is a configuration"),
    };
    let folder = Folder::open(path, config.as_ref().filter(|_| !arguments.clear))?;
    let mut profiles = Vec::new();
    for import in imports {
        let document = &import.document;
        let profile = Profile::check(document)
            .with_context(|| format!("{} {}", document.uuid, document.name))?;
        folder.refuse_twice(document.uuid)?;
        profiles.push(profile);
    }
    let mut stdout = std::io::stdout();
    for (import, profile) in imports.iter().zip(&profiles) {
        let path = folder.write(&import.document)?;
        let key = key_check_value(profile);
        let (uuid, name) = (profile.uuid, &import.document.name);
        writeln!(stdout, "{}: {uuid} {name}{key}", path.display())?;
    }
    writeln!(
        std::io::stderr(),
        "a server that runs takes them once it gets SIGHUP"
    )?;
    Ok(())
}

fn key_check_value(profile: &Profile) -> String {
    profile
        .key_check_value()
        .map_or_else(String::new, |value| format!(", key check value {value}"))
}
