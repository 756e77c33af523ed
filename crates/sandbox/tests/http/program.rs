//! The program as a process of its own.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio},
    thread::{self, JoinHandle},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

/// A running program; it ends with the test.
pub(crate) struct Program {
    pub(crate) address: String,
    process: Child,
    stdout: BufReader<ChildStdout>,
    log: Option<JoinHandle<String>>,
    _folder: TempDir,
}

/// What a program that was told to end left behind.
pub(crate) struct End {
    pub(crate) is_success: bool,
    /// What it printed after its first line.
    pub(crate) stdout: String,
    pub(crate) log: String,
}

impl Program {
    pub(crate) fn start(config: &str, log_filter: &str) -> Self {
        let (folder, mut command) = command(config);
        let mut process = command.env("RUST_LOG", log_filter).spawn().unwrap();
        let log = collect(process.stderr.take().unwrap());
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line
            .strip_prefix("listening on ")
            .and_then(|rest| rest.strip_suffix('\n'))
            .unwrap_or_else(|| panic!("{line:?}"))
            .to_owned();
        Self {
            address,
            process,
            stdout,
            log: Some(log),
            _folder: folder,
        }
    }

    /// Runs a program that is expected to end by itself.
    pub(crate) fn output(config: &str) -> Output {
        let (_folder, mut command) = command(config);
        command.output().unwrap()
    }

    /// Sends a signal and waits for the end.
    pub(crate) fn end(mut self, signal: Signal) -> End {
        let id = Pid::from_raw(self.process.id().try_into().unwrap());
        kill(id, signal).unwrap();
        let mut stdout = String::new();
        self.stdout.read_to_string(&mut stdout).unwrap();
        let log = self.log.take().unwrap().join().unwrap();
        vestibule_test_log::record("vestibule-sandbox", log.as_bytes());
        End {
            is_success: self.process.wait().unwrap().success(),
            stdout,
            log,
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended already where the test came to its end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn command(config: &str) -> (TempDir, Command) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.toml");
    std::fs::write(&path, config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule-sandbox"));
    command
        .arg("--config")
        .arg(path)
        .env_remove("RUST_LOG")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    (folder, command)
}

/// Reads in a thread of its own, so that a full pipe cannot stop the program.
fn collect(mut stderr: ChildStderr) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).unwrap();
        text
    })
}
