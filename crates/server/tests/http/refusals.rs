//! Launches that fail: which page, and that a retry is safe.

use std::time::Duration;

use reqwest::Response;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use vestibule_launch::ErrorName;

use crate::{
    failure_page::{assert_headers, request_id},
    support::{Launch, TestServer, encrypt, launch_path, location, parameter, return_path},
};

/// Checks what every error page has, and gives its text without what differs each time.
async fn page(response: Response, status: u16) -> String {
    assert_eq!(response.status(), status);
    assert_headers(response.headers());
    let text = response.text().await.unwrap();
    assert!(text.contains("2027-01-15T08:"), "the time in UTC: {text}");
    let id = request_id(&text).expect("a request id on the page");
    text.replace(&id.to_string(), "ID")
}

/// Which failure the page tells, as the launch API knows it for a stored launch.
async fn recorded(server: &TestServer, text: &str) -> String {
    let id = request_id(text).expect("a request id on the page");
    let path = format!("/api/telehealth/v1/launch/{id}/error");
    let answer = server.get(&path).await;
    assert_eq!(answer.status(), 200);
    let answer: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    answer["error_name"].as_str().unwrap().to_owned()
}

/// Launches with this encrypted parameter, and signs in.
async fn open(server: &TestServer, role: &str, data: &str) -> Response {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("iss", &server.ehr.iss())
        .append_pair("launch", "l")
        .append_pair("data", data);
    let path = format!("{}?{}", launch_path(role), form.finish());
    let state = parameter(location(&server.get(&path).await), "state");
    server.return_with(role, &state).await
}

#[tokio::test]
async fn a_ciphertext_alone_is_not_decrypted() {
    let server = TestServer::start().await;
    let iss = server.ehr.iss();
    for rest in [
        String::new(),
        format!("&iss={iss}"),
        "&launch=1".into(),
        "&launch=1&iss=https://evil.example.org".into(),
        format!("&launch=1&iss={iss}&iss={iss}"),
    ] {
        let mut pages = Vec::new();
        for data in [encrypt("csn=1&fname=Beverley").as_str(), "AAAA", "!"] {
            let data: String = url::form_urlencoded::byte_serialize(data.as_bytes()).collect();
            let path = format!("{}?data={data}{rest}", launch_path("patient"));
            let text = page(server.get(&path).await, 400).await;
            assert!(text.contains("launch_request_invalid"), "{text}");
            pages.push(text);
        }
        assert!(pages.iter().all(|text| *text == pages[0]), "{rest}");
    }
}

#[tokio::test]
async fn a_launch_needs_iss_and_launch_once() {
    let server = TestServer::start().await;
    let iss = server.ehr.iss();
    for query in [
        String::new(),
        format!("iss={iss}"),
        "launch=1".into(),
        format!("iss={iss}&launch="),
        format!("iss={iss}&launch=1&launch=2"),
        format!("iss={iss}&iss={iss}&launch=1"),
    ] {
        let response = server
            .get(&format!("{}?{query}", launch_path("patient")))
            .await;
        page(response, 400).await;
    }
    let body = "a".repeat(70_000);
    page(server.post_form(&launch_path("patient"), body).await, 413).await;
}

#[tokio::test]
async fn only_the_profiles_own_ehr_may_launch() {
    let server = TestServer::start().await;
    let ehr = server.ehr.address;
    for iss in [
        "https://evil.example.org/oauth/fhir".to_owned(),
        format!("http://{ehr}/other"),
        format!("http://{ehr}/oauthx/fhir"),
        format!("http://{ehr}/oauth/../other"),
        format!("http://{ehr}/oauth/fhir?x"),
        format!("https://{ehr}/oauth/fhir"),
        format!("http://localhost:{}/oauth/fhir", ehr.port()),
        "not a url".into(),
        "file:///etc/passwd".into(),
    ] {
        let query: String = url::form_urlencoded::byte_serialize(iss.as_bytes()).collect();
        let path = format!("{}?iss={query}&launch=1", launch_path("patient"));
        page(server.get(&path).await, 400).await;
    }
    let listed = format!("allowed_iss = [\"http://{ehr}/fhir\"]");
    let server = TestServer::with_profile(&listed).await;
    page(server.begin(Launch::PATIENT).await, 400).await;
}

#[tokio::test]
async fn a_state_is_good_once_and_for_a_quarter_of_an_hour() {
    let server = TestServer::start().await;
    let state = server.begin_state(Launch::PATIENT).await;
    assert_eq!(server.return_with("patient", &state).await.status(), 303);
    page(server.return_with("patient", &state).await, 410).await;

    let state = server.begin_state(Launch::PATIENT).await;
    server.clock.advance(Duration::from_secs(15 * 60));
    page(server.return_with("patient", &state).await, 400).await;
}

#[tokio::test]
async fn two_returns_at_once_give_one_join_link() {
    let server = TestServer::start().await;
    let state = server.begin_state(Launch::PATIENT).await;
    let (first, second) = tokio::join!(
        server.return_with("patient", &state),
        server.return_with("patient", &state)
    );
    let mut statuses = [first.status().as_u16(), second.status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 410]);
}

#[tokio::test]
async fn a_launch_url_that_led_into_a_visit_is_used() {
    let server = TestServer::start().await;
    let parameters = server.parameters(Launch::PATIENT);
    let path = format!("{}?{parameters}", launch_path("patient"));
    let first = parameter(location(&server.get(&path).await), "state");
    // A reload before the sign-in begins again; the EHR decides which one it takes.
    let second = parameter(location(&server.get(&path).await), "state");
    assert_eq!(server.return_with("patient", &first).await.status(), 303);
    let text = server
        .return_with("patient", &second)
        .await
        .text()
        .await
        .unwrap();
    assert_eq!(recorded(&server, &text).await, "launch_used");
    page(server.get(&path).await, 410).await;
}

#[tokio::test]
async fn a_refused_sign_in_is_told_and_recorded() {
    let server = TestServer::start().await;
    let state = server.begin_state(Launch::PATIENT).await;
    let path = format!(
        "{}?error=access_denied&error_description=Beverley&state={state}",
        return_path("patient")
    );
    let response = server.get(&path).await;
    assert_eq!(response.status(), 403);
    let text = response.text().await.unwrap();
    assert!(!text.contains("Beverley"));
    assert_eq!(
        recorded(&server, &text).await,
        ErrorName::SignInRefused.as_str()
    );
    server.launch(Launch::PATIENT).await;
}

#[tokio::test]
async fn a_launch_without_any_encounter_is_told() {
    let server = TestServer::start().await;
    let launch = Launch {
        role: "patient",
        plaintext: None,
    };
    let state = server.begin_state(launch).await;
    page(server.return_with("patient", &state).await, 400).await;
}

#[tokio::test]
async fn debug_information_is_shown_where_the_profile_says_so() {
    let sentence = "the EHR refused the sign-in: access_denied";
    for (more, shown) in [("", false), ("show_debug_information = true", true)] {
        let server = TestServer::with_profile(more).await;
        let state = server.begin_state(Launch::PATIENT).await;
        let path = format!(
            "{}?error=access_denied&state={state}",
            return_path("patient")
        );
        let text = server.get(&path).await.text().await.unwrap();
        assert_eq!(text.contains(sentence), shown);
    }
}

#[tokio::test]
async fn a_failing_error_template_falls_back_to_the_built_in_page() {
    let template = "launch_error_web_template = '{{ utc_time.at.all }}'";
    let server = TestServer::with_profile(template).await;
    let response = open(&server, "patient", "AAAA").await;
    assert!(page(response, 400).await.contains("<main"));
    let template =
        "launch_error_web_template = 'ours: {{telehealth_request_id}} {{utc_time}} {{error_name}}'";
    let server = TestServer::with_profile(template).await;
    let text = page(open(&server, "patient", "AAAA").await, 400).await;
    assert_eq!(text, "ours: ID 2027-01-15T08:00:00Z launch_params_invalid");
}

#[tokio::test]
async fn a_failing_template_is_told_and_recorded() {
    // With this launch only, or else the profile would be refused.
    let template = "service_name_template = '{% if unique_encounter_id == \"encounter-4711\" %}\
                    {{ unique_encounter_id.at.all }}{% endif %}{{ unique_encounter_id }}'";
    let server = TestServer::with_profile(template).await;
    let state = server.begin_state(Launch::PATIENT).await;
    let response = server.return_with("patient", &state).await;
    assert_eq!(response.status(), 500);
    let text = response.text().await.unwrap();
    assert_eq!(recorded(&server, &text).await, ErrorName::Template.as_str());
}

#[tokio::test]
async fn a_form_that_breaks_off_is_a_bad_request_and_not_too_long() {
    let server = TestServer::start().await;
    for path in [launch_path("patient"), return_path("provider")] {
        let address = server.url.strip_prefix("http://").unwrap();
        let mut browser = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\ntransfer-encoding: chunked\r\n\
             content-type: application/x-www-form-urlencoded\r\n\r\nno chunk\r\n"
        );
        browser.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        browser.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(answer.contains("telehealth_request_id") || answer.contains("<ol"));
    }
}
