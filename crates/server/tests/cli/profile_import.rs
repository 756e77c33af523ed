//! `vestibule profile import`, `export` and `list`.

use std::{fs, os::unix::fs::MetadataExt as _};

use serde_json::{Value, json};

use crate::support::{Home, KEY, Profile, UUID, in_terminal};

const SECRETS: [(&str, &str); 3] = [
    ("EPIC_ENCRYPTION_KEY", KEY),
    ("EPIC_PATIENT_APP_CLIENT_SECRET", "patient secret / 2"),
    ("EPIC_PROVIDER_APP_CLIENT_SECRET", "provider secret"),
];

/// A profile as Pexip Infinity's management API gives it: no secrets, fields that only
/// Pexip Infinity has, and a slash after the base URL.
fn exported() -> Value {
    let site = "https://visit.example.org";
    json!({
        "id": 7,
        "resource_uri": "/api/admin/configuration/v1/telehealth_profile/7/",
        "uuid": UUID,
        "name": "Healthcare Org",
        "description": "",
        "telehealth_call_domain": "telehealth.example.org",
        "telehealth_integration_base_url": "https://epic.example.org/",
        "telehealth_integration_oauth2_base_api_url": "https://epic.example.org/interconnect-aocurprd-oauth",
        "infinity_webapp_server_base_url": format!("{site}/"),
        "patient_oauth2_redirect_url": format!("{site}/api/telehealth/v1/patient/oauth2authorized/{UUID}"),
        "provider_oauth2_redirect_url": format!("{site}/api/telehealth/v1/provider/oauth2authorized/{UUID}/"),
        "epic_patient_app_client_id": "patient-app",
        "epic_provider_app_client_id": "provider-app",
        "epic_encryption_key_type": "base64key",
        "epic_encryption_algorithm": "AES-256-CBC",
        "service_name_template": "{{telehealth_integration.name}}:{{unique_encounter_id}}",
        "epic_backend_oauth2_app_client_id": "",
        "epic_backend_oauth2_app_token_endpoint_url": "",
        "some_field_of_a_later_version": true,
    })
}

fn listed(objects: &[Value]) -> String {
    let count = objects.len();
    json!({
        "meta": {"limit": 20, "next": null, "offset": 0, "previous": null, "total_count": count},
        "objects": objects,
    })
    .to_string()
}

fn other(uuid: &str) -> Value {
    let text = exported().to_string().replace(UUID, uuid);
    serde_json::from_str(&text.replace("Healthcare Org", "Other Org")).unwrap()
}

#[test]
fn an_export_of_pexip_infinity_comes_into_the_database() {
    for text in [exported().to_string(), listed(&[exported()])] {
        let home = Home::empty();
        home.write("export.json", &text);
        let import = ["profile", "import", "export.json", "--secrets-from-env"];
        let ran = home.run_with_env(&import, &SECRETS);
        assert!(
            ran.stderr.contains("some_field_of_a_later_version"),
            "{ran:?}"
        );
        assert!(ran.line("database: ").contains(UUID));
        assert!(ran.stdout.contains("key check value"), "{ran:?}");
        ran.good();
        assert_eq!(
            home.run(&["profile", "list"]).good(),
            format!("{UUID}\tgood\tHealthcare Org\tdatabase\n")
        );
        home.run(&["profile", "check"]).good();
        let database = fs::read(home.join("data/vestibule.db")).unwrap();
        let in_clear = |text: &str| {
            database
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        };
        assert!(!in_clear(KEY) && !in_clear("provider secret"));
        // The server starts with it.
        drop(home.serve());
        let again = home.run_with_env(&import, &SECRETS);
        assert!(again.complaint_after_notes().contains("--replace"));
    }
}

#[test]
fn a_profile_is_replaced_while_its_secrets_stay() {
    let home = Home::empty();
    home.write("export.json", &exported().to_string());
    let import = ["profile", "import", "export.json"];
    home.run_with_env(&[&import[..], &["--secrets-from-env"]].concat(), &SECRETS)
        .good();
    let renamed = exported()
        .to_string()
        .replace("Healthcare Org", "Renamed Org");
    home.write("export.json", &renamed);
    home.run(&[&import[..], &["--replace"]].concat()).good();
    let checked = home.run(&["profile", "check"]).good();
    assert!(checked.contains("Renamed Org"), "{checked}");
    assert!(checked.contains("key check value"), "{checked}");
}

#[test]
fn secrets_that_are_missing_are_named_and_nothing_is_stored() {
    let home = Home::empty();
    home.write("export.json", &exported().to_string());
    let ran = home.run(&["profile", "import", "export.json"]);
    for name in [
        "epic_encryption_key",
        "epic_patient_app_client_secret",
        "EPIC_ENCRYPTION_KEY",
    ] {
        assert!(ran.stderr.contains(name), "{ran:?}");
    }
    ran.bad();
    assert_eq!(home.run(&["profile", "list"]).good(), "");
}

#[test]
fn whoever_sits_there_is_asked_for_secrets_without_seeing_them() {
    let home = Home::empty();
    home.write("export.json", &exported().to_string());
    let typed = [
        ("epic_encryption_key (empty: none): ", KEY),
        (
            "epic_patient_app_client_secret (empty: none): ",
            "patient secret / 2",
        ),
        ("epic_provider_app_client_secret (empty: none): ", ""),
    ];
    let ran = in_terminal(home.path(), &["profile", "import", "export.json"], &typed);
    assert!(
        ran.stdout.contains("epic_encryption_key (empty: none)"),
        "{ran:?}"
    );
    assert!(
        !ran.stdout.contains(KEY) && !ran.stdout.contains("secret / 2"),
        "{ran:?}"
    );
    assert!(
        ran.stdout
            .contains("epic_provider_app_client_secret is not given"),
        "{ran:?}"
    );
    ran.good();
    home.run(&["profile", "check"]).good();
}

#[test]
fn a_file_in_which_a_profile_stands_twice_is_refused() {
    let home = Home::empty();
    home.write("export.json", &listed(&[exported(), exported()]));
    let complaint = home.run(&["profile", "import", "export.json"]).complaint();
    assert!(complaint.contains("twice"), "{complaint}");
}

#[test]
fn of_several_profiles_all_or_none_are_taken_and_one_can_be_chosen() {
    let second = "00000000-0000-4000-8000-000000000002";
    let home = Home::empty();
    home.write("export.json", &listed(&[exported(), other(second)]));
    let import = ["profile", "import", "export.json", "--secrets-from-env"];
    let ran = home.run_with_env(&import, &SECRETS);
    assert!(ran.stderr.contains("--only"), "{ran:?}");
    ran.bad();
    let one = [&import[..], &["--only", second]].concat();
    home.run_with_env(&one, &SECRETS).good();
    let list = home.run(&["profile", "list"]).good();
    assert!(
        list.contains("Other Org") && !list.contains("Healthcare Org"),
        "{list}"
    );
    let nobody = [
        &import[..],
        &["--only", "00000000-0000-4000-8000-000000000003"],
    ]
    .concat();
    home.run_with_env(&nobody, &SECRETS).bad();
}

#[test]
fn an_export_becomes_a_file_whose_secrets_are_sealed() {
    let home = Home::empty();
    home.write("export.json", &exported().to_string());
    let import = [
        "profile",
        "import",
        "export.json",
        "--secrets-from-env",
        "--to-folder",
    ];
    let ran = home.run_with_env(&import, &SECRETS);
    assert!(ran.stderr.contains("SIGHUP"), "{ran:?}");
    ran.line("profiles/healthcare-org.toml: ");
    ran.good();
    let file = home.read("profiles/healthcare-org.toml");
    assert!(file.contains("sealed:") && !file.contains(KEY), "{file}");
    let mode = fs::metadata(home.join("profiles/healthcare-org.toml"))
        .unwrap()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    home.run(&["profile", "check"]).good();
    let again = home.run_with_env(&import, &SECRETS);
    assert!(again.complaint_after_notes().contains("has the profile"));

    // Elsewhere, and in the clear.
    fs::create_dir(home.join("elsewhere")).unwrap();
    let clear = [&import[..], &["elsewhere", "--clear"]].concat();
    home.run_with_env(&clear, &SECRETS).good();
    let file = home.read("elsewhere/healthcare-org.toml");
    assert!(file.contains(KEY), "{file}");
    let checked = home.run(&["profile", "check", "elsewhere"]).good();
    assert!(!checked.contains("warning"), "{checked}");
}

#[test]
fn what_is_exported_holds_no_secret_and_can_be_imported_again() {
    let home = Home::with(&Profile::usual().and("[parameter_map]\nfname = \"FirstName\""));
    for (format, file) in [("toml", "out.toml"), ("json", "out.json")] {
        let ran = home.run(&["profile", "export", UUID, "--format", format]);
        assert!(ran.stderr.contains("epic_encryption_key"), "{ran:?}");
        let text = ran.good();
        assert!(
            !text.contains(KEY) && !text.contains("patient secret"),
            "{text}"
        );
        let other = Home::empty();
        other.write(file, &text);
        let import = ["profile", "import", file, "--secrets-from-env"];
        // As many as the exported one had.
        other.run_with_env(&import, &SECRETS[..2]).good();
        let again = other.run(&["profile", "export", UUID, "--format", format]);
        assert_eq!(again.good(), text, "{format}");
    }
    let json = home
        .run(&["profile", "export", UUID, "--format", "json"])
        .good();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["epic_encryption_algorithm"], "AES-256-CBC");
    assert_eq!(json["parameter_map"]["fname"], "FirstName");
}

#[test]
fn what_is_no_profile_is_refused_by_line_or_field() {
    let home = Home::empty();
    for (text, told) in [
        ("{", "line 1, column"),
        ("[1]", "neither a telehealth profile"),
        (r#"{"name": 7, "uuid": "S3CRET"}"#, "uuid"),
        (r#"{"objects": []}"#, "no such profile"),
    ] {
        home.write("export.json", text);
        let ran = home.run(&["profile", "import", "export.json"]);
        assert!(ran.stderr.contains(told), "{ran:?}");
        assert!(!ran.stderr.contains("S3CRET"), "{ran:?}");
        ran.bad();
    }
}
