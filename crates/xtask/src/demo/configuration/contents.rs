//! What stands in the configuration files when they are new.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::Result;
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use rand::CryptoRng;
use serde::Serialize;

use super::Addresses;

/// What the profile and the sandbox must agree on.
pub(super) struct Secrets {
    uuid: String,
    encryption_key: String,
    patient_client_secret: String,
    provider_client_secret: String,
}

impl Secrets {
    /// Fresh ones.
    pub(super) fn generate(rng: &mut impl CryptoRng) -> Self {
        let uuid = uuid::Builder::from_random_bytes(random(rng)).into_uuid();
        Self {
            uuid: uuid.to_string(),
            encryption_key: BASE64_STANDARD.encode(random::<32>(rng)),
            patient_client_secret: BASE64_URL_SAFE_NO_PAD.encode(random::<32>(rng)),
            provider_client_secret: BASE64_URL_SAFE_NO_PAD.encode(random::<32>(rng)),
        }
    }
}

const PATIENT_CLIENT: &str = "vestibule-patient";
const PROVIDER_CLIENT: &str = "vestibule-provider";
const KEY_TYPE: &str = "base64key";
const ALGORITHM: &str = "AES-256-CBC";

/// With a ticket no PIN and no name ever stands in an address, and so not in what a
/// browser keeps of the addresses it has been at.
const JOIN_LINK: &str =
    "{{telehealth_integration.infinity_webapp_server_base_url}}/webapp/#/?ticket={{launch_ticket}}";

/// Configuration of the server.
#[derive(Serialize)]
struct Server {
    listen: SocketAddr,
    data: PathBuf,
    www: PathBuf,
    profile: PathBuf,
}

/// A telehealth profile, under the field names of the management API. Templates
/// that are left out have their defaults.
#[derive(Serialize)]
struct Profile<'a> {
    name: &'a str,
    description: &'a str,
    uuid: &'a str,
    telehealth_call_domain: &'a str,
    telehealth_integration_base_url: String,
    telehealth_integration_oauth2_base_api_url: String,
    infinity_webapp_server_base_url: String,
    patient_oauth2_redirect_url: String,
    provider_oauth2_redirect_url: String,
    epic_patient_app_client_id: &'a str,
    epic_patient_app_client_secret: &'a str,
    epic_provider_app_client_id: &'a str,
    epic_provider_app_client_secret: &'a str,
    epic_encryption_key: &'a str,
    epic_encryption_key_type: &'a str,
    epic_encryption_algorithm: &'a str,
    provider_web_join_link_template: &'a str,
    patient_web_join_link_template: &'a str,
}

/// Configuration of the sandbox EHR.
#[derive(Serialize)]
struct Sandbox<'a> {
    listen: SocketAddr,
    launch: Launch<'a>,
    clients: [Client<'a>; 2],
}

#[derive(Serialize)]
struct Launch<'a> {
    provider_url: String,
    patient_url: String,
    epic_encryption_key: &'a str,
    epic_encryption_key_type: &'a str,
    epic_encryption_algorithm: &'a str,
}

#[derive(Serialize)]
struct Client<'a> {
    role: &'a str,
    client_id: &'a str,
    client_secret: &'a str,
    redirect_uri: String,
}

/// `vestibule.toml`.
pub(super) fn server_text(addresses: &Addresses) -> Result<String> {
    text(
        "# The server of `cargo xtask demo`, which sets `listen` and `www` at every start.\n\n",
        &Server {
            listen: addresses.server,
            data: "server".into(),
            www: PathBuf::new(),
            profile: "profile.toml".into(),
        },
    )
}

/// `profile.toml`.
pub(super) fn profile_text(addresses: &Addresses, secrets: &Secrets) -> Result<String> {
    text(
        "# The telehealth profile of `cargo xtask demo`, which sets the port in every address\n\
         # on 127.0.0.1 at every start. Secrets are shared with sandbox.toml.\n\n",
        &Profile {
            name: "Healthcare Org",
            description: "Profile of the demo, with the sandbox EHR",
            uuid: &secrets.uuid,
            telehealth_call_domain: "telehealth.example.com",
            telehealth_integration_base_url: addresses.sandbox_url(""),
            telehealth_integration_oauth2_base_api_url: addresses.sandbox_url(""),
            infinity_webapp_server_base_url: addresses.server_url(""),
            patient_oauth2_redirect_url: redirect_url(addresses, secrets, "patient"),
            provider_oauth2_redirect_url: redirect_url(addresses, secrets, "provider"),
            epic_patient_app_client_id: PATIENT_CLIENT,
            epic_patient_app_client_secret: &secrets.patient_client_secret,
            epic_provider_app_client_id: PROVIDER_CLIENT,
            epic_provider_app_client_secret: &secrets.provider_client_secret,
            epic_encryption_key: &secrets.encryption_key,
            epic_encryption_key_type: KEY_TYPE,
            epic_encryption_algorithm: ALGORITHM,
            provider_web_join_link_template: JOIN_LINK,
            patient_web_join_link_template: JOIN_LINK,
        },
    )
}

/// `sandbox.toml`.
pub(super) fn sandbox_text(addresses: &Addresses, secrets: &Secrets) -> Result<String> {
    let launch_url = |role: &str| {
        addresses.server_url(&format!(
            "/api/telehealth/v1/{role}/oauth2smartlaunch/{}",
            secrets.uuid
        ))
    };
    text(
        "# The sandbox EHR of `cargo xtask demo`, which sets the port in every address on\n\
         # 127.0.0.1 at every start. Secrets are shared with profile.toml.\n\n",
        &Sandbox {
            listen: addresses.sandbox,
            launch: Launch {
                provider_url: launch_url("provider"),
                patient_url: launch_url("patient"),
                epic_encryption_key: &secrets.encryption_key,
                epic_encryption_key_type: KEY_TYPE,
                epic_encryption_algorithm: ALGORITHM,
            },
            clients: [
                Client {
                    role: "provider",
                    client_id: PROVIDER_CLIENT,
                    client_secret: &secrets.provider_client_secret,
                    redirect_uri: redirect_url(addresses, secrets, "provider"),
                },
                Client {
                    role: "patient",
                    client_id: PATIENT_CLIENT,
                    client_secret: &secrets.patient_client_secret,
                    redirect_uri: redirect_url(addresses, secrets, "patient"),
                },
            ],
        },
    )
}

fn redirect_url(addresses: &Addresses, secrets: &Secrets, role: &str) -> String {
    addresses.server_url(&format!(
        "/api/telehealth/v1/{role}/oauth2authorized/{}",
        secrets.uuid
    ))
}

fn text(heading: &str, content: &impl Serialize) -> Result<String> {
    Ok(heading.to_owned() + &toml_edit::ser::to_string_pretty(content)?)
}

fn random<const N: usize>(rng: &mut impl CryptoRng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}
