//! `vestibule launch-link`.

use std::{io::Write as _, process::ExitCode};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use url::Url;
use vestibule_launch::{EhrRole, RequestId};

use self::contents::{Contents, Parameter};
use super::{chosen::ProfileArgument, runtime};
use crate::{
    dialect::ZoomDocument,
    profile::{Profile, ProfileDocument},
    random,
};

mod contents;

/// What is launched.
#[derive(Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    profile: ProfileArgument,
    /// Who launches
    #[arg(long, value_enum)]
    role: Role,
    /// The appointment, the same for everybody in it
    #[arg(long, default_value = "vestibule-test", allow_hyphen_values = true)]
    csn: String,
    /// The patient's first name
    #[arg(long)]
    fname: Option<String>,
    /// The patient's middle name
    #[arg(long)]
    mname: Option<String>,
    /// The patient's last name
    #[arg(long)]
    lname: Option<String>,
    /// The department of the encounter
    #[arg(long, value_name = "NAME")]
    department: Option<String>,
    /// Who launches, as the EHR knows them
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    user: Option<String>,
    /// The EHR's conference
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    conference: Option<String>,
    /// A further parameter, to be encrypted as it is; may be repeated
    #[arg(long = "parameter", value_name = "NAME=VALUE")]
    parameters: Vec<Parameter>,
    /// The EHR's FHIR base URL: the first of allowed_iss, or else api/FHIR/R4 below
    /// telehealth_integration_oauth2_base_api_url
    #[arg(long, value_name = "URL", conflicts_with_all = ["direct", "zoom"])]
    iss: Option<String>,
    /// The EHR's one-time launch token; one that is made up gets as far as the EHR's
    /// sign-in, which refuses it
    // base64url begins with a hyphen once in 64 times.
    #[arg(
        long,
        value_name = "TOKEN",
        allow_hyphen_values = true,
        conflicts_with_all = ["direct", "zoom"]
    )]
    launch: Option<String>,
    /// Make a direct join link
    #[arg(long, conflicts_with = "zoom")]
    direct: bool,
    /// Make Zoom's video visit URL
    #[arg(long)]
    zoom: bool,
    /// The server's address, where it is not the one that the profile says
    #[arg(long, value_name = "URL", value_parser = server_address)]
    server: Option<Url>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Role {
    Patient,
    Provider,
}

impl From<Role> for EhrRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Patient => Self::Patient,
            Role::Provider => Self::Provider,
        }
    }
}

pub(super) fn launch_link(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let known = runtime()?.block_on(arguments.profile.choose())?;
    let profile = known.good()?;
    let link = link(arguments, &known.document, profile)?;
    writeln!(std::io::stdout(), "{link}")?;
    if arguments.launch.is_none() && !arguments.direct && !arguments.zoom {
        writeln!(
            std::io::stderr(),
            "launch is made up: the EHR's sign-in will refuse it; --launch takes one of the EHR's"
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn link(
    arguments: &Arguments,
    document: &ProfileDocument,
    profile: &Profile,
) -> anyhow::Result<Url> {
    let role = EhrRole::from(arguments.role);
    let contents = arguments.contents();
    match (arguments.zoom, &document.zoom) {
        (true, Some(zoom)) => zoom_link(arguments, document, zoom, role, &contents),
        (true, None) => bail!("the profile has no table [zoom]"),
        (false, Some(_)) => bail!("the profile is one for Zoom's URLs; give --zoom"),
        (false, None) => epic_link(arguments, document, profile, role, contents),
    }
}

fn epic_link<'a>(
    arguments: &Arguments,
    document: &ProfileDocument,
    profile: &'a Profile,
    role: EhrRole,
    mut contents: Contents<'a>,
) -> anyhow::Result<Url> {
    let kind = if arguments.direct {
        let Some(links) = &profile.direct_links else {
            bail!(
                "the profile has no direct join links: they need its epic_backend_oauth2_app_ fields"
            );
        };
        if role == EhrRole::Provider {
            contents.first = links.provider.first_parameter();
        }
        "directlaunch"
    } else {
        "oauth2smartlaunch"
    };
    let encrypted = contents.for_epic(document)?;
    let path = format!(
        "api/telehealth/v1/{}/{kind}/{}",
        role.as_str(),
        document.uuid
    );
    let mut url = arguments.below_server(document, &path)?;
    let mut query = url.query_pairs_mut();
    if !arguments.direct {
        let iss = match &arguments.iss {
            Some(iss) => iss.clone(),
            None => usual_iss(document)?,
        };
        let launch = arguments.launch.clone().unwrap_or_else(made_up);
        query
            .append_pair("iss", &iss)
            .append_pair("launch", &launch);
    }
    let name = document.encrypted_parameter_name.as_deref();
    query.append_pair(name.unwrap_or("data"), &encrypted);
    drop(query);
    Ok(url)
}

fn zoom_link(
    arguments: &Arguments,
    document: &ProfileDocument,
    zoom: &ZoomDocument,
    role: EhrRole,
    contents: &Contents<'_>,
) -> anyhow::Result<Url> {
    // Under the patients' own key a provider is refused.
    let (org_id, secret) = match (role, &zoom.patient_org_id) {
        (EhrRole::Patient, Some(id)) => (
            id,
            zoom.patient_api_secret
                .as_ref()
                .or(zoom.api_secret.as_ref()),
        ),
        _ => (&zoom.org_id, zoom.api_secret.as_ref()),
    };
    let secret = secret.context("zoom.api_secret is missing")?;
    let encrypted = contents.for_zoom(role, secret)?;
    let mut url = arguments.below_server(document, "telehealth")?;
    url.query_pairs_mut()
        .append_pair("org_id", org_id)
        .append_pair("data", &encrypted);
    Ok(url)
}

impl Arguments {
    fn contents(&self) -> Contents<'_> {
        Contents {
            csn: &self.csn,
            fname: self.fname.as_deref(),
            mname: self.mname.as_deref(),
            lname: self.lname.as_deref(),
            department: self.department.as_deref(),
            user: self.user.as_deref(),
            conference: self.conference.as_deref(),
            more: &self.parameters,
            first: None,
        }
    }

    /// A URL of the server. Where the profile has redirect URLs, they say where it is.
    fn below_server(&self, document: &ProfileDocument, path: &str) -> anyhow::Result<Url> {
        let redirect = document.provider_oauth2_redirect_url.as_deref();
        let before_api = |url: &str| Some(url.split_once("api/telehealth/v1/")?.0.to_owned());
        let base = match (&self.server, redirect.and_then(before_api)) {
            (Some(given), _) => given.to_string(),
            (None, Some(base)) => base,
            (None, None) => document.infinity_webapp_server_base_url.clone(),
        };
        let url = format!("{}/{path}", base.trim_end_matches('/'));
        url.parse().context("the server's address makes no URL")
    }
}

/// An address to which paths are appended.
fn server_address(text: &str) -> Result<Url, &'static str> {
    let problem = "must be an http or https URL without user name, ? and #, \
                   such as https://visit.example.org";
    let url = Url::parse(text).map_err(|_| problem)?;
    let is_plain = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    is_plain.then_some(url).ok_or(problem)
}

fn usual_iss(document: &ProfileDocument) -> anyhow::Result<String> {
    if let Some(first) = document.allowed_iss.as_ref().and_then(|iss| iss.first()) {
        return Ok(first.clone());
    }
    let base = document
        .telehealth_integration_oauth2_base_api_url
        .as_deref();
    let base = base.context("telehealth_integration_oauth2_base_api_url is missing")?;
    Ok(format!("{}/api/FHIR/R4", base.trim_end_matches('/')))
}

fn made_up() -> String {
    format!("made-up-{}", RequestId::generate(&mut *random::system()))
}
