//! From the button in the EHR to the joined visit.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use fantoccini::key::Key;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::support::{
    browser::{self, Browser, engine::Engine},
    house::House,
    launcher::{join_link, pin_of},
};

/// Page in the EHR, and name of the launch behind its buttons.
pub(crate) const CLINICIAN: (&str, &str) = ("clinician", "provider");
pub(crate) const PATIENT: (&str, &str) = ("patient", "patient");

/// Join links that hold nothing but a one-time ticket.
pub(crate) const TICKET_LINKS: &str = "
provider_web_join_link_template = \"{{telehealth_integration.infinity_webapp_server_base_url}}/webapp/#/?ticket={{launch_ticket}}\"
patient_web_join_link_template = \"{{telehealth_integration.infinity_webapp_server_base_url}}/webapp/#/?ticket={{launch_ticket}}\"
";

/// The patient of the first appointment, in the parts that could leak.
const NAMES: [&str; 2] = ["Beverley", "Spinder"];

in_every_browser!(
    the_clinicians_button_ends_on_a_page_that_says_joined_as_host,
    the_patient_waits_for_the_host_and_is_in_when_the_clinician_arrives,
    closing_the_page_gives_the_token_back,
    a_name_missing_from_the_link_is_asked_for,
    a_wrong_pin_is_refused_in_a_clear_sentence_and_the_second_try_works,
    an_old_link_ends_on_the_error_page_with_the_request_id_of_its_launch,
    a_frame_with_the_error_page_runs_no_script_of_the_template,
    a_ticket_is_good_for_one_browser,
    a_page_without_a_link_says_where_to_open_the_visit,
);

async fn the_clinicians_button_ends_on_a_page_that_says_joined_as_host(
    engine: Engine,
) -> Result<()> {
    let house = House::start().await?;
    let browser = Browser::start(engine).await?;
    launch(&house, &browser, CLINICIAN).await?;

    let joined = browser.screen("joined").await?;
    let text = joined.text().await?;
    ensure!(text.contains("You have joined as host"), "{text}");
    browser.shown("#participants [data-you]").await?;
    browser.screenshot("joined").await?;
    nothing_personal_is_left(&house, &browser).await?;
    no_failure_code_was_fetched(&house)?;
    requests_satisfy_pexips_schemas(&house, &["request_token"])?;
    browser.close().await?;
    Ok(())
}

async fn the_patient_waits_for_the_host_and_is_in_when_the_clinician_arrives(
    engine: Engine,
) -> Result<()> {
    let house = House::start().await?;
    let patient = Browser::start(engine).await?;
    launch(&house, &patient, PATIENT).await?;
    let waiting = patient.screen("waiting").await?;
    ensure!(waiting.text().await?.contains("Waiting for the host"));
    let announced = patient.announced().await?;
    ensure!(announced.contains("Waiting for the host"), "{announced}");
    patient.screenshot("waiting").await?;
    nothing_personal_is_left(&house, &patient).await?;

    let clinician = Browser::start(engine).await?;
    launch(&house, &clinician, CLINICIAN).await?;
    clinician.screen("joined").await?;

    let joined = patient.screen("joined").await?;
    ensure!(joined.text().await?.contains("You have joined"));
    let announced = patient.announced().await?;
    ensure!(announced == "You have joined as guest", "{announced}");
    patient.shown("#participants [data-role=chair]").await?;
    clinician.shown("#participants [data-role=guest]").await?;
    patient.screenshot("joined-as-guest").await?;
    nothing_personal_is_left(&house, &patient).await?;
    nothing_personal_is_left(&house, &clinician).await?;

    // Leaving gives the token back, and the other side sees it.
    patient
        .shown("[data-screen=joined] [data-action=leave]")
        .await?
        .click()
        .await?;
    patient.screen("left").await?;
    clinician
        .until(
            "the guest is gone",
            "return !document.querySelector('[data-role=guest]')",
        )
        .await?;
    no_failure_code_was_fetched(&house)?;
    requests_satisfy_pexips_schemas(&house, &["request_token", "release_token"])?;
    patient.close().await?;
    clinician.close().await?;
    Ok(())
}

async fn closing_the_page_gives_the_token_back(engine: Engine) -> Result<()> {
    let house = House::start().await?;
    let browser = Browser::start(engine).await?;
    launch(&house, &browser, CLINICIAN).await?;
    browser.screen("joined").await?;
    browser.client.close_window().await?;
    let tab = browser.client.windows().await?.remove(0);
    browser.client.switch_to_window(tab).await?;

    house
        .until_requested("POST /api/client/v2/conferences/", "/release_token?token=")
        .await?;
    requests_satisfy_pexips_schemas(&house, &["request_token", "release_token"])?;
    browser.close().await?;
    Ok(())
}

async fn a_name_missing_from_the_link_is_asked_for(engine: Engine) -> Result<()> {
    let house = House::with_profile(
        "patient_web_join_link_template = \"{{telehealth_integration.infinity_webapp_server_base_url}}\
         /webapp/#/?conference={{telehealth_alias}}&role=guest\"",
    )
    .await?;
    let browser = Browser::start(engine).await?;
    launch(&house, &browser, PATIENT).await?;
    browser.screen("name").await?;
    browser.screenshot("name").await?;

    let input = browser.shown("#name").await?;
    input.send_keys(&line("   ")).await?;
    browser.shown("#name-fault").await?;
    input.clear().await?;
    input.send_keys(&line("Beverley Spinder")).await?;
    browser.screen("waiting").await?;
    nothing_personal_is_left(&house, &browser).await?;
    browser.close().await?;
    Ok(())
}

async fn a_wrong_pin_is_refused_in_a_clear_sentence_and_the_second_try_works(
    engine: Engine,
) -> Result<()> {
    let house = House::start().await?;
    let link = join_link(&house, "clinician").await?;
    let right = pin_of(&link)?;
    let wrong = if right == "11111111" {
        "22222222"
    } else {
        "11111111"
    };
    let link = link.replace(&format!("pin={right}"), &format!("pin={wrong}"));

    let browser = Browser::start(engine).await?;
    browser.follow(&link).await?;
    browser.screen("pin").await?;
    let fault = browser.shown("#pin-fault").await?.text().await?;
    ensure!(fault.contains("That PIN is not right"), "{fault}");
    browser.screenshot("wrong-pin").await?;
    nothing_personal_is_left(&house, &browser).await?;

    browser
        .shown("#pin")
        .await?
        .send_keys(&line(&right))
        .await?;
    let joined = browser.screen("joined").await?;
    ensure!(joined.text().await?.contains("You have joined as host"));
    nothing_personal_is_left(&house, &browser).await?;
    browser.close().await?;
    Ok(())
}

async fn an_old_link_ends_on_the_error_page_with_the_request_id_of_its_launch(
    engine: Engine,
) -> Result<()> {
    let house = House::start().await?;
    let link = join_link(&house, "patient").await?;
    let request_id = make_old(&house).await?;

    let browser = Browser::start(engine).await?;
    browser.follow(&link).await?;
    browser.screen("failed").await?;
    let text = browser.framed_text("main").await?;
    ensure!(text.contains(&request_id), "{text}");
    browser.screenshot("old-link").await?;
    nothing_personal_is_left(&house, &browser).await?;
    ensure!(
        house.logs()?.contains(&request_id),
        "the help desk finds the request id in the log"
    );
    browser.close().await?;
    Ok(())
}

async fn a_frame_with_the_error_page_runs_no_script_of_the_template(engine: Engine) -> Result<()> {
    let house = House::with_profile(
        "launch_error_web_template = \"<h1 style='color: rgb(1, 2, 3)' id=styled>{{telehealth_request_id}}</h1>\
         <script>top.document.title = 'hijacked'</script>\
         <img src=x onerror=\\\"top.document.title = 'hijacked'\\\">\"",
    )
    .await?;
    let link = join_link(&house, "patient").await?;
    let request_id = make_old(&house).await?;
    let browser = Browser::start(engine).await?;
    browser.follow(&link).await?;
    ensure!(browser.framed_text("#styled").await? == request_id);
    browser.shown("#failure-frame").await?.enter_frame().await?;
    let color = browser.shown("#styled").await?.css_value("color").await?;
    ensure!(
        color.contains("1, 2, 3"),
        "the template's style counts: {color}"
    );
    browser.client.enter_parent_frame().await?;
    let title = browser.client.title().await?;
    ensure!(title.ends_with("Video visit"), "{title}");
    browser.close().await?;
    Ok(())
}

#[tokio::test]
async fn with_a_ticket_neither_pin_nor_name_is_in_what_the_browser_keeps_on_disk() -> Result<()> {
    let house = House::with_profile(TICKET_LINKS).await?;
    let browser = Browser::start(Engine::Chromium).await?;
    for (user, screen) in [(PATIENT, "waiting"), (CLINICIAN, "joined")] {
        launch(&house, &browser, user).await?;
        browser.screen(screen).await?;
        nothing_personal_is_left(&house, &browser).await?;
    }
    let secrets = secrets(&house);
    ensure!(secrets.len() > NAMES.len(), "the host has sent a PIN");
    let folder = browser.close().await?;
    let visited = browser::visited(&folder).await?;
    ensure!(visited.iter().any(|address| address.contains("/webapp/")));
    for text in visited {
        without(&secrets, "the browser's history file", &text)?;
    }
    Ok(())
}

async fn a_ticket_is_good_for_one_browser(engine: Engine) -> Result<()> {
    let house = House::with_profile(TICKET_LINKS).await?;
    let link = join_link(&house, "clinician").await?;
    let browser = Browser::start(engine).await?;
    browser.follow(&link).await?;
    browser.screen("joined").await?;

    let other = Browser::start(engine).await?;
    other.follow(&link).await?;
    other.screen("failed").await?;
    let text = other.framed_text("main").await?;
    ensure!(text.contains("This link does not work"), "{text}");
    other.close().await?;
    browser.close().await?;
    Ok(())
}

async fn a_page_without_a_link_says_where_to_open_the_visit(engine: Engine) -> Result<()> {
    let house = House::start().await?;
    let browser = Browser::start(engine).await?;
    browser
        .client
        .goto(&format!("{}/webapp/", house.tap.address))
        .await?;
    browser.screen("failed").await?;
    let text = browser.framed_text("main").await?;
    ensure!(text.contains("the link in the newest message"), "{text}");
    browser.close().await?;
    Ok(())
}

/// Presses the first appointment's button on the user's page in the EHR, and goes to
/// the tab that opens.
pub(crate) async fn launch(
    house: &House,
    browser: &Browser,
    (page, role): (&str, &str),
) -> Result<()> {
    browser
        .client
        .goto(&format!("{}/{page}", house.ehr))
        .await?;
    let button = format!("[data-launch={role}][data-appointment=\"1\"]");
    browser.click_to_new_tab(&button).await
}

/// Neither PIN nor name is in the address bar, in history, in a request line, in a
/// Referer or in a log.
pub(crate) async fn nothing_personal_is_left(house: &House, browser: &Browser) -> Result<()> {
    let secrets = secrets(house);
    let address = browser.client.current_url().await?;
    without(&secrets, "the address bar", address.as_str())?;
    ensure!(address.fragment().is_none_or(str::is_empty), "{address}");
    for address in browser.history().await? {
        without(&secrets, "the history", &address)?;
    }
    let referrer = browser
        .client
        .execute("return document.referrer", vec![])
        .await?;
    without(&secrets, "the referrer", &referrer.to_string())?;
    for request in house.tap.requests() {
        without(&secrets, "a request line", &request.line)?;
        without(
            &secrets,
            "a Referer",
            request.header("referer").unwrap_or_default(),
        )?;
    }
    without(&secrets, "a log", &house.logs()?)
}

/// The patient's name, and every PIN that was sent.
fn secrets(house: &House) -> Vec<String> {
    let requests = house.tap.requests();
    let pins = requests.iter().filter_map(|request| request.header("pin"));
    let pins = pins.filter(|pin| *pin != "none");
    NAMES.into_iter().chain(pins).map(str::to_owned).collect()
}

fn without(secrets: &[String], place: &str, text: &str) -> Result<()> {
    let text = percent_decode_str(text).decode_utf8_lossy();
    let found = secrets.iter().find(|secret| text.contains(secret.as_str()));
    ensure!(found.is_none(), "{found:?} in {place}: {text}");
    Ok(())
}

fn no_failure_code_was_fetched(house: &House) -> Result<()> {
    for request in house.tap.requests() {
        ensure!(!request.line.contains("/error-"), "{}", request.line);
    }
    Ok(())
}

/// Every body that the shim has sent, judged by the validators of Pexip's own client.
fn requests_satisfy_pexips_schemas(house: &House, wanted: &[&str]) -> Result<()> {
    let mut lines = String::new();
    let mut seen = Vec::new();
    for request in house.tap.requests() {
        for (name, validator) in [
            ("request_token", "validateRequestTokenBody"),
            ("release_token", "validateReleaseTokenBody"),
        ] {
            let path = request.line.split([' ', '?']).nth(1).unwrap_or_default();
            if request.line.starts_with("POST ") && path.ends_with(name) {
                let value: Value = serde_json::from_slice(&request.body)
                    .with_context(|| format!("the body of {name} is JSON"))?;
                lines += &format!("{}\n", json!({"validator": validator, "value": value}));
                seen.push(name);
            }
        }
    }
    for name in wanted {
        ensure!(seen.contains(name), "no {name} was sent");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut node = Command::new("node")
        .arg(root.join("tests/pexip/validate.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("Node.js is needed: run `cargo xtask test`")?;
    node.stdin
        .take()
        .context("stdin")?
        .write_all(lines.as_bytes())?;
    let output = node.wait_with_output()?;
    ensure!(
        output.status.success(),
        "{}{}\n{lines}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// Lets the time of every link pass, as the server's database keeps it, and tells
/// the request id of the only launch.
async fn make_old(house: &House) -> Result<String> {
    let options = SqliteConnectOptions::new().filename(house.database());
    let mut database = SqliteConnection::connect_with(&options).await?;
    let aged = sqlx::query("UPDATE aliases SET expires_at = 1")
        .execute(&mut database)
        .await?;
    ensure!(aged.rows_affected() == 1, "one launch, one alias");
    let hex: String = sqlx::query_scalar("SELECT lower(hex(request_id)) FROM launches")
        .fetch_one(&mut database)
        .await?;
    Ok(format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    ))
}

/// What is typed to send a form: the text, and the key for it.
fn line(text: &str) -> String {
    format!("{text}{}", char::from(Key::Enter))
}
