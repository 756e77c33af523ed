//! `profile.toml`: a telehealth profile under the field names of Pexip Infinity's
//! management API (`telehealth_profile`), with some fields of our own.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;
use uuid::Uuid;
use vestibule_launch::{
    EhrRole, ParameterMap, PlusSign,
    crypto::{Algorithm, InitializationVector, KeyType, LaunchCipher, LaunchKey},
};
use vestibule_smart::{ClientCredentials, Scope};
use vestibule_template::contexts::TelehealthIntegration;

use super::{AllowedIssuers, Profile, RoleProfile, is_protected, templates};
use crate::{
    config::{ConfigError, parse_toml},
    dialect::Epic,
};

/// Longest values, in characters, as in the management API.
const LONGEST_NAME: usize = 250;
const LONGEST_TEXT: usize = 255;
const LONGEST_SECRET: usize = 100;

/// Longest time for which an alias may lead to its conference: a day.
const LONGEST_VALIDITY_MINUTES: u64 = 24 * 60;

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The file cannot be read, lacks a field or has an unknown one.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// A field's value is wrong. The message does not repeat it.
    #[error("{path}: {field}: {problem}", path = path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// The field.
        field: &'static str,
        /// What is wrong and what to do.
        problem: String,
    },
}

/// A field and what is wrong with it.
pub(super) type FieldError = (&'static str, String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileFile {
    name: String,
    #[serde(default)]
    description: String,
    uuid: Uuid,
    telehealth_call_domain: String,
    telehealth_integration_base_url: String,
    telehealth_integration_oauth2_base_api_url: String,
    infinity_webapp_server_base_url: String,
    patient_oauth2_redirect_url: String,
    provider_oauth2_redirect_url: String,
    epic_patient_app_client_id: String,
    epic_provider_app_client_id: String,
    epic_patient_app_client_secret: Option<SecretString>,
    epic_provider_app_client_secret: Option<SecretString>,
    epic_encryption_key: SecretString,
    #[serde(default)]
    epic_encryption_key_type: KeyType,
    #[serde(default)]
    epic_encryption_algorithm: Algorithm,
    pub(super) patient_alias_template: Option<String>,
    pub(super) provider_alias_template: Option<String>,
    pub(super) patient_display_name_template: Option<String>,
    pub(super) provider_display_name_template: Option<String>,
    pub(super) patient_web_join_link_template: Option<String>,
    pub(super) provider_web_join_link_template: Option<String>,
    pub(super) service_name_template: Option<String>,
    pub(super) launch_error_web_template: Option<String>,
    // Not in the management API.
    encrypted_parameter_name: Option<String>,
    #[serde(default)]
    initialization_vector: InitializationVector,
    #[serde(default)]
    plus_sign: PlusSign,
    #[serde(default)]
    parameter_map: ParameterMap,
    allowed_iss: Option<Vec<String>>,
    launch_validity_minutes: Option<u64>,
    #[serde(default)]
    show_debug_information: bool,
    scope: Option<String>,
}

impl Profile {
    /// Reads and checks a profile.
    ///
    /// # Errors
    /// The first fault that is found, by field.
    pub fn read(path: &Path) -> Result<Self, ProfileError> {
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(path, &text)
    }

    /// The same from the file's text; `path` is for errors.
    ///
    /// # Errors
    /// The first fault that is found, by field.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ProfileError> {
        let file: ProfileFile = parse_toml(path, text)?;
        check(file).map_err(|(field, problem)| ProfileError::Field {
            path: path.to_owned(),
            field,
            problem,
        })
    }
}

fn check(file: ProfileFile) -> Result<Profile, FieldError> {
    text("name", &file.name, LONGEST_NAME)?;
    longest("description", &file.description, LONGEST_NAME)?;
    text(
        "telehealth_call_domain",
        &file.telehealth_call_domain,
        LONGEST_TEXT,
    )?;
    url(
        "telehealth_integration_base_url",
        &file.telehealth_integration_base_url,
    )?;
    let oauth2_base = url(
        "telehealth_integration_oauth2_base_api_url",
        &file.telehealth_integration_oauth2_base_api_url,
    )?;
    url(
        "infinity_webapp_server_base_url",
        &file.infinity_webapp_server_base_url,
    )?;
    Ok(Profile {
        uuid: file.uuid,
        patient: role_profile(&file, EhrRole::Patient)?,
        provider: role_profile(&file, EhrRole::Provider)?,
        service_name: templates::service_name(&file)?,
        error_page: templates::error_page(&file)?,
        key_type: file.epic_encryption_key_type,
        dialect: epic(&file)?,
        scope: scope(file.scope.as_deref())?,
        launch_validity: launch_validity(file.launch_validity_minutes)?,
        allowed_iss: allowed_iss(file.allowed_iss.as_deref(), oauth2_base)?,
        show_debug_information: file.show_debug_information,
        integration: TelehealthIntegration {
            telehealth_call_domain: file.telehealth_call_domain,
            name: file.name,
            description: file.description,
            integration_uuid: file.uuid.to_string(),
            infinity_webapp_server_base_url: file.infinity_webapp_server_base_url,
        },
    })
}

fn role_profile(file: &ProfileFile, role: EhrRole) -> Result<RoleProfile, FieldError> {
    let (client_id_field, client_id, secret_field, secret, redirect_field, redirect_uri) =
        match role {
            EhrRole::Patient => (
                "epic_patient_app_client_id",
                &file.epic_patient_app_client_id,
                "epic_patient_app_client_secret",
                &file.epic_patient_app_client_secret,
                "patient_oauth2_redirect_url",
                &file.patient_oauth2_redirect_url,
            ),
            EhrRole::Provider => (
                "epic_provider_app_client_id",
                &file.epic_provider_app_client_id,
                "epic_provider_app_client_secret",
                &file.epic_provider_app_client_secret,
                "provider_oauth2_redirect_url",
                &file.provider_oauth2_redirect_url,
            ),
        };
    text(client_id_field, client_id, LONGEST_TEXT)?;
    if client_id.bytes().any(|byte| !byte.is_ascii_graphic()) {
        return wrong(
            client_id_field,
            "holds a space or a letter that cannot be sent; copy it again",
        );
    }
    redirect_url(redirect_field, redirect_uri, role, file.uuid)?;
    let client_id = client_id.clone();
    let credentials = match secret {
        None => ClientCredentials::Public { client_id },
        Some(secret) => {
            check_secret(secret_field, secret)?;
            ClientCredentials::Basic {
                client_id,
                client_secret: secret.clone(),
            }
        }
    };
    Ok(RoleProfile {
        credentials,
        redirect_uri: redirect_uri.clone(),
        templates: templates::RoleTemplates::parse(file, role)?,
    })
}

fn epic(file: &ProfileFile) -> Result<Epic, FieldError> {
    let key = LaunchKey::new(
        file.epic_encryption_algorithm,
        file.epic_encryption_key_type,
        file.epic_encryption_key.expose_secret(),
    )
    .map_err(|error| ("epic_encryption_key", error.to_string()))?;
    let name = file
        .encrypted_parameter_name
        .clone()
        .unwrap_or_else(|| "data".to_owned());
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let taken = ["iss", "launch"].contains(&name.as_str());
    if name.is_empty() || name.len() > 64 || !name.bytes().all(is_word) || taken {
        return wrong(
            "encrypted_parameter_name",
            "must be the name of the encrypted parameter in the launch URL, other than iss and launch",
        );
    }
    Ok(Epic {
        encrypted_parameter_name: name,
        cipher: LaunchCipher::new(key, file.initialization_vector),
        plus_sign: file.plus_sign,
        parameter_map: file.parameter_map.clone(),
    })
}

fn scope(scope: Option<&str>) -> Result<Scope, FieldError> {
    scope.map_or_else(
        || Ok(Scope::default()),
        |scope| scope.parse().map_err(|error| ("scope", format!("{error}"))),
    )
}

fn launch_validity(minutes: Option<u64>) -> Result<Duration, FieldError> {
    match minutes.unwrap_or(60) {
        minutes @ 1..=LONGEST_VALIDITY_MINUTES => Ok(Duration::from_secs(minutes * 60)),
        _ => wrong("launch_validity_minutes", "must be 1 to 1440"),
    }
}

fn allowed_iss(allowed: Option<&[String]>, base: Url) -> Result<AllowedIssuers, FieldError> {
    match allowed {
        None => Ok(AllowedIssuers::Under(base)),
        Some([]) => wrong(
            "allowed_iss",
            "is empty, so no EHR could launch; name one or remove the field",
        ),
        Some(allowed) => {
            let urls: Result<_, _> = allowed
                .iter()
                .map(|text| url("allowed_iss", text))
                .collect();
            Ok(AllowedIssuers::These(urls?))
        }
    }
}

/// The redirect URL as registered with the EHR: its path names role and profile.
fn redirect_url(
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
    if !given.ends_with(&path) || url.query().is_some() || url.fragment().is_some() {
        return wrong(
            field,
            &format!("must end in {path}, with or without a slash after it"),
        );
    }
    Ok(())
}

pub(super) fn wrong<T>(field: &'static str, problem: &str) -> Result<T, FieldError> {
    Err((field, problem.to_owned()))
}

pub(super) fn longest(field: &'static str, value: &str, limit: usize) -> Result<(), FieldError> {
    if value.chars().count() > limit {
        return wrong(field, &format!("is longer than {limit} characters"));
    }
    Ok(())
}

fn text(field: &'static str, value: &str, limit: usize) -> Result<(), FieldError> {
    if value.trim().is_empty() {
        return wrong(field, "is empty");
    }
    longest(field, value, limit)
}

fn check_secret(field: &'static str, secret: &SecretString) -> Result<(), FieldError> {
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

fn url(field: &'static str, text: &str) -> Result<Url, FieldError> {
    longest(field, text, LONGEST_TEXT)?;
    Url::parse(text)
        .ok()
        .filter(|url| is_protected(url) && url.username().is_empty() && url.password().is_none())
        .ok_or_else(|| {
            let problem = "must be an https URL (http for this machine only) without user name";
            (field, problem.to_owned())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = include_str!("../../../../docs/samples/profile.toml");

    fn parse(text: &str) -> Result<Profile, ProfileError> {
        Profile::parse(Path::new("profile.toml"), text)
    }

    /// The sample with another value for a field.
    fn with(field: &str, value: &str) -> String {
        let mut found = false;
        let lines = SAMPLE.lines().map(|line| match line.split_once(" = ") {
            Some((name, _)) if name == field && !found => {
                found = true;
                format!("{field} = {value}\n")
            }
            _ => format!("{line}\n"),
        });
        let text: String = lines.collect();
        if found {
            text
        } else {
            format!("{field} = {value}\n{text}")
        }
    }

    #[test]
    fn faults_are_told_by_file_and_field_and_without_the_value() {
        let uuid = "12daaebc-ea75-43c1-a6c7-c044be66a36e";
        let redirect = |role, end| {
            format!(
                "\"https://visit.example.org/api/telehealth/v1/{role}/oauth2authorized/{uuid}{end}\""
            )
        };
        for (field, value) in [
            ("name", "\" \"".to_owned()),
            ("name", format!("\"{}\"", "S3CRET".repeat(50))),
            (
                "telehealth_integration_oauth2_base_api_url",
                "\"http://S3CRET.example.org\"".into(),
            ),
            (
                "telehealth_integration_base_url",
                "\"https://user:S3CRET@example.org\"".into(),
            ),
            ("infinity_webapp_server_base_url", "\"S3CRET\"".into()),
            ("patient_oauth2_redirect_url", redirect("provider", "")),
            ("provider_oauth2_redirect_url", redirect("provider", "x")),
            (
                "provider_oauth2_redirect_url",
                redirect("provider", "?S3CRET"),
            ),
            ("epic_patient_app_client_id", "\"S3CRET \"".into()),
            ("epic_patient_app_client_secret", "\" S3CRET\"".into()),
            ("epic_provider_app_client_secret", "\"S3CRET\\n\"".into()),
            ("epic_encryption_key", "\"S3CRETS3CRETS3CRET\"".into()),
            ("epic_encryption_key", "\"S3CRETAABBBBCCCCDDDDEE==\"".into()),
            ("epic_encryption_key_type", "\"password\"".into()),
            ("encrypted_parameter_name", "\"iss\"".into()),
            ("encrypted_parameter_name", "\"S3CRET&\"".into()),
            ("launch_validity_minutes", "0".into()),
            ("launch_validity_minutes", "1441".into()),
            ("scope", "\"openid\"".into()),
            ("allowed_iss", "[]".into()),
            ("allowed_iss", "[\"http://S3CRET.example.org\"]".into()),
            ("patient_alias_template", "\"S3CRET\"".into()),
            (
                "provider_alias_template",
                "\"{{ base_telehealth_alias\"".into(),
            ),
            ("service_name_template", "\"S3CRET\"".into()),
            (
                "patient_web_join_link_template",
                "\"https://S3CRET\"".into(),
            ),
            (
                "patient_web_join_link_template",
                "\"{{telehealth_alias}}{{pin}}\"".into(),
            ),
            (
                "provider_web_join_link_template",
                "\"{{telehealth_alias}}\"".into(),
            ),
            (
                "provider_web_join_link_template",
                "\"{{launch_ticket}}{{pin}}\"".into(),
            ),
            (
                "patient_web_join_link_template",
                "\"{{launch_ticket}}{{display_name}}\"".into(),
            ),
            ("launch_error_web_template", "\"{% include 'x' %}\"".into()),
            (
                "launch_error_web_template",
                format!("\"{}\"", "x".repeat(12_289)),
            ),
        ] {
            let message = parse(&with(field, &value)).unwrap_err().to_string();
            // The key's type does not fit the algorithm: told of the key.
            let told = if field == "epic_encryption_key_type" {
                "epic_encryption_key"
            } else {
                field
            };
            assert!(
                message.starts_with(&format!("profile.toml: {told}: ")),
                "{message}"
            );
            assert!(!message.contains("S3CRET"), "{message}");
        }
    }

    #[test]
    fn unknown_and_missing_fields_are_told_by_name() {
        let unknown = parse(&with("epic_encryption_kye", "\"S3CRET\""))
            .unwrap_err()
            .to_string();
        assert!(unknown.contains("epic_encryption_kye"), "{unknown}");
        assert!(unknown.contains("line 1"), "{unknown}");
        assert!(!unknown.contains("S3CRET"), "{unknown}");
        for field in [
            "name",
            "uuid",
            "epic_encryption_key",
            "patient_oauth2_redirect_url",
        ] {
            let text = SAMPLE.replace(&format!("\n{field} = "), "\n# ");
            let message = parse(&text).unwrap_err().to_string();
            assert!(message.contains(field), "{message}");
        }
    }

    #[test]
    fn templates_that_are_left_out_are_the_documented_ones() {
        let text: String = SAMPLE
            .lines()
            .filter(|line| !line.contains("join_link_template ="))
            .fold(String::new(), |text, line| text + line + "\n");
        let profile = parse(&text).unwrap();
        assert!(!profile.uses_ticket(EhrRole::Provider));
        assert!(profile.error_page_source().contains("<main"));
        assert_eq!(profile.launch_validity, Duration::from_secs(3600));
    }

    #[test]
    fn a_redirect_url_may_end_in_a_slash_and_is_kept_as_registered() {
        let url = "https://visit.example.org/api/telehealth/v1/provider/oauth2authorized/12daaebc-ea75-43c1-a6c7-c044be66a36e/";
        let profile = parse(&with("provider_oauth2_redirect_url", &format!("\"{url}\""))).unwrap();
        assert_eq!(profile.role(EhrRole::Provider).redirect_uri, url);
    }

    #[test]
    fn listed_issuers_are_compared_whole() {
        let listed = "[\"https://epic.example.org/api/FHIR/R4/\"]";
        let profile = parse(&with("allowed_iss", listed)).unwrap();
        let allows = |iss| profile.allows(&Url::parse(iss).unwrap());
        assert!(allows("https://epic.example.org/api/FHIR/R4"));
        assert!(allows("https://epic.example.org:443/api/FHIR/R4/"));
        assert!(!allows("https://epic.example.org/api/FHIR"));
        assert!(!allows("https://epic.example.org/api/FHIR/R4/x"));
        assert!(!allows("https://epic.example.org.evil.org/api/FHIR/R4"));
    }

    #[test]
    fn a_password_has_no_key_check_value_to_show() {
        assert!(parse(SAMPLE).unwrap().key_check_value().is_some());
        let text = with("epic_encryption_key", "\"Secret123!\"")
            .replace("\"AES-256-CBC\"", "\"AES-128-CBC\"")
            .replace("\"base64key\"", "\"password\"");
        assert_eq!(parse(&text).unwrap().key_check_value(), None);
    }

    #[test]
    fn debug_shows_no_secret() {
        let profile = parse(SAMPLE).unwrap();
        let shown = format!("{profile:?} {:?}", profile.role(EhrRole::Patient));
        for secret in ["put the EHR's secret here", "AAECAwQF", "Healthcare"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
