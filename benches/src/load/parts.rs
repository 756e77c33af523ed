//! The parts of a launch one by one. Each contender is a program that is told what to do
//! and how long, and answers how often it did it in which time; before that it makes sure
//! that it does it right.

pub(crate) mod native;

use std::{env, fs, path::Path, process::Stdio, time::Duration};

use anyhow::{Context, Result, ensure};
use rand::{rand_core::UnwrapErr, rngs::SysRng};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};
use vestibule_launch::crypto::{Algorithm, InitializationVector, KeyType, LaunchCipher, LaunchKey};
use vestibule_smart::{AssertionKey, KeyKind};
use vestibule_template::defaults;
use vestibule_test_postgres::Cluster;

use super::{Database, Load, hospital, report};
use crate::{
    machine::{Programs, on_server_core},
    statistics::median,
};

/// A part of a launch, and how many times as fast as each peer we want to be, where we
/// have an aim.
struct Part {
    name: &'static str,
    what: &'static str,
    /// What the peers do it with.
    node: &'static str,
    python: &'static str,
    aims: [Option<f64>; 2],
}

const PARTS: [Part; 8] = [
    Part {
        name: "join_link",
        what: "Reading a join link",
        node: "URLSearchParams",
        python: "urllib.parse",
        aims: [Some(1.0), None],
    },
    Part {
        name: "decrypt",
        what: "Decrypting 200 bytes of launch parameters",
        node: "node:crypto",
        python: "cryptography",
        aims: [Some(10.0), Some(20.0)],
    },
    Part {
        name: "render",
        what: "Rendering the template of the service name",
        node: "nunjucks",
        python: "Jinja2, sandboxed",
        aims: [Some(1.5), Some(8.0)],
    },
    Part {
        name: "parse_and_render",
        what: "Parsing and rendering it",
        node: "nunjucks",
        python: "Jinja2, sandboxed",
        aims: [Some(20.0), Some(20.0)],
    },
    Part {
        name: "es384",
        what: "Signing a client assertion by ES384",
        node: "jose",
        python: "cryptography",
        aims: [None, None],
    },
    Part {
        name: "rs384",
        what: "Signing a client assertion by RS384, 2048 bits",
        node: "jose",
        python: "cryptography",
        aims: [Some(1.0), Some(1.0)],
    },
    Part {
        name: "state_sqlite",
        what: "Storing and consuming a one-time state, SQLite",
        node: "node:sqlite",
        python: "sqlite3",
        aims: [Some(1.5), Some(1.5)],
    },
    Part {
        name: STATE_POSTGRESQL,
        what: "Storing and consuming a one-time state, PostgreSQL",
        node: "pg",
        python: "asyncpg",
        aims: [Some(1.0), Some(1.0)],
    },
];

const STATE_POSTGRESQL: &str = "state_postgresql";

/// As long as launch parameters are.
const CLEAR: &str = "csn=4711000123&fname=Beverley&mname=Ada&lname=Spinder\
    &encfacnpiname=Cardiology+Outpatient+Department&epicuserid=SPINDERB&conferenceid=\
    &sessionid=6d3f6a0f1f5e4a7c9b1d2e3f4a5b6c7d&patid=E00000001";
const LINK: &str = "https://visit.example.org/webapp/#/?conference=telehealth.0f9c3c1e%40telehealth.\
    example.org&pin=48151623&name=Beverley%20Ada%20Spinder";

/// What all contenders get, in a JSON file. Not secret: made for this run.
#[derive(Deserialize, Serialize)]
pub(crate) struct Task {
    key: String,
    clear: String,
    ciphertext: String,
    link: String,
    template: String,
    es384: String,
    rs384: String,
    sqlite: String,
    postgresql: Option<String>,
}

/// What a contender answers.
#[derive(Deserialize, Serialize)]
struct Answer {
    operations: u64,
    nanoseconds: u64,
}

/// A contender that waits to be told what to do.
struct Contender {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

/// Measures, and prints the ratios.
pub(super) async fn run(load: &Load, cluster: Option<&Cluster>, programs: &Programs) -> Result<()> {
    let folder = TempDir::new()?;
    let mut native = on_server_core(env::current_exe()?);
    native.arg("part");
    let mut contenders = [
        contender("vestibule", native, folder.path(), cluster)?,
        contender("node", programs.node("parts.mjs"), folder.path(), cluster)?,
        contender(
            "python",
            programs.python("parts.py"),
            folder.path(),
            cluster,
        )?,
    ];
    println!(
        "Parts of a launch; medians of {} times {} s.",
        load.runs,
        load.time.as_secs_f64() / 8.0
    );
    for part in &PARTS {
        let database = match part.name {
            "state_sqlite" => Some(Database::Sqlite),
            STATE_POSTGRESQL => Some(Database::Postgresql),
            _ => None,
        };
        if database.is_some_and(|database| !load.databases.contains(&database)) {
            continue;
        }
        let mut measured: [Vec<f64>; 3] = Default::default();
        // The first round warms up and does not count.
        for run in 0..=load.runs {
            for turn in 0..contenders.len() {
                let index = (run + turn) % contenders.len();
                let seconds = contenders[index].measure(part.name, load.time / 8).await;
                let seconds =
                    seconds.with_context(|| format!("{}, contender {index}", part.name))?;
                if run > 0 {
                    measured[index].push(seconds);
                }
            }
        }
        let [ours, node, python] = measured.map(median);
        let [node_aim, python_aim] = part.aims;
        report::part(
            part.what,
            &[
                ("Vestibule", ours, None),
                (part.node, node, node_aim),
                (part.python, python, python_aim),
            ],
        );
    }
    Ok(())
}

fn contender(
    name: &str,
    mut command: Command,
    folder: &Path,
    cluster: Option<&Cluster>,
) -> Result<Contender> {
    let path = folder.join(format!("{name}.json"));
    let task = Task::new(&folder.join(format!("{name}.db")), cluster)?;
    fs::write(&path, serde_json::to_vec(&task)?)?;
    let mut child = command
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {name}"))?;
    let input = child.stdin.take().context("standard input is piped")?;
    let output = child.stdout.take().context("standard output is piped")?;
    Ok(Contender {
        _child: child,
        input,
        output: BufReader::new(output).lines(),
    })
}

impl Task {
    fn new(sqlite: &Path, cluster: Option<&Cluster>) -> Result<Self> {
        let pem = |kind| anyhow::Ok(AssertionKey::generate(kind)?.to_pem().to_string());
        Ok(Self {
            key: hospital::KEY.to_owned(),
            clear: CLEAR.to_owned(),
            ciphertext: hospital::cipher()?.encrypt(CLEAR, &mut UnwrapErr(SysRng)),
            link: LINK.to_owned(),
            template: defaults::SERVICE_NAME.to_owned(),
            es384: pem(KeyKind::P384)?,
            rs384: pem(KeyKind::Rsa2048)?,
            sqlite: sqlite.display().to_string(),
            postgresql: cluster.map(Cluster::database),
        })
    }

    fn cipher(&self) -> Result<LaunchCipher> {
        let key = LaunchKey::new(Algorithm::Aes256Cbc, KeyType::Base64Key, &self.key)?;
        Ok(LaunchCipher::new(key, InitializationVector::Zero))
    }
}

impl Contender {
    /// Seconds for one operation.
    async fn measure(&mut self, part: &str, time: Duration) -> Result<f64> {
        let order = json!({"part": part, "milliseconds": time.as_millis()});
        self.input
            .write_all(format!("{order}\n").as_bytes())
            .await?;
        let answer = self.output.next_line().await?;
        let answer = answer.context("the contender ended; its message is above")?;
        let answer: Answer = serde_json::from_str(&answer)?;
        ensure!(answer.operations > 0, "it did nothing");
        let time = Duration::from_nanos(answer.nanoseconds).as_secs_f64();
        Ok(time / f64::from(u32::try_from(answer.operations)?))
    }
}
