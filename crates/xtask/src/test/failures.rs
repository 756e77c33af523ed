//! Running tests such that what failed stands at the end too, and not only thousands of lines
//! above it.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};

use crate::process;

/// How many failures are told again, and how many lines of each.
const FAILURES: usize = 30;
const LINES: usize = 6;

/// How often is looked for more output.
const POLL: Duration = Duration::from_millis(100);

/// Runs tests with their output on the terminal and in a log file. What failed becomes part
/// of the error.
pub(super) fn run(command: &mut Command, log: &Path) -> Result<()> {
    run_on(&mut io::stdout(), command, log)
}

fn run_on(terminal: &mut impl Write, command: &mut Command, log: &Path) -> Result<()> {
    let name = process::name(command);
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let mut follower = File::open(log)?;
    // Not a pipe: a program that a test has left behind would hold it open.
    let mut child = command
        .stdin(Stdio::null())
        .stdout(file)
        .spawn()
        .with_context(|| format!("cannot start {name}"))?;
    let mut shown = Ok(());
    let status = loop {
        let ended = child.try_wait()?;
        // Where the terminal goes away the tests still come to their end.
        shown = shown.and_then(|()| copy(&mut follower, terminal));
        if let Some(status) = ended {
            break status;
        }
        thread::sleep(POLL);
    };
    if status.success() {
        return Ok(shown?);
    }
    let text = fs::read(log)?;
    let told = told(&String::from_utf8_lossy(&text));
    bail!("{name} failed: {status}{told}")
}

fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    io::copy(from, to)?;
    to.flush()
}

/// What the test programs say about their failures, shortened: a line for each test, below
/// it what it says.
fn told(output: &str) -> String {
    let mut lines = output.lines();
    let mut told = Vec::new();
    while let Some(line) = lines.next() {
        let Some(test) = line
            .strip_prefix("---- ")
            .and_then(|rest| rest.strip_suffix(" stdout ----"))
        else {
            continue;
        };
        let said: String = lines
            .clone()
            .take_while(|line| !is_end(line))
            .filter(|line| !line.trim().is_empty())
            .take(LINES)
            .map(|line| format!("\n        {line}"))
            .collect();
        told.push(format!("\n    {test}{said}"));
    }
    let more = told.len().saturating_sub(FAILURES);
    told.truncate(FAILURES);
    if more > 0 {
        told.push(format!("\n    and {more} more"));
    }
    told.concat()
}

/// Whether what a test says is over, or its stack begins.
fn is_end(line: &str) -> bool {
    line.starts_with("---- ")
        || line == "failures:"
        || line == "stack backtrace:"
        || line.starts_with("note: run with `RUST_BACKTRACE")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "running 3 tests\n\
        test one ... FAILED\ntest two ... ok\ntest three ... FAILED\n\n\
        failures:\n\n\
        ---- one stdout ----\n\n\
        thread 'one' panicked at src/one.rs:1:2:\nit is not two\n  left: 1\n right: 2\n\
        stack backtrace:\n   0: rust_begin_unwind\n\n\
        ---- three stdout ----\na line that was printed\n\n\
        thread 'three' panicked at src/three.rs:3:4:\nnot there\n\
        note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n\n\n\
        failures:\n    one\n    three\n\n\
        test result: FAILED. 1 passed; 2 failed\n";

    #[test]
    fn each_failure_is_told_with_what_it_says_and_without_its_stack() {
        assert_eq!(
            told(OUTPUT),
            "\n    one\
             \n        thread 'one' panicked at src/one.rs:1:2:\
             \n        it is not two\
             \n          left: 1\
             \n         right: 2\
             \n    three\
             \n        a line that was printed\
             \n        thread 'three' panicked at src/three.rs:3:4:\
             \n        not there"
        );
        assert_eq!(told("running 1 test\ntest one ... ok\n"), "");
    }

    #[test]
    fn of_many_failures_some_are_told_and_the_others_counted() {
        let many: String = (0..FAILURES + 2)
            .map(|number| format!("---- test_{number} stdout ----\nsaid\n"))
            .collect();
        let told = told(&many);
        assert!(told.ends_with("\n    and 2 more"), "{told}");
        assert!(!told.contains(&format!("test_{FAILURES}")), "{told}");
    }

    #[test]
    fn tests_that_fail_are_told_though_a_program_of_theirs_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let script = "sleep 60 & printf -- '---- one stdout ----\nnot there\n'; exit 101";
        let mut command = Command::new("sh");
        let mut shown = Vec::new();
        let error = run_on(&mut shown, command.args(["-c", script]), &log).unwrap_err();
        assert_eq!(shown, b"---- one stdout ----\nnot there\n");
        let error = error.to_string();
        assert!(error.contains("exit status: 101"), "{error}");
        assert!(error.ends_with("\n    one\n        not there"), "{error}");
        let mut good = Command::new("sh");
        run_on(&mut shown, good.args(["-c", "exit 0"]), &log).unwrap();
    }
}
