//! Whether the EHR tells its SMART endpoints, and what its clock says.

use std::time::Duration;

use http::HeaderMap;
use url::Url;
use vestibule_launch::EhrRole;
use vestibule_smart::{
    ClockSkew, MAX_CAPABILITY_STATEMENT_BYTES, Metadata, MetadataError,
    capability_statement_request, metadata_request,
};

use super::{
    Finding, Outside,
    answer::{advice, what},
};
use crate::{
    http_client::TransportError,
    profile::{ProfileDocument, SignIn},
};

const CHECK: &str = "metadata";
const CLOCK: &str = "clock";

/// Further apart than this, signed proofs are refused.
const TOO_FAR: Duration = Duration::from_secs(60);

/// Further apart than this, that is near.
const FAR: Duration = Duration::from_secs(10);

/// What is found, and the endpoints of the first EHR that tells them.
pub(super) async fn examine(
    outside: &Outside,
    document: &ProfileDocument,
    sign_in: &SignIn,
    iss: Option<&Url>,
) -> (Vec<Finding>, Option<Metadata>) {
    let (places, guessed) = places(document, sign_in, iss);
    let client_id = sign_in
        .application(EhrRole::Provider)
        .credentials
        .current()
        .client_id();
    let mut findings = Vec::new();
    let mut first = None;
    for place in places {
        match ask(outside, &place, sign_in, client_id).await {
            Ok((metadata, headers, older)) => {
                findings.extend(judge(&place, &metadata, older, sign_in));
                findings.push(clock(outside, &place, &headers));
                first.get_or_insert(metadata);
            }
            Err((text, advice)) => {
                let advice = match guessed {
                    false => advice,
                    true => format!(
                        "{advice}; this iss is a guess: name the EHR's FHIR base URL by --iss, \
                         or in allowed_iss"
                    ),
                };
                findings.push(Finding::fail(CHECK, format!("{place}: {text}"), advice));
            }
        }
    }
    (findings, first)
}

/// The FHIR base URLs that may launch, and whether that is a guess.
fn places(document: &ProfileDocument, sign_in: &SignIn, iss: Option<&Url>) -> (Vec<Url>, bool) {
    if let Some(iss) = iss {
        return (vec![iss.clone()], false);
    }
    let listed = document.allowed_iss.iter().flatten();
    let listed: Vec<Url> = listed.filter_map(|text| text.parse().ok()).collect();
    if !listed.is_empty() {
        return (listed, false);
    }
    // Where Epic has it.
    let mut usual = sign_in.oauth2_base.clone();
    let path = format!("{}/api/FHIR/R4", usual.path().trim_end_matches('/'));
    usual.set_path(&path);
    (vec![usual], true)
}

type Told = (Metadata, HeaderMap, bool);

/// Asks in every place where the server would. The flag says that it was the older one.
async fn ask(
    outside: &Outside,
    iss: &Url,
    sign_in: &SignIn,
    client_id: &str,
) -> Result<Told, (String, String)> {
    if !sign_in.allows(iss) {
        return Err((
            "not allowed to launch".to_owned(),
            "add it to allowed_iss, or correct telehealth_integration_oauth2_base_api_url"
                .to_owned(),
        ));
    }
    let unsent = |error: vestibule_smart::MetadataRequestError| {
        (error.to_string(), "correct the profile".to_owned())
    };
    let request = metadata_request(iss, client_id).map_err(unsent)?;
    let error = match outside.send(request).await {
        Ok(answer) => match Metadata::from_response(&answer) {
            Ok(metadata) => return Ok((metadata, answer.headers().clone(), false)),
            Err(error) => error,
        },
        Err(TransportError::TooLarge(_)) => MetadataError::TooLarge,
        Err(error) => return Err((what(&error), advice(&error, "the EHR"))),
    };
    let mut bases = vec![iss.clone(), sign_in.oauth2_base.clone()];
    bases.dedup();
    for base in bases {
        let request = capability_statement_request(&base, client_id).map_err(unsent)?;
        let answer = outside
            .send_long(request, MAX_CAPABILITY_STATEMENT_BYTES)
            .await;
        if let Ok(answer) = answer
            && let Ok(metadata) = Metadata::from_capability_statement(&answer)
        {
            return Ok((metadata, answer.headers().clone(), true));
        }
    }
    Err((error.to_string(), metadata_advice(error)))
}

fn metadata_advice(error: MetadataError) -> String {
    match error {
        MetadataError::Status(404 | 410) => {
            "correct the FHIR base URL, or have the EHR serve .well-known/smart-configuration below it"
        }
        MetadataError::Status(401 | 403) => {
            "have the EHR let this server ask without a sign-in, and activate the application there"
        }
        MetadataError::Status(_) => "ask the EHR's administrators whether it is up",
        MetadataError::TooLarge | MetadataError::Malformed => {
            "correct the FHIR base URL: something else answers there"
        }
        MetadataError::EndpointInvalid(_) | MetadataError::OAuthUrisMissing => {
            "have the EHR's administrators correct its SMART metadata"
        }
        MetadataError::S256Unsupported => {
            "have the EHR's administrators support PKCE with S256, without which there is no sign-in"
        }
    }
    .to_owned()
}

fn judge(place: &Url, metadata: &Metadata, older: bool, sign_in: &SignIn) -> Vec<Finding> {
    let authorize = metadata.authorization_endpoint();
    let token: Option<Url> = metadata.token_endpoint().to_string().parse().ok();
    let base = &sign_in.oauth2_base;
    let elsewhere: Vec<_> = [Some(authorize), token.as_ref()]
        .into_iter()
        .flatten()
        .filter(|endpoint| endpoint.origin() != base.origin())
        .map(Url::as_str)
        .collect();
    if !elsewhere.is_empty() {
        return vec![Finding::warn(
            CHECK,
            format!(
                "{place} names endpoints elsewhere: {}",
                elsewhere.join(", ")
            ),
            "correct telehealth_integration_oauth2_base_api_url unless the EHR means it",
        )];
    }
    let form = match older {
        true => "CapabilityStatement, as of an older EHR",
        false => "smart-configuration",
    };
    vec![Finding::ok(
        CHECK,
        format!("{place}: {form}, endpoints below {base}"),
    )]
}

fn clock(outside: &Outside, place: &Url, headers: &HeaderMap) -> Finding {
    let host = place.host_str().unwrap_or_default();
    let Some(skew) = ClockSkew::of_answer(headers, outside.now()) else {
        return Finding::warn(
            CLOCK,
            format!("{host} does not say what time it is"),
            "compare the clocks by hand",
        );
    };
    let seconds = skew.seconds();
    let text = match seconds {
        0 => format!("the same as at {host}"),
        1.. => format!("{seconds} s behind {host}"),
        _ => format!("{} s ahead of {host}", seconds.unsigned_abs()),
    };
    let advice = "set this machine's clock by NTP, or have the EHR set its own";
    if skew.exceeds(TOO_FAR) {
        Finding::fail(CLOCK, text, advice)
    } else if skew.exceeds(FAR) {
        Finding::warn(CLOCK, text, advice)
    } else {
        Finding::ok(CLOCK, text)
    }
}
