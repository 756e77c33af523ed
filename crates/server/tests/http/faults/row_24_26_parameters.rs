//! Rows 24 and 26: bad launch parameters, and a profile that does not exist.

use std::time::{Duration, Instant};

use reqwest::Response;
use vestibule_launch::{
    ErrorName,
    crypto::{Algorithm, InitializationVector, KeyType, LaunchCipher, LaunchKey},
};
use vestibule_server::random;

use super::{assert_invariants, request_id};
use crate::support::{
    KEY, Launch, TestServer, TokenScript, UUID, encrypt, launch_path, location, parameter,
    return_path,
};

const GOOD: &str = "csn=encounter-4711&fname=Beverley";

async fn begin(server: &TestServer, data: &str) -> String {
    let none = Launch {
        plaintext: None,
        ..Launch::PATIENT
    };
    let form = url::form_urlencoded::Serializer::new(server.parameters(none))
        .append_pair("data", data)
        .finish();
    let path = format!("{}?{form}", launch_path("patient"));
    let response = server.get(&path).await;
    assert_eq!(response.status(), 303, "{data:.40}");
    parameter(location(&response), "state")
}

async fn launch(server: &TestServer, data: &str) -> Response {
    let state = begin(server, data).await;
    server.return_with("patient", &state).await
}

fn encrypt_with(algorithm: Algorithm, kind: KeyType, key: &str) -> String {
    let key = LaunchKey::new(algorithm, kind, key).unwrap();
    let cipher = LaunchCipher::new(key, InitializationVector::Zero);
    cipher.encrypt(GOOD, &mut *random::system())
}

/// Whatever can be wrong with a ciphertext.
fn bad() -> Vec<String> {
    let good = encrypt(GOOD);
    let mut flipped = good.clone().into_bytes();
    flipped[good.len() - 4] ^= 1;
    let short_key = "AAECAwQFBgcICQoLDA0ODw==";
    vec![
        String::new(),
        "!".to_owned(),
        "%%%".to_owned(),
        "AAAA".to_owned(),
        good[..good.len() - 2].to_owned(),
        good[4..].to_owned(),
        format!("{good}{good}"),
        String::from_utf8(flipped).unwrap(),
        "A".repeat(64),
        "A".repeat(20_000),
        encrypt_with(
            Algorithm::Aes256Cbc,
            KeyType::Base64Key,
            &KEY.replace("AAEC", "AQEC"),
        ),
        encrypt_with(Algorithm::Aes128Cbc, KeyType::Base64Key, short_key),
        encrypt_with(Algorithm::Aes128Cbc, KeyType::Password, "a password"),
        encrypt(""),
        encrypt("no parameters"),
        encrypt("csn=1&csn=2"),
        encrypt("csn="),
        encrypt("fname=Beverley"),
        encrypt("csn=1&fname=%00"),
        encrypt("csn=1&fname=%ff"),
        encrypt(&format!("csn={}", "1".repeat(129))),
    ]
}

#[tokio::test]
async fn row_24_whatever_is_wrong_with_the_parameters_the_answer_is_the_same() {
    for debug in ["", "show_debug_information = true\n"] {
        let map = "token_response_map = { unique_encounter_id = \"csn\" }";
        let server = TestServer::with_profile(&format!("{debug}{map}")).await;
        let csn = serde_json::json!({"csn": "encounter-4711"});
        server
            .ehr
            .script(|ehr| ehr.token = TokenScript::GivesAlso(csn));
        assert_eq!(launch(&server, &encrypt(GOOD)).await.status(), 303);
        is_the_same(&server).await;
    }
}

async fn is_the_same(server: &TestServer) {
    // One that can be read, and is of another launch; and no encounter at all.
    let other = encrypt("csn=encounter-4712");
    let mut pages = Vec::new();
    for data in bad().into_iter().chain([other]) {
        let response = launch(server, &data).await;
        let mut headers: Vec<_> = response.headers().keys().map(ToString::to_string).collect();
        headers.sort();
        let text = response.text().await.unwrap();
        let text = text.replace(&request_id(&text).to_string(), "ID");
        pages.push((headers, text));
        let response = launch(server, &data).await;
        assert_invariants(response, 400, ErrorName::LaunchParametersInvalid).await;
    }
    for page in &pages {
        assert_eq!(page, &pages[0]);
    }
}

#[tokio::test]
async fn row_24_a_bad_ciphertext_takes_as_long_as_any_other() {
    let server = TestServer::with("", "[limits]\nlaunches_per_minute = 0\n").await;
    let good = encrypt(GOOD);
    let bad = [
        // Not even base64; wrong length; bad padding; good padding and no encounter.
        "!".repeat(good.len()),
        good[..good.len() - 4].to_owned(),
        "A".repeat(good.len() - good.len() % 4 - 64) + &"A".repeat(64),
        encrypt("fname=Beverley&lname=Spinder"),
    ];
    let mut times = vec![Vec::new(); bad.len()];
    for _ in 0..15 {
        for (data, times) in bad.iter().zip(&mut times) {
            let state = begin(&server, data).await;
            let begun = Instant::now();
            let response = server.return_with("patient", &state).await;
            times.push(begun.elapsed());
            assert_eq!(response.status(), 400);
        }
    }
    let medians: Vec<Duration> = times
        .into_iter()
        .map(|mut times| {
            times.sort();
            times[times.len() / 2]
        })
        .collect();
    let (least, most) = (medians.iter().min().unwrap(), medians.iter().max().unwrap());
    assert!(*most < *least * 3, "{medians:?}");
}

#[tokio::test]
async fn row_24_the_token_endpoint_is_asked_before_a_ciphertext_is_looked_at() {
    let server = TestServer::start().await;
    for data in [encrypt(GOOD).as_str(), "!", "AAAA"] {
        let before = server.ehr.script(|ehr| ehr.token_requests.len());
        launch(&server, data).await;
        let after = server.ehr.script(|ehr| ehr.token_requests.len());
        assert_eq!(after, before + 1, "{data:.10}");
    }
}

#[tokio::test]
async fn row_24_a_plus_that_became_a_space_is_a_plus() {
    let server = TestServer::start().await;
    // Until there is one with a plus in it.
    let data = (0..1000)
        .map(|number| encrypt(&format!("csn={number}&fname=Beverley")))
        .find(|data| data.contains('+'))
        .unwrap();
    let spaced = data.replace('+', " ");
    assert_eq!(launch(&server, &spaced).await.status(), 303);
    // Sent without percent-encoding, which a form reads as a space.
    let query = format!(
        "iss={}&launch=launch-token-0&data={}",
        server.ehr.iss(),
        data.replace('=', "%3D")
    );
    let server = TestServer::start().await;
    let query = query.replace(&query[4..query.find("&launch").unwrap()], &server.ehr.iss());
    let path = format!("{}?{query}", launch_path("patient"));
    let state = parameter(location(&server.get(&path).await), "state");
    assert_eq!(server.return_with("patient", &state).await.status(), 303);
}

#[tokio::test]
async fn row_24_trying_ciphertexts_out_is_slow() {
    let server = TestServer::with("", "[limits]\nlaunches_per_minute = 10\n").await;
    for _ in 0..5 {
        assert_eq!(launch(&server, "AAAA").await.status(), 400);
    }
    let response = server.begin(Launch::PATIENT).await;
    assert_eq!(response.headers()["retry-after"], "6");
    assert_invariants(response, 429, ErrorName::RateLimited).await;
}

#[tokio::test]
async fn row_26_an_unknown_profile_gives_one_page_whatever_else_is_wrong() {
    let server = TestServer::start().await;
    for uuid in [
        "00000000-0000-0000-0000-000000000000",
        "x",
        "%00",
        "..%2f..%2fetc",
        &UUID[1..],
    ] {
        let data = encrypt(GOOD);
        let parameters = server.parameters(Launch::PATIENT);
        for query in ["", "iss=x", &format!("data={data}"), &parameters] {
            let path = launch_path("patient").replace(UUID, uuid);
            let response = server.get(&format!("{path}?{query}")).await;
            assert_invariants(response, 404, ErrorName::ProfileNotFound).await;
        }
        let response = server
            .get(&return_path("provider").replace(UUID, uuid))
            .await;
        assert_invariants(response, 404, ErrorName::ProfileNotFound).await;
    }
}

#[tokio::test]
async fn row_26_profiles_cannot_be_guessed_one_after_the_other() {
    let server = TestServer::with("", "[limits]\nlaunches_per_minute = 10\n").await;
    for number in 0..5 {
        let uuid = format!("00000000-0000-0000-0000-00000000000{number}");
        let response = server
            .get(&launch_path("patient").replace(UUID, &uuid))
            .await;
        assert_invariants(response, 404, ErrorName::ProfileNotFound).await;
    }
    let other = UUID.replace('1', "2");
    let response = server
        .get(&launch_path("patient").replace(UUID, &other))
        .await;
    assert_invariants(response, 429, ErrorName::RateLimited).await;
    // Who knows a profile is not held up by it.
    server.launch(Launch::PATIENT).await;
    server.clock.advance(Duration::from_secs(6));
    let response = server
        .get(&launch_path("patient").replace(UUID, &other))
        .await;
    assert_invariants(response, 404, ErrorName::ProfileNotFound).await;
}
