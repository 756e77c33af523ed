//! `sandbox.toml`.

use std::{collections::BTreeMap, net::SocketAddr};

use anyhow::Result;
use serde::Serialize;

use super::{
    ALGORITHM, Addresses, BACKEND_CLIENT, ENCOUNTER_FIELD, END_OF_CALL_PATH, KEY_TYPE,
    PATIENT_CLIENT, PROVIDER_CLIENT, Secrets, USER_FIELD, WRITE_BACK_USER, ZOOM_NOTIFICATION_USER,
    redirect_url, role_url, text,
};

#[derive(Serialize)]
struct Sandbox<'a> {
    listen: SocketAddr,
    launch: Launch<'a>,
    clients: [Client<'a>; 3],
    status: Status<'a>,
    end_of_call: EndOfCall<'a>,
    zoom: Zoom<'a>,
}

#[derive(Serialize)]
struct Launch<'a> {
    provider_url: String,
    patient_url: String,
    provider_direct_url: String,
    guest_direct_url: String,
    epic_encryption_key: &'a str,
    epic_encryption_key_type: &'a str,
    epic_encryption_algorithm: &'a str,
    token_fields: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
struct Client<'a> {
    role: &'a str,
    client_id: &'a str,
    #[serde(flatten)]
    access: Access<'a>,
}

/// How an application proves itself, and where it gets its codes.
#[derive(Serialize)]
#[serde(untagged)]
enum Access<'a> {
    User {
        client_secret: &'a str,
        redirect_uri: String,
    },
    Backend {
        jwks_url: String,
    },
}

#[derive(Serialize)]
struct Status<'a> {
    username: &'a str,
    password: &'a str,
    client_id: &'a str,
}

#[derive(Serialize)]
struct EndOfCall<'a> {
    path: &'a str,
    username: &'a str,
    password: &'a str,
}

#[derive(Serialize)]
struct Zoom<'a> {
    url: String,
    org_id: &'a str,
    api_secret: &'a str,
    notification_username: &'a str,
    notification_password: &'a str,
}

pub(in super::super) fn sandbox_text(addresses: &Addresses, secrets: &Secrets) -> Result<String> {
    let url = |role, action| role_url(addresses, role, action, &secrets.uuid);
    let user = |role, client_id, client_secret| Client {
        role,
        client_id,
        access: Access::User {
            client_secret,
            redirect_uri: redirect_url(addresses, secrets, role),
        },
    };
    text(
        "# The sandbox EHR of `cargo xtask demo`, which sets the port in every address on\n\
         # 127.0.0.1 at every start. Secrets are shared with the profiles.\n\n",
        &Sandbox {
            listen: addresses.sandbox,
            launch: Launch {
                provider_url: url("provider", "oauth2smartlaunch"),
                patient_url: url("patient", "oauth2smartlaunch"),
                provider_direct_url: url("provider", "directlaunch"),
                guest_direct_url: url("patient", "directlaunch"),
                epic_encryption_key: &secrets.encryption_key,
                epic_encryption_key_type: KEY_TYPE,
                epic_encryption_algorithm: ALGORITHM,
                token_fields: BTreeMap::from([(USER_FIELD, "{user}"), (ENCOUNTER_FIELD, "{csn}")]),
            },
            clients: [
                user(
                    "provider",
                    PROVIDER_CLIENT,
                    secrets.provider_client_secret.as_str(),
                ),
                user(
                    "patient",
                    PATIENT_CLIENT,
                    secrets.patient_client_secret.as_str(),
                ),
                Client {
                    role: "backend",
                    client_id: BACKEND_CLIENT,
                    access: Access::Backend {
                        jwks_url: addresses
                            .server_url(&format!("/api/telehealth/v1/jwks/{}", secrets.uuid)),
                    },
                },
            ],
            status: Status {
                username: WRITE_BACK_USER,
                password: &secrets.write_back_password,
                client_id: BACKEND_CLIENT,
            },
            end_of_call: EndOfCall {
                path: END_OF_CALL_PATH,
                username: WRITE_BACK_USER,
                password: &secrets.write_back_password,
            },
            zoom: Zoom {
                url: addresses.server_url("/telehealth"),
                org_id: &secrets.zoom_org_id,
                api_secret: &secrets.zoom_api_secret,
                notification_username: ZOOM_NOTIFICATION_USER,
                notification_password: &secrets.zoom_notification_password,
            },
        },
    )
}
