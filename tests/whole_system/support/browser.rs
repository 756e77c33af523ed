//! A browser, driven by WebDriver.

pub(crate) mod engine;

use std::{env, fs, path::Path, time::Duration};

use anyhow::{Context, Result, bail};
use base64ct::{Base64, Encoding as _};
use fantoccini::{
    Client, Locator,
    actions::{InputSource, MOUSE_BUTTON_LEFT, MouseActions, PointerAction},
    elements::Element,
    wd::WebDriverCompatibleCommand,
};
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use super::process::{Program, target};
use engine::{Engine, Session, Setting};

/// Longest wait for anything on a page.
const PATIENCE: Duration = Duration::from_secs(20);

/// Between the two clicks of a double click: time enough to show another screen, and short
/// enough for every browser.
const BETWEEN_CLICKS: Duration = Duration::from_millis(150);

/// How often a page is looked at meanwhile.
const POLL: Duration = Duration::from_millis(20);

/// A browser with a profile of its own; it ends with the test.
pub(crate) struct Browser {
    pub(crate) engine: Engine,
    pub(crate) client: Client,
    _programs: Vec<Program>,
    folder: TempDir,
}

impl Browser {
    /// Starts a browser as it is installed.
    pub(crate) async fn start(engine: Engine) -> Result<Self> {
        Self::with(engine, Setting::default()).await
    }

    /// Starts a browser with another setting.
    pub(crate) async fn with(engine: Engine, setting: Setting) -> Result<Self> {
        let folder = TempDir::new()?;
        let Session { client, programs } = engine.start(setting, folder.path()).await?;
        Ok(Self {
            engine,
            client,
            _programs: programs,
            folder,
        })
    }

    /// Follows a link as a person does who has it in a message: not by typing it into
    /// the address bar, of which a browser keeps a record of its own.
    pub(crate) async fn follow(&self, link: &str) -> Result<()> {
        // Not at once: Chromium's driver runs a script once more whose page goes away under it,
        // and the link would be opened twice.
        let script = "const [link] = arguments; setTimeout(() => location.assign(link))";
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

    /// What the page's live region says: nothing that anybody sees.
    pub(crate) async fn announced(&self) -> Result<String> {
        let script = "return document.querySelector('#announcement').textContent";
        let text = self.client.execute(script, vec![]).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until `script` returns true. Where another page is on its way it may fail, or
    /// return nothing, as that page has not come.
    pub(crate) async fn until(&self, what: &str, script: &str) -> Result<()> {
        let start = tokio::time::Instant::now();
        loop {
            let answer = self.client.execute(script, vec![]).await;
            if matches!(answer, Ok(Value::Bool(true))) {
                return Ok(());
            }
            if start.elapsed() > PATIENCE {
                bail!("waited in vain: {what}; the last answer: {answer:?}");
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Clicks twice with the mouse where the element is, as soon as it is there.
    pub(crate) async fn double_click(&self, css: &str) -> Result<()> {
        let move_there = PointerAction::MoveToElement {
            element: self.shown(css).await?,
            duration: None,
            x: 0.0,
            y: 0.0,
        };
        let button = MOUSE_BUTTON_LEFT;
        let click = [PointerAction::Down { button }, PointerAction::Up { button }];
        let pause = PointerAction::Pause {
            duration: BETWEEN_CLICKS,
        };
        let actions = [move_there].into_iter().chain(click.clone());
        let actions = actions.chain([pause]).chain(click);
        let mouse = MouseActions::new("mouse".to_owned());
        let mouse = actions.fold(mouse, InputSource::then);
        Ok(self.client.perform_actions(mouse).await?)
    }

    /// Runs a script in every page from now on, before those of the page. Chromium only.
    pub(crate) async fn before_every_page(&self, script: &str) -> Result<()> {
        self.devtools("Page.enable", json!({})).await?;
        let script = json!({"source": script});
        self.devtools("Page.addScriptToEvaluateOnNewDocument", script)
            .await?;
        Ok(())
    }

    /// Calls itself something else. Chromium only.
    pub(crate) async fn user_agent(&self, name: &str) -> Result<()> {
        let name = json!({"userAgent": name});
        self.devtools("Emulation.setUserAgentOverride", name)
            .await?;
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

    /// Every address and title in this tab's history; none where the engine's driver
    /// does not tell.
    pub(crate) async fn history(&self) -> Result<Vec<String>> {
        if self.engine != Engine::Chromium {
            return Ok(Vec::new());
        }
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

    /// Gives the page this size, in CSS pixels, whatever the window's. Chromium only.
    pub(crate) async fn view(&self, width: u32, height: u32) -> Result<()> {
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", size)
            .await?;
        Ok(())
    }

    /// Prefers this colour scheme: `light` or `dark`. Chromium only.
    pub(crate) async fn theme(&self, theme: &str) -> Result<()> {
        let features = json!([{"name": "prefers-color-scheme", "value": theme}]);
        self.devtools("Emulation.setEmulatedMedia", json!({"features": features}))
            .await?;
        Ok(())
    }

    /// A picture of the whole page, as PNG, however long it is. Chromium only.
    pub(crate) async fn whole_page(&self) -> Result<Vec<u8>> {
        // A scrollbar takes its width from the page, and is in no picture of all of it.
        let hidden = json!({"hidden": true});
        self.devtools("Emulation.setScrollbarsHidden", hidden)
            .await?;
        let options = json!({"format": "png", "captureBeyondViewport": true});
        let answer = self.devtools("Page.captureScreenshot", options).await?;
        let png = answer["data"].as_str().context("a picture")?;
        Base64::decode_vec(png).context("base64")
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
            fs::write(
                folder.join(format!("{name}-{}.png", self.engine.name())),
                &png,
            )?;
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
