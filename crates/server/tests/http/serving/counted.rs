//! What `/metrics` tells of connections, of the certificate, and whether the server can
//! work.

use std::{
    fs,
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::support::Process;

/// Only against hanging.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program, and where it tells its metrics.
async fn watched(config: &str) -> (Process, String) {
    let config = format!("{config}[metrics]\nlisten = \"127.0.0.1:0\"\n");
    let server = super::tls::server(&config).await;
    // It listens for launches last.
    let log = server.log();
    let (_, address) = log.split_once("metrics are told address=").unwrap();
    let address = address.split_whitespace().next().unwrap().to_owned();
    (server, address)
}

/// What is told; nothing where there is no place for one more connection.
fn told(address: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut text = Vec::new();
    match stream.read_to_end(&mut text) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => {}
    }
    let text = String::from_utf8(text).unwrap();
    if text.starts_with("HTTP/1.1 503 ") || text.is_empty() {
        return None;
    }
    assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
    Some(text)
}

/// The value of a series; nothing where it is not there. The limits hold of the metrics
/// too: the connection before may count until the server has noticed its end.
fn metric(address: &str, series: &str) -> Option<f64> {
    let begun = Instant::now();
    let text = loop {
        if let Some(text) = told(address) {
            break text;
        }
        assert!(begun.elapsed() < PATIENCE, "no place becomes free");
        std::thread::sleep(Duration::from_millis(10));
    };
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    Some(value.parse().unwrap())
}

/// Until a series has this value.
async fn until(address: &str, series: &str, value: f64) {
    for _ in 0..3_000 {
        if metric(address, series) == Some(value) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{series} is {:?}, not {value}", metric(address, series));
}

fn refused(reason: &str) -> String {
    format!("vestibule_connections_refused_total{{listener=\"launches\",reason=\"{reason}\"}}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_counted_those_that_are_open_and_those_that_came_to_nothing() {
    const OPEN: &str = "vestibule_connections_open{listener=\"launches\"}";
    let limits = "[connections]\nmost_per_address = 2\nheader_seconds = 600\n";
    let (server, address) = watched(limits).await;
    for reason in ["too_many", "too_many_of_address", "handshake_failed"] {
        let none = metric(&address, &refused(reason));
        assert_eq!(none, Some(0.0), "{reason} is known before it happens");
    }
    assert_eq!(metric(&address, OPEN), Some(0.0));
    let open = [server.connect(), server.connect()];
    until(&address, OPEN, 2.0).await;
    let mut one_more = server.connect();
    let mut told = String::new();
    one_more.read_to_string(&mut told).unwrap();
    assert!(told.starts_with("HTTP/1.1 503 "), "{told}");
    until(&address, &refused("too_many_of_address"), 1.0).await;
    drop(open);
    until(&address, OPEN, 0.0).await;
    assert_eq!(metric(&address, &refused("too_many")), Some(0.0));
    assert_eq!(metric(&address, &refused("handshake_failed")), Some(0.0));

    let (server, address) = watched("[connections]\nmost = 1\nheader_seconds = 600\n").await;
    let _open = server.connect();
    until(&address, OPEN, 1.0).await;
    let _one_more = server.connect();
    until(&address, &refused("too_many"), 1.0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handshake_that_fails_is_counted_and_so_is_the_end_of_the_certificate() {
    const ENDS: &str = "vestibule_certificate_end_timestamp_seconds{listener=\"launches\"}";
    let (server, address) = watched(super::tls::TLS).await;
    assert_eq!(metric(&address, "vestibule_ready"), Some(1.0));
    // As the certificates of these tests are made: 4096-01-01.
    assert_eq!(metric(&address, ENDS), Some(67_090_118_400.0));
    let mut plain = server.connect();
    plain
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    let _ = plain.read_to_end(&mut Vec::new());
    until(&address, &refused("handshake_failed"), 1.0).await;

    let (_server, address) = watched("").await;
    assert_eq!(metric(&address, ENDS), None, "without a certificate");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_cannot_work_says_so_in_its_metrics_too() {
    let (server, address) = watched("").await;
    assert_eq!(metric(&address, "vestibule_ready"), Some(1.0));
    let data = server.folder.path().join("data");
    fs::rename(&data, server.folder.path().join("elsewhere")).unwrap();
    until(&address, "vestibule_ready", 0.0).await;
    fs::rename(server.folder.path().join("elsewhere"), &data).unwrap();
    until(&address, "vestibule_ready", 1.0).await;
}
