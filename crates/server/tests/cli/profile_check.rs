//! `vestibule profile check`.

use vestibule_launch::crypto::{Algorithm, KeyCheckValue, KeyType, LaunchKey};

use crate::support::{Home, KEY, Profile, UUID};

#[test]
fn a_good_profile_is_told_with_its_key_check_value() {
    let home = Home::with(&Profile::usual());
    let key = LaunchKey::new(Algorithm::Aes256Cbc, KeyType::Base64Key, KEY).unwrap();
    let good = format!(
        "profiles/org.toml: good: {UUID} Healthcare Org, key check value {}\n",
        KeyCheckValue::of(&key)
    );
    for arguments in [
        vec!["profile", "check"],
        vec!["profile", "check", "profiles"],
        vec!["profile", "check", "profiles/org.toml"],
    ] {
        assert_eq!(home.run(&arguments).good(), good);
    }
}

#[test]
fn every_fault_of_every_file_is_told_by_field_and_without_its_value() {
    let faulty = Profile::usual()
        .with(KEY, "S3CRETkeyS3CRETkey")
        .with("epic_provider_app_client_id = \"provider-app\"", "epic_provider_app_client_id = \" S3CRET id\"")
        .and("launch_validity_minutes = 0")
        .and("patient_web_join_link_template = \"https://visit.example.org/{{telehealth_alias}}/{{pin}}\"");
    let home = Home::with(&faulty);
    home.write("profiles/other.toml", "naem = \"Other\"\n");
    let ran = home.run(&["profile", "check"]);
    for (file, field) in [
        ("org", "epic_encryption_key: "),
        ("org", "epic_provider_app_client_id: "),
        ("org", "launch_validity_minutes: "),
        ("org", "patient_web_join_link_template: "),
        ("other", "line 1, column 1: "),
    ] {
        ran.line(&format!("profiles/{file}.toml: {field}"));
    }
    assert!(!ran.stdout.contains("S3CRET"), "{ran:?}");
    assert!(ran.bad().contains("naem"));
}

#[test]
fn a_template_that_names_something_unknown_is_told_with_line_and_column() {
    let profile = Profile::usual().and(
        "service_name_template = \"{{unique_encounter_id}}\\n  {{launch_information.firstname}}\"",
    );
    let ran = Home::with(&profile).run(&["profile", "check"]);
    let line = ran.line("profiles/org.toml: service_name_template: ");
    assert!(line.contains("line 2"), "{line}");
    assert!(line.contains("firstname"), "{line}");
    ran.bad();
}

#[test]
fn what_is_seldom_meant_is_a_warning_and_no_fault() {
    let profile = Profile::usual()
        .with(KEY, "hunter2")
        .with("\"base64key\"", "\"password\"")
        .with("AES-256-CBC", "AES-128-CBC")
        .and("group_visits = true");
    let home = Home::with(&profile);
    home.permit("profiles/org.toml", 0o644);
    let ran = home.run(&["profile", "check"]);
    for field in [
        "epic_encryption_key: is a short password",
        "service_name_template: uses launch_information.fname",
        "service_name_template: uses launch_information.lname",
        "epic_encryption_key: stands in the clear",
        "epic_patient_app_client_secret: stands in the clear",
    ] {
        ran.line(&format!("profiles/org.toml: warning: {field}"));
    }
    let good = ran.line("profiles/org.toml: good:");
    assert!(good.contains("the key is a password"), "{good}");
    assert!(!ran.stdout.contains("hunter2"));
    ran.good();
}

#[test]
fn profiles_that_do_not_go_together_or_lead_nowhere_are_faults() {
    let home = Home::with(&Profile::usual());
    home.write("profiles/same.toml", &Profile::usual().0);
    let ran = home.run(&["profile", "check"]);
    let line = ran.line("profiles/same.toml: ");
    assert!(line.contains(UUID), "{line}");
    ran.bad();

    let lost = Profile::usual().and("patient_alias_template = \"lost.{{base_telehealth_alias}}\"");
    let ran = Home::with(&lost).run(&["profile", "check"]);
    let line = ran.line("profiles/org.toml: patient_alias_template: ");
    assert!(line.contains("routing"), "{line}");
    ran.bad();
}

#[test]
fn a_folder_or_file_that_is_not_there_is_told() {
    let home = Home::empty();
    assert!(
        home.run(&["profile", "check", "nowhere.toml"])
            .bad()
            .contains("nowhere.toml")
    );
    let ran = home.run(&["profile", "check", "--config", "nowhere.toml"]);
    assert!(ran.complaint().contains("nowhere.toml"));
}
