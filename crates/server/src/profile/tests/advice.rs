//! All faults at once, and what is not wrong but seldom meant.

use super::*;

fn warned(text: &str) -> Vec<String> {
    let profile = parse(text).unwrap();
    profile.warnings().iter().map(ToString::to_string).collect()
}

#[test]
fn the_sample_is_without_warnings() {
    assert_eq!(warned(SAMPLE), [""; 0]);
}

#[test]
fn every_fault_is_told_not_the_first_alone() {
    let text = with("name", "\"\"")
        .replace("client_id = \"", "client_id = \" ")
        .replace("\"AES-256-CBC\"", "\"AES-128-CBC\"")
        + "\n[token_response_map]\nfname = \"first name\"\n";
    let message = parse(&text).unwrap_err().to_string();
    let told: Vec<_> = message
        .lines()
        .map(|line| line.split(": ").nth(1).unwrap())
        .collect();
    assert_eq!(
        told,
        [
            "name",
            "epic_patient_app_client_id",
            "epic_provider_app_client_id",
            "epic_encryption_key",
            "token_response_map.fname",
        ]
    );
    assert!(
        message
            .lines()
            .all(|line| line.starts_with("profile.toml: "))
    );
}

#[test]
fn a_template_s_fault_is_told_with_line_and_column() {
    let template = "'''\n\nVisit {{ unique_encounter_id }} {{ launch_information.firstname }}'''";
    let message = parse(&with("service_name_template", template))
        .unwrap_err()
        .to_string();
    assert!(message.contains("firstname"), "{message}");
    assert!(message.contains("line 2, column 36"), "{message}");
    let message = parse(&with(
        "provider_alias_template",
        "'{{ base_telehealth_alias }}{{ pin }}'",
    ))
    .unwrap_err()
    .to_string();
    assert!(message.contains("no variable pin"), "{message}");
}

#[test]
fn the_service_name_of_group_visits_must_not_name_a_patient() {
    let group = |template: &str| {
        with("group_visits", "true").replace(
            "# provider_alias_template",
            &format!("service_name_template = {template}\n#"),
        )
    };
    for (template, fields) in [
        ("'Visit {{unique_encounter_id}}'", vec![]),
        (
            "'{{launch_information.encfacnpiname}} {{unique_encounter_id}}'",
            vec![],
        ),
        (
            "'{{launch_information.lname}} {{unique_encounter_id}}'",
            vec!["lname"],
        ),
        (
            "'{% set who = launch_information %}{{ who.fname | upper }} {{ who.mname }} {{unique_encounter_id}}'",
            vec!["fname", "mname"],
        ),
    ] {
        let warned = warned(&group(template));
        assert_eq!(warned.len(), fields.len(), "{warned:?}");
        for (warning, field) in warned.iter().zip(fields) {
            let told = format!("service_name_template: uses launch_information.{field}:");
            assert!(warning.starts_with(&told), "{warning}");
        }
    }
    // The documented template names the patient; only group visits mind.
    assert_eq!(warned(&with("group_visits", "false")), [""; 0]);
    assert_eq!(warned(&with("group_visits", "true")).len(), 2);
}

#[test]
fn a_service_name_that_two_appointments_share_is_refused() {
    for template in [
        "'Visit {{ unique_encounter_id[:3] }}'",
        "'Visit{% if not unique_encounter_id %} {{ unique_encounter_id }}{% endif %}'",
    ] {
        let message = parse(&with("service_name_template", template))
            .unwrap_err()
            .to_string();
        assert!(
            message.starts_with("profile.toml: service_name_template: gives two appointments"),
            "{message}"
        );
    }
    let last = with("service_name_template", "'{{ unique_encounter_id[-1:] }}'");
    assert!(parse(&last).is_ok());
}

#[test]
fn a_long_service_name_stays_the_appointment_s_own() {
    let profile = parse(SAMPLE).unwrap();
    let named = |mut sample: Sample, letters: usize| {
        sample.context.launch_information.fname = Some("é".repeat(letters));
        profile
            .service_name(&sample.context, &sample.service_tag)
            .unwrap()
    };
    let fixed = named(Sample::new(), 1).chars().count() - 1;
    let longest = named(Sample::new(), 250 - fixed);
    assert_eq!(longest.chars().count(), 250);
    assert!(longest.ends_with(":1853 in Radiology"), "{longest}");
    for letters in [251 - fixed, 300, 512] {
        let name = named(Sample::new(), letters);
        assert_eq!(name, named(Sample::new(), letters));
        assert_eq!(name.chars().count(), 250, "{name}");
        assert!(name.ends_with(" 5a5a5a5a5a5a5a5a"), "{name}");
        assert_ne!(name, named(Sample::next_appointment(), letters));
    }
}

#[test]
fn a_service_name_that_fails_with_a_sample_launch_is_refused() {
    for (template, told) in [
        ("'{{ 1 // 0 }}{{unique_encounter_id}}'", "fails: "),
        (
            "'{% if not unique_encounter_id %}{{unique_encounter_id}}{% endif %}'",
            "gives ",
        ),
    ] {
        let message = parse(&with("service_name_template", template))
            .unwrap_err()
            .to_string();
        let told = format!("profile.toml: service_name_template: {told}");
        assert!(message.starts_with(&told), "{message}");
        assert!(message.contains("tried with a sample launch"), "{message}");
    }
    // The time is there at launches, not here.
    let later = "'{{ pex_now().year }} {{unique_encounter_id}}'";
    assert!(parse(&with("service_name_template", later)).is_ok());
}

#[test]
fn a_template_that_fails_with_a_sample_launch_is_warned_of() {
    for (field, template, told) in [
        (
            "launch_error_web_template",
            "'{{ 1 // 0 }}'",
            "launch_error_web_template: fails: ",
        ),
        (
            "patient_alias_template",
            "'telehealth {{base_telehealth_alias}}'",
            "patient_alias_template: gives no alias",
        ),
        (
            "provider_web_join_link_template",
            "'webapp?conference={{telehealth_alias}}&pin={{pin}}'",
            "provider_web_join_link_template: gives no https URL",
        ),
    ] {
        let warned = warned(&with(field, template));
        assert_eq!(warned.len(), 1, "{warned:?}");
        assert!(warned[0].starts_with(told), "{warned:?}");
        assert!(warned[0].ends_with("tried with a sample launch"));
    }
}

#[test]
fn passwords_that_are_short_or_quoted_are_warned_of() {
    let password = |password: &str| {
        with("epic_encryption_key", password)
            .replace("\"AES-256-CBC\"", "\"AES-128-CBC\"")
            .replace("\"base64key\"", "\"password\"")
    };
    assert_eq!(warned(&password("'a password of some length'")), [""; 0]);
    let short = warned(&password("'Secret123!'"));
    assert!(short[0].contains("is a short password"), "{short:?}");
    let quoted = warned(&password("'\"a password of some length\"'"));
    assert!(quoted[0].contains("a quotation mark"), "{quoted:?}");
    for warned in [short, quoted] {
        assert_eq!(warned.len(), 1);
        assert!(!warned[0].contains("Secret") && !warned[0].contains("length\""));
    }
}
