//! The first of the README's two commands, as a newcomer runs it.

use std::{fs, net::TcpStream, time::Duration};

use anyhow::{Context, Result, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    process::Command,
    time::{Instant, sleep, timeout},
};

use crate::support::{
    browser::{Browser, engine::Engine},
    process::{Program, binary},
};

/// Longest wait for the demo to be built and up.
const START: Duration = Duration::from_secs(600);

/// Longest wait for the EHR to be told.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the browser looks at what the EHR was told.
const JOURNAL: &str = "return document.querySelector('pre').textContent";

/// The clinician of the schedule, as the EHR knows her.
const CLINICIAN: &str = "ePrM2vKd7HtQe9Lw4Xs6ZnQ3";

#[tokio::test]
async fn the_demo_shows_all_ways_into_a_visit_and_ctrl_c_leaves_nothing_behind_but_its_data()
-> Result<()> {
    let folder = TempDir::new()?;
    let data = folder.path().join("data");
    let mut command = Command::new(binary("xtask")?);
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["demo", "--data"])
        .arg(&data);
    let log = TempDir::new()?;
    let (mut demo, ehr) =
        Program::start_within(START, command, &log.path().join("demo.log"), |line| {
            let (_, rest) = line.split_once("Open ")?;
            rest.split_whitespace().next().map(str::to_owned)
        })
        .await?;

    let clinician = Browser::start(Engine::Chromium).await?;
    clinician.client.goto(&ehr).await?;
    clinician.screenshot("demo-home").await?;
    clinician.client.goto(&format!("{ehr}/clinician")).await?;
    clinician.screenshot("demo-clinician").await?;
    clinician.click_to_new_tab("[data-launch=provider]").await?;
    let joined = clinician.screen("joined").await?;
    ensure!(joined.text().await?.contains("You have joined as host"));
    let server = clinician.client.current_url().await?;

    let patient = Browser::start(Engine::Chromium).await?;
    patient.client.goto(&format!("{ehr}/patient")).await?;
    open_link(&patient, "#direct-patient-1", "demo-patient").await?;
    let button = patient.shown("form button").await?;
    patient.screenshot("demo-direct-link").await?;
    button.click().await?;
    // The clinician is there, so nobody has to wait.
    patient.screen("joined").await?;
    clinician.shown("#participants [data-role=guest]").await?;

    let colleague = Browser::start(Engine::Chromium).await?;
    colleague.client.goto(&format!("{ehr}/clinician")).await?;
    open_link(&colleague, "#zoom-provider-1", "demo-clinician-links").await?;
    let joined = colleague.screen("joined").await?;
    ensure!(joined.text().await?.contains("You have joined as host"));

    let looker = Browser::start(Engine::Chromium).await?;
    for (event, field, value) in [
        ("direct_launch_token_issued", "appointment", "1"),
        ("connection_status", "external_id", CLINICIAN),
        ("zoom_notification", "external_id", "MHALVORSEN"),
    ] {
        let told = told(&looker, &ehr, event).await?;
        ensure!(told[field] == value, "{told}");
        if field == "external_id" {
            ensure!(told["connection_status"] == "1", "{told}");
        }
    }
    // In this order: without the clinician the patient would be waiting.
    leave(&patient).await?;
    leave(&clinician).await?;
    told(&looker, &ehr, "call_ended").await?;
    looker.client.goto(&format!("{ehr}/status")).await?;
    looker.screenshot("demo-status").await?;
    for browser in [clinician, patient, colleague, looker] {
        browser.close().await?;
    }

    let id = demo.child.id().context("it runs")?;
    kill(Pid::from_raw(i32::try_from(id)?), Signal::SIGINT)?;
    let status = timeout(Duration::from_secs(30), demo.child.wait())
        .await
        .context("it stops in time")??;
    ensure!(status.success(), "{status}\n{}", demo.log()?);
    for address in [ehr, server.origin().ascii_serialization()] {
        let authority = address.trim_start_matches("http://");
        ensure!(
            TcpStream::connect(authority).is_err(),
            "{address} still answers"
        );
    }
    for name in ["sandbox.log", "server.log"] {
        let log = fs::read(data.join(name)).with_context(|| name.to_owned())?;
        vestibule_test_log::record("demo", &log);
    }
    vestibule_test_log::record("demo", demo.log()?.as_bytes());
    let left: Vec<_> = fs::read_dir(folder.path())?.collect::<Result<_, _>>()?;
    ensure!(left.len() == 1 && left[0].path() == data, "{left:?}");
    Ok(())
}

/// Opens the links of the first appointment, keeps a picture of the page, and follows one
/// of them.
async fn open_link(browser: &Browser, link: &str, picture: &str) -> Result<()> {
    browser.shown(".links summary").await?.click().await?;
    browser.shown(link).await?;
    browser.screenshot(picture).await?;
    browser.click_to_new_tab(link).await
}

async fn leave(browser: &Browser) -> Result<()> {
    let button = "[data-screen=joined] [data-action=leave]";
    browser.shown(button).await?.click().await?;
    browser.screen("left").await?;
    Ok(())
}

/// The first entry of the EHR's journal of this kind, as soon as there is one.
async fn told(browser: &Browser, ehr: &str, event: &str) -> Result<Value> {
    let start = Instant::now();
    loop {
        browser.client.goto(&format!("{ehr}/status.json")).await?;
        let text = browser.client.execute(JOURNAL, vec![]).await?;
        let text = text.as_str().context("the journal is text")?;
        let journal: Vec<Value> = serde_json::from_str(text)?;
        let found = journal.into_iter().find(|entry| entry["event"] == event);
        if let Some(found) = found {
            return Ok(found);
        }
        ensure!(start.elapsed() < PATIENCE, "no {event} in {text}");
        sleep(Duration::from_millis(100)).await;
    }
}
