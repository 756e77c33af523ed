//! A program of the trial that says where it listens.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use super::machine::as_root;
use crate::process::{self, last_lines};

/// Longest wait for a program to listen, and to end.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);

/// A program that listens. Dropping it ends it.
pub(super) struct Program {
    /// As it says itself: `http://127.0.0.1:7080`.
    pub(super) address: String,
    child: Child,
    /// Its process id, where it is not that of the child.
    process: String,
    sudo: bool,
    log: PathBuf,
}

impl Program {
    /// Starts a program whose first line is its process id. What it writes to its
    /// standard error goes to `log`.
    pub(super) fn start(mut command: Command, sudo: bool, log: &Path) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(log)?)
            .spawn()
            .context("it cannot be started")?;
        let stdout = child.stdout.take().context("it is piped")?;
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Nobody listens to all that it says.
                drop(sender.send(line));
            }
        });
        let mut program = Self {
            address: String::new(),
            child,
            process: String::new(),
            sudo,
            log: log.to_owned(),
        };
        program.process = program.next(&lines)?;
        let line = program.next(&lines)?;
        let address = line.strip_prefix("listening on ");
        program.address = address
            .with_context(|| format!("it says `{line}`"))?
            .to_owned();
        Ok(program)
    }

    /// Asks it to end, and waits until it has done so in good order.
    pub(super) fn stop(mut self) -> Result<()> {
        let start = Instant::now();
        self.ask_to_end()?;
        loop {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "it ended with {status}\n{}", self.said());
                return Ok(());
            }
            ensure!(
                start.elapsed() < PATIENCE,
                "it does not end\n{}",
                self.said()
            );
            thread::sleep(POLL);
        }
    }

    fn ask_to_end(&self) -> Result<()> {
        let mut kill = as_root(self.sudo, "kill");
        process::output(kill.args(["-TERM", &self.process])).map(drop)
    }

    fn next(&self, lines: &Receiver<String>) -> Result<String> {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => Ok(line),
            Err(_) => bail!("it does not listen\n{}", self.said()),
        }
    }

    fn said(&self) -> String {
        if fs::metadata(&self.log).is_ok_and(|log| log.len() == 0) {
            return "    (it has said nothing)\n".to_owned();
        }
        last_lines(&self.log)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        if self.ask_to_end().is_err() {
            // It was never known by its process id.
            drop(self.child.kill());
        }
        let start = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if start.elapsed() > PATIENCE {
                let mut kill = as_root(self.sudo, "kill");
                drop(process::output(kill.args(["-KILL", &self.process])));
                drop(self.child.kill());
                break;
            }
            thread::sleep(POLL);
        }
        drop(self.child.wait());
    }
}
