//! The `vestibule` command and its profiles: SIGHUP, sealed secrets, and the key from
//! elsewhere.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use vestibule_server::{
    profile::sealed::seal_toml,
    random,
    sealing::{self, Sealer},
};
use vestibule_store::{Audit as _, AuditAction, AuditFilter, Page, SqliteStore};

use crate::support::{CONFIG, Ehr, KEY, UUID, profile, write_profile, write_www};

const SECOND: &str = "5a0e0d4a-4c3f-4a0e-9a57-3f1d6c1d2b3a";

/// Only against hanging.
const PATIENCE: Duration = Duration::from_secs(60);

struct Running {
    child: Child,
    url: String,
    log: PathBuf,
    _stdout: BufReader<ChildStdout>,
}

impl Running {
    fn start(folder: &Path, key: Option<&str>) -> Self {
        let log = folder.join("log");
        let mut command = serve(folder);
        command.envs(key.map(|key| ("VESTIBULE_STATE_KEY", key)));
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let url = line.strip_prefix("listening on ");
        let url = url.unwrap_or_else(|| panic!("{:?}", fs::read_to_string(&log)));
        let url = url.trim_end().to_owned();
        Self {
            child,
            url,
            log,
            _stdout: stdout,
        }
    }

    fn hang_up(&self) {
        self.signal(Signal::SIGHUP);
    }

    fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(self.child.id().try_into().unwrap());
        kill(id, signal).unwrap();
    }

    /// What a launch without parameters of a profile is answered: 404 where there is no
    /// such profile, 400 where there is one.
    async fn status(&self, uuid: &str) -> u16 {
        let path = format!("/api/telehealth/v1/patient/oauth2smartlaunch/{uuid}");
        let answer = reqwest::get(format!("{}{path}", self.url)).await.unwrap();
        answer.status().as_u16()
    }

    async fn becomes(&self, uuid: &str, wanted: u16) {
        let begun = Instant::now();
        while self.status(uuid).await != wanted {
            assert!(begun.elapsed() < PATIENCE, "never {wanted}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn tells(&self, wanted: &str) {
        let begun = Instant::now();
        while !fs::read_to_string(&self.log).unwrap().contains(wanted) {
            assert!(begun.elapsed() < PATIENCE, "never {wanted}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Has the folder read anew, for the so manieth time.
    async fn reloads(&self, times: usize) {
        self.hang_up();
        let begun = Instant::now();
        let told = || fs::read_to_string(&self.log).unwrap();
        while told().matches("the profiles are reloaded").count() < times {
            assert!(begun.elapsed() < PATIENCE, "{}", told());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Ends it; gives its log.
    fn end(mut self) -> String {
        self.signal(Signal::SIGTERM);
        assert!(self.child.wait().unwrap().success());
        let log = fs::read_to_string(&self.log).unwrap();
        vestibule_test_log::record("vestibule", log.as_bytes());
        log
    }
}

fn serve(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command
        .env_remove("RUST_LOG")
        .args(["serve", "--config"])
        .arg(folder.join("vestibule.toml"));
    command
}

async fn folder() -> (tempfile::TempDir, Ehr) {
    let folder = tempfile::tempdir().unwrap();
    let ehr = Ehr::start().await;
    write_profile(folder.path(), &profile(&ehr, ""));
    fs::write(folder.path().join("vestibule.toml"), CONFIG).unwrap();
    write_www(&folder.path().join("www"));
    (folder, ehr)
}

#[tokio::test]
async fn sighup_reloads_the_folder_all_or_nothing() {
    let (folder, ehr) = folder().await;
    let running = Running::start(folder.path(), None);
    assert_eq!(running.status(UUID).await, 400);
    assert_eq!(running.status(SECOND).await, 404);

    let text = profile(&ehr, "").replace(UUID, SECOND);
    let second = folder.path().join("profiles/second.toml");
    fs::write(&second, &text).unwrap();
    running.hang_up();
    running.becomes(SECOND, 400).await;

    // One of two is broken: both stay as they were, though the first is gone.
    fs::remove_file(folder.path().join("profiles/healthcare-org.toml")).unwrap();
    fs::write(&second, text.replace(KEY, &format!("{KEY}S3CRET"))).unwrap();
    running.hang_up();
    running.tells("the profiles stay as they were").await;
    for uuid in [UUID, SECOND] {
        assert_eq!(running.status(uuid).await, 400);
    }
    fs::write(&second, &text).unwrap();
    running.hang_up();
    running.becomes(UUID, 404).await;
    assert_eq!(running.status(SECOND).await, 400);

    let log = running.end();
    assert_eq!(log.matches("the profiles are reloaded").count(), 2, "{log}");
    assert_eq!(
        log.matches("the profiles stay as they were").count(),
        1,
        "{log}"
    );
    assert!(log.contains("second.toml: epic_encryption_key: "), "{log}");
    assert!(!log.contains("S3CRET") && !log.contains(KEY), "{log}");
}

#[tokio::test]
async fn what_a_reload_changes_is_in_the_audit_log() {
    let (folder, ehr) = folder().await;
    let running = Running::start(folder.path(), None);
    // A new one, and one that has another name and another secret.
    let text = profile(&ehr, "").replace(UUID, SECOND);
    let second = folder.path().join("profiles/second.toml");
    fs::write(&second, &text).unwrap();
    let first = folder.path().join("profiles/healthcare-org.toml");
    let changed = fs::read_to_string(&first).unwrap();
    let changed = changed.replace("Healthcare Org", "Canary Org");
    let changed = changed.replace("client-secret-of-the-ehr", "canary-secret");
    fs::write(&first, format!("# Only words.\n{changed}")).unwrap();
    running.reloads(1).await;
    fs::write(&first, changed).unwrap();
    fs::remove_file(&second).unwrap();
    running.reloads(2).await;
    running.end();
    let database = folder.path().join("data/vestibule.db");
    let store = SqliteStore::open(&database).await.unwrap();
    let page = Page {
        after: None,
        limit: 10,
    };
    let filter = AuditFilter::default();
    let entries = store.list_audit(&filter, page).await.unwrap();
    let told: Vec<_> = entries
        .iter()
        .rev()
        .map(|it| {
            let subject = it.entry.subject.as_ref().unwrap();
            (it.entry.action, &*subject.id, &*it.entry.source)
        })
        .collect();
    let (file, other) = ("file healthcare-org.toml", "file second.toml");
    assert_eq!(
        told,
        [
            (AuditAction::ProfileChanged, UUID, file),
            (AuditAction::ProfileCreated, SECOND, other),
            (AuditAction::ProfileRemoved, SECOND, other),
        ]
    );
    let fields = &entries[2].entry.details;
    assert_eq!(fields, "name, epic_provider_app_client_secret");
    assert!(entries.iter().all(|it| it.entry.administrator.is_none()));
    assert!(!format!("{entries:?}").to_lowercase().contains("canary"));
}

#[tokio::test]
async fn secrets_in_a_file_may_stand_sealed_under_a_key_from_the_environment() {
    let (folder, _ehr) = folder().await;
    let file = folder.path().join("profiles/healthcare-org.toml");
    let key_file = folder.path().join("key");
    let mut rng = random::system();
    let sealer = Sealer::new(&sealing::read_or_create(&key_file, &mut *rng).unwrap());
    let clear = fs::read_to_string(&file).unwrap();
    let sealed = seal_toml(&clear, &sealer, &mut *rng).unwrap();
    assert!(!sealed.text.contains(KEY));
    fs::write(&file, &sealed.text).unwrap();

    use base64ct::{Base64, Encoding as _};
    let key = Base64::encode_string(&fs::read(&key_file).unwrap());
    let running = Running::start(folder.path(), Some(&key));
    assert_eq!(running.status(UUID).await, 400);
    let log = running.end();
    assert!(log.contains("CCB9-6A1A"), "{log}");
    assert!(!log.contains("stands in the clear"), "{log}");
    assert!(!log.contains(&key), "{log}");
    assert!(!folder.path().join("data/state.key").exists());

    // Another key opens nothing, and is told by field.
    let output = serve(folder.path())
        .env("VESTIBULE_STATE_KEY", KEY)
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(
        told.contains("healthcare-org.toml: epic_encryption_key: is sealed"),
        "{told}"
    );
    assert!(!told.contains(KEY), "{told}");
}

#[tokio::test]
async fn secrets_in_the_clear_are_warned_of_where_others_can_read_them() {
    let (folder, _ehr) = folder().await;
    let file = folder.path().join("profiles/healthcare-org.toml");
    for (mode, warned) in [(0o600, false), (0o640, false), (0o604, true)] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let log = Running::start(folder.path(), None).end();
        let told = "epic_encryption_key: stands in the clear";
        assert_eq!(log.contains(told), warned, "{mode:o}: {log}");
        assert!(!log.contains(KEY), "{log}");
    }
}
