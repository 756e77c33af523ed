//! Secrets that are replaced while launches run, and changes that other servers make.

use std::{fs, sync::Arc, time::Duration};

use serde_json::json;
use vestibule_launch::crypto::{Algorithm, InitializationVector, KeyType, LaunchCipher, LaunchKey};
use vestibule_server::{config::Config, random, server::Server};

use crate::support::{
    ADMIN_CONFIG, Admin, CONFIG, KEY, Launch, TestServer, location, parameter, profile,
};

const SECOND: &str = "5a0e0d4a-4c3f-4a0e-9a57-3f1d6c1d2b3a";

/// 32, 33, 34 … 63.
const NEW_KEY: &str = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

const MINUTE: Duration = Duration::from_secs(60);

/// A launch of a profile with this key; gives the status of the EHR's return.
async fn launch(server: &TestServer, uuid: &str, key: &str) -> u16 {
    let returns = begin(server, uuid, key).await;
    server.get(&returns).await.status().as_u16()
}

/// Presses the button; gives where the EHR returns to.
async fn begin(server: &TestServer, uuid: &str, key: &str) -> String {
    let key = LaunchKey::new(Algorithm::Aes256Cbc, KeyType::Base64Key, key).unwrap();
    let cipher = LaunchCipher::new(key, InitializationVector::Zero);
    let data = cipher.encrypt("csn=4711&fname=Beverley", &mut *random::system());
    let mut query = server.parameters(Launch {
        role: "patient",
        plaintext: None,
    });
    query.push_str("&data=");
    query.extend(url::form_urlencoded::byte_serialize(data.as_bytes()));
    let path = format!("/api/telehealth/v1/patient/oauth2smartlaunch/{uuid}?{query}");
    let begun = server.get(&path).await;
    assert_eq!(begun.status(), 303);
    let state = parameter(location(&begun), "state");
    format!("/api/telehealth/v1/patient/oauth2authorized/{uuid}?code=c&state={state}")
}

#[tokio::test]
async fn row_35_launches_with_the_old_key_work_until_the_overlap_ends() {
    let admin = Admin::start().await;
    let server = &admin.server;
    let path = admin.create(&admin.profile(SECOND)).await;
    assert_eq!(launch(server, SECOND, KEY).await, 303);
    assert_eq!(launch(server, SECOND, NEW_KEY).await, 400);
    let under_way = begin(server, SECOND, KEY).await;

    let change = json!({"epic_encryption_key": NEW_KEY, "secret_overlap_minutes": 30});
    let changed = admin.patch(&path, change).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert!(!changed.text.contains(KEY) && !changed.text.contains(NEW_KEY));
    let changed = changed.json();
    assert_eq!(changed["previous"]["valid_until"], "2027-01-15T08:30:00Z");
    assert_ne!(changed["epic_encryption_key_check_value"], "CCB9-6A1A");

    assert_eq!(server.get(&under_way).await.status(), 303);
    for key in [KEY, NEW_KEY] {
        assert_eq!(launch(server, SECOND, key).await, 303);
    }
    server.clock.advance(30 * MINUTE - Duration::from_millis(1));
    assert_eq!(launch(server, SECOND, KEY).await, 303);
    server.clock.advance(Duration::from_millis(1));
    assert_eq!(launch(server, SECOND, KEY).await, 400);
    assert_eq!(launch(server, SECOND, NEW_KEY).await, 303);
}

#[tokio::test]
async fn row_35_an_old_key_ends_at_once_where_that_is_asked_for() {
    let admin = Admin::start().await;
    let server = &admin.server;
    let path = admin.create(&admin.profile(SECOND)).await;
    admin
        .patch(&path, json!({"epic_encryption_key": NEW_KEY}))
        .await;
    assert_eq!(launch(server, SECOND, KEY).await, 303);
    let ended = admin.patch(&path, json!({"previous": null})).await;
    assert_eq!(ended.status, 200, "{}", ended.text);
    assert_eq!(launch(server, SECOND, KEY).await, 400);
    assert_eq!(launch(server, SECOND, NEW_KEY).await, 303);
    let back = json!({"epic_encryption_key": KEY, "secret_overlap_minutes": 0});
    admin.patch(&path, back).await;
    assert_eq!(launch(server, SECOND, NEW_KEY).await, 400);
    assert_eq!(launch(server, SECOND, KEY).await, 303);
}

#[tokio::test]
async fn row_35_a_file_says_until_when_its_old_key_is_valid() {
    let server = TestServer::with_profile(&format!(
        "[previous]\nepic_encryption_key = \"{NEW_KEY}\"\nvalid_until = 2027-01-15T08:10:00Z\n"
    ))
    .await;
    let uuid = crate::support::UUID;
    for key in [KEY, NEW_KEY] {
        assert_eq!(launch(&server, uuid, key).await, 303);
    }
    server.clock.advance(10 * MINUTE);
    assert_eq!(launch(&server, uuid, NEW_KEY).await, 400);
    assert_eq!(launch(&server, uuid, KEY).await, 303);
}

/// A second server of the same database, folder and key.
async fn second_server(admin: &Admin) -> (TestServerUrl, tokio::task::JoinHandle<()>) {
    let folder = admin.server.folder.path();
    let config = Config::read(&folder.join("vestibule.toml")).unwrap();
    let server = Server::bind_with_clock(&config, admin.server.clock.clone())
        .await
        .unwrap();
    let url = format!("http://{}", server.address());
    let running = tokio::spawn(async move {
        server.run(std::future::pending()).await.unwrap();
    });
    (TestServerUrl(url), running)
}

struct TestServerUrl(String);

#[tokio::test]
async fn what_one_server_changes_another_one_sees_within_seconds() {
    let admin = Admin::start().await;
    let (TestServerUrl(url), running) = second_server(&admin).await;
    let launch = format!("{url}/api/telehealth/v1/patient/oauth2smartlaunch/{SECOND}");
    let status = async || {
        let request = admin.server.client.get(&launch);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(status().await, 404, "there is no such profile");
    let path = admin.create(&admin.profile(SECOND)).await;
    let becomes = async |wanted: u16| {
        let begun = std::time::Instant::now();
        while status().await != wanted {
            assert!(begun.elapsed() < Duration::from_secs(60), "never {wanted}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    becomes(400).await;
    admin.send(reqwest::Method::DELETE, &path, None).await;
    becomes(404).await;
    running.abort();
}

#[tokio::test]
async fn a_profile_in_a_file_and_in_the_database_keeps_the_server_from_starting() {
    let admin = Admin::start().await;
    admin.create(&admin.profile(SECOND)).await;
    let ehr = admin.server.ehr.clone();
    let folder = admin.server.end().await;
    let text = profile(&ehr, "").replace(crate::support::UUID, SECOND);
    let file = folder.path().join("profiles/second.toml");
    fs::write(&file, text).unwrap();
    let path = folder.path().join("vestibule.toml");
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        format!("{CONFIG}{ADMIN_CONFIG}")
    );
    let config = Config::read(&path).unwrap();
    let clock = Arc::new(crate::support::TestClock::new());
    let error = Server::bind_with_clock(&config, clock).await.err().unwrap();
    let message = error.to_string();
    assert!(
        message.contains("second.toml") && message.contains(SECOND),
        "{message}"
    );
}

#[tokio::test]
async fn without_its_key_the_database_keeps_the_server_from_starting() {
    let admin = Admin::start().await;
    admin.create(&admin.profile(SECOND)).await;
    let folder = admin.server.end().await;
    fs::remove_file(folder.path().join("data/state.key")).unwrap();
    let config = Config::read(&folder.path().join("vestibule.toml")).unwrap();
    let clock = Arc::new(crate::support::TestClock::new());
    let error = Server::bind_with_clock(&config, clock).await.err().unwrap();
    let message = error.to_string();
    assert!(
        message.contains(SECOND) && message.contains("state.key"),
        "{message}"
    );
}
