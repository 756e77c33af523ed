//! Links that join a visit without a launch.

use base64ct::{Base64, Encoding};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use url::Url;

use crate::{
    assertion::{Key, backend_with},
    openssl::decrypted_by_openssl,
    support::{Answer, CONFIG, Ehr, KEY, PROVIDER},
};

const PATH: &str = "/api/telehealth/direct-launch-token";

fn config(key: &Key) -> String {
    let urls = "[launch]\nguest_direct_url = \"http://127.0.0.1:7080/guest?site=a\"\nprovider_direct_url = \"http://127.0.0.1:7080/provider\"";
    CONFIG.replace("[launch]", urls) + &backend_with(key)
}

async fn access_token(ehr: &Ehr, key: &Key) -> String {
    let request = key.backend_form(ehr, "backend-app", "j1");
    let tokens = ehr.token_as(None, &request).await.json();
    tokens["access_token"].as_str().unwrap().to_owned()
}

async fn ask(ehr: &Ehr, token: &str, body: String) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", &*bearer),
        ("content-type", "application/json"),
    ];
    ehr.send(Method::POST, PATH, &headers, Some(body)).await
}

/// The links of a person to an appointment.
async fn links(ehr: &Ehr, appointment: &str, role: &str, patient: Option<u64>) -> Value {
    let all = ehr.get("/links.json").await.json();
    let is = |of: &&Value| {
        of["appointment"] == appointment && of["role"] == role && of["patient"].as_u64() == patient
    };
    let found = all.as_array().unwrap().iter().find(is);
    found.expect("there are links for everybody").clone()
}

async fn guest_link(ehr: &Ehr, appointment: &str) -> Url {
    let links = links(ehr, appointment, "patient", Some(1)).await;
    Url::parse(links["direct"].as_str().unwrap()).unwrap()
}

fn data(link: &Url) -> String {
    let mut pairs = link.query_pairs();
    pairs
        .find(|(name, _)| name == "data")
        .unwrap()
        .1
        .into_owned()
}

#[tokio::test]
async fn a_direct_link_carries_the_encrypted_context_and_nothing_of_a_launch() {
    let ehr = Ehr::start_with(&config(&Key::generate("k1"))).await;
    let guest = guest_link(&ehr, "1").await;
    assert!(
        guest
            .as_str()
            .starts_with("http://127.0.0.1:7080/guest?site=a&data=")
    );
    let provider = links(&ehr, "1", "provider", None).await;
    let provider = Url::parse(provider["direct"].as_str().unwrap()).unwrap();
    assert_eq!(provider.path(), "/provider");
    assert_eq!(provider.query_pairs().count(), 1);
    let key = Base64::decode_vec(KEY).unwrap();
    let context = "csn=6ea6d1427f684721abd21c1634386f7b6&fname=Beverley&mname=P&lname=Spinder&encfacnpiname=Radiology";
    for (link, expected) in [
        (guest, context.to_owned()),
        (provider, format!("role=provider&{context}")),
    ] {
        let ciphertext = Base64::decode_vec(&data(&link)).unwrap();
        let opened = decrypted_by_openssl("-aes-256-cbc", &key, &[0; 16], &ciphertext);
        assert_eq!(opened, expected);
    }
}

#[tokio::test]
async fn an_ehr_that_is_not_set_up_for_them_has_no_links() {
    let ehr = Ehr::start().await;
    assert_eq!(
        links(&ehr, "1", "provider", None).await,
        json!({ "appointment": "1", "role": "provider" })
    );
    let page = ehr.get("/clinician").await.body;
    assert!(!page.contains("<details"), "{page}");
}

#[tokio::test]
async fn the_pages_show_each_person_s_links() {
    let ehr = Ehr::start_with(&config(&Key::generate("k1"))).await;
    let clinician = ehr.get("/clinician").await.body;
    for id in [
        "direct-provider-1",
        "direct-patient-1",
        "direct-patient-4-2",
    ] {
        assert!(clinician.contains(&format!(r#"<a id="{id}" "#)), "{id}");
    }
    assert!(clinician.contains("Direct join link for Tom Okafor</a>"));
    let patient = ehr.get("/patient").await.body;
    assert!(patient.contains(r#"<a id="direct-patient-4-2" "#));
    assert!(!patient.contains("direct-provider"));
}

#[tokio::test]
async fn a_backend_gets_a_launch_token_for_the_link_of_an_open_visit_each_time_it_asks() {
    let key = Key::generate("k1");
    let ehr = Ehr::start_with(&config(&key)).await;
    let token = access_token(&ehr, &key).await;
    let body = json!({ "link": data(&guest_link(&ehr, "4").await) }).to_string();
    let mut launch_tokens = Vec::new();
    for _ in 0..2 {
        let answer = ask(&ehr, &token, body.clone()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert_eq!(answer.json()["expires_in"], 300);
        launch_tokens.push(answer.json()["launch_token"].as_str().unwrap().to_owned());
        let event = ehr.last_event().await;
        assert_eq!(event["event"], "direct_launch_token_issued");
        assert_eq!(event["appointment"], "4");
    }
    assert_ne!(launch_tokens[0], launch_tokens[1]);
}

#[tokio::test]
async fn a_link_to_a_visit_that_is_over_or_not_open_yet_is_refused() {
    let key = Key::generate("k1");
    let ehr = Ehr::start_with(&config(&key)).await;
    let token = access_token(&ehr, &key).await;
    for (appointment, status, error) in [
        ("5", StatusCode::NOT_FOUND, "appointment_over"),
        ("6", StatusCode::FORBIDDEN, "appointment_not_open"),
    ] {
        let link = data(&guest_link(&ehr, appointment).await);
        let answer = ask(&ehr, &token, json!({ "link": link }).to_string()).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.json()["error"], error);
        let event = ehr.last_event().await;
        assert_eq!(event["event"], "direct_launch_token_refused");
        assert_eq!(event["appointment"], appointment);
    }
    for (body, status, error) in [
        (
            json!({ "link": "AAAA" }).to_string(),
            StatusCode::NOT_FOUND,
            "link_unknown",
        ),
        ("{}".to_owned(), StatusCode::BAD_REQUEST, "invalid_request"),
    ] {
        let answer = ask(&ehr, &token, body).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.json()["error"], error);
        assert_eq!(ehr.last_event().await["appointment"], Value::Null);
    }
}

#[tokio::test]
async fn only_a_backend_s_token_that_is_good_may_ask() {
    let key = Key::generate("k1");
    let ehr = Ehr::start_with(&config(&key)).await;
    let backend = access_token(&ehr, &key).await;
    let form = ehr.token_form(&PROVIDER).await;
    let users = ehr.token(&PROVIDER, &form).await.json();
    let body = json!({ "link": data(&guest_link(&ehr, "1").await) }).to_string();
    for token in ["made-up", users["access_token"].as_str().unwrap()] {
        let answer = ask(&ehr, token, body.clone()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.json()["error"], "invalid_token");
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
    }
    ehr.wait(3600);
    let answer = ask(&ehr, &backend, body).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}
