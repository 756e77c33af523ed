//! Whether the EHR's names can be resolved.

use std::{collections::BTreeSet, time::Duration};

use url::{Host, Url};

use super::Finding;
use crate::profile::ProfileDocument;

const CHECK: &str = "dns";

/// How long a name may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// The EHR's addresses that the profile names.
pub(super) fn ehr_urls(document: &ProfileDocument) -> Vec<Url> {
    let notification = document
        .zoom
        .as_ref()
        .and_then(|zoom| zoom.notification.as_ref());
    let texts = [
        document.telehealth_integration_base_url.as_deref(),
        document
            .telehealth_integration_oauth2_base_api_url
            .as_deref(),
        document
            .epic_backend_oauth2_app_token_endpoint_url
            .as_deref(),
        document
            .end_of_call
            .as_ref()
            .map(|table| table.url.as_str()),
        document
            .device_test
            .as_ref()
            .map(|table| table.url.as_str()),
        document
            .write_back
            .as_ref()
            .and_then(|table| table.url.as_deref()),
        document
            .direct_links
            .as_ref()
            .and_then(|table| table.url.as_deref()),
        notification.map(|table| table.url.as_str()),
    ];
    let listed = document.allowed_iss.iter().flatten().map(String::as_str);
    let texts = texts.into_iter().flatten().chain(listed);
    texts.filter_map(|text| text.parse().ok()).collect()
}

pub(super) async fn examine(document: &ProfileDocument) -> Vec<Finding> {
    let urls = ehr_urls(document);
    let names: BTreeSet<String> = urls
        .iter()
        .filter_map(|url| match url.host() {
            Some(Host::Domain(name)) => Some(name.to_owned()),
            // There is nothing to resolve.
            _ => None,
        })
        .collect();
    if urls.is_empty() {
        return vec![Finding::ok(CHECK, "the profile needs no host of the EHR")];
    }
    if names.is_empty() {
        return vec![Finding::ok(CHECK, "the profile names addresses only")];
    }
    let mut findings = Vec::new();
    for name in names {
        findings.push(resolve(&name).await);
    }
    findings
}

async fn resolve(name: &str) -> Finding {
    let looked_up = tokio::time::timeout(DEADLINE, tokio::net::lookup_host((name, 443))).await;
    let advice = "correct the name in the profile, or this machine's DNS";
    match looked_up {
        Err(_) => Finding::fail(CHECK, format!("{name} is not resolved in 5 s"), advice),
        Ok(Err(error)) => Finding::fail(CHECK, format!("{name}: {error}"), advice),
        Ok(Ok(addresses)) => {
            let addresses: BTreeSet<_> = addresses.map(|address| address.ip()).collect();
            match addresses.len() {
                0 => Finding::fail(CHECK, format!("{name} has no address"), advice),
                1 => Finding::ok(CHECK, format!("{name} has an address")),
                count => Finding::ok(CHECK, format!("{name} has {count} addresses")),
            }
        }
    }
}
