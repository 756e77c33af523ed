//! The sample profile, and what is wrong with others.

use std::{path::Path, time::Duration};

use url::Url;
use vestibule_launch::EhrRole;

use super::*;

mod advice;
mod exchange;
mod secrets;

const SAMPLE: &str = include_str!("../../../../docs/samples/profiles/healthcare-org.toml");

fn parse(text: &str) -> Result<Profile, ProfileError> {
    Profile::parse(Path::new("profile.toml"), text)
}

fn application(profile: &Profile, role: EhrRole) -> &Application {
    profile.sign_in.as_ref().unwrap().application(role)
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
        ("telehealth_call_domain", "\"S3CRET domain\"".into()),
        ("telehealth_call_domain", "\"someone@S3CRET\"".into()),
        (
            "infinity_webapp_server_base_url",
            "\"https://visit.example.org/?S3CRET\"".into(),
        ),
        (
            "telehealth_integration_oauth2_base_api_url",
            "\"https://epic.example.org/#S3CRET\"".into(),
        ),
        ("secret_overlap_minutes", "10081".into()),
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
fn a_value_of_another_type_is_told_without_it() {
    for (field, value, told) in [
        ("epic_encryption_key", "73161", "must be a string"),
        (
            "epic_encryption_key_type",
            "\"73161\"",
            "must be `password` or `base64key`",
        ),
        (
            "show_debug_information",
            "\"73161\"",
            "must be true or false",
        ),
        ("uuid", "73161", "must be"),
    ] {
        let message = parse(&with(field, value)).unwrap_err().to_string();
        assert!(message.contains(told), "{message}");
        assert!(!message.contains("73161"), "{message}");
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
    assert_eq!(application(&profile, EhrRole::Provider).redirect_uri, url);
}

#[test]
fn a_redirect_url_may_write_the_uuid_in_capitals() {
    let url = "https://visit.example.org/api/telehealth/v1/patient/oauth2authorized/12DAAEBC-EA75-43C1-A6C7-C044BE66A36E";
    let profile = parse(&with("patient_oauth2_redirect_url", &format!("\"{url}\""))).unwrap();
    assert_eq!(application(&profile, EhrRole::Patient).redirect_uri, url);
    let url = url.replace("/patient/", "/PATIENT/");
    assert!(parse(&with("patient_oauth2_redirect_url", &format!("\"{url}\""))).is_err());
}

#[test]
fn listed_issuers_are_compared_whole() {
    let listed = "[\"https://epic.example.org/api/FHIR/R4/\"]";
    let profile = parse(&with("allowed_iss", listed)).unwrap();
    let allows = |iss| {
        profile
            .sign_in
            .as_ref()
            .unwrap()
            .allows(&Url::parse(iss).unwrap())
    };
    assert!(allows("https://epic.example.org/api/FHIR/R4"));
    assert!(allows("https://epic.example.org:443/api/FHIR/R4/"));
    assert!(!allows("https://epic.example.org/api/FHIR"));
    assert!(!allows("https://epic.example.org/api/FHIR/R4/x"));
    assert!(!allows("https://epic.example.org.evil.org/api/FHIR/R4"));
}

#[test]
fn a_password_has_no_key_check_value_to_show() {
    assert!(parse(SAMPLE).unwrap().dialect.key_check_value().is_some());
    let text = with("epic_encryption_key", "\"Secret123!\"")
        .replace("\"AES-256-CBC\"", "\"AES-128-CBC\"")
        .replace("\"base64key\"", "\"password\"");
    assert_eq!(parse(&text).unwrap().dialect.key_check_value(), None);
}

#[test]
fn debug_shows_no_secret() {
    let profile = parse(SAMPLE).unwrap();
    let shown = format!("{profile:?} {:?}", application(&profile, EhrRole::Patient));
    for secret in ["put the EHR's secret here", "AAECAwQF", "Healthcare"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
