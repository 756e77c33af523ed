//! What is on this machine: files, and what the configuration leaves out.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

use super::{Finding, Known};
use crate::{
    cli::chosen::{Place, existing_sealer},
    config::Config,
    landing_page::LandingPage,
    page_files::PageFiles,
    plain,
};

/// Others than owner and group may read it.
const OTHERS: u32 = 0o004;

/// The server itself.
pub(super) fn examine(path: &Path, config: &Config) -> Vec<Finding> {
    vec![
        configuration(path, config),
        state_key(config),
        data(config),
        landing_page(config),
        pexip(config),
    ]
}

/// Whether launches can be told apart by where they come from. Where browsers come by HTTPS
/// and the server has no TLS of its own, a proxy stands between.
pub(super) fn proxies(config: &Config, known: &[Known]) -> Finding {
    let check = "trusted proxies";
    let is_secure = |known: &Known| {
        let base = &known.document.infinity_webapp_server_base_url;
        base.starts_with("https:")
    };
    if !config.trusted_proxies.is_empty() {
        return Finding::ok(check, "they say whom they speak for");
    }
    if config.tls.is_some() {
        return Finding::ok(check, "none: browsers come to this server itself");
    }
    if !known.iter().any(is_secure) {
        return Finding::ok(check, "none, and no profile is reached by HTTPS");
    }
    if config.limits.launches_per_minute == 0 {
        return Finding::ok(check, "none, and launches are not counted");
    }
    Finding::warn(
        check,
        "none: all launches count as coming from the proxy that ends TLS, and share one limit",
        "name the proxy's address in trusted_proxies, and have it set X-Forwarded-For",
    )
}

/// A profile, as it is written down.
pub(super) fn profile(known: &Known) -> Vec<Finding> {
    let check = "profile";
    let place = &known.place;
    let profile = match &known.checked {
        Ok(profile) => profile,
        Err(faults) => {
            return faults
                .iter()
                .map(|fault| Finding::fail(check, format!("{place}: {fault}"), "correct the field"))
                .collect();
        }
    };
    let mut findings: Vec<_> = profile
        .warnings()
        .iter()
        .map(|warning| Finding::warn(check, format!("{place}: {}", warning.field), &*warning.text))
        .collect();
    if findings.is_empty() {
        let key = match profile.key_check_value() {
            Some(value) => format!(", key check value {value}"),
            None => String::new(),
        };
        findings.push(Finding::ok(check, format!("{place} is good{key}")));
    }
    findings.extend(permissions(known));
    findings
}

/// Of a file that has secrets in it.
fn permissions(known: &Known) -> Option<Finding> {
    let check = "file permissions";
    let Place::File(path) = &known.place else {
        return None;
    };
    let fields: Vec<_> = known.exposed.iter().map(|remark| remark.field).collect();
    if fields.is_empty() {
        return Some(Finding::ok(
            check,
            format!("nobody else reads secrets in {}", path.display()),
        ));
    }
    Some(Finding::warn(
        check,
        format!(
            "{}: others on this machine can read {}",
            path.display(),
            fields.join(", ")
        ),
        "run `chmod 640` on it, with the server's group, or `vestibule profile seal`",
    ))
}

fn configuration(path: &Path, config: &Config) -> Finding {
    let check = "configuration";
    let has_passwords = config.pexip.policy.is_some()
        || config.pexip.event_sink.is_some()
        || config.admin.is_some();
    let open = fs::metadata(path).is_ok_and(|metadata| metadata.mode() & OTHERS != 0);
    if has_passwords && open {
        return Finding::warn(
            check,
            format!(
                "{}: everybody on this machine can read the passwords in it",
                path.display()
            ),
            "run `chmod 640` on it, with the server's group",
        );
    }
    Finding::ok(check, format!("{}", path.display()))
}

fn state_key(config: &Config) -> Finding {
    let check = "state key";
    match existing_sealer(config) {
        Err(error) => Finding::fail(
            check,
            format!("{error:#}"),
            "the server does not start without it",
        ),
        Ok(None) => Finding::warn(
            check,
            "there is none yet",
            "the server makes one at its first start; back it up with the database",
        ),
        Ok(Some(_)) => Finding::ok(check, "for the server's eyes only"),
    }
}

fn data(config: &Config) -> Finding {
    let check = "data";
    let path = config.data.display();
    match fs::metadata(&config.data) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Finding::warn(
            check,
            format!("{path} is not there yet"),
            "the server makes it at its first start",
        ),
        Err(error) => Finding::fail(
            check,
            format!("{path}: {error}"),
            "run this command as the server's user, or correct the path",
        ),
        Ok(metadata) if metadata.mode() & 0o077 != 0 => Finding::warn(
            check,
            format!("{path}: others than the server's user can get into it"),
            "run `chmod 700` on it",
        ),
        Ok(_) => Finding::ok(check, format!("{path}, for the server's user only")),
    }
}

fn landing_page(config: &Config) -> Finding {
    let check = "www";
    match LandingPage::of(config) {
        Err(fault) => Finding::fail(
            check,
            fault.to_string(),
            "build the landing page, or correct www and landing_page in the configuration",
        ),
        Ok(page) => Finding::ok(
            check,
            match page.files() {
                PageFiles::Folder(folder) => format!("{}", folder.display()),
                PageFiles::Embedded(_) => "in the program".to_owned(),
            },
        ),
    }
}

fn pexip(config: &Config) -> Finding {
    let check = "pexip";
    match (&config.pexip.policy, &config.pexip.event_sink) {
        (None, None) => Finding::ok(check, "not used: conferences are on the embedded node"),
        (Some(_), Some(_)) if plain::lacks_node(&config.landing_page, &config.pexip) => {
            Finding::warn(
                check,
                "landing_page.node is not named: browsers that cannot run the landing page are sent on to others",
                "name the conferencing node that browsers are to use in landing_page.node",
            )
        }
        (Some(_), Some(_)) => Finding::ok(check, "policy server and event sink are set up here"),
        (Some(_), None) => Finding::warn(
            check,
            "there is a policy server and no event sink: the EHR is not told who is connected",
            "give event_sink_username and event_sink_password, and add the sink in Pexip Infinity",
        ),
        (None, Some(_)) => Finding::fail(
            check,
            "there is an event sink and no policy server: Pexip Infinity finds no conference",
            "give policy_username and policy_password, and add the policy server in Pexip Infinity",
        ),
    }
}
