//! `vestibule doctor`: each thing that can be wrong between two organisations has its
//! line.

use std::net::TcpListener;

use axum::{
    Json, Router,
    http::StatusCode,
    routing::{get, post},
};
use serde_json::{Value, json};
use vestibule_sandbox::Endpoint;

use crate::support::{Home, Profile, Ran, SimulatedEhr, TlsServer, UUID, openssl};

/// A port that nobody has. Server and EHR have to know each other's address before.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A folder whose server would listen at this port.
fn home_at(port: u16, profile: &Profile) -> Home {
    let home = Home::with(profile);
    let config = home.read("vestibule.toml");
    home.write(
        "vestibule.toml",
        &config.replace("127.0.0.1:0", &format!("127.0.0.1:{port}")),
    );
    home
}

/// Doctor's line of this state and check.
#[track_caller]
fn line<'a>(ran: &'a Ran, state: &str, check: &str) -> &'a str {
    ran.line(&format!("{state:<5} {check:<17} "))
}

#[test]
fn where_all_is_well_every_line_is_ok() {
    let port = free_port();
    let site = format!("http://127.0.0.1:{port}");
    let ehr = SimulatedEhr::start(&site, "");
    let home = home_at(port, &Profile::of(&site, &ehr.url));
    let _server = home.serve();
    let ran = home.run(&["doctor"]);
    for check in [
        "configuration",
        "state key",
        "data",
        "database",
        "www",
        "pexip",
        "trusted proxies",
        "profile",
        "file permissions",
        "templates",
        "routing rule",
        "dns",
        "tls",
        "metadata",
        "clock",
        "patient client",
        "provider client",
        "patient redirect",
        "provider redirect",
        "landing page",
    ] {
        line(&ran, "ok", check);
    }
    assert!(
        !ran.stdout.contains("warn") && !ran.stdout.contains("fail"),
        "{}",
        ran.stdout
    );
    ran.line(&format!("profile {UUID} Healthcare Org"));
    assert!(!ran.stdout.contains("patient secret"));
    ran.good();
    // No launch was begun.
    assert_eq!(ehr.controls.requests(Endpoint::Authorize), 0);
    assert_eq!(ehr.controls.requests(Endpoint::Token), 2);
}

#[test]
fn a_wrong_client_secret_is_told_of_its_client() {
    let ehr = SimulatedEhr::start("https://visit.example.org", "");
    let profile = Profile::of("https://visit.example.org", &ehr.url)
        .with("patient secret / 2", "wrong secret");
    let ran = Home::with(&profile).run(&["doctor"]);
    let found = line(&ran, "fail", "patient client");
    assert!(found.contains("patient-app is not accepted"), "{found}");
    assert!(found.contains("compare client id and secret"), "{found}");
    line(&ran, "ok", "provider client");
    assert!(!ran.stdout.contains("wrong secret"));
    ran.bad();
    // The EHR may be slower than this side.
    let overlap = profile.and(
        "[previous]\nvalid_until = 2999-01-01T00:00:00Z\n\
         epic_patient_app_client_secret = \"patient secret / 2\"",
    );
    let ran = Home::with(&overlap).run(&["doctor"]);
    let found = line(&ran, "warn", "patient client");
    assert!(found.contains("previous secret"), "{found}");
}

#[test]
fn metadata_that_is_not_there_is_told_and_older_forms_are_taken() {
    let site = "https://visit.example.org";
    let ehr = SimulatedEhr::start(site, "metadata = \"neither\"");
    let ran = Home::with(&Profile::of(site, &ehr.url)).run(&["doctor"]);
    let found = line(&ran, "fail", "metadata");
    assert!(found.contains("404"), "{found}");
    assert!(found.contains("correct the FHIR base URL"), "{found}");
    assert!(found.contains("--iss"), "{found}");
    assert!(line(&ran, "warn", "patient client").contains("not tried"));
    ran.bad();

    let ehr = SimulatedEhr::start(site, "metadata = \"capability-statement\"");
    let home = Home::with(&Profile::of(site, &ehr.url));
    let ran = home.run(&["doctor"]);
    assert!(line(&ran, "ok", "metadata").contains("older EHR"));
    line(&ran, "ok", "patient client");
    let ran = home.run(&["doctor", "--iss", "https://epic.example.org/"]);
    assert!(line(&ran, "fail", "metadata").contains("not allowed to launch"));
    ran.bad();
}

#[test]
fn row_09_a_clock_that_is_apart_is_told_by_how_much() {
    for (date, state, text) in [
        ("Fri, 15 Jan 2027 08:00:00 GMT", "fail", " s "),
        (
            "Mon, 15 Jan 2001 08:00:00 GMT",
            "fail",
            " s ahead of 127.0.0.1",
        ),
    ] {
        let ehr = dated_ehr(date);
        let ran = Home::with(&Profile::of("https://visit.example.org", &ehr.url)).run(&["doctor"]);
        let found = line(&ran, state, "clock");
        assert!(found.contains(text) && found.contains("NTP"), "{found}");
        ran.bad();
    }
}

struct DatedEhr {
    url: String,
    _runtime: tokio::runtime::Runtime,
}

/// An EHR whose answers have this date.
fn dated_ehr(date: &'static str) -> DatedEhr {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let metadata = json!({
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "code_challenge_methods_supported": ["S256"],
    });
    let refusal = (
        StatusCode::BAD_REQUEST,
        Json(json!({"error": "invalid_grant"})),
    );
    let router = Router::new()
        .route(
            "/api/FHIR/R4/.well-known/smart-configuration",
            get(move || async move { ([("date", date)], Json(metadata)) }),
        )
        .route("/token", post(move || async move { refusal }));
    runtime.spawn(async move { axum::serve(listener, router).await.unwrap() });
    DatedEhr {
        url,
        _runtime: runtime,
    }
}

#[test]
fn certificates_that_are_not_trusted_or_end_soon_are_told() {
    let home = Home::empty();
    let folder = home.path();
    let request = [
        "req",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
    ];
    let own = [
        "-x509",
        "-days",
        "30",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
        "-keyout",
        "key.pem",
        "-out",
        "cert.pem",
    ];
    openssl(folder, &[&request[..], &own].concat());
    let server = TlsServer::start(folder);
    let profile = |host: &str, port: u16| {
        Profile::of(
            "https://visit.example.org",
            &format!("https://{host}:{port}"),
        )
    };
    home.write("profiles/org.toml", &profile("localhost", server.port).0);
    let ran = home.run(&["doctor"]);
    let found = line(&ran, "fail", "tls");
    assert!(found.contains("trusted_certificates"), "{found}");
    ran.bad();
    drop(server);

    // Signed by an authority that the configuration names; it ends in ten days.
    let authority = [
        "-x509",
        "-days",
        "30",
        "-subj",
        "/CN=Authority",
        "-keyout",
        "ca-key.pem",
        "-out",
        "ca.pem",
    ];
    openssl(folder, &[&request[..], &authority].concat());
    let signed = [
        "-x509",
        "-days",
        "10",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca-key.pem",
        "-keyout",
        "key.pem",
        "-out",
        "cert.pem",
    ];
    openssl(folder, &[&request[..], &signed].concat());
    home.configure("trusted_certificates = \"ca.pem\"\n");
    let server = TlsServer::start(folder);
    home.write("profiles/org.toml", &profile("localhost", server.port).0);
    let ran = home.run(&["doctor"]);
    let found = line(&ran, "warn", "tls");
    assert!(
        found.contains("certificate for localhost, valid until"),
        "{found}"
    );
    assert!(found.contains("9 days from now"), "{found}");

    home.write("profiles/org.toml", &profile("127.0.0.1", server.port).0);
    let ran = home.run(&["doctor"]);
    let found = line(&ran, "fail", "tls");
    assert!(found.contains("another name"), "{found}");
}

#[test]
fn names_that_do_not_exist_are_told() {
    let profile = Profile::of("https://visit.invalid", "https://epic.invalid");
    let ran = Home::with(&profile).run(&["doctor"]);
    assert!(line(&ran, "fail", "dns").contains("epic.invalid"));
    assert!(line(&ran, "fail", "metadata").contains("cannot be resolved"));
    assert!(line(&ran, "fail", "patient redirect").contains("cannot be resolved"));
    ran.bad();
}

#[test]
fn redirect_urls_that_lead_elsewhere_are_told() {
    let ehr = SimulatedEhr::start("https://visit.example.org", "");
    // The EHR's own address in the place of this server's.
    let ran = Home::with(&Profile::of(&ehr.url, &ehr.url)).run(&["doctor"]);
    let found = line(&ran, "fail", "patient redirect");
    assert!(found.contains("something else than Vestibule"), "{found}");
    ran.bad();

    // Nobody is there: perhaps only for this machine.
    let port = free_port();
    let site = format!("http://127.0.0.1:{port}");
    let ran = Home::with(&Profile::of(&site, &ehr.url)).run(&["doctor"]);
    line(&ran, "warn", "patient redirect");
    ran.good();

    // A server that has another profile.
    let home = home_at(port, &Profile::of(&site, &ehr.url));
    let _server = home.serve();
    let other = "00000000-0000-4000-8000-000000000001";
    home.write(
        "profiles/org.toml",
        &Profile::of(&site, &ehr.url).with(UUID, other).0,
    );
    let ran = home.run(&["doctor"]);
    let found = line(&ran, "fail", "patient redirect");
    assert!(found.contains("does not know the profile"), "{found}");
    ran.bad();
}

#[test]
fn the_backend_application_is_tried_with_its_keys() {
    let port = free_port();
    let site = format!("http://127.0.0.1:{port}");
    let home = Home::empty();
    home.run(&["profile", "keypair"]).good();
    let pem = home.read("backend-key.pem");
    let clients = format!(
        "[[clients]]\nrole = \"backend\"\nclient_id = \"backend-app\"\n\
         jwks_url = \"{site}/api/telehealth/v1/jwks/{UUID}\"\n"
    );
    let ehr = SimulatedEhr::with_clients(&site, &clients);
    let profile = Profile::of(&site, &ehr.url)
        .and("epic_backend_oauth2_app_client_id = \"backend-app\"")
        .and(&format!(
            "epic_backend_oauth2_app_token_endpoint_url = \"{}\"",
            ehr.token_endpoint()
        ))
        .and(&format!(
            "epic_backend_oauth2_app_private_key = '''\n{pem}'''"
        ));
    let home = home_at(port, &profile);
    let _server = home.serve();
    let ran = home.run(&["doctor"]);
    line(&ran, "ok", "jwks");
    line(&ran, "ok", "backend client");
    ran.good();

    // A key that the server which runs does not publish.
    home.run(&["profile", "keypair", "--out", "other.pem"])
        .good();
    let other = home.read("other.pem");
    home.write("profiles/org.toml", &profile.with(&pem, &other).0);
    let ran = home.run(&["doctor"]);
    let found = line(&ran, "fail", "jwks");
    assert!(found.contains("does not have the key"), "{found}");
    let found = line(&ran, "fail", "backend client");
    assert!(found.contains("invalid_client"), "{found}");
    ran.bad();
}

#[test]
fn what_is_wrong_on_this_machine_is_told_first() {
    let home = Home::with(&Profile::usual());
    home.configure("[pexip]\npolicy_username = \"p\"\npolicy_password = \"hunter2\"\n");
    home.permit("vestibule.toml", 0o644);
    home.permit("profiles/org.toml", 0o644);
    std::fs::create_dir(home.join("data")).unwrap();
    home.write("data/state.key", &"k".repeat(32));
    home.permit("data/state.key", 0o644);
    home.permit("data", 0o755);
    std::fs::remove_file(home.join("www/index.html")).unwrap();
    let ran = home.run(&["doctor"]);
    line(&ran, "warn", "configuration");
    line(&ran, "warn", "data");
    assert!(line(&ran, "fail", "state key").contains("chmod 600"));
    line(&ran, "fail", "www");
    assert!(line(&ran, "warn", "pexip").contains("event sink"));
    assert!(!ran.stdout.contains("hunter2"));
    ran.bad();
    home.permit("data/state.key", 0o600);
    let ran = home.run(&["doctor"]);
    assert!(line(&ran, "warn", "file permissions").contains("epic_encryption_key"));
}

#[test]
fn templates_that_show_what_is_missing_are_told() {
    let profile = Profile::usual()
        .and("patient_display_name_template = \"{{launch_information.fname}} {{launch_information.lname ~ none}}\"")
        .and("launch_error_web_template = \"<p>Sorry</p>\"");
    let ran = Home::with(&profile).run(&["doctor"]);
    let found = line(&ran, "warn", "templates");
    assert!(
        found.contains("patient is “ None”") || found.contains("None"),
        "{found}"
    );
    assert!(
        ran.stdout.contains("does not show the request id"),
        "{ran:?}"
    );
}

#[test]
fn a_profile_for_zooms_urls_needs_no_ehr() {
    let ran = Home::with(&Profile::zoom()).run(&["doctor"]);
    line(&ran, "ok", "dns");
    line(&ran, "ok", "templates");
    line(&ran, "ok", "routing rule");
    assert!(
        !ran.stdout.contains("metadata") && !ran.stdout.contains("client"),
        "{ran:?}"
    );
}

#[test]
fn the_same_is_there_in_json() {
    let home = Home::with(&Profile::of(
        "https://visit.invalid",
        "https://epic.invalid",
    ));
    let ran = home.run(&["doctor", "--json", "--profile", UUID]);
    let findings: Vec<Value> = serde_json::from_str(&ran.bad()).unwrap();
    let dns = findings
        .iter()
        .find(|finding| finding["check"] == "dns")
        .unwrap();
    assert_eq!(dns["state"], "fail");
    assert_eq!(dns["profile"], UUID);
    assert!(dns["advice"].is_string());
    let ran = home.run(&[
        "doctor",
        "--profile",
        "00000000-0000-4000-8000-000000000001",
    ]);
    assert!(line(&ran, "fail", "profiles").contains("no such profile"));
    ran.bad();
}

#[test]
fn a_faulty_profile_is_told_by_field_and_the_others_are_examined() {
    let site = "https://visit.example.org";
    let ehr = SimulatedEhr::start(site, "");
    let home = Home::with(&Profile::of(site, &ehr.url));
    let faulty = Profile::usual()
        .with(UUID, "00000000-0000-4000-8000-000000000001")
        .with("AES-256-CBC", "AES-128-CBC");
    home.write("profiles/faulty.toml", &faulty.0);
    let ran = home.run(&["doctor"]);
    let found = line(&ran, "fail", "profile");
    assert!(found.contains("epic_encryption_key"), "{found}");
    line(&ran, "ok", "metadata");
    ran.bad();
}

#[test]
fn a_proxy_that_is_not_trusted_makes_all_launches_one_places() {
    let home = Home::with(&Profile::usual());
    let ran = home.run(&["doctor"]);
    let found = line(&ran, "warn", "trusted proxies");
    assert!(found.contains("share one limit"), "{found}");
    for config in [
        "trusted_proxies = [\"127.0.0.1\"]",
        "[limits]\nlaunches_per_minute = 0",
    ] {
        home.configure(config);
        line(&home.run(&["doctor"]), "ok", "trusted proxies");
    }
}

#[test]
fn the_server_s_own_certificate_is_looked_at() {
    let site = "http://127.0.0.1:1";
    let home = home_at(1, &Profile::of(site, site));
    let found = |state: &str| line(&home.run(&["doctor"]), state, "own certificate").to_owned();
    assert!(found("ok").contains("plain HTTP"));
    let config = home.read("vestibule.toml");
    let tls = "[tls]\ncertificate = 'cert.pem'\nkey = 'key.pem'\n";
    home.write("vestibule.toml", &format!("{config}{tls}"));
    assert!(found("fail").contains("cert.pem: No such file"));
    let make = |days: &str| {
        let request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes"];
        let files = [
            "-subj",
            "/CN=localhost",
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
        ];
        openssl(
            home.path(),
            &[&request[..], &files, &["-days", days]].concat(),
        );
    };
    make("10");
    assert!(found("warn").contains("the running server takes it by itself"));
    make("90");
    assert!(found("ok").contains("valid until"));
    home.permit("key.pem", 0o644);
    assert!(found("warn").contains("can read the key"));
}
