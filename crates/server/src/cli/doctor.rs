//! `vestibule doctor`.

use std::{io::Write as _, process::ExitCode, sync::Arc, time::Duration};

use clap::Args;
use url::Url;
use uuid::Uuid;

use self::outside::Outside;
use super::{
    chosen::{self, ConfigArgument, Known},
    runtime,
};
use crate::{
    clock::SystemClock, conferencing::RoutingRules, config::Config, http_client::HttpClient,
    page_files::EmbeddedFiles, profile::Entry, random, tools::Tools,
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

pub(crate) use finding::{Finding, State};

/// How long the examination of one profile of a running server may take.
const DEADLINE: Duration = Duration::from_secs(25);

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
    let (found, usable) = database::examine(&outside, config).await;
    findings.extend(found);
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
        let found = profile(
            &outside,
            &config.routing_rules,
            known,
            arguments.iss.as_ref(),
        )
        .await;
        let (uuid, name) = (known.document.uuid, &known.document.name);
        findings.extend(found.into_iter().map(|found| found.of(uuid, name)));
    }
    Ok(findings)
}

/// The same of one profile that a server uses, by that server itself.
pub(crate) async fn examine_used(entry: &Entry, tools: &Tools) -> Vec<Finding> {
    let outside = Outside::new(
        Arc::clone(&tools.transport),
        Arc::clone(&tools.clock),
        random::system(),
    );
    let known = Known::used(entry);
    let findings = profile(&outside, &tools.routing, &known, None);
    match tokio::time::timeout(DEADLINE, findings).await {
        Ok(findings) => findings,
        Err(_) => vec![Finding::fail(
            "time",
            format!(
                "the examination took more than {} seconds",
                DEADLINE.as_secs()
            ),
            "`vestibule doctor --profile` on the server takes its time, and says what is slow",
        )],
    }
}

async fn profile(
    outside: &Outside,
    routing_rules: &RoutingRules,
    known: &Known,
    iss: Option<&Url>,
) -> Vec<Finding> {
    let mut findings = server::profile(known);
    let Ok(profile) = &known.checked else {
        return findings;
    };
    findings.extend(templates::examine(profile));
    findings.push(templates::routing(profile, routing_rules));
    let document = &known.document;
    let sign_in = async {
        let Some(sign_in) = &profile.sign_in else {
            return Vec::new();
        };
        let (mut found, metadata) = metadata::examine(outside, document, sign_in, iss).await;
        found.extend(applications::examine(outside, sign_in, metadata.as_ref()).await);
        found
    };
    let backend = async {
        match &profile.backend {
            Some(backend) => backend::examine(outside, document, backend).await,
            None => Vec::new(),
        }
    };
    // Each asks somebody else, and may wait for an answer in vain.
    let (names, certificate, sign_in, backend, address) = tokio::join!(
        names::examine(document),
        certificate::examine(outside, document),
        sign_in,
        backend,
        public_address::examine(outside, document),
    );
    findings.extend(names);
    findings.extend(certificate);
    findings.extend(sign_in);
    findings.extend(backend);
    findings.extend(address);
    findings
}
