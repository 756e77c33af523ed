//! The `vestibule` program, running.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::TcpStream,
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use reqwest::Response;
use tempfile::TempDir;

use super::{
    CONFIG, Ehr, Launch, encrypt, launch_path, location, parameter, profile, return_path,
    write_profile, write_www,
};

/// Only against hanging: whatever is waited for comes much sooner.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server; it ends with the test.
pub(crate) struct Process {
    child: Child,
    /// `http://…` or `https://…`, without a slash at the end.
    pub(crate) url: String,
    pub(crate) ehr: Ehr,
    pub(crate) folder: TempDir,
    pub(crate) client: reqwest::Client,
    _stdout: BufReader<ChildStdout>,
}

impl Process {
    /// Starts it with these lines in its configuration too.
    pub(crate) async fn start(config: &str) -> Self {
        Self::start_in(prepared(config).await, &[]).await
    }

    /// Starts it in a folder that is prepared, by way of another program if one is given.
    pub(crate) async fn start_in((folder, ehr): (TempDir, Ehr), by: &[&str]) -> Self {
        let program = env!("CARGO_BIN_EXE_vestibule");
        let mut command = match by {
            [] => Command::new(program),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        };
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let mut child = command
            .env_remove("RUST_LOG")
            .args(["serve", "--config"])
            .arg(folder.path().join("vestibule.toml"))
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let url = line.strip_prefix("listening on ");
        let url =
            url.unwrap_or_else(|| panic!("{:?}", fs::read_to_string(folder.path().join("log"))));
        #[expect(
            clippy::disallowed_methods,
            reason = "a browser, not the server's client"
        )]
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self {
            url: url.trim_end().to_owned(),
            child,
            ehr,
            folder,
            client,
            _stdout: stdout,
        }
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        self.url.split_once("://").unwrap().1
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(self.child.id().try_into().unwrap());
        kill(id, signal).unwrap();
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Waits until its log is as expected; gives it.
    pub(crate) async fn until_log(&self, is_there: impl Fn(&str) -> bool) -> String {
        let begun = Instant::now();
        loop {
            let log = self.log();
            if is_there(&log) {
                return log;
            }
            assert!(begun.elapsed() < PATIENCE, "{log}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the program has ended.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(status.signal().is_none(), "{status}");
                return status;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "it does not end: {}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        let request = self.client.get(format!("{}{path}", self.url));
        request.send().await.unwrap()
    }

    /// Asks until the answer is as expected.
    pub(crate) async fn until(&self, path: &str, status: u16) -> String {
        let begun = Instant::now();
        loop {
            let response = self.get(path).await;
            let found = response.status();
            let text = response.text().await.unwrap();
            if found == status {
                return text;
            }
            assert!(begun.elapsed() < PATIENCE, "{path}: {found} {text}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Presses the patient's button in the EHR, for the launch of this number.
    pub(crate) async fn begin(&self, number: usize) -> Response {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("iss", &self.ehr.iss());
        form.append_pair("launch", &format!("launch-token-{number}"));
        form.append_pair("data", &encrypt(Launch::PATIENT.plaintext.unwrap()));
        self.get(&format!("{}?{}", launch_path("patient"), form.finish()))
            .await
    }

    /// The same, and gives where the EHR returns to.
    pub(crate) async fn begin_return(&self, number: usize) -> String {
        let response = self.begin(number).await;
        assert_eq!(response.status(), 303);
        let state = parameter(location(&response), "state");
        format!(
            "{}?code=code-of-the-ehr&state={state}",
            return_path("patient")
        )
    }

    /// A whole launch.
    pub(crate) async fn launch(&self, number: usize) {
        let path = self.begin_return(number).await;
        assert_eq!(self.get(&path).await.status(), 303);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Ok(log) = fs::read(self.folder.path().join("log")) {
            vestibule_test_log::record("vestibule", &log);
        }
    }
}

/// A folder with all that a server needs, and the EHR of its profile.
pub(crate) async fn prepared(config: &str) -> (TempDir, Ehr) {
    let folder = tempfile::tempdir().unwrap();
    let ehr = Ehr::start().await;
    write_profile(folder.path(), &profile(&ehr, ""));
    configure(folder.path(), config);
    write_www(&folder.path().join("www"));
    (folder, ehr)
}

/// Writes the configuration, with these lines in it too.
pub(crate) fn configure(folder: &Path, config: &str) {
    fs::write(folder.join("vestibule.toml"), format!("{CONFIG}{config}")).unwrap();
}
