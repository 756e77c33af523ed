//! npm's `fhirclient` completes SMART launches: an independent judge of the
//! metadata, the sign-in, the tokens and the resources.
#![cfg(test)]

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use rand::{rand_core::UnwrapErr, rngs::SysRng};
use reqwest::{StatusCode, header::LOCATION, redirect};
use serde_json::{Value, json};
use vestibule_sandbox::{Config, Sandbox, SystemClock};

/// The application as a process of its own; it ends with the test.
struct App {
    address: String,
    jwks: Value,
    process: Child,
}

impl App {
    fn start(authentication: &str, pkce: &str) -> Self {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fhirclient");
        let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../node_modules");
        assert!(
            modules.join("fhirclient").is_dir(),
            "the npm package fhirclient is missing: run `cargo xtask test` or `npm ci`"
        );
        let mut process = Command::new("node")
            .arg(tests.join("app.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this test needs Node.js: install it, then run `cargo xtask test` or `npm ci`");
        let setup = json!({ "authentication": authentication, "pkce": pkce });
        writeln!(process.stdin.as_mut().unwrap(), "{setup}").unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let said: Value = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("the application did not start: {line:?}"));
        Self {
            address: said["address"].as_str().unwrap().to_owned(),
            jwks: said["jwks"].clone(),
            process,
        }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        // It has ended already only where the test has failed anyway.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn config(app: &App, credentials: &str, more: &str) -> Config {
    let address = &app.address;
    let text = format!(
        r#"
listen = "127.0.0.1:0"
{more}
[launch]
provider_url = "{address}/launch"
patient_url = "{address}/launch"
epic_encryption_key = "Secret123!"
epic_encryption_key_type = "password"
epic_encryption_algorithm = "AES-128-CBC"
[[clients]]
role = "provider"
client_id = "provider-app"
redirect_uri = "{address}/callback"
{credentials}
[[clients]]
role = "patient"
client_id = "patient-app"
redirect_uri = "{address}/callback"
"#
    );
    Config::parse(&text).unwrap_or_else(|error| panic!("{error}"))
}

/// Presses the clinician's button of the first appointment, goes where the
/// browser is sent, and gives what the application could read in the end.
async fn launched(config: Config) -> Value {
    let sandbox = Sandbox::bind(config, Arc::new(SystemClock), Box::new(UnwrapErr(SysRng)))
        .await
        .unwrap();
    let button = format!("{}/clinician/launch", sandbox.address());
    let ehr = tokio::spawn(sandbox.serve(std::future::pending()));
    #[expect(
        clippy::disallowed_methods,
        reason = "a browser in a test, with what server/src/http_client.rs asks for"
    )]
    let browser = reqwest::Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .timeout(Duration::from_secs(20))
        .build()
        .unwrap();
    let mut answer = browser
        .post(button)
        .header("content-type", "application/x-www-form-urlencoded")
        .body("appointment=1")
        .send()
        .await
        .unwrap();
    while answer.status().is_redirection() {
        let next = answer.headers()[LOCATION].to_str().unwrap().to_owned();
        answer = browser.get(next).send().await.unwrap();
    }
    let status = answer.status();
    let body = answer.text().await.unwrap();
    ehr.abort();
    assert_eq!(status, StatusCode::OK, "{body}");
    serde_json::from_str(&body).unwrap()
}

fn assert_read(read: &Value) {
    let user = "Practitioner/ePrM2vKd7HtQe9Lw4Xs6ZnQ3";
    assert_eq!(read["patient"]["name"][0]["family"], "Spinder");
    assert_eq!(read["encounter"]["status"], "in-progress");
    assert_eq!(
        read["encounter"]["identifier"][0]["value"],
        "6ea6d1427f684721abd21c1634386f7b6"
    );
    assert_eq!(read["userType"], "Practitioner");
    assert_eq!(read["user"]["name"][0]["family"], "Halvorsen");
    let fhir_user = read["idToken"]["fhirUser"].as_str().unwrap();
    assert!(
        fhir_user.ends_with(&format!("/api/FHIR/R4/{user}")),
        "{fhir_user}"
    );
    assert_eq!(read["idToken"]["preferred_username"], "MHALVORSEN");
}

#[tokio::test]
async fn a_public_application_completes_a_launch() {
    let app = App::start("public", "required");
    let read = launched(config(&app, "", "")).await;
    assert_read(&read);
    assert!(read.get("isRefreshed").is_none(), "no refresh token");
}

#[tokio::test]
async fn an_application_with_a_secret_completes_a_launch_and_refreshes_its_token() {
    let app = App::start("secret", "required");
    let secret = "client_secret = \"a-secret-of-plain-letters\"";
    for rolling in ["false", "true"] {
        let more = format!("tokens.rolling_refresh = {rolling}");
        let read = launched(config(&app, secret, &more)).await;
        assert_read(&read);
        assert_eq!(read["isRefreshed"], true);
        assert_eq!(read["patientAgain"], read["patient"]);
    }
}

#[tokio::test]
async fn an_application_with_a_key_completes_a_launch() {
    for algorithm in ["ES384", "RS384"] {
        let app = App::start(algorithm, "required");
        let keys = format!("jwks = '{}'", app.jwks);
        assert_read(&launched(config(&app, &keys, "")).await);
    }
}

#[tokio::test]
async fn a_launch_from_an_older_ehr_is_completed_by_the_capability_statement() {
    // Such an EHR does not say that it knows proof keys, so the application is
    // told to use them regardless.
    let app = App::start("public", "unsafeV1");
    let older = "metadata = \"capability-statement\"";
    assert_read(&launched(config(&app, "", older)).await);
}
