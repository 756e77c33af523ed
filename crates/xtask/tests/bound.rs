//! A service of the demo does not outlive a demo that is killed.
#![cfg(target_os = "linux")]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const XTASK: &str = env!("CARGO_BIN_EXE_xtask");

#[test]
fn a_bound_program_ends_when_its_parent_is_killed() {
    // The shell stands for the demo: it starts a bound program and tells its id.
    let mut parent = Command::new("sh")
        .args(["-c", "\"$0\" bound $$ sleep 600 & echo $!; wait", XTASK])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut id = String::new();
    BufReader::new(parent.stdout.take().unwrap())
        .read_line(&mut id)
        .unwrap();
    let id = id.trim();
    wait_until("it has become the other program", || {
        name(id) == Some("sleep".into())
    });

    parent.kill().unwrap();
    parent.wait().unwrap();
    wait_until("it has ended", || name(id).is_none());
}

#[test]
fn a_program_whose_parent_is_gone_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("started");
    // Process 1 is not the parent of this one.
    let output = Command::new(XTASK)
        .args(["bound", "1", "touch"])
        .arg(&mark)
        .output()
        .unwrap();
    assert!(!output.status.success());
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("parent process is gone"), "{message}");
    assert!(!mark.exists());
}

/// The name of a process that has not ended. The kernel shows it in brackets,
/// followed by the state, which is Z once it has ended.
fn name(id: &str) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (before, after) = stat.rsplit_once(") ")?;
    let (_, name) = before.split_once('(')?;
    (!after.starts_with('Z')).then(|| name.to_owned())
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "not within 60 s: {what}"
        );
        thread::sleep(Duration::from_millis(20));
    }
}
