//! Firefox ESR and its WebDriver, in which tests run.

use std::{env, path::PathBuf};

use anyhow::{Context, Result};

use super::{apt, cargo_tool::CargoTool};
use crate::{process::find_on_path, workspace::Workspace};

const BROWSERS: [&str; 2] = ["firefox-esr", "firefox"];
const GECKODRIVER: CargoTool = CargoTool {
    name: "geckodriver",
    version: "0.37.1",
    optimised: true,
};

/// A browser and the program that drives it.
pub(crate) struct Firefox {
    /// Firefox.
    pub(crate) firefox: PathBuf,
    /// `geckodriver`.
    pub(crate) geckodriver: PathBuf,
}

impl Firefox {
    /// Installs Debian's Firefox where there is none, and builds geckodriver, which
    /// Debian does not have. The variables `VESTIBULE_FIREFOX` and
    /// `VESTIBULE_GECKODRIVER` name others.
    pub(crate) fn ensure(workspace: &Workspace) -> Result<Self> {
        let firefox = match find() {
            Some(firefox) => firefox,
            None => {
                apt::install(workspace, &["firefox-esr"]).context(ADVICE)?;
                find().context("Firefox was installed, but is not on the PATH")?
            }
        };
        let named = env::var_os("VESTIBULE_GECKODRIVER").map(PathBuf::from);
        let geckodriver = match named.or_else(|| find_on_path("geckodriver")) {
            Some(geckodriver) => geckodriver,
            None => GECKODRIVER.ensure(workspace)?,
        };
        Ok(Self {
            firefox,
            geckodriver,
        })
    }
}

fn find() -> Option<PathBuf> {
    let named = env::var_os("VESTIBULE_FIREFOX").map(PathBuf::from);
    named.or_else(|| BROWSERS.into_iter().find_map(find_on_path))
}

const ADVICE: &str = "no Firefox was found and none could be installed; install the package \
     `firefox-esr` (Debian), or name a Firefox by the variable VESTIBULE_FIREFOX";
