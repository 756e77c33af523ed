//! Faults of profiles, by their rows in the fault matrix.

use std::fs;

use nix::sys::signal::Signal;
use serde_json::json;
use vestibule_launch::{
    ErrorName,
    crypto::{Algorithm, InitializationVector, KeyType, LaunchCipher, LaunchKey},
};
use vestibule_server::random;

use super::assert_invariants;
use crate::support::{
    Admin, KEY, Launch, Process, TestServer, UUID, encrypt, launch_path, location, log, parameter,
    prepared, return_path,
};

const SECOND: &str = "5a0e0d4a-4c3f-4a0e-9a57-3f1d6c1d2b3a";

/// Type, algorithm and key that do not go together, and what is said of the key.
const MISFITS: [(&str, &str, &str, &str); 7] = [
    (
        "base64key",
        "AES-128-CBC",
        KEY,
        "32 bytes once decoded, and the algorithm needs 16",
    ),
    ("password", "AES-256-CBC", KEY, "does not take a password"),
    (
        "base64key",
        "AES-256-CBC",
        "c2l4dGVlbi1ieXRlLWtleQ==",
        "16 bytes",
    ),
    (
        "base64key",
        "AES-256-CBC",
        "correct horse",
        "white space in it",
    ),
    ("base64key", "AES-256-CBC", " AAEC", "before or after it"),
    ("base64key", "AES-256-CBC", "value: AAEC", "name before it"),
    ("base64key", "AES-256-CBC", "\"AAEC\"", "quotation marks"),
];

/// A profile file with them.
fn with_misfit(text: &str, (key_type, algorithm, key, _): (&str, &str, &str, &str)) -> String {
    text.replace("\"base64key\"", &format!("'{key_type}'"))
        .replace("\"AES-256-CBC\"", &format!("'{algorithm}'"))
        .replace(&format!("\"{KEY}\""), &format!("'{key}'"))
}

#[tokio::test]
async fn row_25_a_key_that_does_not_fit_the_algorithm_is_refused_when_it_is_saved() {
    let admin = Admin::start().await;
    for (key_type, algorithm, key, problem) in MISFITS {
        let mut profile = admin.profile(SECOND);
        profile["epic_encryption_key_type"] = key_type.into();
        profile["epic_encryption_algorithm"] = algorithm.into();
        profile["epic_encryption_key"] = key.into();
        let refused = admin.post(&profile).await;
        let told = refused.fault("epic_encryption_key");
        assert!(told.contains(problem), "{told}");
        assert!(!refused.text.contains(key), "{}", refused.text);
    }
}

#[tokio::test]
async fn row_25_no_server_begins_with_a_file_whose_key_does_not_fit_the_algorithm() {
    for misfit in MISFITS {
        let (_, _, key, problem) = misfit;
        let begun = TestServer::try_with_profile_changed(|text| with_misfit(text, misfit));
        let Err(error) = begun.await else {
            panic!("{problem}: it is taken");
        };
        let told = error.to_string();
        assert!(
            told.contains("healthcare-org.toml: epic_encryption_key: "),
            "{told}"
        );
        assert!(told.contains(problem), "{problem} in {told}");
        let log = log::text();
        assert!(!format!("{told} {error:?} {log}").contains(key), "{told}");
    }
}

#[tokio::test]
async fn row_25_a_file_whose_key_does_not_fit_is_not_read_again_either() {
    let (folder, ehr) = prepared("").await;
    let file = folder.path().join("profiles/healthcare-org.toml");
    let good = fs::read_to_string(&file).unwrap();
    let server = Process::start_in((folder, ehr), &[]).await;
    let refused = "the profiles stay as they were";
    for (time, misfit) in (1..).zip(MISFITS) {
        let (_, _, key, problem) = misfit;
        fs::write(&file, with_misfit(&good, misfit)).unwrap();
        server.signal(Signal::SIGHUP);
        let log = server
            .until_log(|log| log.matches(refused).count() == time)
            .await;
        let (_, told) = log.rsplit_once(refused).unwrap();
        assert!(told.contains(problem), "{problem} in {told}");
        assert!(!log.contains(key), "{log}");
        // There is such a profile still.
        assert_eq!(server.get(&launch_path("patient")).await.status(), 400);
    }
}

#[tokio::test]
async fn row_25_a_launch_under_another_algorithm_gives_the_uniform_error() {
    let server = TestServer::start().await;
    let key = LaunchKey::new(Algorithm::Aes128Cbc, KeyType::Password, "Secret123!").unwrap();
    let cipher = LaunchCipher::new(key, InitializationVector::Zero);
    let other_algorithm = cipher.encrypt("csn=4711", &mut *random::system());
    let mut pages = Vec::new();
    for data in [
        other_algorithm,
        encrypt("csn=4711")[1..].to_owned(),
        "%%%".to_owned(),
    ] {
        let mut query = server.parameters(Launch {
            plaintext: None,
            ..Launch::PATIENT
        });
        query.push_str("&data=");
        query.extend(url::form_urlencoded::byte_serialize(data.as_bytes()));
        let begun = server
            .get(&format!("{}?{query}", launch_path("patient")))
            .await;
        assert_eq!(begun.status(), 303);
        let state = parameter(location(&begun), "state");
        let request_id = server.request_id("patient", &state);
        let failed = server.return_with("patient", &state).await;
        assert_eq!(failed.status(), 400);
        let page = failed.text().await.unwrap();
        assert!(page.contains(&request_id) && page.contains("2027-01-15T08:00:00Z"));
        pages.push(page.replace(&request_id, "request id"));
    }
    assert!(pages[0].contains("launch_params_invalid"), "{}", pages[0]);
    assert!(pages.iter().all(|page| *page == pages[0]));
}

#[tokio::test]
async fn row_28_an_error_page_template_that_is_broken_is_refused_with_its_line() {
    let admin = Admin::start().await;
    let path = admin.create(&admin.profile(SECOND)).await;
    for (template, place) in [
        ("<p>\n{% if error_name %}\n<p>", "line 2"),
        ("<p>\n  {{ error_name", "line 2"),
        ("{{ error_name | no_such_filter }}", "line 1"),
        ("{% include 'other.html' %}", "statements"),
    ] {
        let change = json!({"launch_error_web_template": template});
        let told = admin
            .patch(&path, change)
            .await
            .fault("launch_error_web_template");
        assert!(told.contains(place), "{told}");
    }
    let shown = admin.get(&path).await.json();
    let template = shown["launch_error_web_template"].as_str().unwrap();
    assert!(template.contains("<main"), "it stays as it was");
}

#[tokio::test]
async fn row_28_an_error_page_template_that_fails_gives_the_built_in_page() {
    let server = TestServer::watched(
        "launch_error_web_template = \"own page {{ 1 // (error_name | length - error_name | length) }}\"",
    )
    .await;
    let failures = format!("vestibule_error_templates_failed_total{{profile=\"{UUID}\"}}");
    assert_eq!(server.metric(&failures).await, Some(0.0));
    let failed = async || server.get(&return_path("patient")).await;
    let page = failed().await.text().await.unwrap();
    assert!(page.contains("<main") && !page.contains("own page"));
    assert_invariants(failed().await, 400, ErrorName::StateInvalid).await;
    let log = log::text();
    assert!(
        log.contains("launch_error_web_template failed; the built-in page is shown"),
        "{log}"
    );
    assert_eq!(server.metric(&failures).await, Some(2.0), "for the alert");
}
