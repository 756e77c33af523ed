//! Running other programs.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

/// How many lines of a log are shown after a failure.
const TAIL: usize = 20;
/// How often a running program is looked at.
const POLL: Duration = Duration::from_millis(50);

/// Runs a command with its output on the terminal.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let name = name(command);
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {name}"))?;
    ensure!(status.success(), "{name} failed: {status}");
    Ok(())
}

/// Runs a command with its output in a log file, whose end becomes part of the
/// error where it fails. It is killed after `deadline`.
pub(crate) fn run_logged(command: &mut Command, log: &Path, deadline: Duration) -> Result<()> {
    let name = name(command);
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file);
    let failure = match wait(command, deadline).with_context(|| format!("cannot start {name}"))? {
        Some(status) if status.success() => return Ok(()),
        Some(status) => status.to_string(),
        None => format!("stopped after {} s", deadline.as_secs()),
    };
    bail!(
        "{name} failed: {failure}. The end of {}:\n{}",
        log.display(),
        last_lines(log)
    )
}

/// Runs a command and returns what it wrote to its standard output, trimmed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let name = name(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {name}"))?;
    ensure!(
        output.status.success(),
        "{name} failed: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr).trim_end()
    );
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether a command can be started and succeeds; its output is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Looks for a program in the folders of `PATH`.
pub(crate) fn find_on_path(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

/// The last lines of a log, indented; empty where there is none.
pub(crate) fn last_lines(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL)..]
        .iter()
        .map(|line| format!("    {line}\n"))
        .collect()
}

/// The exit status, or nothing where the program had to be killed.
fn wait(command: &mut Command, deadline: Duration) -> Result<Option<ExitStatus>> {
    let start = Instant::now();
    let mut child = command.spawn()?;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() >= deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(POLL);
    }
}

/// A command as it is told of.
pub(crate) fn name(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy()];
    words.extend(command.get_args().map(|word| word.to_string_lossy()));
    format!("`{}`", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_failure_shows_the_end_of_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let script = "seq 1 100; echo the reason >&2; exit 3";
        let error = run_logged(&mut shell(script), &log, Duration::from_secs(30)).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("exit status: 3"), "{message}");
        assert!(message.ends_with("    100\n    the reason\n"), "{message}");
        assert!(!message.contains(" 50\n"), "{message}");
    }

    #[test]
    fn a_program_that_does_not_end_is_killed_at_its_deadline() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let error = run_logged(&mut shell("exec sleep 60"), &log, Duration::ZERO).unwrap_err();
        assert!(error.to_string().contains("stopped after 0 s"), "{error}");
    }

    #[test]
    fn output_is_trimmed_and_a_failure_tells_what_the_program_said() {
        assert_eq!(output(&mut shell("echo ' v20 '")).unwrap(), "v20");
        let error = output(&mut shell("echo no such thing >&2; exit 1")).unwrap_err();
        assert!(error.to_string().contains("no such thing"), "{error}");
    }

    #[test]
    fn programs_are_found_on_the_path() {
        assert!(find_on_path("sh").is_some());
        assert_eq!(find_on_path("no-program-has-this-name"), None);
    }
}
