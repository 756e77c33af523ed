//! WebKitGTK's smallest browser and its WebDriver, in which tests run, and the display
//! that they need.

use std::{env, fs, path::PathBuf};

use anyhow::{Context, Result};

use super::apt;
use crate::{process::find_on_path, workspace::Workspace};

/// Debian has it in a folder named after the machine's architecture.
const MINI_BROWSER: &str = "webkit2gtk-4.1/MiniBrowser";

/// A browser, the program that drives it, and a display without a screen.
pub(crate) struct WebKit {
    /// `MiniBrowser`.
    pub(crate) mini_browser: PathBuf,
    /// `WebKitWebDriver`.
    pub(crate) driver: PathBuf,
}

impl WebKit {
    /// Installs Debian's packages where something is missing. The variables
    /// `VESTIBULE_MINI_BROWSER` and `VESTIBULE_WEBKIT_DRIVER` name others.
    pub(crate) fn ensure(workspace: &Workspace) -> Result<Self> {
        if let Some(found) = Self::find() {
            return Ok(found);
        }
        apt::install(workspace, &["webkit2gtk-driver", "xvfb", "xauth"]).context(ADVICE)?;
        Self::find().context("WebKitGTK was installed, but cannot be found")
    }

    fn find() -> Option<Self> {
        find_on_path("Xvfb")?;
        let named = |variable| env::var_os(variable).map(PathBuf::from);
        Some(Self {
            mini_browser: named("VESTIBULE_MINI_BROWSER").or_else(mini_browser)?,
            driver: named("VESTIBULE_WEBKIT_DRIVER").or_else(|| find_on_path("WebKitWebDriver"))?,
        })
    }
}

fn mini_browser() -> Option<PathBuf> {
    let libraries = fs::read_dir("/usr/lib").ok()?;
    let mut found = libraries
        .flatten()
        .map(|entry| entry.path().join(MINI_BROWSER));
    found.find(|path| path.exists())
}

const ADVICE: &str = "WebKitGTK's MiniBrowser, WebKitWebDriver or Xvfb is missing; install the \
     packages `webkit2gtk-driver` and `xvfb` (Debian, Ubuntu), or name the first two by the \
     variables VESTIBULE_MINI_BROWSER and VESTIBULE_WEBKIT_DRIVER";
