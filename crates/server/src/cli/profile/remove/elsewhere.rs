//! What is to be removed elsewhere when a profile goes ("Removing a Pexip/Epic
//! integration" of Pexip's documentation, and what the EHR has).

use std::fmt::Write as _;

use uuid::Uuid;

use crate::{cli::profile::keypair::jwks_url, profile::ProfileDocument};

/// A list for two administrators.
pub(super) fn elsewhere(uuid: Uuid, document: Option<&ProfileDocument>) -> String {
    let name = document.map_or("", |document| document.name.as_str());
    let mut text = format!("Profile {uuid} {name}\n\nAlso to be removed on this side:\n");
    let mut item = |line: &str| writeln!(text, "- {line}").expect("a string takes everything");
    item(
        "[[routing_rules]] of vestibule.toml that nothing else needs, and [pexip] with the last profile",
    );
    item("frame_ancestors in it of pages that embedded the visit; DNS names and reverse proxies");
    item("copies of the encryption key and the client secrets, wherever they are kept");
    text.push_str("\nIn Pexip Infinity, where it is used:\n");
    let mut item = |line: &str| writeln!(text, "- {line}").expect("a string takes everything");
    item("the Epic telehealth profile (Call control > Epic Telehealth Profile)");
    item("the Call Routing Rule of telehealth calls (Services > Call routing)");
    item("further Call Routing Rules: device pairing, dial-out (Services > Call routing)");
    item("the telehealth integration license (Platform > Licenses)");
    item("themes that customized the splash screens (Services > Themes)");
    item("web app settings (Services > Web App customization)");
    item(
        "local policy, external policy server and event sink (Call control > Policy profiles, System > Event sinks)",
    );
    text.push_str("\nIn the EHR:\n");
    for line in in_the_ehr(uuid, document) {
        writeln!(text, "- {line}").expect("a string takes everything");
    }
    text.push('\n');
    text
}

fn in_the_ehr(uuid: Uuid, document: Option<&ProfileDocument>) -> Vec<String> {
    let mut lines = vec![format!(
        "the FDI records whose launch URL (CRYPTURL) names {uuid}, with their encryption key"
    )];
    let Some(document) = document else {
        lines.push("the applications' client ids, redirect URLs and JWKS URL".to_owned());
        return lines;
    };
    for (what, value) in [
        (
            "the patients' client id",
            &document.epic_patient_app_client_id,
        ),
        (
            "the providers' client id",
            &document.epic_provider_app_client_id,
        ),
        (
            "the backend client id",
            &document.epic_backend_oauth2_app_client_id,
        ),
        (
            "the patients' redirect URL",
            &document.patient_oauth2_redirect_url,
        ),
        (
            "the providers' redirect URL",
            &document.provider_oauth2_redirect_url,
        ),
    ] {
        if let Some(value) = value {
            lines.push(format!("{what}: {value}"));
        }
    }
    if document.epic_backend_oauth2_app_client_id.is_some() {
        if let Some(url) = jwks_url(document) {
            lines.push(format!("the JWKS URL: {url}"));
        }
        lines.push(
            "the Integration Records for Guest and Provider Direct Join Links, and the backend \
             application's user"
                .to_owned(),
        );
    }
    let writes_back = document.write_back.is_some()
        || document.end_of_call.is_some()
        || document.device_test.is_some();
    if writes_back {
        lines.push("the user and the permissions of connection status calls".to_owned());
    }
    if let Some(zoom) = &document.zoom {
        lines.push(format!("the video visit URL with org_id {}", zoom.org_id));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_are_told_all_that_the_documentation_names() {
        let document = ProfileDocument {
            uuid: Uuid::from_u128(1),
            epic_patient_app_client_id: Some("patient-app".to_owned()),
            epic_provider_app_client_id: Some("provider-app".to_owned()),
            epic_backend_oauth2_app_client_id: Some("backend-app".to_owned()),
            provider_oauth2_redirect_url: Some(format!(
                "https://visit.example.org/api/telehealth/v1/provider/oauth2authorized/{}",
                Uuid::from_u128(1)
            )),
            ..ProfileDocument::default()
        };
        let text = elsewhere(Uuid::from_u128(1), Some(&document));
        for part in [
            "Call Routing Rule",
            "license",
            "Themes",
            "Web App customization",
            "Policy profiles",
            "FDI",
            "patient-app",
            "provider-app",
            "backend-app",
            "oauth2authorized",
            "https://visit.example.org/api/telehealth/v1/jwks/00000000-0000-0000-0000-000000000001",
            "Direct Join Links",
        ] {
            assert!(text.contains(part), "{part} in:\n{text}");
        }
        assert!(elsewhere(Uuid::from_u128(1), None).contains("FDI"));
    }
}
