//! A server that the demo starts, watches and stops.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead as _, BufReader, Write as _},
    os::unix::{fs::OpenOptionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

use super::stop::Stop;
use crate::process::last_lines;

/// How long a service may take until it listens.
const START_DEADLINE: Duration = Duration::from_secs(60);
/// How long a service may take to end by itself.
const STOP_DEADLINE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(50);
/// What a service writes to its standard output, followed by its address.
const LISTENING: &str = "listening on ";

/// A running service. Dropping it stops it and waits until it is gone.
pub(super) struct Service {
    name: &'static str,
    child: Child,
    log: PathBuf,
    address: Receiver<String>,
}

/// How the start of a service ended, where it did not fail.
pub(super) enum Begun {
    /// It listens on this address.
    Listening(String),
    /// The user stopped the demo first.
    Stopped,
}

impl Service {
    /// Starts a program in a process group of its own, so that Ctrl-C reaches
    /// only this program, and with its output in `folder/name.log`.
    pub(super) fn start(name: &'static str, mut program: Command, folder: &Path) -> Result<Self> {
        let log = folder.join(name).with_extension("log");
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        // Appending, so that both streams go to one end; but a new log each time.
        file.set_len(0)?;
        let mut child = program
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file.try_clone()?)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start the {name}"))?;
        let stdout = child.stdout.take().expect("stdout is piped");
        let (sender, address) = channel();
        thread::spawn(move || copy_lines(stdout, file, &sender));
        Ok(Self {
            name,
            child,
            log,
            address,
        })
    }

    /// Waits until the service says where it listens.
    pub(super) fn wait_until_listening(&mut self, stop: &Stop) -> Result<Begun> {
        let start = Instant::now();
        loop {
            if stop.wait(POLL) {
                return Ok(Begun::Stopped);
            }
            if let Ok(address) = self.address.try_recv() {
                return Ok(Begun::Listening(address));
            }
            if let Some(obituary) = self.obituary() {
                return Err(anyhow!(obituary));
            }
            if start.elapsed() >= START_DEADLINE {
                bail!(
                    "the {} does not listen after {} s. The end of {}:\n{}",
                    self.name,
                    START_DEADLINE.as_secs(),
                    self.log.display(),
                    last_lines(&self.log)
                );
            }
        }
    }

    /// What there is to say where the service has ended by itself.
    pub(super) fn obituary(&mut self) -> Option<String> {
        let how = match self.child.try_wait() {
            Ok(None) => return None,
            Ok(Some(status)) => status.to_string(),
            Err(error) => error.to_string(),
        };
        Some(format!(
            "the {} ended by itself: {how}. The end of {}:\n{}",
            self.name,
            self.log.display(),
            last_lines(&self.log)
        ))
    }

    /// Asks the service to stop, without waiting.
    pub(super) fn ask_to_stop(&self) {
        self.signal(Signal::SIGTERM);
    }

    fn signal(&self, signal: Signal) {
        let group = i32::try_from(self.child.id()).expect("process ids are positive and small");
        // Fails only where the group is gone, which is what is wanted.
        let _ = killpg(Pid::from_raw(group), signal);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let start = Instant::now();
        self.ask_to_stop();
        while matches!(self.child.try_wait(), Ok(None)) {
            if start.elapsed() >= STOP_DEADLINE {
                eprintln!("The {} does not end; killing it", self.name);
                self.signal(Signal::SIGKILL);
                drop(self.child.wait());
                return;
            }
            thread::sleep(POLL);
        }
    }
}

/// Copies a service's standard output to its log and tells the first address
/// it names. Ends with the service.
fn copy_lines(stdout: ChildStdout, mut log: File, address: &Sender<String>) {
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        if let Some(found) = listening_address(&line) {
            // Nobody waits for a second one.
            drop(address.send(found.to_owned()));
        }
        // Where the disk is full, go on reading, or the service would block.
        drop(writeln!(log, "{line}"));
    }
}

fn listening_address(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once(LISTENING)?;
    let address = rest.split_whitespace().next()?;
    address.starts_with("http://").then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, folder: &Path) -> Service {
        let mut program = Command::new("/bin/sh");
        program.args(["-c", script]);
        Service::start("server", program, folder).unwrap()
    }

    #[test]
    fn a_service_is_ready_when_it_names_its_address() {
        let folder = tempfile::tempdir().unwrap();
        let (stop, _sender) = Stop::never();
        let script = "echo starting; echo 'listening on http://127.0.0.1:7080'; exec sleep 60";
        let mut service = shell(script, folder.path());
        let Begun::Listening(address) = service.wait_until_listening(&stop).unwrap() else {
            panic!("nobody stopped it");
        };
        assert_eq!(address, "http://127.0.0.1:7080");
        drop(service);
        let log = std::fs::read_to_string(folder.path().join("server.log")).unwrap();
        assert!(log.starts_with("starting\n"), "{log}");
    }

    #[test]
    fn a_service_that_dies_at_the_start_is_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let (stop, _sender) = Stop::never();
        let mut service = shell("echo no such profile >&2; exit 2", folder.path());
        let Err(error) = service.wait_until_listening(&stop) else {
            panic!("it is dead");
        };
        let message = error.to_string();
        assert!(message.contains("exit status: 2"), "{message}");
        assert!(message.contains("no such profile"), "{message}");
    }

    #[test]
    fn stopping_the_demo_ends_the_wait_for_a_service() {
        let folder = tempfile::tempdir().unwrap();
        let (stop, sender) = Stop::never();
        let mut service = shell("exec sleep 60", folder.path());
        sender.send(()).unwrap();
        assert!(matches!(
            service.wait_until_listening(&stop),
            Ok(Begun::Stopped)
        ));
    }

    #[test]
    fn dropping_a_service_ends_it_and_what_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let (stop, _sender) = Stop::never();
        let script = "sleep 60 & echo listening on http://127.0.0.1:1; wait";
        let mut service = shell(script, folder.path());
        assert!(service.wait_until_listening(&stop).is_ok());
        let group = Pid::from_raw(i32::try_from(service.child.id()).unwrap());
        let start = Instant::now();
        drop(service);
        assert!(start.elapsed() < STOP_DEADLINE);
        while killpg(group, None).is_ok() {
            assert!(start.elapsed() < STOP_DEADLINE, "the group lives on");
            thread::sleep(POLL);
        }
    }

    #[test]
    fn only_an_http_address_counts() {
        assert_eq!(
            listening_address("INFO listening on http://127.0.0.1:7081 (sandbox)"),
            Some("http://127.0.0.1:7081")
        );
        assert_eq!(listening_address("listening on a socket"), None);
        assert_eq!(listening_address("started"), None);
    }
}
