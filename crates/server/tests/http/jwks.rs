//! The key set of the backend application, and what an EHR makes of it: the sandbox
//! verifies with another implementation than the one that signs.

use std::time::Duration;

use serde_json::Value;
use vestibule_sandbox::Endpoint;
use vestibule_server::{backend::jwks_path, clock::rfc3339};
use vestibule_smart::{AssertionKey, KeyKind};

use crate::support::{Page, Sandboxed, UUID, backend_client, backend_fields, epic_profile};

/// The test clock's first moment.
const START: i64 = 1_800_000_000_000;

fn path() -> String {
    jwks_path(UUID.parse().unwrap())
}

fn kids(answer: &Page) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let set: Value = serde_json::from_str(&answer.body).unwrap();
    let keys = set["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

fn kid(key: &AssertionKey) -> String {
    key.kid().to_string()
}

/// Joins by a guest's link, and says whether the EHR accepted the assertion for it.
async fn joins(house: &Sandboxed) -> bool {
    let link = house.link("1", "patient", "direct").await;
    house.post_form(&link, &[]).await.status == 303
}

#[tokio::test]
async fn the_public_keys_are_there_for_everybody_and_cached_for_a_while() {
    let key = AssertionKey::generate(KeyKind::Rsa2048).unwrap();
    let more = backend_fields(&key);
    let house = Sandboxed::start(
        |ehr| epic_profile(ehr, &more.replace("{ehr}", ehr)),
        &backend_client(),
    )
    .await;
    let answer = house.get(&path()).await;
    assert_eq!(kids(&answer), [kid(&key)]);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    for private in ["\"d\"", "\"p\"", "\"q\"", "PRIVATE"] {
        assert!(!answer.body.contains(private), "{private}");
    }
    assert!(joins(&house).await);
    let other = jwks_path("12daaebc-ea75-43c1-a6c7-c044be66a36f".parse().unwrap());
    for nowhere in [
        &*other,
        "/api/telehealth/v1/jwks/x",
        "/api/telehealth/v1/jwks/",
    ] {
        assert_eq!(house.get(nowhere).await.status, 404, "{nowhere}");
    }
}

#[tokio::test]
async fn a_profile_without_backend_application_has_no_keys() {
    let house = Sandboxed::start(|ehr| epic_profile(ehr, ""), "").await;
    assert_eq!(house.get(&path()).await.status, 404);
}

#[tokio::test]
async fn row_35_the_ehr_accepts_every_assertion_while_one_key_replaces_another() {
    let new = AssertionKey::generate(KeyKind::P384).unwrap();
    let old = AssertionKey::generate(KeyKind::Rsa2048).unwrap();
    let end = vestibule_launch::UnixTime::from_millis(START) + Duration::from_secs(3600);
    let more = format!(
        "{}\n[previous]\nvalid_until = \"{}\"\nepic_backend_oauth2_app_private_key = '''{}'''\n",
        backend_fields(&new),
        rfc3339(end),
        *old.to_pem(),
    );
    let house = Sandboxed::start(
        |ehr| epic_profile(ehr, &more.replace("{ehr}", ehr)),
        &format!(
            "{}\n[tokens]\naccess_token_seconds = 60\n",
            backend_client()
        ),
    )
    .await;
    // At the start, ten and four minutes before the end, and after it.
    for (step, published) in [
        (0, vec![kid(&new), kid(&old)]),
        (3000, vec![kid(&new), kid(&old)]),
        (360, vec![kid(&new), kid(&old)]),
        (240, vec![kid(&new)]),
    ] {
        house.clock.advance(Duration::from_secs(step));
        assert_eq!(kids(&house.get(&path()).await), published, "{step}");
        let asked = house.ehr.requests(Endpoint::Token);
        assert!(joins(&house).await, "{step}");
        // Nothing was refused first.
        assert_eq!(house.ehr.requests(Endpoint::Token), asked + 1, "{step}");
    }
}
