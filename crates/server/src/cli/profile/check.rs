//! `vestibule profile check`.

use std::{
    fmt::Write as _,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context as _;
use clap::Args;

use crate::{
    cli::{
        chosen::{ConfigArgument, existing_sealer},
        database::Database,
        runtime,
    },
    conferencing::{RoutingRules, check_routing},
    config::Config,
    profile::{Profile, ProfileFile, ProfileSet, Remark, folder},
    sealing::Sealer,
};

/// What is checked.
#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// A profile's TOML file, or a folder of them; without, all profiles of the server
    #[arg(value_name = "FILE|FOLDER")]
    path: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArgument,
}

pub(super) fn check(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let found = match &arguments.path {
        Some(path) => {
            // Without a server there are no sealed secrets, and no rules of its own.
            let config = arguments.config.read_if_any()?;
            let sealer = config.as_ref().map(existing_sealer).transpose()?.flatten();
            let rules = config.map(|config| config.routing_rules);
            let mut found = Findings::new(rules.unwrap_or_default());
            found.files(&paths(path)?, sealer.as_ref());
            found
        }
        None => {
            let config = arguments.config.read()?;
            let mut found = Findings::new(config.routing_rules.clone());
            let sealer = existing_sealer(&config)?;
            found.files(&paths(&config.profiles)?, sealer.as_ref());
            runtime()?.block_on(database(&config, &mut found))?;
            found
        }
    };
    write!(std::io::stdout(), "{}", found.text)?;
    Ok(if found.faults == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn database(config: &Config, found: &mut Findings) -> anyhow::Result<()> {
    let Some(database) = Database::existing(config).await? else {
        return Ok(());
    };
    let kept = database.profiles().all().await;
    database.close().await;
    for kept in kept? {
        let place = format!("database: {}", kept.document.uuid);
        match Profile::check(&kept.document) {
            Ok(profile) => {
                let warnings = profile.warnings().to_vec();
                found.profile(&place, &profile.into(), &warnings);
            }
            Err(faults) => faults
                .iter()
                .for_each(|fault| found.fault(&format!("{place}: {fault}"))),
        }
    }
    Ok(())
}

fn paths(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if path.is_dir() {
        return folder::paths(path).with_context(|| format!("{}", path.display()));
    }
    Ok(vec![path.to_owned()])
}

/// What was found, in lines.
struct Findings {
    text: String,
    faults: usize,
    together: ProfileSet,
    rules: RoutingRules,
}

impl Findings {
    fn new(rules: RoutingRules) -> Self {
        Self {
            text: String::new(),
            faults: 0,
            together: ProfileSet::default(),
            rules,
        }
    }

    fn files(&mut self, paths: &[PathBuf], sealer: Option<&Sealer>) {
        for path in paths {
            match ProfileFile::read(path, sealer) {
                Err(error) => self.fault(&error.to_string()),
                Ok(file) => {
                    let place = path.display().to_string();
                    let warnings: Vec<_> = file.warnings().cloned().collect();
                    self.profile(&place, &file.profile, &warnings);
                }
            }
        }
    }

    /// One that is good by itself.
    fn profile(&mut self, place: &str, profile: &Arc<Profile>, warnings: &[Remark]) {
        let before = self.faults;
        for warning in warnings {
            self.line(&format!("{place}: warning: {warning}"));
        }
        if let Err(fault) = check_routing(profile, &self.rules) {
            self.fault(&format!("{place}: {}: {}", fault.field, fault.problem));
        }
        if let Err(conflict) = self.together.add_shared(Arc::clone(profile)) {
            self.fault(&format!("{place}: {conflict}"));
        }
        if self.faults == before {
            let key = match profile.key_check_value() {
                Some(value) => format!("key check value {value}"),
                None => "no key check value, because the key is a password".to_owned(),
            };
            let name = &profile.integration.name;
            self.line(&format!("{place}: good: {} {name}, {key}", profile.uuid));
        }
    }

    fn fault(&mut self, text: &str) {
        self.faults += 1;
        self.line(text);
    }

    fn line(&mut self, text: &str) {
        writeln!(self.text, "{text}").expect("a string takes everything");
    }
}
