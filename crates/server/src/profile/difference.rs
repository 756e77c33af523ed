//! What differs between two states of a profile, for the audit log.

use secrecy::{ExposeSecret as _, SecretString};

use super::{ProfileDocument, json};

/// The names of the fields that differ. Values may be secrets, or a patient's name in a
/// template: they stay out.
pub(crate) fn changed_fields(old: &ProfileDocument, new: &ProfileDocument) -> Vec<String> {
    let (before, after) = (json::write(old), json::write(new));
    let plain = after
        .iter()
        .filter(|(name, value)| before.get(*name) != Some(value));
    let mut fields: Vec<String> = plain.map(|(name, _)| name.clone()).collect();
    let (before, after) = (old.secrets(), new.secrets());
    let names = before
        .keys()
        .chain(after.keys().filter(|name| !before.contains_key(*name)));
    for name in names {
        let exposed =
            |secret: Option<&SecretString>| secret.map(|secret| secret.expose_secret().to_owned());
        if exposed(before.get(name)) != exposed(after.get(name)) {
            fields.push((*name).to_owned());
        }
    }
    fields
}
