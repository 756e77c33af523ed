//! The server's tests of what it remembers once more, with PostgreSQL in the place of
//! SQLite.

use std::path::Path;

use anyhow::{Result, ensure};
use vestibule_test_log::FOLDER_VARIABLE;

use super::failures;
use crate::{process, workspace::Workspace};

/// Those tests, by their modules.
const MODULES: [&str; 13] = [
    "admin_pages::",
    "departure::",
    "direct_link::",
    "launch::",
    "launch_bearer::",
    "launch_error::",
    "profiles_reload::",
    "sandbox::",
    "session::",
    "ticket::",
    "two_servers::",
    "visit::",
    "write_backs::",
];

/// Runs them. Nothing is built anew for it, and their logs go to the folder `logs`.
pub(super) fn run(workspace: &Workspace, logs: &Path) -> Result<()> {
    let tests = || {
        let mut test = workspace.cargo(["test", "--no-fail-fast", "--workspace"]);
        test.args(["--test", "http", "--test", "conferencing", "--"]);
        test
    };
    let listed = process::output(tests().args(["--list", "--format", "terse"]))?;
    let missing = without_tests(&listed);
    ensure!(
        missing.is_empty(),
        "no test is in {}; correct the list of modules",
        missing.join(", ")
    );
    let mut tests = tests();
    tests
        .args(MODULES)
        .env("VESTIBULE_TEST_DATABASE", "postgresql")
        .env(FOLDER_VARIABLE, logs);
    let log = workspace.target().join("tests-on-postgresql.log");
    failures::run(&mut tests, &log)
}

/// The modules of which no test is listed: one a line, such as `module::name: test`.
fn without_tests(listed: &str) -> Vec<&'static str> {
    let is_there = |module: &&str| {
        let mut tests = listed.lines().filter(|line| line.ends_with(": test"));
        tests.any(|test| test.starts_with(*module))
    };
    MODULES.into_iter().filter(|it| !is_there(it)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_that_is_gone_or_renamed_is_named() {
        let mut listed: Vec<String> = MODULES
            .iter()
            .map(|module| format!("{module}something_happens: test"))
            .collect();
        assert_eq!(without_tests(&listed.join("\n")), [""; 0]);
        listed[0] = format!("early_{}", listed[0]);
        listed[1] = "direct_link::pictures: benchmark".to_owned();
        assert_eq!(without_tests(&listed.join("\n")), MODULES[..2]);
    }
}
