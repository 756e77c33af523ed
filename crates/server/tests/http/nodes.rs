//! Several server processes on one PostgreSQL: any of them answers any step of a launch,
//! also where another one was killed, or the database was.

use std::{
    collections::HashMap,
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::{Response, header::COOKIE};
use serde_json::json;
use vestibule_launch::RequestId;
use vestibule_test_log::canary::LAUNCH_TOKEN;
use vestibule_test_postgres::{Cluster, Durability};

mod killed;
mod row_16_embedded_database;
mod row_17_killed_after_the_tokens;
mod row_18_database_away;
mod row_19_slow_database;

use crate::{
    failure_page,
    support::{
        CONFIG, Ehr, Launch, TokenScript, encrypt, launch_path, location, parameter, profile,
        return_path, write_profile, write_www,
    },
};

/// Only against hanging for ever: the machine may be busy.
const GENEROUS: Duration = Duration::from_secs(60);

/// A server process. Ends, without being asked, when dropped.
struct Node {
    process: Child,
    url: String,
    log: PathBuf,
}

/// The database, the EHR, and the folder with what is the same for all servers.
struct House {
    cluster: Cluster,
    database: String,
    ehr: Ehr,
    folder: tempfile::TempDir,
    client: reqwest::Client,
}

impl Node {
    /// Starts a server and waits until it listens.
    fn start(folder: &Path) -> Self {
        let log = folder.join("log");
        let mut process = Command::new(env!("CARGO_BIN_EXE_vestibule"))
            .args(["serve", "--config"])
            .arg(folder.join("vestibule.toml"))
            .env_remove("RUST_LOG")
            .stdout(Stdio::piped())
            .stderr(append_to(&log))
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = process.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let url = line.strip_prefix("listening on ").unwrap().trim_end();
        Self {
            process,
            url: url.to_owned(),
            log,
        }
    }

    /// As `kill -9` does.
    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
        let log = fs::read(&self.log).unwrap_or_default();
        vestibule_test_log::record("vestibule", &log);
    }
}

impl House {
    async fn new() -> Self {
        Self::with("").await
    }

    /// With these lines at the end of its servers' configuration.
    async fn with(more: &str) -> Self {
        let cluster = Cluster::start(Durability::On);
        let ehr = Ehr::start().await;
        let folder = tempfile::tempdir().unwrap();
        write_profile(folder.path(), &profile(&ehr, ""));
        write_www(&folder.path().join("www"));
        let database = cluster.database();
        let config = format!(
            "{CONFIG}database.url = \"{database}\"\nlimits.launches_per_minute = 0\n{more}"
        );
        fs::write(folder.path().join("vestibule.toml"), config).unwrap();
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
            cluster,
            database,
            ehr,
            folder,
            client,
        }
    }

    /// Where its servers log.
    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn node(&self) -> Node {
        Node::start(self.folder.path())
    }

    async fn get(&self, node: &Node, path: &str) -> Response {
        let request = self.client.get(format!("{}{path}", node.url));
        request.timeout(GENEROUS).send().await.unwrap()
    }

    /// Presses the button, with this launch token.
    async fn begin(&self, node: &Node, launch_token: &str) -> Response {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("iss", &self.ehr.iss());
        form.append_pair("launch", &format!("{LAUNCH_TOKEN}{launch_token}"));
        form.append_pair("data", &encrypt(Launch::PROVIDER.plaintext.unwrap()));
        let path = format!("{}?{}", launch_path("provider"), form.finish());
        self.get(node, &path).await
    }

    /// Returns from the EHR. Without the cookie that a browser has: nobody is given the
    /// same link again.
    async fn return_with(&self, node: &Node, state: &str, code: &str) -> Response {
        let path = format!("{}?code={code}&state={state}", return_path("provider"));
        self.get(node, &path).await
    }

    /// How often each code was sent to the EHR.
    fn codes(&self) -> HashMap<String, usize> {
        let mut codes = HashMap::new();
        self.ehr.script(|ehr| {
            let sent = ehr.token_requests.iter();
            for request in sent.filter(|it| it.body.contains("grant_type=authorization_code")) {
                *codes.entry(parameter(&request.body, "code")).or_insert(0) += 1;
            }
        });
        codes
    }

    fn refresh_tokens(&self) -> Vec<String> {
        self.ehr.script(|ehr| {
            let sent = ehr.token_requests.iter();
            sent.filter(|it| it.body.contains("grant_type=refresh_token"))
                .map(|it| parameter(&it.body, "refresh_token"))
                .collect()
        })
    }
}

/// Where all servers log, one after the other and beside one another.
fn append_to(log: &Path) -> fs::File {
    let mut options = fs::OpenOptions::new();
    options.create(true).append(true).open(log).unwrap()
}

/// A failure is a page with a status that says whose turn it is, and all that every page
/// has; nothing of the database. Gives its request id: the log has to tell of it.
async fn assert_failure(response: Response) -> RequestId {
    let status = response.status().as_u16();
    assert!(matches!(status, 400 | 403 | 410 | 502..=504), "{status}");
    let headers = response.headers().clone();
    let text = response.text().await.unwrap();
    assert!(!text.contains("postgres"), "{text}");
    failure_page::assert_page(&headers, &text)
}

/// The log tells of each of these failures, and no secret. Gives what it says of them.
fn assert_logged(log: &Path, failures: &[RequestId]) -> Vec<String> {
    let log = fs::read_to_string(log).unwrap();
    failure_page::assert_no_secret(&log);
    let lines = log.lines().filter_map(|line| {
        let (_, told) = line.split_once("launch failed request_id=")?;
        let (id, _) = told.split_once(" error_name=")?;
        Some((id, line))
    });
    let lines: HashMap<_, _> = lines.collect();
    let told = failures.iter().map(|id| {
        let line = lines.get(id.to_string().as_str());
        line.unwrap_or_else(|| panic!("{id} in {log}"))
    });
    told.map(|line| (*line).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn row_16_a_launch_goes_on_at_another_server_when_the_first_was_killed() {
    let house = House::new().await;
    let (a, b, c) = (house.node(), house.node(), house.node());
    let begun = house.begin(&a, "launch-1").await;
    assert_eq!(begun.status(), 303);
    let state = parameter(location(&begun), "state");
    let cookie = begun.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    a.kill();
    let joined = house.return_with(&b, &state, "code-1").await;
    assert_eq!(joined.status(), 303);
    let link = location(&joined).to_owned();
    assert_eq!(parameter(&link, "pin").len(), 8);
    // Another browser with the same URL gets nothing, the same one the same link.
    let other_browser = assert_failure(house.return_with(&c, &state, "code-1").await).await;
    let path = format!("{}?code=code-1&state={state}", return_path("provider"));
    let same = house.client.get(format!("{}{path}", c.url));
    let same = same.header(COOKIE, cookie).send().await.unwrap();
    assert_eq!(house.codes(), HashMap::from([("code-1".into(), 1)]));
    assert_eq!(same.status(), 303);
    assert_eq!(location(&same), link);
    // A server that comes back works with what the others have stored.
    let a = house.node();
    let again = assert_failure(house.begin(&a, "launch-1").await).await;
    assert_eq!(house.begin(&a, "launch-2").await.status(), 303);
    assert_logged(&house.log(), &[other_browser, again]);
}

/// The server has given the database up itself, in the time that it has for that: its log
/// says so of each of these failures.
fn assert_given_up(told: &[String]) {
    // The wait for a connection is part of it.
    let words = [
        "the database did not answer within two seconds",
        "pool timed out while waiting for an open connection",
    ];
    for line in told {
        assert!(words.iter().any(|words| line.contains(words)), "{line}");
    }
}

/// Waits until a server can work.
async fn ready(house: &House, node: &Node) {
    readiness(house, node, 200).await;
}

/// Waits until a server says by this status whether it can work.
async fn readiness(house: &House, node: &Node, status: u16) {
    let begun = Instant::now();
    while house.get(node, "/readyz").await.status() != status {
        assert!(begun.elapsed() < GENEROUS, "/readyz never says {status}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// What came of one launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Joined,
    Failed,
}

#[tokio::test(flavor = "multi_thread")]
async fn row_20_under_a_stream_of_launches_the_database_breaks_down_and_nothing_happens_twice() {
    const LAUNCHES: usize = 60;
    let house = House::new().await;
    let nodes = [house.node(), house.node()];
    let failures = Mutex::new(Vec::new());
    let failed = async |response| {
        let request_id = assert_failure(response).await;
        failures.lock().unwrap().push(request_id);
    };
    let launch = async |number: usize| {
        let (first, second) = (&nodes[number % 2], &nodes[(number + 1) % 2]);
        let begun = house.begin(first, &format!("launch-{number}")).await;
        if begun.status() != 303 {
            failed(begun).await;
            return Outcome::Failed;
        }
        let state = parameter(location(&begun), "state");
        let code = format!("code-{number}");
        // The browser comes back twice at once, to both servers.
        let (one, other) = tokio::join!(
            house.return_with(first, &state, &code),
            house.return_with(second, &state, &code),
        );
        let mut links = 0;
        for response in [one, other] {
            if response.status() == 303 {
                links += 1;
            } else {
                failed(response).await;
            }
        }
        assert!(links < 2, "both joined");
        if links == 1 {
            Outcome::Joined
        } else {
            Outcome::Failed
        }
    };
    // The stream goes on until the last breakdown is over, however long that takes here.
    let over = AtomicBool::new(false);
    let stream = async {
        let mut outcomes = Vec::new();
        for batch in 0.. {
            if outcomes.len() >= LAUNCHES && over.load(Ordering::SeqCst) {
                break;
            }
            let launches = (0..6).map(|number| launch(batch * 6 + number));
            outcomes.extend(futures_util::future::join_all(launches).await);
        }
        outcomes
    };
    let breakdowns = async {
        for _ in 0..3 {
            tokio::task::block_in_place(|| house.cluster.kill());
            tokio::time::sleep(Duration::from_millis(300)).await;
            tokio::task::block_in_place(|| house.cluster.start_again());
            tokio::time::sleep(Duration::from_millis(700)).await;
        }
        for node in &nodes {
            ready(&house, node).await;
        }
        over.store(true, Ordering::SeqCst);
    };
    let (outcomes, ()) = tokio::join!(stream, breakdowns);
    assert!(outcomes.contains(&Outcome::Joined), "{outcomes:?}");
    for (code, times) in house.codes() {
        assert_eq!(times, 1, "{code} was sent to the EHR more than once");
    }
    // Both go on without being started anew.
    let after = [launch(1_000).await, launch(1_001).await];
    assert_eq!(after, [Outcome::Joined; 2]);
    assert_logged(&house.log(), &failures.lock().unwrap());
}

/// All renewals are due at once, and every server looks for what is due. The EHR would
/// take each refresh token once.
#[tokio::test(flavor = "multi_thread")]
async fn row_21_each_token_is_renewed_by_one_of_three_servers() {
    const LAUNCHES: usize = 12;
    let house = House::new().await;
    let nodes = [house.node(), house.node(), house.node()];
    let gives =
        |refresh_token: &str| TokenScript::GivesAlso(json!({ "refresh_token": refresh_token }));
    let expected: Vec<_> = (10..10 + LAUNCHES)
        .map(|number| format!("refresh-{number}"))
        .collect();
    for (number, refresh_token) in expected.iter().enumerate() {
        house.ehr.script(|ehr| ehr.token = gives(refresh_token));
        let begun = house.begin(&nodes[number % 3], refresh_token).await;
        let state = parameter(location(&begun), "state");
        let joined = house.return_with(&nodes[(number + 1) % 3], &state, "code");
        assert_eq!(joined.await.status(), 303);
    }
    house.ehr.script(|ehr| ehr.token = gives("new"));
    house
        .cluster
        .query(&house.database, "UPDATE sessions SET renew_at = 0");
    let begun = Instant::now();
    while house.refresh_tokens().len() < LAUNCHES {
        assert!(begun.elapsed() < GENEROUS, "not all are renewed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let waiting = "SELECT count(*) FROM sessions WHERE lease = 0 OR leased_until IS NOT NULL";
    while house.cluster.query(&house.database, waiting).trim() != "0" {
        assert!(begun.elapsed() < GENEROUS, "not all are stored");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Every server looks every five seconds: time for all to look once more.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let mut sent = house.refresh_tokens();
    sent.sort();
    assert_eq!(sent, expected, "each once");
    let stored = house.cluster.query(
        &house.database,
        "SELECT count(*), min(lease), max(lease), count(leased_until) FROM sessions",
    );
    assert_eq!(stored.trim(), format!("{LAUNCHES}|1|1|0"), "all are stored");
}
