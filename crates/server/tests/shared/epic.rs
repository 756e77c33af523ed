//! An organisation with Epic's launches, as the profile and the simulated EHR have it.

/// Where the world finds the server. EHR and server have to know each other's address
/// before either has one, so the test's browser alone knows what this one stands for.
pub(crate) const SITE: &str = "https://visit.example.org";

/// The profile's uuid.
pub(crate) const UUID: &str = "12daaebc-ea75-43c1-a6c7-c044be66a36e";

/// The launches' key: 0, 1, 2 … 31.
pub(crate) const KEY: &str = vestibule_test_log::canary::KEY;

/// The profile of a server that is found at `site`. Further fields can follow.
pub(crate) fn profile(site: &str, ehr: &str) -> String {
    format!(
        r#"name = "Healthcare Org"
uuid = "{UUID}"
telehealth_call_domain = "telehealth.example.org"
telehealth_integration_base_url = "{ehr}"
telehealth_integration_oauth2_base_api_url = "{ehr}"
infinity_webapp_server_base_url = "{site}"
patient_oauth2_redirect_url = "{site}/api/telehealth/v1/patient/oauth2authorized/{UUID}"
provider_oauth2_redirect_url = "{site}/api/telehealth/v1/provider/oauth2authorized/{UUID}"
epic_patient_app_client_id = "patient-app"
epic_patient_app_client_secret = "patient secret / 2"
epic_provider_app_client_id = "provider-app"
epic_encryption_key = "{KEY}"
epic_encryption_key_type = "base64key"
epic_encryption_algorithm = "AES-256-CBC"
"#
    )
}

/// The simulated EHR's side of it, with these lines before its tables. Further tables can
/// follow.
pub(crate) fn sandbox(site: &str, lines: &str) -> String {
    format!(
        r#"listen = "127.0.0.1:0"
{lines}
[launch]
provider_url = "{site}/api/telehealth/v1/provider/oauth2smartlaunch/{UUID}"
patient_url = "{site}/api/telehealth/v1/patient/oauth2smartlaunch/{UUID}"
provider_direct_url = "{site}/api/telehealth/v1/provider/directlaunch/{UUID}"
guest_direct_url = "{site}/api/telehealth/v1/patient/directlaunch/{UUID}"
epic_encryption_key = "{KEY}"
epic_encryption_key_type = "base64key"
epic_encryption_algorithm = "AES-256-CBC"
[[clients]]
role = "patient"
client_id = "patient-app"
client_secret = "patient secret / 2"
redirect_uri = "{site}/api/telehealth/v1/patient/oauth2authorized/{UUID}"
[[clients]]
role = "provider"
client_id = "provider-app"
redirect_uri = "{site}/api/telehealth/v1/provider/oauth2authorized/{UUID}"
"#
    )
}
