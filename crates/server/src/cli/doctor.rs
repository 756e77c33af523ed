//! `vestibule doctor`.

use std::{io::Write as _, process::ExitCode, sync::Arc};

use clap::Args;
use url::Url;
use uuid::Uuid;

use self::{
    finding::{Finding, State},
    outside::Outside,
};
use super::{
    chosen::{self, ConfigArgument, Known},
    runtime,
};
use crate::{
    clock::SystemClock, config::Config, http_client::HttpClient, page_files::EmbeddedFiles, random,
};

mod answer;
mod applications;
mod backend;
mod certificate;
mod database;
mod finding;
mod metadata;
mod names;
mod outside;
mod own_certificate;
mod public_address;
mod server;
mod templates;

/// What is examined.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// Only the profile of this uuid
    #[arg(long, value_name = "UUID")]
    profile: Option<Uuid>,
    /// The EHR's FHIR base URL, where the profile does not name it in allowed_iss
    #[arg(long, value_name = "URL")]
    iss: Option<Url>,
    /// Print JSON: a list of findings
    #[arg(long)]
    json: bool,
}

pub(super) fn doctor(
    arguments: &Arguments,
    page: Option<EmbeddedFiles>,
) -> anyhow::Result<ExitCode> {
    let config = arguments.config.read()?.or_embedded(page);
    let findings = runtime()?.block_on(examine(arguments, &config))?;
    let mut stdout = std::io::stdout();
    if arguments.json {
        writeln!(stdout, "{}", serde_json::to_string_pretty(&findings)?)?;
    } else {
        write!(stdout, "{}", finding::in_lines(&findings))?;
    }
    let failed = findings.iter().any(|found| found.state == State::Fail);
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

async fn examine(arguments: &Arguments, config: &Config) -> anyhow::Result<Vec<Finding>> {
    let outside = Outside::new(
        Arc::new(HttpClient::trusting(
            config.trusted_certificates.as_deref(),
        )?),
        Arc::new(SystemClock),
        random::system(),
    );
    let mut findings = server::examine(&arguments.config.path, config);
    findings.push(own_certificate::examine(config, outside.now()));
    let (found, usable) = database::examine(config).await;
    findings.push(found);
    if !usable {
        return Ok(findings);
    }
    let known = match chosen::all(config).await {
        Ok(known) => known,
        Err(error) => {
            let text = format!("{error:#}");
            findings.push(Finding::fail("profiles", text, "mend it, then look again"));
            return Ok(findings);
        }
    };
    findings.push(server::proxies(config, &known));
    let chosen: Vec<_> = known
        .iter()
        .filter(|one| {
            arguments
                .profile
                .is_none_or(|uuid| one.document.uuid == uuid)
        })
        .collect();
    if chosen.is_empty() {
        findings.push(Finding::fail(
            "profiles",
            "there is no such profile",
            "`vestibule profile list` shows those that there are",
        ));
    }
    for known in chosen {
        let found = profile(&outside, config, known, arguments.iss.as_ref()).await;
        let (uuid, name) = (known.document.uuid, &known.document.name);
        findings.extend(found.into_iter().map(|found| found.of(uuid, name)));
    }
    Ok(findings)
}

async fn profile(
    outside: &Outside,
    config: &Config,
    known: &Known,
    iss: Option<&Url>,
) -> Vec<Finding> {
    let mut findings = server::profile(known);
    let Ok(profile) = &known.checked else {
        return findings;
    };
    findings.extend(templates::examine(profile));
    findings.push(templates::routing(profile, &config.routing_rules));
    let document = &known.document;
    findings.extend(names::examine(document).await);
    findings.extend(certificate::examine(outside, document).await);
    if let Some(sign_in) = &profile.sign_in {
        let (found, metadata) = metadata::examine(outside, document, sign_in, iss).await;
        findings.extend(found);
        findings.extend(applications::examine(outside, sign_in, metadata.as_ref()).await);
    }
    if let Some(backend) = &profile.backend {
        findings.extend(backend::examine(outside, document, backend).await);
    }
    findings.extend(public_address::examine(outside, document).await);
    findings
}
