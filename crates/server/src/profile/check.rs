//! From a profile as written down to one that launches can use: a function for each
//! concern, and every fault is told.

use std::{sync::OnceLock, time::Duration};

use vestibule_launch::EhrRole;
use vestibule_template::contexts::TelehealthIntegration;

use super::{
    Faults, PreviousSecrets, Profile, ProfileDocument, SignIn,
    field::{FieldError, LONGEST_NAME, LONGEST_TEXT, base_url, longest, text, wrong},
    templates::{self, RoleTemplates},
};
use crate::{
    dialect::{Dialect, Epic, zoom},
    language, write_back,
};

mod advice;
mod backend;
mod direct_links;
mod encryption;
mod sign_in;

/// Longest time for which an alias may lead to its conference: a day.
const LONGEST_VALIDITY_MINUTES: u64 = 24 * 60;

/// Longest time for which a secret that was replaced may stay valid: a week.
const LONGEST_OVERLAP_MINUTES: u64 = 7 * 24 * 60;

impl Profile {
    /// Checks a profile as written down. What is not wrong but seldom meant is told by
    /// [`Profile::warnings`].
    ///
    /// # Errors
    /// Every fault that is found, by field.
    pub fn check(document: &ProfileDocument) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let document = &*zoom::with_templates(document);
        match gather(document, &mut faults) {
            Some(mut profile) if faults.is_empty() => {
                advice::service_name(&profile)?;
                templates::tell_visits_apart(&profile)?;
                profile.warnings = advice::warnings(document, &profile);
                Ok(profile)
            }
            _ => Err(faults),
        }
    }
}

/// `None` where something is wrong. All checks run before any counts.
fn gather(document: &ProfileDocument, faults: &mut Faults) -> Option<Profile> {
    let integration = integration(document, faults);
    let dialect = dialect(document, faults);
    let backend = backend::backend(document, faults);
    let direct_links = direct_links::direct_links(document, faults);
    encryption::maps(document, faults);
    let write_backs = faults.keep(write_back::check(document));
    let language = faults.keep(language(document.language.as_deref()));
    let launch_validity = faults.keep(launch_validity(document.launch_validity_minutes));
    faults.keep(secret_overlap(document.secret_overlap_minutes));
    faults.keep(previous_ends(document));
    let service_name = faults.keep(templates::service_name(document));
    let error_page = faults.keep(templates::error_page(document));
    let patient = RoleTemplates::parse(document, EhrRole::Patient, faults);
    let provider = RoleTemplates::parse(document, EhrRole::Provider, faults);
    let (dialect, sign_in) = dialect?;
    Some(Profile {
        uuid: document.uuid,
        integration,
        dialect,
        sign_in,
        backend: backend?,
        direct_links: direct_links?,
        token_response_map: document.token_response_map.clone(),
        write_backs: write_backs?,
        launch_validity: launch_validity?,
        language: language?,
        show_debug_information: document.show_debug_information,
        service_name: service_name?,
        error_page: error_page?,
        patient: patient?,
        provider: provider?,
        warnings: Vec::new(),
        surroundings: OnceLock::new(),
        key_check_value: OnceLock::new(),
    })
}

fn integration(document: &ProfileDocument, faults: &mut Faults) -> TelehealthIntegration {
    faults.keep(text("name", &document.name, LONGEST_NAME));
    faults.keep(longest("description", &document.description, LONGEST_NAME));
    faults.keep(if document.uuid.is_nil() {
        wrong("uuid", "is missing; `uuidgen` makes one")
    } else {
        Ok(())
    });
    faults.keep(domain(
        "telehealth_call_domain",
        &document.telehealth_call_domain,
    ));
    let field = "infinity_webapp_server_base_url";
    let base = &document.infinity_webapp_server_base_url;
    let checked = text(field, base, LONGEST_TEXT).and_then(|()| base_url(field, base));
    faults.keep(checked);
    TelehealthIntegration {
        telehealth_call_domain: document.telehealth_call_domain.clone(),
        name: document.name.clone(),
        description: document.description.clone(),
        integration_uuid: document.uuid.to_string(),
        infinity_webapp_server_base_url: base.clone(),
    }
}

/// The vendor whose launches the profile takes, and the sign-in where there is one.
fn dialect(
    document: &ProfileDocument,
    faults: &mut Faults,
) -> Option<(Box<dyn Dialect>, Option<SignIn>)> {
    if let Some(table) = &document.zoom {
        let zoom = faults.keep(zoom::check(document, table))?;
        return Some((Box::new(zoom), None));
    }
    let sign_in = sign_in::sign_in(document, faults);
    let cipher = encryption::cipher(document, faults);
    let name = faults.keep(encryption::encrypted_parameter_name(document));
    let epic = Epic {
        encrypted_parameter_name: name?,
        cipher: cipher?,
    };
    Some((Box::new(epic), Some(sign_in?)))
}

fn previous(document: &ProfileDocument) -> Option<&PreviousSecrets> {
    document.previous.as_ref()
}

/// A name that is not right would prolong a secret unnoticed.
fn previous_ends(document: &ProfileDocument) -> Result<(), FieldError> {
    let Some(table) = previous(document) else {
        return Ok(());
    };
    let secrets = document.secrets();
    let is_there = |name: &String| secrets.contains_key(format!("previous.{name}").as_str());
    if table.ends.keys().all(is_there) {
        return Ok(());
    }
    wrong(
        "previous.ends",
        "must name secrets that are in [previous], such as epic_encryption_key",
    )
}

fn domain(field: &'static str, domain: &str) -> Result<(), FieldError> {
    text(field, domain, LONGEST_TEXT)?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if !domain.bytes().all(is_plain) {
        return wrong(
            field,
            "must be a domain such as telehealth.example.org, of letters, digits, dots and hyphens",
        );
    }
    Ok(())
}

fn language(tag: Option<&str>) -> Result<Option<String>, FieldError> {
    match tag {
        Some(tag) if !language::SPOKEN.contains(&tag) => wrong(
            "language",
            "must be one that the landing page speaks: en, es, fr, de, zh, vi, tl or ar",
        ),
        tag => Ok(tag.map(str::to_owned)),
    }
}

fn launch_validity(minutes: Option<u64>) -> Result<Duration, FieldError> {
    match minutes.unwrap_or(60) {
        minutes @ 1..=LONGEST_VALIDITY_MINUTES => Ok(Duration::from_secs(minutes * 60)),
        _ => wrong("launch_validity_minutes", "must be 1 to 1440"),
    }
}

fn secret_overlap(minutes: Option<u64>) -> Result<(), FieldError> {
    match minutes {
        Some(minutes) if minutes > LONGEST_OVERLAP_MINUTES => {
            wrong("secret_overlap_minutes", "must be 0 to 10080")
        }
        _ => Ok(()),
    }
}
