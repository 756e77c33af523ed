//! Checks of single fields. A fault is told by field and without the value: it may be
//! a secret.

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;
use uuid::Uuid;
use vestibule_launch::EhrRole;
use vestibule_smart::is_protected;

/// Longest values, in characters, as in the management API.
pub(crate) const LONGEST_NAME: usize = 250;
pub(crate) const LONGEST_TEXT: usize = 255;
pub(super) const LONGEST_SECRET: usize = 100;

/// A field and what is wrong with it.
pub(crate) type FieldError = (&'static str, String);

pub(crate) fn wrong<T>(field: &'static str, problem: &str) -> Result<T, FieldError> {
    Err((field, problem.to_owned()))
}

/// The value of a field that must be there.
pub(crate) fn required<'a, T>(
    field: &'static str,
    value: &'a Option<T>,
) -> Result<&'a T, FieldError> {
    value
        .as_ref()
        .ok_or_else(|| (field, "is missing".to_owned()))
}

pub(crate) fn longest(field: &'static str, value: &str, limit: usize) -> Result<(), FieldError> {
    if value.chars().count() > limit {
        return wrong(field, &format!("is longer than {limit} characters"));
    }
    Ok(())
}

pub(crate) fn text(field: &'static str, value: &str, limit: usize) -> Result<(), FieldError> {
    if value.trim().is_empty() {
        return wrong(field, "is missing or empty");
    }
    longest(field, value, limit)
}

/// The identifier of a registered application.
pub(crate) fn client_id(field: &'static str, value: &str) -> Result<(), FieldError> {
    text(field, value, LONGEST_TEXT)?;
    if value.bytes().any(|byte| !byte.is_ascii_graphic()) {
        return wrong(
            field,
            "holds a space or a letter that cannot be sent; copy it again",
        );
    }
    Ok(())
}

pub(crate) fn secret(field: &'static str, secret: &SecretString) -> Result<(), FieldError> {
    let value = secret.expose_secret();
    text(field, value, LONGEST_SECRET)?;
    if value.trim() != value || value.chars().any(char::is_control) {
        return wrong(
            field,
            "has white space around it or a line break in it; copy it again",
        );
    }
    Ok(())
}

pub(crate) fn url(field: &'static str, text: &str) -> Result<Url, FieldError> {
    longest(field, text, LONGEST_TEXT)?;
    Url::parse(text)
        .ok()
        .filter(|url| is_protected(url) && url.username().is_empty() && url.password().is_none())
        .ok_or_else(|| {
            let problem = "must be an https URL (http for this machine only) without user name";
            (field, problem.to_owned())
        })
}

/// A URL to which paths are appended.
pub(super) fn base_url(field: &'static str, text: &str) -> Result<Url, FieldError> {
    let url = url(field, text)?;
    if url.query().is_some() || url.fragment().is_some() {
        return wrong(field, "must not have a ? or # in it: paths are appended");
    }
    Ok(url)
}

/// The redirect URL as registered with the EHR: its path names role and profile.
pub(super) fn redirect_url(
    field: &'static str,
    text: &str,
    role: EhrRole,
    uuid: Uuid,
) -> Result<(), FieldError> {
    let path = format!(
        "/api/telehealth/v1/{}/oauth2authorized/{uuid}",
        role.as_str()
    );
    let url = url(field, text)?;
    let given = url.path().strip_suffix('/').unwrap_or(url.path());
    // Routes are told apart by case; the uuid in them is not.
    let (before, uuid_given) = given.rsplit_once('/').unwrap_or_default();
    let given = format!("{before}/{}", uuid_given.to_ascii_lowercase());
    if !given.ends_with(&path) || url.query().is_some() || url.fragment().is_some() {
        return wrong(
            field,
            &format!("must end in {path}, with or without a slash after it"),
        );
    }
    Ok(())
}
