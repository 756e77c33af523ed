//! Who is measured: Vestibule and its peers, each as a process of its own on the server's
//! processor core.

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep},
};
use vestibule_test_postgres::Cluster;

use super::{ehr::Ehr, hospital, launches::Launches, process::Process};
use crate::machine::{Programs, on_server_core};

const START: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);
const LISTENING: &str = "listening on http://";

/// What a contender is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Software {
    Vestibule,
    Express,
    Starlette,
}

/// Where a contender keeps its launches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Database {
    Sqlite,
    Postgresql,
}

impl Software {
    pub(crate) const ALL: [Self; 3] = [Self::Vestibule, Self::Express, Self::Starlette];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Vestibule => "Vestibule",
            Self::Express => "Express",
            Self::Starlette => "Starlette",
        }
    }
}

impl Database {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgresql => "PostgreSQL",
        }
    }
}

/// A contender that runs. It ends when this is dropped.
pub(crate) struct Contender {
    pub(crate) software: Software,
    pub(crate) launches: Arc<Launches>,
    pub(crate) process: Process,
    log: PathBuf,
    child: Child,
    _folder: TempDir,
}

impl Contender {
    /// Starts one, with an empty database.
    pub(crate) async fn start(
        software: Software,
        database: Database,
        cluster: Option<&Cluster>,
        programs: &Programs,
        ehr: &Ehr,
    ) -> Result<Self> {
        let folder = TempDir::new()?;
        let address = free_address()?;
        let place = match (database, cluster) {
            (Database::Postgresql, Some(cluster)) => json!({"postgres": cluster.database()}),
            _ => json!({"sqlite": folder.path().join("launches.db")}),
        };
        let mut command = match software {
            Software::Vestibule => vestibule(folder.path(), address, &place, programs, ehr)?,
            Software::Express | Software::Starlette => {
                let profile = hospital::peers_profile(&format!("http://{address}"), ehr);
                let config = json!({
                    "port": address.port(), "database": place, "profile": profile,
                });
                let path = folder.path().join("config.json");
                fs::write(&path, config.to_string())?;
                let mut command = match software {
                    Software::Express => programs.node("server.mjs"),
                    Software::Starlette | Software::Vestibule => programs.python("server.py"),
                };
                command.arg(path);
                command
            }
        };
        let log = folder.path().join("log");
        let output = File::create(&log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", software.name()))?;
        let process = Process::of(child.id().context("it has ended already")?);
        let mut contender = Self {
            software,
            launches: Arc::new(Launches::new(address, ehr)?),
            process,
            log,
            child,
            _folder: folder,
        };
        contender.wait_until_listening().await?;
        Ok(contender)
    }

    /// The end of what the contender has logged.
    pub(crate) fn said(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    }

    async fn wait_until_listening(&mut self) -> Result<()> {
        let begun = Instant::now();
        let name = self.software.name();
        loop {
            if fs::read_to_string(&self.log)?.contains(LISTENING) {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{name} ended: {status}\n{}", self.said());
            }
            if begun.elapsed() > START {
                bail!("{name} does not listen\n{}", self.said());
            }
            sleep(POLL).await;
        }
    }
}

/// Vestibule as in production, but for the limit of launches from one address: it counts,
/// and lets all of them through.
fn vestibule(
    folder: &Path,
    address: SocketAddr,
    place: &Value,
    programs: &Programs,
    ehr: &Ehr,
) -> Result<Command> {
    let profiles = folder.join("profiles");
    fs::create_dir(&profiles)?;
    let profile = hospital::profile(&format!("http://{address}"), ehr);
    fs::write(profiles.join("hospital.toml"), profile)?;
    let www = programs.www.display();
    let mut config = format!(
        "listen = \"{address}\"\ndata = \"data\"\nwww = \"{www}\"\nprofiles = \"profiles\"\n\
         trusted_proxies = [\"127.0.0.0/8\"]\n[limits]\nlaunches_per_minute = 1000000\n"
    );
    if let Some(url) = place["postgres"].as_str() {
        config += &format!("[database]\nurl = \"{url}\"\n");
    }
    let path = folder.join("vestibule.toml");
    fs::write(&path, config)?;
    let mut command = on_server_core(&programs.vestibule);
    command.args(["serve", "--config"]).arg(path);
    Ok(command)
}

/// An address of this machine on which nobody listens at the moment.
fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    Ok(listener.local_addr()?)
}
