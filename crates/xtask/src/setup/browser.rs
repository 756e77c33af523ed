//! Chromium and its WebDriver, in which tests run.

use std::{env, fs, path::PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::apt;
use crate::{process::find_on_path, workspace::Workspace};

const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// Arguments for a browser without a screen that talks to nobody but the
/// tests. The last two give it a camera and a microphone.
const ARGUMENTS: [&str; 9] = [
    "disable-gpu",
    "disable-quic",
    "no-first-run",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
    "disable-dev-shm-usage",
    "use-fake-device-for-media-stream",
    "use-fake-ui-for-media-stream",
];

/// A browser and the program that drives it.
pub(crate) struct Browser {
    /// Chromium, or Google Chrome.
    pub(crate) chromium: PathBuf,
    /// `chromedriver` of the same version.
    pub(crate) chromedriver: PathBuf,
}

impl Browser {
    /// Installs Debian's Chromium where there is no browser. The variables
    /// `VESTIBULE_CHROMIUM` and `VESTIBULE_CHROMEDRIVER` name others.
    pub(crate) fn ensure(workspace: &Workspace) -> Result<Self> {
        if let Some(browser) = Self::find() {
            return Ok(browser);
        }
        if apt::is_ubuntu() {
            bail!(
                "no Chromium with chromedriver was found, and Ubuntu's packages of that name only \
                 fetch a snap, which cannot be driven reliably; {ADVICE}"
            );
        }
        apt::install(workspace, &["chromium", "chromium-driver"]).with_context(|| {
            format!("no Chromium with chromedriver was found and none could be installed; {ADVICE}")
        })?;
        Self::find().context("Chromium was installed, but is not on the PATH")
    }

    /// Writes the capabilities that wasm-bindgen's test runner asks of the
    /// driver, and returns the file. The runner itself adds `headless` and
    /// `no-sandbox`.
    pub(crate) fn write_capabilities(&self, workspace: &Workspace) -> Result<PathBuf> {
        let path = workspace.scratch()?.join("webdriver.json");
        let capabilities = json!({
            "goog:chromeOptions": { "binary": self.chromium, "args": ARGUMENTS }
        });
        fs::write(&path, capabilities.to_string())
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    fn find() -> Option<Self> {
        let named = |variable| env::var_os(variable).map(PathBuf::from);
        Some(Self {
            chromium: named("VESTIBULE_CHROMIUM")
                .or_else(|| BROWSERS.into_iter().find_map(find_on_path))?,
            chromedriver: named("VESTIBULE_CHROMEDRIVER")
                .or_else(|| find_on_path("chromedriver"))?,
        })
    }
}

const ADVICE: &str = "install the packages `chromium` and `chromium-driver` (Debian) or Google \
     Chrome and the chromedriver of the same version, on the PATH or named by the variables \
     VESTIBULE_CHROMIUM and VESTIBULE_CHROMEDRIVER";
