//! What stands in the configuration files when they are new.

mod profile;
mod sandbox;
mod secrets;
mod server;
mod zoom_profile;

use anyhow::Result;
use serde::Serialize;

pub(super) use self::{
    profile::profile_text, sandbox::sandbox_text, secrets::Secrets, server::server_text,
    zoom_profile::zoom_profile_text,
};
use super::Addresses;

const PATIENT_CLIENT: &str = "vestibule-patient";
const PROVIDER_CLIENT: &str = "vestibule-provider";
const BACKEND_CLIENT: &str = "vestibule-backend";
const KEY_TYPE: &str = "base64key";
const ALGORITHM: &str = "AES-256-CBC";

/// Who tells the EHR of connections and of the end. Epic wants `emp$` before its users.
const WRITE_BACK_USER: &str = "emp$VESTIBULE";
const ZOOM_NOTIFICATION_USER: &str = "vestibule";
/// Where the EHR takes these calls and asks about direct join links.
const END_OF_CALL_PATH: &str = "/interconnect/api/telehealth/end-of-call";
const DIRECT_LAUNCH_TOKEN_PATH: &str = "/api/telehealth/direct-launch-token";
const TOKEN_PATH: &str = "/oauth2/token";
const ZOOM_NOTIFICATION_PATH: &str = "/zoom/notifications";

/// What the EHR's token response says beside: who launched, and the encounter.
const USER_FIELD: &str = "launching_user";
const ENCOUNTER_FIELD: &str = "encounter_csn";

const CALL_DOMAIN: &str = "telehealth.example.com";

/// With a ticket no PIN and no name ever stands in an address, and so not in what a
/// browser keeps of the addresses it has been at.
const JOIN_LINK: &str =
    "{{telehealth_integration.infinity_webapp_server_base_url}}/webapp/#/?ticket={{launch_ticket}}";

/// An address of the server for one role and the profile with the `uuid`.
fn role_url(addresses: &Addresses, role: &str, action: &str, uuid: &str) -> String {
    addresses.server_url(&format!("/api/telehealth/v1/{role}/{action}/{uuid}"))
}

fn redirect_url(addresses: &Addresses, secrets: &Secrets, role: &str) -> String {
    role_url(addresses, role, "oauth2authorized", &secrets.uuid)
}

fn text(heading: &str, content: &impl Serialize) -> Result<String> {
    Ok(heading.to_owned() + &toml_edit::ser::to_string_pretty(content)?)
}
