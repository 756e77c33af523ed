//! The search through all that the tests have logged: no name, PIN, token, key or password
//! of theirs stands in it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};
use vestibule_test_log::{Class, Searched, search};

/// Which tests keep logs, and how many bytes they have at least: a search through nothing
/// would find nothing.
const SUITES: [(&str, usize); 5] = [
    ("http", 100_000),
    ("conferencing", 5_000),
    ("cli", 500),
    ("node", 500),
    ("whole_system", 5_000),
];

/// Programs beside the servers whose logs have to be there.
const PROGRAMS: [&str; 2] = ["nginx", "demo"];

/// How many different PINs and tokens tests come by, at least.
const LEAST_SECRETS: usize = 20;

/// Where the logs of one run are written down.
pub(crate) struct Logs {
    folder: PathBuf,
}

impl Logs {
    /// An empty folder in cargo's.
    pub(crate) fn begin(target: &Path) -> Result<Self> {
        let folder = target.join("test-logs");
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self { folder })
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Searches all of it.
    ///
    /// # Errors
    /// Where something secret stands there, with file, line and what it is, but not the
    /// secret; and where there is too little for the search to say anything.
    pub(crate) fn search(&self) -> Result<()> {
        let searched = search(&self.folder)
            .with_context(|| format!("cannot search {}", self.folder.display()))?;
        let bytes: usize = searched.bytes.values().sum();
        let canaries: usize = searched.canaries.values().sum();
        println!(
            "logs: {} kB searched for {canaries} names, PINs, tokens, keys and passwords",
            bytes / 1000
        );
        is_silent(&searched)?;
        is_enough(&searched)?;
        self.has_programs()
    }

    fn has_programs(&self) -> Result<()> {
        for program in PROGRAMS {
            let mark = format!("-{program}-");
            let mut is_there = false;
            for entry in fs::read_dir(&self.folder)? {
                let entry = entry?;
                let name = entry.file_name();
                is_there |= name.to_string_lossy().contains(&mark) && entry.metadata()?.len() > 0;
            }
            ensure!(is_there, "no log of `{program}` was kept");
        }
        Ok(())
    }
}

/// That nothing secret was found; otherwise where, and what it is.
pub(crate) fn is_silent(searched: &Searched) -> Result<()> {
    if searched.findings.is_empty() {
        return Ok(());
    }
    let findings = searched.findings.iter().map(|found| {
        let (file, line) = (&found.file, found.line);
        let class = found.class.as_str();
        format!("{file}, line {line}: a {class} ({:?})", found.encoding)
    });
    let findings: Vec<_> = findings.collect();
    bail!("what must stand in no log: {}", findings.join("; "))
}

fn is_enough(searched: &Searched) -> Result<()> {
    for (suite, least) in SUITES {
        let bytes = searched.bytes.get(suite).copied().unwrap_or(0);
        ensure!(
            bytes >= least,
            "the tests `{suite}` have logged {bytes} bytes, fewer than {least}: \
             are their logs kept?"
        );
    }
    for class in [Class::Pin, Class::Token] {
        let count = searched.canaries.get(&class).copied().unwrap_or(0);
        ensure!(
            count >= LEAST_SECRETS,
            "tests have told of {count} secrets of the kind `{}`, fewer than {LEAST_SECRETS}",
            class.as_str()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use vestibule_test_log::canary;

    use super::*;

    fn logs_of_a_run() -> (tempfile::TempDir, Logs) {
        let target = tempfile::tempdir().expect("there is room");
        let logs = Logs::begin(target.path()).expect("there is room");
        for (suite, least) in SUITES {
            let log = "INFO request method=GET\n".repeat(least / 20);
            fs::write(logs.folder().join(format!("{suite}-1.log")), log).expect("there is room");
        }
        for program in PROGRAMS {
            let name = format!("whole_system-1-{program}-2.log");
            fs::write(logs.folder().join(name), "started\n").expect("there is room");
        }
        let secrets: String = (10..30)
            .map(|number| format!("pin\t246813{number}\ntoken\tticket-{number}\n"))
            .collect();
        fs::write(logs.folder().join("http-1.secrets"), secrets).expect("there is room");
        (target, logs)
    }

    #[test]
    fn a_run_that_logs_much_and_nothing_secret_passes() {
        let (_target, logs) = logs_of_a_run();
        logs.search().expect("nothing is found");
    }

    #[test]
    fn a_canary_in_the_log_of_any_program_fails_the_run_and_is_not_repeated() {
        for secret in [canary::LAST_NAME, "24681319", "ticket-12", canary::KEY] {
            let (_target, logs) = logs_of_a_run();
            let file = logs.folder().join("whole_system-2-program-7.log");
            fs::write(file, format!("INFO a\nWARN b=\"{secret}\" c\n")).expect("there is room");
            let error = logs.search().expect_err("it is found").to_string();
            assert!(
                error.contains("whole_system-2-program-7.log, line 2: a "),
                "{error}"
            );
            assert!(!error.contains(secret), "{error}");
        }
    }

    #[test]
    fn a_run_without_logs_or_secrets_fails() {
        for (file, told) in [
            ("whole_system-1.log", "`whole_system` have logged 16 bytes"),
            ("http-1.secrets", "told of 0 secrets of the kind `pin`"),
            ("whole_system-1-nginx-2.log", "no log of `nginx` was kept"),
            ("whole_system-1-demo-2.log", "no log of `demo` was kept"),
        ] {
            let (_target, logs) = logs_of_a_run();
            fs::remove_file(logs.folder().join(file)).expect("it is there");
            let error = logs.search().expect_err("there is too little").to_string();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn the_logs_of_an_earlier_run_do_not_count() {
        let (target, _earlier) = logs_of_a_run();
        let logs = Logs::begin(target.path()).expect("there is room");
        logs.search().expect_err("there is nothing");
    }
}
