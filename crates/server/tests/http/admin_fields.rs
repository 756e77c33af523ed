//! What the fields of a profile may hold, over the admin API.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Admin, KEY, PATH, UUID};

const SECOND: &str = "5a0e0d4a-4c3f-4a0e-9a57-3f1d6c1d2b3a";

#[tokio::test]
async fn secrets_never_come_back_and_stay_where_they_are_not_given() {
    let admin = Admin::start().await;
    let mut profile = admin.profile(SECOND);
    let private_key = vestibule_smart::AssertionKey::generate(vestibule_smart::KeyKind::P384)
        .unwrap()
        .to_pem();
    profile["epic_patient_app_client_secret"] = "patients-secret".into();
    profile["epic_backend_oauth2_app_client_id"] = "backend".into();
    profile["epic_backend_oauth2_app_token_endpoint_url"] = "https://epic.example.org/token".into();
    profile["epic_backend_oauth2_app_private_key"] = private_key.as_str().into();
    let path = admin.create(&profile).await;
    let key_text = private_key.lines().nth(1).unwrap();
    let secrets = [KEY, "patients-secret", "client-secret-of-the-ehr", key_text];
    let kept = json!([
        "epic_backend_oauth2_app_private_key",
        "epic_encryption_key",
        "epic_patient_app_client_secret",
        "epic_provider_app_client_secret",
    ]);
    for without in [
        "epic_patient_app_client_secret",
        "epic_provider_app_client_secret",
        "epic_encryption_key",
        "epic_backend_oauth2_app_private_key",
    ] {
        profile.as_object_mut().unwrap().remove(without);
    }
    // Pexip Infinity's exports have empty texts in their place.
    let mut blank = profile.clone();
    blank["epic_patient_app_client_secret"] = "".into();
    for answer in [
        admin.get(&path).await,
        admin.get(PATH).await,
        admin.get(&format!("{PATH}schema/")).await,
        admin.patch(&path, json!({"description": "other"})).await,
        admin.send(Method::PUT, &path, Some(&profile)).await,
        admin.send(Method::PUT, &path, Some(&blank)).await,
    ] {
        assert_eq!(answer.status, 200, "{}", answer.text);
        for secret in secrets {
            assert!(!answer.text.contains(secret), "{secret} in {}", answer.text);
        }
    }
    assert_eq!(admin.get(&path).await.json()["secrets"], kept);
    let removed = json!({"epic_patient_app_client_secret": null});
    let removed = admin.patch(&path, removed).await.json();
    assert!(
        !removed["secrets"].to_string().contains("patient"),
        "{removed}"
    );
    let data = admin.server.folder.path().join("data");
    for entry in std::fs::read_dir(data).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for secret in secrets.into_iter().chain(["Second Org"]) {
            let found = bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!found, "{secret}");
        }
    }
}

#[tokio::test]
async fn what_pexip_infinity_exports_is_taken_as_it_is() {
    let admin = Admin::start().await;
    let mut exported = admin.profile(SECOND);
    let object = exported.as_object_mut().unwrap();
    for (name, value) in [
        ("id", json!(7)),
        ("resource_uri", json!(format!("{PATH}7/"))),
        ("epic_backend_oauth2_app_client_id", json!("")),
        ("epic_backend_oauth2_app_private_key", json!("")),
        ("epic_backend_oauth2_app_token_endpoint_url", json!(null)),
        ("epic_encryption_algorithm", json!("AES256")),
        ("a_field_of_later", json!(true)),
        (
            "provider_alias_template",
            json!(vestibule_template::defaults::ALIAS),
        ),
    ] {
        object.insert(name.to_owned(), value);
    }
    let made = admin.post(&exported).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let made = made.json();
    assert_eq!(made["unknown_fields"], json!(["a_field_of_later"]));
    assert_eq!(made["epic_encryption_algorithm"], "AES-256-CBC");
    assert_eq!(made["epic_backend_oauth2_app_client_id"], Value::Null);
    assert_ne!(made["id"], 7);
    for template in ["launch_error_web_template", "service_name_template"] {
        assert!(made[template].as_str().unwrap().len() > 20, "the default");
    }
    let mut without_uuid = admin.profile(SECOND);
    for field in ["uuid", "patient_oauth2_redirect_url"] {
        without_uuid.as_object_mut().unwrap().remove(field);
    }
    // A new one is given, which the redirect URLs cannot name yet.
    let refused = admin.post(&without_uuid).await;
    assert!(
        refused
            .fault("provider_oauth2_redirect_url")
            .contains("must end in")
    );
}

#[tokio::test]
async fn every_fault_is_told_by_its_field_and_without_its_value() {
    let admin = Admin::start().await;
    let mut profile = admin.profile(SECOND);
    let wrong = [
        ("telehealth_call_domain", json!("a domain S3CRET")),
        ("epic_encryption_key", json!(format!("{KEY}S3CRET"))),
        (
            "infinity_webapp_server_base_url",
            json!("http://S3CRET.example.org"),
        ),
        ("service_name_template", json!("S3CRET")),
        ("patient_alias_template", json!("{{base_telehealth_alias}")),
        ("epic_backend_oauth2_app_client_id", json!("backend")),
    ];
    for (field, value) in &wrong {
        profile[*field] = value.clone();
    }
    let refused = admin.post(&profile).await;
    assert_eq!(refused.status, 400);
    assert!(!refused.text.contains("S3CRET"), "{}", refused.text);
    let told = refused.json();
    let told: Vec<_> = told["telehealth_profile"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(
        told,
        [
            "epic_backend_oauth2_app_private_key",
            "epic_backend_oauth2_app_token_endpoint_url",
            "epic_encryption_key",
            "infinity_webapp_server_base_url",
            "patient_alias_template",
            "service_name_template",
            "telehealth_call_domain",
        ]
    );

    let types = json!({
        "name": 7316,
        "epic_encryption_key": 7316,
        "show_debug_information": "7316",
        "launch_validity_minutes": -7316,
        "parameter_map": {"csn": "7316"},
        "epic_encryption_key_type": "7316",
    });
    let refused = admin.post(&types).await;
    assert!(!refused.text.contains("7316"), "{}", refused.text);
    for (field, problem) in [
        ("name", "must be a string"),
        ("epic_encryption_key", "must be a string"),
        ("show_debug_information", "must be true or false"),
        (
            "launch_validity_minutes",
            "must be a whole number, not negative",
        ),
        ("parameter_map.csn", "unknown field `csn`"),
        (
            "epic_encryption_key_type",
            "must be `password` or `base64key`",
        ),
    ] {
        assert_eq!(refused.fault(field), problem);
    }

    let path = admin.create(&admin.profile(SECOND)).await;
    let typo = admin
        .patch(&path, json!({"epic_encryption_kye": "S3CRET"}))
        .await;
    assert_eq!(typo.fault("epic_encryption_kye"), "There is no such field.");
    let other = admin.patch(&path, json!({"uuid": UUID})).await;
    assert!(other.fault("uuid").contains("cannot be changed"));
    let twice = admin.post(&admin.profile(SECOND)).await;
    assert!(twice.fault("uuid").contains("another profile"));
}

#[tokio::test]
async fn the_schema_names_every_field() {
    let admin = Admin::start().await;
    let schema = admin
        .get(&format!("{PATH}schema/?format=json"))
        .await
        .json();
    let fields = schema["fields"].as_object().unwrap();
    // The table of the management API.
    for field in [
        "name",
        "description",
        "uuid",
        "telehealth_call_domain",
        "telehealth_integration_base_url",
        "telehealth_integration_oauth2_base_api_url",
        "infinity_webapp_server_base_url",
        "patient_oauth2_redirect_url",
        "provider_oauth2_redirect_url",
        "epic_patient_app_client_id",
        "epic_provider_app_client_id",
        "epic_patient_app_client_secret",
        "epic_provider_app_client_secret",
        "epic_encryption_key",
        "epic_encryption_key_type",
        "epic_encryption_algorithm",
        "provider_alias_template",
        "patient_alias_template",
        "provider_display_name_template",
        "patient_display_name_template",
        "provider_web_join_link_template",
        "patient_web_join_link_template",
        "service_name_template",
        "launch_error_web_template",
        "epic_backend_oauth2_app_client_id",
        "epic_backend_oauth2_app_private_key",
        "epic_backend_oauth2_app_token_endpoint_url",
    ] {
        assert!(fields.contains_key(field), "{field}");
    }
    assert_eq!(fields["epic_encryption_key"]["write_only"], true);
    assert_eq!(fields["epic_encryption_key_type"]["default"], "password");
    assert_eq!(
        fields["epic_encryption_algorithm"]["default"],
        "AES-128-CBC"
    );
}
