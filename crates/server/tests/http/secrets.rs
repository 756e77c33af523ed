//! What must not be in the log or in the database.

use serde_json::json;

use crate::support::{
    KEY, Launch, TestServer, TokenScript, encrypt, launch_path, log, parameter, return_path,
};

/// Not the PIN; in no id or time by chance.
const WRONG_PIN: &str = "24681357";

const NAMES: [&str; 3] = ["Beverley", "Spinder", "Radiology"];

#[tokio::test]
async fn the_log_tells_what_happened_and_nothing_secret() {
    let server = TestServer::start().await;
    let link = server.launch(Launch::PROVIDER).await;
    let alias = parameter(&link, "conference");
    let pin = parameter(&link, "pin");
    assert_eq!(server.request_token(&alias, &pin).await.status(), 200);
    assert_ne!(pin, WRONG_PIN);
    assert_eq!(server.request_token(&alias, WRONG_PIN).await.status(), 403);
    let patient = server.launch(Launch::PATIENT).await;
    server.ehr.script(|ehr| ehr.token = TokenScript::Refuses);
    let state = server.begin_state(Launch::PATIENT).await;
    assert_eq!(server.return_with("patient", &state).await.status(), 410);
    assert_eq!(
        server.return_with("patient", "forged-state").await.status(),
        400
    );
    let ciphertext = encrypt("fname=Beverley");
    let query: String = url::form_urlencoded::byte_serialize(ciphertext.as_bytes()).collect();
    let path = format!(
        "{}?iss=x&launch=secret-launch&data={query}",
        launch_path("patient")
    );
    assert_eq!(server.get(&path).await.status(), 400);
    let refused_state = server.begin_state(Launch::PATIENT).await;
    let refused = format!(
        "{}?error=access_denied&error_description=Beverley&state={refused_state}",
        return_path("patient")
    );
    assert_eq!(server.get(&refused).await.status(), 403);
    let report = json!({"error_name": "session_lost", "conference": alias});
    server
        .post_json("/api/telehealth/v1/launch/error", &report)
        .await;
    let ticket = json!({"ticket": "secret-ticket", "browser": "00112233445566778899aabbccddeeff"});
    server
        .post_json("/api/telehealth/v1/launch/redeem", &ticket)
        .await;
    drop(server.end().await);

    let log = log::text();
    for told in [
        "route=\"/api/telehealth/v1/provider/oauth2smartlaunch/{uuid}\" status=303",
        "error_name=launch_used",
        "error_name=oauth2_state_invalid",
        "error_name=oauth2_access_denied",
        "error_name=session_lost",
        "event=\"participant_connected\"",
    ] {
        assert!(log.contains(told), "{told} in {log}");
    }
    let base_alias = alias.split(['.', '@']).nth(1).unwrap();
    let patient_alias = parameter(&patient, "conference");
    let secrets = [
        &pin,
        base_alias,
        patient_alias.split(['.', '@']).nth(1).unwrap(),
        &state,
        &refused_state,
        &ciphertext,
        KEY,
        "code-of-the-ehr",
        "access-token",
        "client-secret",
        "launch-token",
        "secret-launch",
        "secret-ticket",
        "forged-state",
        "encounter-4711",
        "Somebody",
        WRONG_PIN,
    ];
    for secret in secrets.iter().chain(&NAMES) {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

#[tokio::test]
async fn the_data_folder_holds_nothing_personal_in_the_open() {
    let server = TestServer::with_profile(
        "patient_web_join_link_template = 'https://visit.example.org/webapp/#/?ticket={{launch_ticket}}'",
    )
    .await;
    let link = server.launch(Launch::PROVIDER).await;
    let ticket = parameter(&server.launch(Launch::PATIENT).await, "ticket");
    let _pending = server.begin_state(Launch::PATIENT).await;
    let search = |folder: &std::path::Path| {
        let mut files = 0;
        let alias = parameter(&link, "conference");
        let base_alias = alias.split(['.', '@']).nth(1).unwrap();
        let pin = parameter(&link, "pin");
        // The department is known: administrators count by it.
        let secrets = [
            "Beverley",
            "Spinder",
            "encounter-4711",
            &pin,
            base_alias,
            &ticket,
            "launch-token",
            "access-token",
            "code-of-the-ehr",
            "Healthcare Org",
        ];
        for entry in std::fs::read_dir(folder.join("data")).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            files += 1;
            for secret in secrets {
                let found = bytes
                    .windows(secret.len())
                    .any(|window| window == secret.as_bytes());
                assert!(!found, "{secret} in {}", path.display());
            }
        }
        files
    };
    assert_eq!(
        search(server.folder.path()),
        4,
        "key, database, log ahead and its index"
    );
    let folder = server.end().await;
    assert_eq!(search(folder.path()), 2, "key and database");
}
