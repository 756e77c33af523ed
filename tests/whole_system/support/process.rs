//! Programs of the test: they end with it, and what they write is kept.

use std::{
    env, fs,
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// Longest wait for a program to be ready.
const START: Duration = Duration::from_secs(30);

/// A running program. It is killed when this is dropped.
pub(crate) struct Program {
    pub(crate) child: Child,
    log: PathBuf,
    /// Whether it is the server or the sandbox.
    is_ours: bool,
}

impl Program {
    /// Starts `command`, its standard error going to `log`, and waits for a line
    /// of standard output for which `ready` returns something.
    pub(crate) async fn start<T>(
        command: Command,
        log: &Path,
        ready: impl Fn(&str) -> Option<T>,
    ) -> Result<(Self, T)> {
        Self::start_within(START, command, log, ready).await
    }

    /// The same, with another limit to the wait.
    pub(crate) async fn start_within<T>(
        limit: Duration,
        mut command: Command,
        log: &Path,
        ready: impl Fn(&str) -> Option<T>,
    ) -> Result<(Self, T)> {
        command.stdout(Stdio::piped());
        let mut program = Self::spawn(command, log)?;
        let stdout = program
            .child
            .stdout
            .take()
            .context("standard output is piped")?;
        let mut lines = BufReader::new(stdout).lines();
        let found = timeout(limit, async {
            while let Some(line) = lines.next_line().await? {
                if let Some(found) = ready(&line) {
                    return Ok(found);
                }
            }
            bail!("it ended")
        })
        .await;
        match found {
            Ok(Ok(found)) => {
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                Ok((program, found))
            }
            Ok(Err(error)) => bail!("not ready: {error}\n{}", program.log()?),
            Err(_) => bail!("not ready in time\n{}", program.log()?),
        }
    }

    /// Starts `command`, its standard error going to `log`. Whatever it starts itself
    /// ends with it.
    pub(crate) fn spawn(mut command: Command, log: &Path) -> Result<Self> {
        let name = Path::new(command.as_std().get_program()).file_name();
        let is_ours = name.is_some_and(|name| name.to_string_lossy().starts_with("vestibule"));
        let child = command
            .stdin(Stdio::piped())
            .stderr(File::create(log)?)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{:?} cannot be started", command.as_std().get_program()))?;
        Ok(Self {
            child,
            log: log.to_owned(),
            is_ours,
        })
    }

    /// What the program has written to standard error so far.
    pub(crate) fn log(&self) -> Result<String> {
        Ok(fs::read_to_string(&self.log)?)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // A driver that is killed leaves its browser behind.
        if let Some(id) = self.child.id().and_then(|id| i32::try_from(id).ok()) {
            killpg(Pid::from_raw(id), Signal::SIGKILL).ok();
        }
        // Drivers and browsers log what is typed.
        if self.is_ours
            && let Ok(log) = fs::read(&self.log)
        {
            vestibule_test_log::record("vestibule", &log);
        }
    }
}

/// The address in a line `listening on http://…`.
pub(crate) fn listening(line: &str) -> Option<String> {
    line.strip_prefix("listening on ").map(str::to_owned)
}

/// A binary of this workspace, built beforehand by `cargo xtask test`.
pub(crate) fn binary(name: &str) -> Result<PathBuf> {
    let path = target()?.join("debug").join(name);
    if !path.exists() {
        bail!("{} is missing: run `cargo xtask test`", path.display());
    }
    Ok(path)
}

/// The folder that cargo builds into.
pub(crate) fn target() -> Result<PathBuf> {
    // The test itself is target/debug/deps/visit-….
    let test = env::current_exe()?;
    test.ancestors()
        .nth(3)
        .map(Path::to_owned)
        .context("tests are run by cargo")
}

/// The pages and modules as they are served, built beforehand.
pub(crate) fn www() -> Result<PathBuf> {
    let www = target()?.join("www");
    if !www.join("index.html").exists() {
        bail!("{} is missing: run `cargo xtask test`", www.display());
    }
    Ok(www)
}
