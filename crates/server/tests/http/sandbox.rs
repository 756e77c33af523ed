//! The whole way with the sandbox as EHR, which is as strict as a real one.

use std::{fs, sync::Arc};

use vestibule_sandbox::{Config as SandboxConfig, Sandbox};
use vestibule_server::{clock::SystemClock, config::Config, random, server::Server};

use crate::support::{CONFIG, KEY, UUID, location, parameter, write_www};

/// Where the world finds the server. EHR and server have to know each other's address
/// before either has one, so the test's browser alone knows what this one stands for.
const SITE: &str = "https://visit.example.org";

const SCHEDULED: &str = "appointment=1";

fn profile(site: &str, ehr: &str) -> String {
    format!(
        r#"
name = "Healthcare Org"
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

fn sandbox(site: &str) -> String {
    format!(
        r#"
listen = "127.0.0.1:0"
[launch]
provider_url = "{site}/api/telehealth/v1/provider/oauth2smartlaunch/{UUID}"
patient_url = "{site}/api/telehealth/v1/patient/oauth2smartlaunch/{UUID}"
epic_encryption_key = "{KEY}"
epic_encryption_key_type = "base64key"
epic_encryption_algorithm = "AES-256-CBC"
[[clients]]
role = "provider"
client_id = "provider-app"
redirect_uri = "{site}/api/telehealth/v1/provider/oauth2authorized/{UUID}"
[[clients]]
role = "patient"
client_id = "patient-app"
client_secret = "patient secret / 2"
redirect_uri = "{site}/api/telehealth/v1/patient/oauth2authorized/{UUID}"
"#
    )
}

#[tokio::test]
async fn both_go_from_the_ehrs_button_into_the_visit() {
    let config = SandboxConfig::parse(&sandbox(SITE)).unwrap();
    let ehr = Sandbox::bind(config, Arc::new(SystemClock), random::system())
        .await
        .unwrap();
    let address = ehr.address().to_owned();
    tokio::spawn(ehr.serve(std::future::pending()));

    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("profile.toml"), profile(SITE, &address)).unwrap();
    fs::write(folder.path().join("vestibule.toml"), CONFIG).unwrap();
    write_www(&folder.path().join("www"));
    let config = Config::read(&folder.path().join("vestibule.toml")).unwrap();
    let server = Server::bind(&config).await.unwrap();
    let own = format!("http://{}", server.address());
    tokio::spawn(server.run(std::future::pending()));

    #[expect(
        clippy::disallowed_methods,
        reason = "a browser, not the server's client"
    )]
    let builder = reqwest::Client::builder();
    let browser = builder
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let mut links = Vec::new();
    for page in ["clinician", "patient"] {
        let request = browser
            .post(format!("{address}/{page}/launch"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(SCHEDULED);
        let mut response = request.send().await.unwrap();
        while !location(&response).contains("/webapp/#/") {
            let next = location(&response).replace(SITE, &own);
            response = browser.get(next).send().await.unwrap();
            assert_eq!(response.status(), 303, "{}", response.url().path());
        }
        links.push(location(&response).to_owned());
    }
    assert_eq!(parameter(&links[0], "name"), "Healthcare Org");
    assert_eq!(parameter(&links[1], "name"), "Beverley P Spinder");
    assert_eq!(parameter(&links[0], "pin").len(), 8);
    assert!(!links[1].contains("pin="));
}
