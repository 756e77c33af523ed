//! The profile that all contenders have, and the secrets in it.

use anyhow::Result;
use serde_json::{Value, json};
use vestibule_launch::crypto::{Algorithm, InitializationVector, KeyType, LaunchCipher, LaunchKey};
use vestibule_template::defaults;

use super::ehr::Ehr;

pub(crate) const UUID: &str = "12daaebc-ea75-43c1-a6c7-c044be66a36e";
pub(crate) const NAME: &str = "Healthcare Org";
pub(crate) const DOMAIN: &str = "telehealth.example.org";
/// A key for measuring, known to everybody.
pub(crate) const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const SCOPE: &str = "launch openid fhirUser";
const WEBAPP: &str = "https://visit.example.org";
const SECRET: &str = "a-secret-for-measuring";

/// The default display name of patients, as nunjucks can read it too.
const PATIENT_NAME: &str = "{{ [launch_information.fname or \"\", launch_information.mname or \"\", \
    launch_information.lname or \"\"] | join(\" \") | replace(\"  \", \" \") }}";
/// Vestibule's own templates need no `urlencode`: what stands in a join link is encoded.
const PROVIDER_LINK: &str = "{{ telehealth_integration.infinity_webapp_server_base_url }}/webapp/#/\
    ?conference={{ telehealth_alias | urlencode }}&pin={{ pin }}&name={{ display_name | urlencode }}";
const PATIENT_LINK: &str = "{{ telehealth_integration.infinity_webapp_server_base_url }}/webapp/#/\
    ?conference={{ telehealth_alias | urlencode }}&name={{ display_name | urlencode }}&role=guest";

/// The roles, and the names of their applications at the EHR.
const APPLICATIONS: [(&str, &str); 2] = [("provider", "app-provider"), ("patient", "app-patient")];

/// The cipher of the launch parameters.
pub(crate) fn cipher() -> Result<LaunchCipher> {
    let key = LaunchKey::new(Algorithm::Aes256Cbc, KeyType::Base64Key, KEY)?;
    Ok(LaunchCipher::new(key, InitializationVector::Zero))
}

fn redirect_uri(server: &str, role: &str) -> String {
    format!("{server}/api/telehealth/v1/{role}/oauth2authorized/{UUID}")
}

/// Vestibule's profile, in TOML.
pub(crate) fn profile(server: &str, ehr: &Ehr) -> String {
    let ehr = &ehr.address;
    let mut text = format!(
        "name = \"{NAME}\"\nuuid = \"{UUID}\"\ntelehealth_call_domain = \"{DOMAIN}\"\n\
         telehealth_integration_base_url = \"{ehr}\"\n\
         telehealth_integration_oauth2_base_api_url = \"{ehr}\"\n\
         infinity_webapp_server_base_url = \"{WEBAPP}\"\n\
         epic_encryption_key = \"{KEY}\"\nepic_encryption_key_type = \"base64key\"\n\
         epic_encryption_algorithm = \"AES-256-CBC\"\nscope = \"{SCOPE}\"\n"
    );
    for (role, client_id) in APPLICATIONS {
        let redirect_uri = redirect_uri(server, role);
        text += &format!(
            "{role}_oauth2_redirect_url = \"{redirect_uri}\"\n\
             epic_{role}_app_client_id = \"{client_id}\"\n\
             epic_{role}_app_client_secret = \"{SECRET}\"\n"
        );
    }
    text
}

/// The same for the peers.
pub(crate) fn peers_profile(server: &str, ehr: &Ehr) -> Value {
    let mut profile = json!({
        "uuid": UUID,
        "iss": ehr.iss(),
        "scope": SCOPE,
        "encryption_key": KEY,
        "telehealth_integration": {
            "name": NAME,
            "description": "",
            "integration_uuid": UUID,
            "telehealth_call_domain": DOMAIN,
            "infinity_webapp_server_base_url": WEBAPP,
        },
        "templates": {
            "alias": defaults::ALIAS,
            "service_name": defaults::SERVICE_NAME,
            "provider_display_name": defaults::PROVIDER_DISPLAY_NAME,
            "patient_display_name": PATIENT_NAME,
            "provider_join_link": PROVIDER_LINK,
            "patient_join_link": PATIENT_LINK,
        },
    });
    for (role, client_id) in APPLICATIONS {
        profile[role] = json!({
            "client_id": client_id,
            "client_secret": SECRET,
            "redirect_uri": redirect_uri(server, role),
        });
    }
    profile
}
