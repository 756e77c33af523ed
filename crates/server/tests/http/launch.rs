//! The whole way of a launch, from the EHR's button to the join link.

use crate::support::{
    Launch, TestServer, TokenScript, UUID, launch_path, location, parameter, parameters,
    return_path,
};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use sha2::{Digest as _, Sha256};

#[tokio::test]
async fn a_provider_is_sent_to_the_sign_in_and_into_the_visit() {
    let server = TestServer::start().await;
    let response = server.begin(Launch::PROVIDER).await;
    assert_eq!(response.status(), 303);
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["referrer-policy"], "no-referrer");
    let authorize = location(&response);
    assert!(authorize.starts_with(&format!(
        "http://{}/authorize?tenant=1&",
        server.ehr.address
    )));
    let sent = |name| parameter(authorize, name);
    assert_eq!(sent("response_type"), "code");
    assert_eq!(sent("client_id"), "provider-app");
    let redirect_uri = format!("https://visit.example.org{}/", return_path("provider"));
    assert_eq!(sent("redirect_uri"), redirect_uri);
    assert_eq!(sent("launch"), "launch-token-0");
    assert_eq!(sent("aud"), server.ehr.iss());
    assert_eq!(sent("code_challenge_method"), "S256");
    assert!(sent("scope").split(' ').any(|scope| scope == "launch"));
    assert!(sent("state").len() < 120);

    let response = server.return_with("provider", &sent("state")).await;
    assert_eq!(response.status(), 303);
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["referrer-policy"], "no-referrer");
    let link = location(&response);
    assert!(link.starts_with("https://visit.example.org/webapp/#/?conference=telehealth."));
    let names: Vec<_> = parameters(link).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["conference", "pin", "name"]);
    assert_eq!(parameter(link, "name"), "Healthcare Org");
    let pin = parameter(link, "pin");
    assert!(pin.len() == 8 && pin.bytes().all(|digit| digit.is_ascii_digit()));
    assert!(parameter(link, "conference").ends_with("@telehealth.example.org"));

    server.ehr.script(|script| {
        let [request] = script.token_requests.as_slice() else {
            panic!("one token request")
        };
        let credentials = "provider-app:client-secret-of-the-ehr";
        let credentials = base64ct::Base64::encode_string(credentials.as_bytes());
        assert_eq!(request.authorization, format!("Basic {credentials}"));
        let sent_with = |name| parameter(&request.body, name);
        assert_eq!(sent_with("grant_type"), "authorization_code");
        assert_eq!(sent_with("code"), "code-of-the-ehr");
        assert_eq!(sent_with("redirect_uri"), redirect_uri);
        let challenge = Sha256::digest(sent_with("code_verifier"));
        assert_eq!(
            Base64UrlUnpadded::encode_string(&challenge),
            sent("code_challenge")
        );
    });
}

#[tokio::test]
async fn a_patient_gets_a_name_and_never_the_pin() {
    let server = TestServer::start().await;
    let provider = server.launch(Launch::PROVIDER).await;
    let patient = server.launch(Launch::PATIENT).await;
    let names: Vec<_> = parameters(&patient)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["conference", "name", "role"]);
    assert_eq!(parameter(&patient, "name"), "Beverley P Spinder");
    assert_eq!(parameter(&patient, "role"), "guest");
    assert!(!patient.contains(&parameter(&provider, "pin")));
    server.ehr.script(|script| {
        let request = script.token_requests.last().unwrap();
        assert_eq!(request.authorization, "", "a public client");
        assert_eq!(parameter(&request.body, "client_id"), "patient-app");
    });
}

#[tokio::test]
async fn launches_of_one_appointment_share_conference_and_pin_and_nothing_else() {
    let server = TestServer::start().await;
    let (first, second) = (
        server.launch(Launch::PROVIDER).await,
        server.launch(Launch::PROVIDER).await,
    );
    assert_eq!(parameter(&first, "pin"), parameter(&second, "pin"));
    assert_ne!(
        parameter(&first, "conference"),
        parameter(&second, "conference")
    );
    let patient = server.launch(Launch::PATIENT).await;
    let mut conferences = Vec::new();
    for (link, pin) in [
        (&first, parameter(&first, "pin")),
        (&second, parameter(&second, "pin")),
        (&patient, "none".into()),
    ] {
        let response = server
            .request_token(&parameter(link, "conference"), &pin)
            .await;
        assert_eq!(response.status(), 200);
        let answer: serde_json::Value =
            serde_json::from_str(&response.text().await.unwrap()).unwrap();
        let role = if pin == "none" { "GUEST" } else { "HOST" };
        assert_eq!(answer["result"]["role"], role);
        conferences.push(answer["result"]["conference_name"].clone());
    }
    assert_eq!(
        conferences,
        ["Appointment for Beverley Spinder Healthcare Org:encounter-4711 in Radiology"; 3]
    );

    let other = Launch {
        plaintext: Some("csn=4712&fname=Kai"),
        ..Launch::PROVIDER
    };
    assert_ne!(
        parameter(&server.launch(other).await, "pin"),
        parameter(&first, "pin")
    );
}

#[tokio::test]
async fn a_long_service_name_is_cut_and_keeps_appointments_apart() {
    // The encounter stands where the name is cut off.
    let more = format!(
        "service_name_template = '{}{{{{unique_encounter_id}}}}'",
        "é".repeat(249)
    );
    let server = TestServer::with_profile(&more).await;
    let mut names = Vec::new();
    let mut pins = Vec::new();
    let mut conferences = Vec::new();
    for plaintext in ["csn=11&fname=Beverley", "csn=12&fname=Kai"] {
        let link = server
            .launch(Launch {
                plaintext: Some(plaintext),
                ..Launch::PROVIDER
            })
            .await;
        let alias = parameter(&link, "conference");
        let pin = parameter(&link, "pin");
        let response = server.request_token(&alias, &pin).await;
        assert_eq!(response.status(), 200);
        let answer: serde_json::Value =
            serde_json::from_str(&response.text().await.unwrap()).unwrap();
        let name = answer["result"]["conference_name"].as_str().unwrap();
        assert!(name.starts_with(&format!("{} ", "é".repeat(233))), "{name}");
        assert_eq!(name.chars().count(), 250);
        assert!(!names.contains(&name.to_owned()));
        names.push(name.to_owned());
        pins.push(pin);
        conferences.push((
            alias,
            answer["result"]["token"].as_str().unwrap().to_owned(),
        ));
    }
    assert_ne!(pins[0], pins[1]);
    // Each sees nobody but itself.
    for (alias, token) in conferences {
        let path = format!("/api/client/v2/conferences/{alias}/participants?token={token}");
        let response = server.get(&path).await;
        assert_eq!(response.status(), 200);
        let answer: serde_json::Value =
            serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(answer["result"].as_array().unwrap().len(), 1, "{answer}");
    }
}

#[tokio::test]
async fn the_ehr_may_post_and_add_a_slash() {
    let server = TestServer::start().await;
    for slash in ["", "/"] {
        let body = server.parameters(Launch::PATIENT);
        let response = server
            .post_form(&(launch_path("patient") + slash), body)
            .await;
        assert_eq!(response.status(), 303);
        let state = parameter(location(&response), "state");
        let body = format!("code=code-of-the-ehr&state={state}");
        let response = server
            .post_form(&(return_path("patient") + slash), body)
            .await;
        assert_eq!(response.status(), 303);
        assert!(location(&response).contains("role=guest"));
    }
    let state = server.begin_state(Launch::PATIENT).await;
    let path = format!("{}/?code=c&state={state}", return_path("patient"));
    assert_eq!(server.get(&path).await.status(), 303);
}

#[tokio::test]
async fn the_ehr_may_name_the_encounter_in_its_token_answer() {
    let server = TestServer::start().await;
    server
        .ehr
        .script(|script| script.token = TokenScript::Gives(Some("encounter-1")));
    let provider = server
        .launch(Launch {
            role: "provider",
            plaintext: None,
        })
        .await;
    let patient = server
        .launch(Launch {
            role: "patient",
            plaintext: None,
        })
        .await;
    assert_eq!(
        parameter(&patient, "name"),
        "",
        "the landing page asks for it"
    );
    for (link, pin) in [
        (&provider, parameter(&provider, "pin")),
        (&patient, "none".to_owned()),
    ] {
        let response = server
            .request_token(&parameter(link, "conference"), &pin)
            .await;
        assert_eq!(response.status(), 200);
        assert!(
            response
                .text()
                .await
                .unwrap()
                .contains("Healthcare Org:encounter-1")
        );
    }
}

#[tokio::test]
async fn the_head_of_a_step_takes_no_step() {
    let server = TestServer::start().await;
    let state = server.begin_state(Launch::PATIENT).await;
    let url = format!(
        "{}{}?code=c&state={state}",
        server.url,
        return_path("patient")
    );
    #[expect(
        clippy::disallowed_methods,
        reason = "a browser, not the server's client"
    )]
    let response = reqwest::Client::new().head(url).send().await.unwrap();
    assert_eq!(response.status(), 405);
    assert_eq!(server.return_with("patient", &state).await.status(), 303);
}

#[tokio::test]
async fn roles_other_than_patient_and_provider_have_no_path() {
    let server = TestServer::start().await;
    for path in [
        launch_path("host"),
        return_path("admin"),
        launch_path("PATIENT"),
        "/".into(),
    ] {
        assert_eq!(server.get(&path).await.status(), 404, "{path}");
    }
    assert!(launch_path("patient").ends_with(UUID));
}
