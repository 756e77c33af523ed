//! `profiles/healthcare-org.toml`: launches, direct join links and write-backs as Epic
//! has them.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use super::{
    ALGORITHM, Addresses, BACKEND_CLIENT, CALL_DOMAIN, DIRECT_LAUNCH_TOKEN_PATH, ENCOUNTER_FIELD,
    END_OF_CALL_PATH, JOIN_LINK, KEY_TYPE, PATIENT_CLIENT, PROVIDER_CLIENT, Secrets, TOKEN_PATH,
    USER_FIELD, WRITE_BACK_USER, redirect_url, text,
};

/// Under the field names of the management API. Templates that are left out have their
/// defaults.
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
    epic_backend_oauth2_app_client_id: &'a str,
    epic_backend_oauth2_app_token_endpoint_url: String,
    epic_backend_oauth2_app_private_key: &'a str,
    token_response_map: TokenResponseMap<'a>,
    direct_links: DirectLinks,
    write_back: WriteBack<'a>,
    end_of_call: EndOfCall<'a>,
}

/// The encounter is in the launch as well, and both are compared.
#[derive(Serialize)]
struct TokenResponseMap<'a> {
    unique_encounter_id: &'a str,
    external_id: &'a str,
}

#[derive(Serialize)]
struct DirectLinks {
    url: String,
}

#[derive(Serialize)]
struct WriteBack<'a> {
    epic_client_id: &'a str,
    authentication: Basic<'a>,
}

#[derive(Serialize)]
struct EndOfCall<'a> {
    url: String,
    fields: BTreeMap<&'a str, &'a str>,
    authentication: Basic<'a>,
}

#[derive(Clone, Copy, Serialize)]
struct Basic<'a> {
    method: &'a str,
    username: &'a str,
    password: &'a str,
}

pub(in super::super) fn profile_text(addresses: &Addresses, secrets: &Secrets) -> Result<String> {
    let authentication = Basic {
        method: "basic",
        username: WRITE_BACK_USER,
        password: &secrets.write_back_password,
    };
    text(
        "# The telehealth profile of `cargo xtask demo`, which sets the port in every address\n\
         # on 127.0.0.1 at every start. Secrets are shared with sandbox.toml.\n\n",
        &Profile {
            name: "Healthcare Org",
            description: "Profile of the demo, with the sandbox EHR",
            uuid: &secrets.uuid,
            telehealth_call_domain: CALL_DOMAIN,
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
            epic_backend_oauth2_app_client_id: BACKEND_CLIENT,
            epic_backend_oauth2_app_token_endpoint_url: addresses.sandbox_url(TOKEN_PATH),
            epic_backend_oauth2_app_private_key: &secrets.backend_private_key,
            token_response_map: TokenResponseMap {
                unique_encounter_id: ENCOUNTER_FIELD,
                external_id: USER_FIELD,
            },
            direct_links: DirectLinks {
                url: addresses.sandbox_url(DIRECT_LAUNCH_TOKEN_PATH),
            },
            write_back: WriteBack {
                epic_client_id: BACKEND_CLIENT,
                authentication,
            },
            end_of_call: EndOfCall {
                url: addresses.sandbox_url(END_OF_CALL_PATH),
                fields: BTreeMap::from([
                    ("csn", "unique_encounter_id"),
                    ("role", "role"),
                    ("ended_at", "ended_at"),
                ]),
                authentication,
            },
        },
    )
}
