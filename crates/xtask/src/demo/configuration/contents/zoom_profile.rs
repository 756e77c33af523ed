//! `profiles/zoom.toml`: the same visits by Zoom's links, which need no sign-in.

use anyhow::Result;
use serde::Serialize;

use super::{
    Addresses, CALL_DOMAIN, JOIN_LINK, Secrets, ZOOM_NOTIFICATION_PATH, ZOOM_NOTIFICATION_USER,
    text,
};

#[derive(Serialize)]
struct Profile<'a> {
    name: &'a str,
    description: &'a str,
    uuid: &'a str,
    telehealth_call_domain: &'a str,
    infinity_webapp_server_base_url: String,
    provider_web_join_link_template: &'a str,
    patient_web_join_link_template: &'a str,
    zoom: Zoom<'a>,
}

#[derive(Serialize)]
struct Zoom<'a> {
    org_id: &'a str,
    api_secret: &'a str,
    notification: Notification<'a>,
}

#[derive(Serialize)]
struct Notification<'a> {
    url: String,
    username: &'a str,
    password: &'a str,
}

pub(in super::super) fn zoom_profile_text(
    addresses: &Addresses,
    secrets: &Secrets,
) -> Result<String> {
    text(
        "# The telehealth profile of `cargo xtask demo` for Zoom's links. The demo sets the\n\
         # port in every address on 127.0.0.1 at every start. Secrets are shared with\n\
         # sandbox.toml.\n\n",
        &Profile {
            name: "Healthcare Org (Zoom links)",
            description: "Profile of the demo for Zoom's video visit URLs",
            uuid: &secrets.zoom_uuid,
            telehealth_call_domain: CALL_DOMAIN,
            infinity_webapp_server_base_url: addresses.server_url(""),
            provider_web_join_link_template: JOIN_LINK,
            patient_web_join_link_template: JOIN_LINK,
            zoom: Zoom {
                org_id: &secrets.zoom_org_id,
                api_secret: &secrets.zoom_api_secret,
                notification: Notification {
                    url: addresses.sandbox_url(ZOOM_NOTIFICATION_PATH),
                    username: ZOOM_NOTIFICATION_USER,
                    password: &secrets.zoom_notification_password,
                },
            },
        },
    )
}
