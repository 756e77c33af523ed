//! Whether the EHR's addresses can be reached over TLS, and for how long.

use std::collections::BTreeMap;

use http::Request;
use url::Url;
use vestibule_launch::UnixTime;
use x509_cert::{
    Certificate,
    der::Decode as _,
    ext::pkix::{SubjectAltName, name::GeneralName},
};

use super::{
    Finding, Outside,
    answer::{advice, what},
    names::ehr_urls,
};
use crate::{
    clock::rfc3339,
    http_client::{PeerCertificate, TransportError},
    profile::ProfileDocument,
};

const CHECK: &str = "tls";

/// Certificates that end sooner are warned of.
const SOON_DAYS: u64 = 21;

/// Longest page that is read, in bytes.
const LONGEST: usize = 1024 * 1024;

/// Names of a certificate that are shown.
const NAMES: usize = 3;

pub(super) async fn examine(outside: &Outside, document: &ProfileDocument) -> Vec<Finding> {
    // One question for each server, however many URLs of it there are.
    let servers: BTreeMap<String, Url> = ehr_urls(document)
        .into_iter()
        .map(|url| (url.origin().ascii_serialization(), url))
        .collect();
    let mut findings = Vec::new();
    for (origin, url) in servers {
        findings.push(server(outside, &origin, &url).await);
    }
    findings
}

async fn server(outside: &Outside, origin: &str, url: &Url) -> Finding {
    let mut root = url.clone();
    root.set_path("/");
    root.set_query(None);
    let mut request = Request::new(Vec::new());
    match root.as_str().parse() {
        Ok(uri) => *request.uri_mut() = uri,
        Err(_) => {
            return Finding::fail(CHECK, format!("{origin} is no URL"), "correct the profile");
        }
    }
    match outside.send_long(request, LONGEST).await {
        // Whatever the page is, it came over TLS.
        Err(TransportError::TooLarge(_)) => Finding::ok(CHECK, format!("{origin} answers")),
        Err(error @ TransportError::BrokenOff(_)) if url.scheme() == "https" => Finding::warn(
            CHECK,
            format!("{origin}: {}", what(&error)),
            "this alone does no harm where the other checks are good",
        ),
        Err(error) => {
            let advice = advice(&error, "the EHR");
            Finding::fail(CHECK, format!("{origin}: {}", what(&error)), advice)
        }
        Ok(_) if url.scheme() != "https" => Finding::ok(
            CHECK,
            format!("{origin} answers without TLS, which is for this machine only"),
        ),
        Ok(answer) => match answer.extensions().get::<PeerCertificate>() {
            Some(certificate) => judge(origin, &certificate.0, outside.now()),
            None => Finding::ok(CHECK, format!("{origin} answers")),
        },
    }
}

/// The library has found it valid; this is for how long, and for which names.
fn judge(origin: &str, der: &[u8], now: UnixTime) -> Finding {
    let Ok(certificate) = Certificate::from_der(der) else {
        return Finding::ok(CHECK, format!("{origin} has a certificate that is trusted"));
    };
    let names = names(&certificate);
    let end = certificate.tbs_certificate().validity().not_after;
    let end = UnixTime::from_millis(
        i64::try_from(end.to_unix_duration().as_millis()).unwrap_or(i64::MAX),
    );
    let days = end.since(now).as_secs() / (24 * 60 * 60);
    let text = format!(
        "{origin}: certificate for {names}, valid until {}",
        rfc3339(end)
    );
    if days < SOON_DAYS {
        return Finding::warn(
            CHECK,
            format!("{text}, {days} days from now"),
            "have the EHR renew it in time",
        );
    }
    Finding::ok(CHECK, text)
}

fn names(certificate: &Certificate) -> String {
    let tbs = certificate.tbs_certificate();
    let names = tbs.get_extension::<SubjectAltName>().ok().flatten();
    let names: Vec<String> = names
        .iter()
        .flat_map(|(_, names)| &names.0)
        .filter_map(|name| match name {
            GeneralName::DnsName(name) => Some(name.to_string()),
            _ => None,
        })
        .collect();
    match names.len() {
        0 => "no DNS name".to_owned(),
        1..=NAMES => names.join(", "),
        count => format!("{} and {} more", names[..NAMES].join(", "), count - NAMES),
    }
}
