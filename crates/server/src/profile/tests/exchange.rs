//! Profiles that go out and come in: JSON, TOML, imports.

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::*;
use crate::profile::{
    export,
    import::{ImportError, from_json, from_toml, set_secret},
    json::{self, read, read_patch},
};

fn document() -> ProfileDocument {
    from_toml(Path::new("profile.toml"), SAMPLE)
        .unwrap()
        .document
}

fn give_secrets(document: &mut ProfileDocument) {
    let sample = self::document();
    for (name, secret) in sample.secrets() {
        assert!(set_secret(document, name, secret));
    }
}

#[test]
fn a_profile_comes_back_from_toml_and_json_but_for_its_secrets() {
    let original = document();
    let toml = export::to_toml(&original);
    let json = Value::from(export::to_json(&original)).to_string();
    for text in [&toml, &json] {
        assert!(
            !text.contains("AAECAwQF") && !text.contains("put the EHR"),
            "{text}"
        );
    }
    assert!(toml.contains("#   epic_encryption_key\n"), "{toml}");
    let from_toml = from_toml(Path::new("export.toml"), &toml).unwrap();
    let [from_json] = <[_; 1]>::try_from(from_json(&json).unwrap()).unwrap();
    for mut import in [from_toml, from_json] {
        assert_eq!(
            import.missing_secrets(),
            [
                "epic_encryption_key",
                "epic_patient_app_client_secret",
                "epic_provider_app_client_secret",
            ]
        );
        assert!(import.unknown.is_empty());
        give_secrets(&mut import.document);
        assert!(import.missing_secrets().is_empty());
        assert!(Profile::check(&import.document).is_ok());
        assert_eq!(json::write(&import.document), json::write(&original));
    }
}

#[test]
fn lists_and_the_answer_of_the_management_api_are_read() {
    let object = Value::from(export::to_json(&document()));
    let mut other = object.clone();
    other["name"] = "Other".into();
    for text in [
        json!([object, other]),
        json!({"meta": {"total_count": 2}, "objects": [object, other]}),
    ] {
        let imports = from_json(&text.to_string()).unwrap();
        let names: Vec<_> = imports.iter().map(|import| &import.document.name).collect();
        assert_eq!(names, ["Healthcare Org", "Other"]);
    }
    assert!(matches!(
        from_json("{\"name\": S3CRET}"),
        Err(ImportError::NotJson {
            line: 1,
            column: 10
        })
    ));
    for text in ["7", "[7]", "{\"objects\": 7}"] {
        assert!(
            matches!(from_json(text), Err(ImportError::NoProfiles)),
            "{text}"
        );
    }
    other["launch_validity_minutes"] = "S3CRET".into();
    let message = from_json(&json!([object, other]).to_string())
        .unwrap_err()
        .to_string();
    assert_eq!(
        message,
        "Other:\nlaunch_validity_minutes: must be a whole number, not negative"
    );
}

#[test]
fn what_is_the_default_is_not_kept() {
    let mut written = json::write(&document());
    assert_eq!(written["launch_validity_minutes"], 60);
    let read_back = read(written.clone()).unwrap().document;
    assert_eq!(read_back.launch_validity_minutes, None);
    assert_eq!(read_back.launch_error_web_template, None);
    assert_eq!(read_back.scope, None);
    assert!(read_back.patient_web_join_link_template.is_some());
    written.insert("launch_validity_minutes".to_owned(), json!(61));
    let other = read(written).unwrap().document;
    assert_eq!(other.launch_validity_minutes, Some(61));
}

#[test]
fn a_patch_changes_what_it_names_and_nothing_else() {
    let old = document();
    let patch = json!({
        "description": "other",
        "launch_validity_minutes": 5,
        "patient_web_join_link_template": null,
        "parameter_map": {"unique_encounter_id": "sessionid"},
        "epic_provider_app_client_secret": "new secret",
        "epic_patient_app_client_secret": null,
    });
    let Value::Object(patch) = patch else {
        unreachable!()
    };
    let written = read_patch(patch, &old).unwrap();
    let new = &written.document;
    assert_eq!(
        (new.description.as_str(), new.launch_validity_minutes),
        ("other", Some(5))
    );
    assert_eq!(new.patient_web_join_link_template, None);
    assert_eq!(new.parameter_map.unique_encounter_id, "sessionid");
    assert_eq!(new.parameter_map.fname, "fname");
    assert_eq!((&new.name, new.uuid), (&old.name, old.uuid));
    let secret = new.epic_provider_app_client_secret.as_ref().unwrap();
    assert_eq!(secret.expose_secret(), "new secret");
    assert!(new.epic_encryption_key.is_none(), "not given");
    assert_eq!(
        written.removed.into_iter().collect::<Vec<_>>(),
        ["epic_patient_app_client_secret"]
    );
}
