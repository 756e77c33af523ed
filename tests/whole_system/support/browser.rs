//! Chromium, driven by WebDriver.

use std::{env, fs, io::ErrorKind, net::TcpListener, path::Path, time::Duration};

use anyhow::{Context, Result, bail};
use fantoccini::{
    Client, ClientBuilder, Locator,
    elements::Element,
    wd::{Capabilities, WebDriverCompatibleCommand},
};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tokio::process::Command;

use super::process::{Program, target};

/// Longest wait for anything on a page.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often a page is looked at meanwhile.
const POLL: Duration = Duration::from_millis(20);

/// A browser with a profile of its own; it ends with the test.
pub(crate) struct Browser {
    pub(crate) client: Client,
    _driver: Program,
    folder: TempDir,
}

impl Browser {
    pub(crate) async fn start() -> Result<Self> {
        let folder = TempDir::new()?;
        let driver = env::var("VESTIBULE_CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".into());
        let mut command = Command::new(&driver);
        let port = free_port()?;
        command.arg(format!("--port={port}"));
        let (driver, ()) = Program::start(command, &folder.path().join("driver.log"), |line| {
            line.contains("started successfully").then_some(())
        })
        .await
        .context("Chromium's driver is needed (Debian: chromium-driver)")?;
        let profile = folder.path().join("profile");
        let mut options = json!({
            "args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--disable-quic", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync", "--window-size=1100,800",
                format!("--user-data-dir={}", profile.display()),
            ],
        });
        if let Ok(chromium) = env::var("VESTIBULE_CHROMIUM") {
            options["binary"] = chromium.into();
        }
        let mut capabilities = Capabilities::new();
        capabilities.insert("goog:chromeOptions".into(), options);
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .context("Chromium did not start")?;
        Ok(Self {
            client,
            _driver: driver,
            folder,
        })
    }

    /// Follows a link as a person does who has it in a message: not by typing it into
    /// the address bar, of which a browser keeps a record of its own.
    pub(crate) async fn follow(&self, link: &str) -> Result<()> {
        let script = "location.assign(arguments[0])";
        self.client.execute(script, vec![link.into()]).await?;
        Ok(())
    }

    /// The element, as soon as it is there and shown.
    pub(crate) async fn shown(&self, css: &str) -> Result<Element> {
        let start = tokio::time::Instant::now();
        loop {
            if let Ok(element) = self.client.find(Locator::Css(css)).await
                && element.is_displayed().await.unwrap_or(false)
            {
                return Ok(element);
            }
            if start.elapsed() > PATIENCE {
                let text = self
                    .client
                    .execute("return document.body.innerText", vec![]);
                let url = self.client.current_url().await?;
                bail!("{css} did not come at {}: {}", url.path(), text.await?);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The screen of the landing page with this name, as soon as it is shown.
    pub(crate) async fn screen(&self, name: &str) -> Result<Element> {
        self.shown(&format!("[data-screen={name}]")).await
    }

    /// Waits until `script` returns true.
    pub(crate) async fn until(&self, what: &str, script: &str) -> Result<()> {
        let start = tokio::time::Instant::now();
        while self.client.execute(script, vec![]).await? != Value::Bool(true) {
            if start.elapsed() > PATIENCE {
                bail!("waited in vain: {what}");
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    /// Clicks a button that opens another tab, and goes there.
    pub(crate) async fn click_to_new_tab(&self, css: &str) -> Result<()> {
        let before = self.client.windows().await?;
        self.shown(css).await?.click().await?;
        let start = tokio::time::Instant::now();
        loop {
            let windows = self.client.windows().await?;
            if let Some(new) = windows.into_iter().find(|window| !before.contains(window)) {
                return Ok(self.client.switch_to_window(new).await?);
            }
            if start.elapsed() > PATIENCE {
                bail!("{css} opened no tab");
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The text of an element inside the frame with the error page, as soon as it is
    /// there.
    pub(crate) async fn framed_text(&self, css: &str) -> Result<String> {
        let start = tokio::time::Instant::now();
        loop {
            // The frame's document is loaded when it is wanted, so look from outside anew.
            self.shown("#failure-frame").await?.enter_frame().await?;
            let text = match self.client.find(Locator::Css(css)).await {
                Ok(element) => element.text().await.ok(),
                Err(_) => None,
            };
            self.client.enter_parent_frame().await?;
            if let Some(text) = text {
                return Ok(text);
            }
            if start.elapsed() > PATIENCE {
                bail!("{css} did not come in the frame");
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Every address and title in this tab's history.
    pub(crate) async fn history(&self) -> Result<Vec<String>> {
        let answer = self
            .devtools("Page.getNavigationHistory", json!({}))
            .await?;
        let entries = answer["entries"].as_array().context("entries")?;
        Ok(entries
            .iter()
            .flat_map(|entry| [&entry["url"], &entry["title"]])
            .filter_map(|text| text.as_str().map(str::to_owned))
            .collect())
    }

    /// A command of Chromium's developer tools.
    pub(crate) async fn devtools(&self, command: &str, parameters: Value) -> Result<Value> {
        let command = DevTools {
            body: json!({"cmd": command, "params": parameters}).to_string(),
        };
        Ok(self.client.issue_cmd(command).await?)
    }

    /// Keeps a picture of the page in `target/screenshots`, and in the folder that
    /// `VESTIBULE_SCREENSHOTS` names.
    pub(crate) async fn screenshot(&self, name: &str) -> Result<()> {
        let png = self.client.screenshot().await?;
        let folder = target()?.join("screenshots");
        let others = env::var("VESTIBULE_SCREENSHOTS").ok();
        for folder in [Some(folder.as_path()), others.as_deref().map(Path::new)]
            .into_iter()
            .flatten()
        {
            fs::create_dir_all(folder)?;
            fs::write(folder.join(format!("{name}.png")), &png)?;
        }
        Ok(())
    }

    /// Ends the session, so that the browser has written what it writes.
    pub(crate) async fn close(self) -> Result<TempDir> {
        self.client.close().await?;
        Ok(self.folder)
    }
}

/// Every address and title that a closed browser has kept in its history file.
pub(crate) async fn visited(folder: &TempDir) -> Result<Vec<String>> {
    let history = folder.path().join("profile/Default/History");
    let options = SqliteConnectOptions::new().filename(history);
    let mut database = SqliteConnection::connect_with(&options).await?;
    let query = "SELECT url FROM urls UNION SELECT title FROM urls";
    Ok(sqlx::query_scalar(query).fetch_all(&mut database).await?)
}

/// A port that is free on both loopback addresses: the driver listens on both, and
/// does not look at the second when it chooses by itself.
fn free_port() -> Result<u16> {
    loop {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let second = TcpListener::bind(("::1", port));
        if second.map_or_else(|error| error.kind() != ErrorKind::AddrInUse, |_| true) {
            return Ok(port);
        }
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
        base_url.join(&format!(
            "session/{}/goog/cdp/execute",
            session_id.unwrap_or_default()
        ))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.clone()))
    }
}
