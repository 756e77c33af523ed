//! `vestibule decode-launch`.

use std::{io::Write as _, process::ExitCode};

use clap::Args;
use vestibule_launch::Clock as _;

use self::report::Report;
use super::{
    chosen::{self, Known, ProfileArgument},
    input,
    launch_url::{Entrance, LaunchUrl},
    runtime,
};
use crate::clock::SystemClock;

mod opening;
mod report;

/// What is looked at.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The launch URL as the EHR made it, in quotation marks; or its encrypted parameter
    /// alone; or - for standard input, so that neither stands in the shell's history
    url: String,
    #[command(flatten)]
    profile: ProfileArgument,
    /// Show the values too, with the patient's name
    #[arg(long)]
    show_values: bool,
}

pub(super) fn decode_launch(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let url = LaunchUrl::parse(&input::argument(&arguments.url)?)?;
    let known = runtime()?.block_on(known(arguments, &url))?;
    let report = Report::of(&url, &known, SystemClock.now(), arguments.show_values);
    write!(std::io::stdout(), "{report}")?;
    Ok(if report.is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The profile that counts first, and others whose keys may fit. None where there is
/// no configuration: much of a URL can be told without.
async fn known(arguments: &Arguments, url: &LaunchUrl) -> anyhow::Result<Vec<Known>> {
    let mut known = Vec::new();
    if arguments.profile.profile.is_some() {
        known.push(arguments.profile.choose().await?);
    }
    let Some(config) = arguments.profile.config.read_if_any()? else {
        return Ok(known);
    };
    let mut others = chosen::all(&config).await?;
    // Stable, so that the profile that the URL names comes first and else nothing moves.
    others.sort_by_key(|one| !is_named(url, one));
    if let Some(chosen) = known.first() {
        others.retain(|one| one.document.uuid != chosen.document.uuid);
    }
    known.extend(others);
    Ok(known)
}

fn is_named(url: &LaunchUrl, known: &Known) -> bool {
    let named = url.entrance.as_ref().and_then(Entrance::uuid);
    let zoom = known.document.zoom.as_ref();
    named == Some(known.document.uuid)
        || zoom.is_some_and(|zoom| {
            let ids = [Some(&zoom.org_id), zoom.patient_org_id.as_ref()];
            url.decoded("org_id")
                .any(|id| ids.into_iter().flatten().any(|known| *known == id))
        })
}
