//! The browsers that the tests are run in: one of each engine, as Debian packages them.

use std::{
    env,
    net::{TcpListener, TcpStream},
    path::Path,
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use fantoccini::{Client, ClientBuilder, wd::Capabilities};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::process::Command;

use super::super::process::Program;

/// Longest wait for a driver to listen.
const START: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);

/// Where Debian's WebKitGTK has its smallest browser.
const MINI_BROWSER: &str = "webkit2gtk-4.1/MiniBrowser";

/// A browser engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// Chromium.
    Chromium,
    /// Firefox ESR.
    Firefox,
    /// WebKitGTK.
    WebKit,
}

/// How a browser is to be started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// Whether pages may run scripts.
    pub(crate) scripts: bool,
    /// Width and height of the window, in CSS pixels.
    pub(crate) size: (u32, u32),
    /// Whether camera and microphone are there, and pages may use them.
    pub(crate) devices: bool,
    /// Whether the engine has WebAssembly.
    pub(crate) webassembly: bool,
    /// The language of the person, as a tag. WebKit knows those alone for which the
    /// machine has a locale, so there it is not set.
    pub(crate) language: &'static str,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            scripts: true,
            size: (1100, 800),
            devices: true,
            webassembly: true,
            language: "en-US",
        }
    }
}

/// A session with a running browser, and the programs behind it.
pub(super) struct Session {
    pub(super) client: Client,
    /// The driver, and before it the display that it needs; dropped in this order.
    pub(super) programs: Vec<Program>,
}

impl Engine {
    /// As it is called in the names of files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
            Self::WebKit => "webkit",
        }
    }

    /// Starts the browser with an empty profile in `folder`.
    pub(super) async fn start(self, setting: Setting, folder: &Path) -> Result<Session> {
        let port = free_port()?;
        let mut programs = Vec::new();
        let mut command = Command::new(self.driver());
        match self {
            Self::Chromium => command.arg(format!("--port={port}")),
            Self::Firefox => command
                .args(["--port", &port.to_string(), "--profile-root"])
                .arg(folder),
            Self::WebKit => {
                let (display, number) = display(folder).await?;
                programs.push(display);
                command
                    .arg(format!("--port={port}"))
                    .env("DISPLAY", format!(":{number}"))
                    .env("LIBGL_ALWAYS_SOFTWARE", "1")
                    .env("JSC_useWasm", switch(setting.webassembly))
            }
        };
        command
            .env("HOME", folder)
            .env("TMPDIR", folder)
            .stdout(Stdio::null());
        let driver = Program::spawn(command, &folder.join("driver.log"))
            .with_context(|| format!("the driver of {self:?} is needed: run `cargo xtask test`"))?;
        programs.insert(0, driver);
        listening(port).await?;
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(self.capabilities(setting, folder))
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .with_context(|| format!("{self:?} did not start"))?;
        let (width, height) = setting.size;
        client.set_window_size(width, height).await?;
        Ok(Session { client, programs })
    }

    fn driver(self) -> String {
        let (variable, usual) = match self {
            Self::Chromium => ("VESTIBULE_CHROMEDRIVER", "chromedriver"),
            Self::Firefox => ("VESTIBULE_GECKODRIVER", "geckodriver"),
            Self::WebKit => ("VESTIBULE_WEBKIT_DRIVER", "WebKitWebDriver"),
        };
        env::var(variable).unwrap_or_else(|_| usual.to_owned())
    }

    fn capabilities(self, setting: Setting, folder: &Path) -> Capabilities {
        let (key, mut options) = match self {
            Self::Chromium => ("goog:chromeOptions", chromium(setting, folder)),
            Self::Firefox => ("moz:firefoxOptions", firefox(setting)),
            Self::WebKit => ("webkitgtk:browserOptions", webkit(setting)),
        };
        let named = match self {
            Self::Chromium => env::var("VESTIBULE_CHROMIUM").ok(),
            Self::Firefox => env::var("VESTIBULE_FIREFOX").ok(),
            Self::WebKit => env::var("VESTIBULE_MINI_BROWSER")
                .ok()
                .or_else(mini_browser),
        };
        if let Some(binary) = named {
            options["binary"] = binary.into();
        }
        // Identity providers of the tests speak https with a certificate of their own.
        Capabilities::from_iter([
            (key.to_owned(), options),
            ("acceptInsecureCerts".to_owned(), true.into()),
        ])
    }
}

fn chromium(setting: Setting, folder: &Path) -> Value {
    let (width, height) = setting.size;
    let mut arguments = vec![
        "--headless".to_owned(),
        "--no-sandbox".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--disable-quic".to_owned(),
        "--no-first-run".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-sync".to_owned(),
        format!("--window-size={width},{height}"),
        format!("--user-data-dir={}", folder.join("profile").display()),
    ];
    if setting.devices {
        arguments.push("--use-fake-device-for-media-stream".to_owned());
        arguments.push("--use-fake-ui-for-media-stream".to_owned());
    }
    if !setting.webassembly {
        // Without compiled code V8 has none.
        arguments.push("--js-flags=--jitless".to_owned());
    }
    // 2: blocked (Chromium's content settings).
    let scripts = if setting.scripts { 1 } else { 2 };
    json!({
        "args": arguments,
        "prefs": {
            "profile.managed_default_content_settings.javascript": scripts,
            "intl.accept_languages": setting.language,
        },
    })
}

fn firefox(setting: Setting) -> Value {
    json!({
        "args": ["-headless"],
        "prefs": {
            "app.update.enabled": false,
            "intl.accept_languages": setting.language,
            "network.captive-portal-service.enabled": false,
            "network.connectivity-service.enabled": false,
            "javascript.enabled": setting.scripts,
            "javascript.options.wasm": setting.webassembly,
            "media.navigator.streams.fake": setting.devices,
            "media.navigator.permission.disabled": setting.devices,
        },
    })
}

fn webkit(setting: Setting) -> Value {
    json!({
        "args": [
            "--automation",
            format!("--enable-javascript={}", switch(setting.scripts)),
            format!("--enable-media-stream={}", switch(setting.devices)),
            format!("--enable-mock-capture-devices={}", switch(setting.devices)),
        ],
    })
}

fn switch(on: bool) -> &'static str {
    if on { "true" } else { "false" }
}

/// Debian puts it into a folder named after the machine's architecture.
fn mini_browser() -> Option<String> {
    let libraries = std::fs::read_dir("/usr/lib").ok()?;
    let mut found = libraries
        .flatten()
        .map(|entry| entry.path().join(MINI_BROWSER));
    let found = found.find(|path| path.exists())?;
    Some(found.to_string_lossy().into_owned())
}

/// A display without a screen: WebKitGTK has no mode of its own for that.
async fn display(folder: &Path) -> Result<(Program, u32)> {
    let mut command = Command::new("Xvfb");
    command.args([
        "-displayfd",
        "1",
        "-screen",
        "0",
        "1600x1400x24",
        "-nolisten",
        "tcp",
    ]);
    Program::start(command, &folder.join("display.log"), |line| {
        line.trim().parse().ok()
    })
    .await
    .context("Xvfb is needed: run `cargo xtask test`")
}

/// Waits until somebody listens on the port.
async fn listening(port: u16) -> Result<()> {
    let start = tokio::time::Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if start.elapsed() > START {
            bail!("the driver does not listen on its port");
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

/// A port that is free on both loopback addresses: drivers listen on both, and do not
/// look at the second when they choose by themselves.
fn free_port() -> Result<u16> {
    loop {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        if TcpListener::bind(("::1", port)).is_ok() || !has_ipv6() {
            return Ok(port);
        }
    }
}

fn has_ipv6() -> bool {
    TcpListener::bind(("::1", 0)).is_ok()
}
