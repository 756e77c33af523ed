//! How the servers and the EHR of every world are set up.

use std::{fs, path::Path};

use crate::{
    browser::EHR,
    conferencing::{POLICY, SINK},
    epic::{self, SITE},
};

const PROVIDERS: &str = "secret of the providers";

/// What the servers sign in to the EHR with.
pub(crate) const SECRETS: [&str; 2] = [PROVIDERS, "patient secret / 2"];

/// Configuration, profile and landing page. Providers have PIN and name in their links,
/// patients a ticket.
pub(crate) fn write(folder: &Path) {
    let profile = epic::profile(SITE, EHR);
    let profile = format!(
        r#"{profile}
epic_provider_app_client_secret = "{PROVIDERS}"
token_response_map = {{ external_id = "epic_user" }}
patient_web_join_link_template = "{{{{telehealth_integration.infinity_webapp_server_base_url}}}}/webapp/#/?ticket={{{{launch_ticket}}}}"

[write_back]
[end_of_call]
url = "{EHR}/interconnect/api/telehealth/end-of-call"
fields = {{ csn = "unique_encounter_id", user = "external_id", at = "ended_at" }}
"#
    );
    let profiles = folder.join("profiles");
    fs::create_dir(&profiles).unwrap();
    fs::write(profiles.join("healthcare-org.toml"), profile).unwrap();
    let www = folder.join("www");
    fs::create_dir(&www).unwrap();
    for (name, text) in [("index.html", "<head></head>"), ("boot.js", "")] {
        fs::write(www.join(name), text).unwrap();
    }
    let config = format!(
        r#"listen = "127.0.0.1:0"
data = "data"
www = "www"
profiles = "profiles"
[pexip]
policy_username = "{}"
policy_password = "{}"
event_sink_username = "{}"
event_sink_password = "{}"
[limits]
launches_per_minute = 0
"#,
        POLICY.0, POLICY.1, SINK.0, SINK.1
    );
    fs::write(folder.join("vestibule.toml"), config).unwrap();
}

/// The simulated EHR.
pub(crate) fn sandbox() -> String {
    format!(
        r#"{}client_secret = "{PROVIDERS}"
[launch.token_fields]
epic_user = "{{user}}"
"#,
        epic::sandbox(SITE, "")
    )
}
