//! A server's folder.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

use super::{Ran, UUID, command::run};
use crate::epic;

const CONFIG: &str =
    "listen = \"127.0.0.1:0\"\ndata = \"data\"\nwww = \"www\"\nprofiles = \"profiles\"\n";

/// A folder with configuration, landing page and profiles.
pub(crate) struct Home(TempDir);

/// A profile's TOML.
#[derive(Clone)]
pub(crate) struct Profile(pub(crate) String);

/// A server that runs in the folder.
pub(crate) struct Running {
    process: Child,
    logged: mpsc::Receiver<String>,
    /// Such as `http://127.0.0.1:7080`.
    pub(crate) url: String,
}

impl Profile {
    /// Epic's, at an EHR with this address.
    pub(crate) fn of(site: &str, ehr: &str) -> Self {
        Self(epic::profile(site, ehr))
    }

    /// One whose EHR is not asked for anything.
    pub(crate) fn usual() -> Self {
        Self::of(
            "https://visit.example.org",
            "https://epic.example.org/oauth",
        )
    }

    /// Zoom's.
    pub(crate) fn zoom() -> Self {
        Self(format!(
            r#"name = "Healthcare Org"
uuid = "{UUID}"
telehealth_call_domain = "telehealth.example.org"
infinity_webapp_server_base_url = "https://visit.example.org"
[zoom]
org_id = "api-key"
api_secret = "abcdaj333j4j4jkl4k444"
"#
        ))
    }

    /// The same with something in the place of something else, which must be there.
    #[track_caller]
    pub(crate) fn with(&self, old: &str, new: &str) -> Self {
        assert!(self.0.contains(old), "{old}");
        Self(self.0.replace(old, new))
    }

    /// The same with this after it.
    pub(crate) fn and(&self, more: &str) -> Self {
        Self(format!("{}{more}\n", self.0))
    }
}

impl Home {
    /// A folder without profiles.
    pub(crate) fn empty() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::create_dir(home.path().join("profiles")).unwrap();
        fs::create_dir(home.path().join("www")).unwrap();
        fs::write(home.path().join("www/index.html"), "<head></head>").unwrap();
        home.configure("");
        home
    }

    /// A folder with one profile, `profiles/org.toml`, which only its owner reads.
    pub(crate) fn with(profile: &Profile) -> Self {
        let home = Self::empty();
        home.write("profiles/org.toml", &profile.0);
        home
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.join(name)).unwrap()
    }

    /// A file that only its owner reads.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.join(name), text).unwrap();
        self.permit(name, 0o600);
    }

    pub(crate) fn permit(&self, name: &str, mode: u32) {
        fs::set_permissions(self.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// The configuration with these lines too.
    pub(crate) fn configure(&self, more: &str) {
        self.write("vestibule.toml", &format!("{CONFIG}{more}"));
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        run(self.path(), arguments, "", &[])
    }

    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Ran {
        run(self.path(), arguments, input, &[])
    }

    pub(crate) fn run_with_env(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
        run(self.path(), arguments, "", environment)
    }

    /// Starts the server.
    pub(crate) fn serve(&self) -> Running {
        let mut process = Command::new(env!("CARGO_BIN_EXE_vestibule"))
            .arg("serve")
            .current_dir(self.path())
            .env_remove("RUST_LOG")
            .env_remove("VESTIBULE_STATE_KEY")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(process.stderr.take().unwrap());
        let (lines, logged) = mpsc::channel();
        let mut copy = vestibule_test_log::file("vestibule");
        // Reads to the end, so that the server never waits for its log.
        thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                if let Some(copy) = &mut copy {
                    writeln!(copy, "{line}").unwrap();
                }
                let _ = lines.send(line);
            }
        });
        let mut line = String::new();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let url = line.trim_end().strip_prefix("listening on ");
        Running {
            url: url
                .unwrap_or_else(|| panic!("it does not start: {line}"))
                .to_owned(),
            process,
            logged,
        }
    }
}

impl Running {
    /// Waits until the server logs this.
    pub(crate) fn until_logged(&self, text: &str) {
        loop {
            let line = self.logged.recv_timeout(Duration::from_secs(20));
            let line = line.unwrap_or_else(|_| panic!("{text} is not logged"));
            if line.contains(text) {
                return;
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let id = Pid::from_raw(self.process.id().try_into().unwrap());
        let _ = kill(id, Signal::SIGTERM);
        let _ = self.process.wait();
    }
}
