//! Profiles as they leave the server: without their secrets.

use super::{
    ProfileDocument,
    json::{self, JsonObject},
};

/// As a file of this server's: what has a value, and which secrets have to be given.
pub fn to_toml(document: &ProfileDocument) -> String {
    // Without its secrets, what was replaced is of no use.
    let document = &ProfileDocument {
        previous: None,
        ..document.clone()
    };
    let fields = toml::to_string_pretty(document).expect("a profile has a TOML form");
    let secrets = document.secrets();
    let secrets: String = secrets.keys().map(|name| format!("#   {name}\n")).collect();
    if secrets.is_empty() {
        return fields;
    }
    format!(
        "# Secrets are never exported. To be added before this profile is used:\n{secrets}\n{fields}"
    )
}

/// As the management API words it: every field with its value or its default.
pub fn to_json(document: &ProfileDocument) -> JsonObject {
    let mut object = json::write(document);
    object.remove("previous");
    object
}
