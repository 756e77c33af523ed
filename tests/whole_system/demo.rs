//! The first of the README's two commands, as a newcomer runs it.

use std::{fs, net::TcpStream, time::Duration};

use anyhow::{Context, Result, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;
use tokio::{process::Command, time::timeout};

use crate::support::{
    browser::Browser,
    process::{Program, WWW, binary},
};

/// Longest wait for the demo to be built and up.
const START: Duration = Duration::from_secs(600);

#[tokio::test]
async fn the_demo_launches_a_visit_and_ctrl_c_leaves_nothing_behind_but_its_data() -> Result<()> {
    let _www = WWW.write().await;
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

    let browser = Browser::start().await?;
    browser.client.goto(&ehr).await?;
    browser.screenshot("demo-home").await?;
    browser.client.goto(&format!("{ehr}/clinician")).await?;
    browser.screenshot("demo-clinician").await?;
    browser.click_to_new_tab("[data-launch=provider]").await?;
    let joined = browser.screen("joined").await?;
    ensure!(joined.text().await?.contains("You have joined as host"));
    let server = browser.client.current_url().await?;
    browser.close().await?;

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
    let left: Vec<_> = fs::read_dir(folder.path())?.collect::<Result<_, _>>()?;
    ensure!(left.len() == 1 && left[0].path() == data, "{left:?}");
    Ok(())
}
