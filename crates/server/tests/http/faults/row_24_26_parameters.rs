//! Rows 24 and 26: bad launch parameters, and a profile that does not exist.

use std::{collections::BTreeMap, time::Duration};

use reqwest::Response;
use vestibule_launch::{
    ErrorName,
    crypto::{Algorithm, InitializationVector, KeyType, LaunchCipher, LaunchKey},
};
use vestibule_server::random;

use super::assert_invariants;
use crate::{
    failure_page::request_id,
    support::{
        KEY, Launch, TestServer, TokenScript, UUID, encrypt, launch_path, location, parameter,
        return_path,
    },
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
        let text = text.replace(&request_id(&text).unwrap().to_string(), "ID");
        pages.push((headers, text));
        let response = launch(server, &data).await;
        assert_invariants(response, 400, ErrorName::LaunchParametersInvalid).await;
    }
    for page in &pages {
        assert_eq!(page, &pages[0]);
    }
}

/// What is asked of the database for launches that begin. Jobs ask other things at any time,
/// and of those that do not begin it is recorded, up to so many a minute, while the page is on
/// its way (`take` and `record_failed_launch`).
const OPERATIONS: [&str; 8] = [
    "begin_launch",
    "begin_authorised",
    "find_launch",
    "join_link_of",
    "consume_state",
    "find_or_create_appointment",
    "complete_launch",
    "record_failure",
];

/// How often each step of launches was taken so far, and each of their operations.
async fn taken(server: &TestServer) -> BTreeMap<String, u64> {
    let text = server.metrics().await;
    let counts = text.lines().filter_map(|line| {
        let (series, count) = line.rsplit_once(' ')?;
        let step = series
            .strip_prefix("vestibule_launch_step_duration_seconds_count")
            .map(|labels| labels.trim_matches(['{', '}']));
        let operation = series
            .strip_prefix("vestibule_database_operation_duration_seconds_count")
            .map(|labels| labels.trim_matches(['{', '}']))
            .filter(|label| {
                let mut known = OPERATIONS.iter();
                known.any(|name| *label == format!("operation=\"{name}\""))
            });
        let label = step.or(operation)?;
        Some((label.to_owned(), count.parse().unwrap()))
    });
    counts.collect()
}

/// What was taken since then.
async fn taken_since(server: &TestServer, before: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let mut since = taken(server).await;
    for (label, count) in &mut since {
        *count -= before.get(label).copied().unwrap_or(0);
    }
    since.retain(|_, count| *count > 0);
    since
}

#[tokio::test]
async fn row_24_whatever_is_wrong_with_the_parameters_the_same_is_done() {
    let map = "token_response_map = { unique_encounter_id = \"csn\" }";
    let server = TestServer::watched(map).await;
    let csn = serde_json::json!({"csn": "encounter-4711"});
    server
        .ehr
        .script(|ehr| ehr.token = TokenScript::GivesAlso(csn));
    // What is remembered from here on is remembered for all.
    assert_eq!(launch(&server, &encrypt(GOOD)).await.status(), 303);
    let other = encrypt("csn=encounter-4712");
    let expected = BTreeMap::from(
        [
            "step=\"begin\"",
            "step=\"metadata\"",
            "step=\"complete\"",
            "step=\"token\"",
            "step=\"decrypt\"",
            "operation=\"begin_launch\"",
            "operation=\"consume_state\"",
            "operation=\"record_failure\"",
        ]
        .map(|label| (label.to_owned(), 1)),
    );
    for (number, data) in bad().into_iter().chain([other]).enumerate() {
        let before = taken(&server).await;
        assert_eq!(launch(&server, &data).await.status(), 400);
        let since = taken_since(&server, &before).await;
        assert_eq!(since, expected, "bad parameters number {number}");
    }
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
async fn row_26_no_launch_begins_for_an_unknown_profile_whatever_it_is_called() {
    let server = TestServer::watched("").await;
    let asked = |server: &TestServer| {
        server
            .ehr
            .script(|ehr| ehr.metadata_requests + ehr.token_requests.len())
    };
    let data = encrypt(GOOD);
    let parameters = server.parameters(Launch::PATIENT);
    for (path, step) in [
        (launch_path("patient"), "step=\"begin\""),
        (return_path("provider"), "step=\"complete\""),
    ] {
        let request = BTreeMap::from([(step.to_owned(), 1)]);
        for uuid in [
            "00000000-0000-0000-0000-000000000000",
            // But for one digit it is that of a profile.
            &UUID.replacen('5', "6", 1),
            "x",
            &"f".repeat(2000),
        ] {
            for query in ["", "iss=x", &format!("data={data}"), &parameters] {
                let before = taken(&server).await;
                let unknown = format!("{}?{query}", path.replace(UUID, uuid));
                assert_eq!(server.get(&unknown).await.status(), 404, "{unknown}");
                let since = taken_since(&server, &before).await;
                assert_eq!(since, request, "{unknown}");
            }
        }
    }
    assert_eq!(asked(&server), 0, "no EHR is asked for it");
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
