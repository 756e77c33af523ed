//! Python with virtual environments, in which tests install independent judges.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::apt;
use crate::{process::succeeds, workspace::Workspace};

/// Debian keeps `ensurepip` in the package `python3-venv`; without it an
/// environment has no pip.
const MODULES: &str = "import venv, ensurepip";

/// Installs Python's virtual environments where they are missing.
pub(crate) fn ensure(workspace: &Workspace) -> Result<()> {
    if has_modules(&mut Command::new("python3")) {
        return Ok(());
    }
    apt::install(workspace, &["python3-venv"]).context(ADVICE)?;
    ensure!(has_modules(&mut Command::new("python3")), ADVICE);
    Ok(())
}

fn has_modules(python: &mut Command) -> bool {
    succeeds(python.args(["-I", "-c", MODULES]))
}

const ADVICE: &str = "python3 with the modules venv and ensurepip is missing; install the package \
     `python3-venv` (Debian, Ubuntu) or `python3` (elsewhere)";

#[cfg(test)]
mod tests {
    use super::*;

    /// Stands for Debian's Python, which has all of its standard library but `ensurepip`.
    const WITHOUT_PIP: &str = "case \"$2\" in *ensurepip*) exit 1 ;; esac";

    #[test]
    fn a_python_without_ensurepip_or_none_at_all_is_not_enough() {
        let python = || {
            let mut python = Command::new("sh");
            python.args(["-c", WITHOUT_PIP]);
            python
        };
        assert!(succeeds(python().args(["-I", "-c", "import venv"])));
        assert!(!has_modules(&mut python()));
        assert!(!has_modules(&mut Command::new("no-program-has-this-name")));
    }
}
