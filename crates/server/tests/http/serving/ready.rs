//! Rows 18 and 19: without a database or a disk to write to, launches fail with a page and
//! not halfway, the server says that it is not ready, and goes on by itself.

use std::{path::PathBuf, process::Command};

use nix::unistd::Uid;
use serde_json::Value;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use vestibule_launch::{ErrorName, RequestId};

use crate::{
    failure_page,
    support::{Process, TestServer, prepared},
};

fn database(server: &Process) -> PathBuf {
    server.folder.path().join("data/vestibule.db")
}

/// A connection of another process: this one.
async fn connect(server: &Process) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(database(server));
    options.connect().await.unwrap()
}

async fn launches(server: &Process) -> i64 {
    let mut connection = connect(server).await;
    let count = sqlx::query_scalar("SELECT count(*) FROM launches");
    let count = count.fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    count
}

/// What holds as long as nothing can be written. Gives the launch that failed, and the
/// problems that are told.
async fn assert_unavailable(server: &Process, number: usize) -> (RequestId, Vec<String>) {
    let told: Value = serde_json::from_str(&server.until("/readyz", 503).await).unwrap();
    assert_eq!(told["ready"], false);
    assert_eq!(server.get("/healthz").await.status(), 200);
    let response = server.begin(number).await;
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "5");
    let headers = response.headers().clone();
    let page = response.text().await.unwrap();
    assert!(page.contains(ErrorName::Internal.as_str()), "{page}");
    let request_id = failure_page::assert_page(&headers, &page);
    let problems = told["problems"].as_array().unwrap();
    let problems = problems.iter().map(|problem| problem.as_str().unwrap());
    (request_id, problems.map(str::to_owned).collect())
}

/// What holds afterwards; `count` launches were there before.
async fn assert_recovered(server: &Process, number: usize, count: i64) {
    server.until("/readyz", 200).await;
    assert_eq!(launches(server).await, count, "something is half done");
    server.launch(number).await;
    assert_eq!(launches(server).await, count + 1);
}

#[tokio::test]
async fn row_18_a_database_that_another_process_locks() {
    let server = Process::start("").await;
    server.launch(0).await;
    let mut other = connect(&server).await;
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();
    let (request_id, problems) = assert_unavailable(&server, 1).await;
    assert_eq!(
        problems,
        ["the database does not take a write within a second"]
    );
    failure_page::assert_logged(&server.log(), request_id);
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    assert_recovered(&server, 1, 1).await;
}

#[tokio::test]
async fn row_18_a_launch_in_the_middle_is_not_lost_with_the_database() {
    let server = Process::start("").await;
    let path = server.begin_return(0).await;
    let mut other = connect(&server).await;
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();
    let response = server.get(&path).await;
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "5");
    let headers = response.headers().clone();
    let request_id = failure_page::assert_page(&headers, &response.text().await.unwrap());
    failure_page::assert_logged(&server.log(), request_id);
    assert!(server.ehr.script(|ehr| ehr.token_requests.is_empty()));
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    // Its state was not consumed.
    assert_eq!(server.get(&path).await.status(), 303);
}

/// How large files of the server may become, in bytes.
fn limit_files(server: &Process, limit: &str) {
    let limited = Command::new("prlimit")
        .args(["--pid", &server.id().to_string()])
        .arg(format!("--fsize={limit}:unlimited"))
        .status();
    assert!(limited.unwrap().success());
}

/// A server that gets an error, and not a signal, where a file becomes too large.
async fn limitable() -> Process {
    let by = ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"];
    Process::start_in(prepared("").await, &by).await
}

#[tokio::test]
async fn row_18_a_disk_that_is_full() {
    let server = limitable().await;
    server.launch(0).await;
    limit_files(&server, "0");
    // Nor does its log find room there.
    let (_, problems) = assert_unavailable(&server, 1).await;
    let disk = "the data folder takes no file: is the disk full, or not to be written?";
    assert!(
        problems.iter().any(|problem| problem == disk),
        "{problems:?}"
    );
    limit_files(&server, "unlimited");
    assert_recovered(&server, 1, 1).await;
}

/// Files that cannot be changed, which binds even who has them open. Until it is dropped.
struct Immutable([PathBuf; 2]);

impl Immutable {
    /// None where that is not possible here.
    fn make(files: [PathBuf; 2]) -> Option<Self> {
        let may = Uid::effective().is_root() && Self::change("+i", &files);
        may.then_some(Self(files))
    }

    fn change(flag: &str, files: &[PathBuf]) -> bool {
        let changed = Command::new("chattr").arg(flag).args(files).output();
        changed.is_ok_and(|output| output.status.success())
    }
}

impl Drop for Immutable {
    fn drop(&mut self) {
        Self::change("-i", &self.0);
    }
}

#[tokio::test]
async fn row_18_a_database_file_that_is_read_only() {
    let server = limitable().await;
    server.launch(0).await;
    let log = server.folder.path().join("data/vestibule.db-wal");
    let files = [database(&server), log];
    if let Some(immutable) = Immutable::make(files) {
        let (request_id, problems) = assert_unavailable(&server, 1).await;
        assert_eq!(problems, ["the database takes no write; the log says why"]);
        failure_page::assert_logged(&server.log(), request_id);
        drop(immutable);
    } else {
        // Others than root cannot take it from who has it open; to the server it is the
        // same when no write gets through.
        limit_files(&server, "0");
        assert_unavailable(&server, 1).await;
        limit_files(&server, "unlimited");
    }
    assert_recovered(&server, 1, 1).await;
}

#[tokio::test]
async fn a_server_that_is_ready_says_so_with_the_headers_of_what_is_no_page() {
    let server = TestServer::start().await;
    for _ in 0..2 {
        let response = server.get("/readyz").await;
        assert_eq!(response.status(), 200);
        let policy = &response.headers()["content-security-policy"];
        assert_eq!(policy, "default-src 'none'; frame-ancestors 'none'");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let told: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(told, serde_json::json!({"ready": true, "problems": []}));
    }
    let left = std::fs::read_dir(server.folder.path().join("data")).unwrap();
    let left = left.filter(|file| {
        let name = file.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with("readiness")
    });
    assert_eq!(left.count(), 0);
}
