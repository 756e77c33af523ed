//! The `vestibule` command itself.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use vestibule_launch::crypto::{Algorithm, KeyCheckValue, KeyType, LaunchKey};

use crate::support::{CONFIG, Ehr, KEY, TestServer, log, profile, write_profile, write_www};

/// Only against hanging.
const GENEROUS: Duration = Duration::from_secs(60);

/// What the server says where it has waited for launches in vain as it ended.
const CUT_OFF: &str = "launches under way are cut off";

fn vestibule() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command.env_remove("RUST_LOG");
    command
}

fn serve(folder: &Path) -> Command {
    let mut command = vestibule();
    command
        .args(["serve", "--config"])
        .arg(folder.join("vestibule.toml"));
    command
}

async fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let ehr = Ehr::start().await;
    write_profile(folder.path(), &profile(&ehr, ""));
    fs::write(folder.path().join("vestibule.toml"), CONFIG).unwrap();
    write_www(&folder.path().join("www"));
    folder
}

fn signal(child: &Child, signal: Signal) {
    let id = Pid::from_raw(child.id().try_into().unwrap());
    kill(id, signal).unwrap();
}

#[tokio::test]
async fn it_says_where_it_listens_and_ends_in_good_order() {
    let folder = folder().await;
    let key = LaunchKey::new(Algorithm::Aes256Cbc, KeyType::Base64Key, KEY).unwrap();
    let value = KeyCheckValue::of(&key);
    for ends_by in [Signal::SIGTERM, Signal::SIGINT] {
        let mut child = serve(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line
            .strip_prefix("listening on http://")
            .unwrap()
            .trim_end();

        // A connection that says nothing more must not keep the server from ending.
        let mut idle = TcpStream::connect(address).unwrap();
        idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
            .unwrap();
        let mut answer = [0; 12];
        idle.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        let _half = TcpStream::connect(address).map(|mut half| half.write_all(b"GET /he"));

        signal(&child, ends_by);
        let begun = Instant::now();
        assert!(child.wait().unwrap().success());
        assert!(begun.elapsed() < GENEROUS);
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "one line");
        let mut log = String::new();
        child.stderr.unwrap().read_to_string(&mut log).unwrap();
        vestibule_test_log::record("vestibule", log.as_bytes());
        assert!(log.contains("INFO"), "{log}");
        assert!(!log.contains(CUT_OFF), "{log}");
        assert!(
            log.contains(&format!("key_check_value=\"{value}\"")),
            "{log}"
        );
        assert!(!log.contains(KEY), "{log}");
    }
}

#[tokio::test]
async fn an_event_stream_does_not_keep_the_server_from_ending() {
    let server = TestServer::start().await;
    let link = server.launch(crate::support::Launch::PROVIDER).await;
    let alias = crate::support::parameter(&link, "conference");
    let pin = crate::support::parameter(&link, "pin");
    let answer = server
        .request_token(&alias, &pin)
        .await
        .text()
        .await
        .unwrap();
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    let token = answer["result"]["token"].as_str().unwrap();
    let path = format!("/api/client/v2/conferences/{alias}/events?token={token}");
    let mut stream = server.get(&path).await;
    assert_eq!(stream.status(), 200);
    assert!(stream.chunk().await.unwrap().is_some());
    let begun = Instant::now();
    server.end().await;
    assert!(begun.elapsed() < GENEROUS);
    let log = log::text();
    assert!(!log.contains(CUT_OFF), "{log}");
}

fn fails(mut command: Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    assert_eq!(status.code(), Some(1));
    assert!(stdout.is_empty());
    String::from_utf8(stderr).unwrap()
}

#[tokio::test]
async fn what_keeps_it_from_starting_is_told_with_what_to_do() {
    let folder = folder().await;
    let path = folder.path();
    let www = path.join("www");
    fs::rename(&www, path.join("elsewhere")).unwrap();
    assert!(fails(serve(path)).contains("build the landing page first"));
    fs::rename(path.join("elsewhere"), &www).unwrap();

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = CONFIG.replace("127.0.0.1:0", &listener.local_addr().unwrap().to_string());
    fs::write(path.join("vestibule.toml"), taken).unwrap();
    assert!(fails(serve(path)).contains("choose another address"));
    assert!(fails(serve(&path.join("nowhere"))).contains("nowhere"));
}

#[test]
fn it_makes_keys() {
    for (arguments, bytes) in [
        (vec!["keygen"], 32),
        (vec!["keygen", "32"], 32),
        (vec!["keygen", "16"], 16),
    ] {
        let output = vestibule().args(arguments).output().unwrap();
        assert!(output.status.success());
        let key = String::from_utf8(output.stdout).unwrap();
        let key = key.trim_end();
        let decoded = <base64ct::Base64 as base64ct::Encoding>::decode_vec(key);
        assert_eq!(decoded.unwrap().len(), bytes);
        let algorithm = match bytes {
            16 => Algorithm::Aes128Cbc,
            _ => Algorithm::Aes256Cbc,
        };
        let key = LaunchKey::new(algorithm, KeyType::Base64Key, key).unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        let value = KeyCheckValue::of(&key);
        assert_eq!(told, format!("key check value: {value}\n"));
    }
}
