//! Chromium, made as slow as an old phone on a mobile network.

use std::{net::TcpListener, path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use fantoccini::{
    Client, ClientBuilder,
    wd::{Capabilities, WebDriverCompatibleCommand},
};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::{Instant, sleep},
};

/// How much slower the processor is made.
const CPU_SLOW_DOWN: u32 = 6;
/// Round trip, in milliseconds.
const ROUND_TRIP: u32 = 150;
/// Bytes in a second: 1.6 Mbit/s.
const THROUGHPUT: u32 = 200_000;

const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);

/// A running browser; it ends when this is dropped.
pub(crate) struct Chromium {
    pub(crate) client: Client,
    _driver: Child,
    _profile: TempDir,
}

impl Chromium {
    /// Starts the browser and slows it down.
    pub(crate) async fn start(chromium: &Path, chromedriver: &Path) -> Result<Self> {
        let profile = TempDir::new()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let driver = Command::new(chromedriver)
            .arg(format!("--port={port}"))
            .arg("--silent")
            .stdout(std::process::Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("chromedriver does not start")?;
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            ensure!(start.elapsed() < PATIENCE, "chromedriver does not listen");
            sleep(POLL).await;
        }
        let options = json!({
            "binary": chromium,
            "args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--disable-quic", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync",
                format!("--user-data-dir={}", profile.path().display()),
            ],
        });
        let capabilities = Capabilities::from_iter([("goog:chromeOptions".to_owned(), options)]);
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .context("Chromium did not start")?;
        let browser = Self {
            client,
            _driver: driver,
            _profile: profile,
        };
        browser.slow_down().await?;
        Ok(browser)
    }

    async fn slow_down(&self) -> Result<()> {
        self.devtools("Network.enable", json!({})).await?;
        let network = json!({
            "offline": false, "latency": ROUND_TRIP,
            "downloadThroughput": THROUGHPUT, "uploadThroughput": THROUGHPUT,
        });
        self.devtools("Network.emulateNetworkConditions", network)
            .await?;
        let processor = json!({"rate": CPU_SLOW_DOWN});
        self.devtools("Emulation.setCPUThrottlingRate", processor)
            .await?;
        Ok(())
    }

    /// A command of Chromium's developer tools.
    pub(crate) async fn devtools(&self, command: &str, parameters: Value) -> Result<Value> {
        let body = json!({"cmd": command, "params": parameters}).to_string();
        Ok(self.client.issue_cmd(DevTools { body }).await?)
    }
}

#[derive(Debug)]
struct DevTools {
    body: String,
}

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(
        &self,
        base_url: &url::Url,
        session_id: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        let session = session_id.unwrap_or_default();
        base_url.join(&format!("session/{session}/goog/cdp/execute"))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.clone()))
    }
}
