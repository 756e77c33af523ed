//! What is not wrong with a profile, but seldom meant.

use secrecy::ExposeSecret as _;
use vestibule_launch::{EhrRole, ErrorName, crypto::KeyType};
use vestibule_template::{TemplateErrorKind, contexts::ErrorPageContext};

use crate::profile::{
    JoinLinkValues, Profile, ProfileDocument, Remark, RenderError, Sample, field::FieldError,
};

/// Shorter passwords can be guessed from a recorded launch.
const SHORT_PASSWORD: usize = 12;

/// What an administrator should know of a profile that can be used.
pub(super) fn warnings(document: &ProfileDocument, profile: &Profile) -> Vec<Remark> {
    let mut warnings = Vec::new();
    password(document, &mut warnings);
    if document.group_visits {
        group_visits(profile, &mut warnings);
    }
    templates(profile, &mut warnings);
    warnings
}

/// Without a service name there is no visit, so a template that fails is a fault.
///
/// # Errors
/// Where it fails with a sample launch.
pub(super) fn service_name(profile: &Profile) -> Result<(), FieldError> {
    let sample = Sample::new();
    let named = profile.service_name(&sample.context, &sample.service_tag);
    named.err().and_then(told).map_or(Ok(()), Err)
}

fn warn(warnings: &mut Vec<Remark>, field: &'static str, text: impl Into<String>) {
    let text = text.into();
    warnings.push(Remark { field, text });
}

fn password(document: &ProfileDocument, warnings: &mut Vec<Remark>) {
    let Some(key) = &document.epic_encryption_key else {
        return;
    };
    if document.epic_encryption_key_type != KeyType::Password {
        return;
    }
    let (field, key) = ("epic_encryption_key", key.expose_secret());
    if key.chars().count() < SHORT_PASSWORD {
        warn(
            warnings,
            field,
            "is a short password, which can be guessed from one recorded launch; \
             use a base64 key, or a random password of 12 characters or more",
        );
    }
    if key.starts_with(['"', '\'', '\u{201c}']) && key.ends_with(['"', '\'', '\u{201d}']) {
        warn(
            warnings,
            field,
            "begins and ends with a quotation mark, which counts as part of the password; \
             remove both unless the EHR has them too",
        );
    }
}

/// The service name is everybody's: it must not tell one patient of another.
fn group_visits(profile: &Profile, warnings: &mut Vec<Remark>) {
    let usual = Sample::new();
    let Ok(name) = profile.service_name(&usual.context, &usual.service_tag) else {
        return;
    };
    for field in ["fname", "mname", "lname"] {
        let mut other = usual.context.clone();
        let information = &mut other.launch_information;
        let part = match field {
            "fname" => &mut information.fname,
            "mname" => &mut information.mname,
            _ => &mut information.lname,
        };
        *part = Some("Somebody".to_owned());
        if profile
            .service_name(&other, &usual.service_tag)
            .is_ok_and(|other| other != name)
        {
            warn(
                warnings,
                "service_name_template",
                format!(
                    "uses launch_information.{field}: in group visits everybody would see the \
                     name of whoever comes first; remove it"
                ),
            );
        }
    }
}

/// Renders every template with a sample launch, so that one that always fails is known
/// before a patient meets it. The service name's is a fault, which was told before.
fn templates(profile: &Profile, warnings: &mut Vec<Remark>) {
    let sample = Sample::new();
    for role in [EhrRole::Patient, EhrRole::Provider] {
        if let Err(error) = join_link(profile, role, &sample) {
            failed(warnings, error);
        }
    }
    for error_name in [ErrorName::MetadataFetch, ErrorName::LinkNotValid] {
        let context = ErrorPageContext {
            error_name: error_name.as_str().to_owned(),
            telehealth_request_id: sample.request_id.to_string(),
            utc_time: "2027-01-15T08:00:00Z".to_owned(),
            detailed_debug_information: Some("details".to_owned()),
            language: None,
        };
        if let Err(error) = profile.error_page(&context) {
            let field = "launch_error_web_template";
            failed(warnings, RenderError::Template { field, error });
            break;
        }
    }
}

fn join_link(profile: &Profile, role: EhrRole, sample: &Sample) -> Result<(), RenderError> {
    let (context, request_id) = (&sample.context, sample.request_id);
    let alias = profile.alias(role, &sample.base_alias, context, request_id)?;
    let display_name = profile.display_name(role, context, request_id)?;
    let values = JoinLinkValues {
        telehealth_alias: &alias,
        display_name: display_name.as_ref().map_or("", |name| name.as_str()),
        pin: (role == EhrRole::Provider).then_some(&sample.pin),
        launch_ticket: &sample.ticket,
        request_id,
        unique_encounter_id: context.unique_encounter_id.as_str(),
    };
    profile.join_link(role, &values).map(drop)
}

fn failed(warnings: &mut Vec<Remark>, error: RenderError) {
    if let Some((field, text)) = told(error) {
        warn(warnings, field, text);
    }
}

fn told(error: RenderError) -> Option<FieldError> {
    let (field, problem) = match error {
        // It asks for the time or for something random, which launches can give.
        RenderError::Template { error, .. } if error.kind == TemplateErrorKind::Unavailable => {
            return None;
        }
        RenderError::Template { field, error } => (field, format!("fails: {error}")),
        RenderError::Unusable { field, problem } => (field, format!("gives {problem}")),
    };
    Some((field, format!("{problem}; tried with a sample launch")))
}
