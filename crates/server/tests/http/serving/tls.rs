//! TLS by the server itself, with curl and OpenSSL on the other side.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use nix::sys::signal::Signal;
use rcgen::{CertificateParams, KeyPair, SerialNumber};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, pem::PemObject as _},
};

use crate::support::{ADMIN_CONFIG, Process, configure, prepared};

pub(super) const TLS: &str = "[tls]\ncertificate = 'certificate.pem'\nkey = 'key.pem'\n";

/// Writes a certificate for localhost with this serial number, and its key.
pub(super) fn write(folder: &Path, serial: u64, change: impl FnOnce(&mut CertificateParams)) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.serial_number = Some(SerialNumber::from(serial));
    change(&mut params);
    let certificate = params.self_signed(&key).unwrap().pem();
    fs::write(folder.join("certificate.pem"), certificate).unwrap();
    fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
}

pub(super) async fn server(config: &str) -> Process {
    let (folder, ehr) = prepared(config).await;
    write(folder.path(), 1, |_| {});
    Process::start_in((folder, ehr), &[]).await
}

fn port(server: &Process) -> &str {
    server.address().rsplit_once(':').unwrap().1
}

/// What curl makes of an address of the server; its answer's headers and body.
pub(super) fn curl(server: &Process, arguments: &[&str], path: &str) -> Result<String, String> {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--include", "--max-time", "60"])
        .args(["--noproxy", "*", "--cacert"])
        .arg(server.folder.path().join("certificate.pem"))
        .args([
            "--resolve",
            &format!("localhost:{}:127.0.0.1", port(server)),
        ])
        .args(arguments)
        .arg(format!("https://localhost:{}{path}", port(server)))
        .output()
        .unwrap();
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).unwrap())
    } else {
        Err(String::from_utf8(output.stderr).unwrap())
    }
}

/// What OpenSSL says of a connection.
fn s_client(server: &Process, arguments: &[&str]) -> String {
    let output = Command::new("openssl")
        .args(["s_client", "-connect", server.address()])
        .args(["-servername", "localhost"])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_launch_comes_in_by_http_2_and_by_http_1() {
    let server = server(TLS).await;
    assert!(server.url.starts_with("https://"));
    for (argument, begins) in [("--http2", "HTTP/2 200"), ("--http1.1", "HTTP/1.1 200 OK")] {
        let answer = curl(&server, &[argument], "/webapp/").unwrap();
        assert!(answer.starts_with(begins), "{answer}");
        let hsts = "\nstrict-transport-security: max-age=31536000\r";
        assert!(answer.contains(hsts), "{answer}");
        assert!(answer.contains("<title>Visit</title>"), "{answer}");
        let path = crate::support::launch_path("patient");
        let refused = curl(&server, &[argument, "--data", "iss=a"], &path).unwrap();
        let status = begins.split(' ').next().unwrap();
        assert!(refused.starts_with(&format!("{status} 400")), "{refused}");
    }
}

/// Tells by the page's title how the browser came by the page.
const PROBE: &str =
    "document.title = performance.getEntriesByType('navigation')[0].nextHopProtocol;";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_comes_in_by_http_2() {
    let (folder, ehr) = prepared(TLS).await;
    write(folder.path(), 1, |_| {});
    let page = "<!doctype html><head><title>Visit</title><script src=probe.js></script></head>\
        <p data-brand=name>Video visit</p>";
    fs::write(folder.path().join("www/index.html"), page).unwrap();
    fs::write(folder.path().join("www/probe.js"), PROBE).unwrap();
    let server = Process::start_in((folder, ehr), &[]).await;
    let chromium = std::env::var("VESTIBULE_CHROMIUM").unwrap_or("chromium".to_owned());
    let profile = server.folder.path().join("browser");
    let output = Command::new(chromium)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
        ])
        .args([
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
        ])
        .args(["--ignore-certificate-errors", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("{}/webapp/", server.url))
        .output()
        .expect("Chromium is needed: apt-get install chromium");
    let page = String::from_utf8_lossy(&output.stdout);
    assert!(page.contains("<title>h2</title>"), "{output:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_2_has_the_limits_of_http_1() {
    let limits = "[connections]\nmost_headers = 20\nheader_bytes = 8192\n";
    let server = server(&format!("{TLS}{limits}")).await;
    let long = format!("x-long: {}", "a".repeat(9000));
    let answer = curl(&server, &["--http2", "-H", &long], "/healthz").unwrap();
    assert!(answer.starts_with("HTTP/2 431"), "{answer}");
    let headers: Vec<_> = (0..30).map(|number| format!("-Hx-{number}: a")).collect();
    let mut arguments = vec!["--http2"];
    arguments.extend(headers.iter().map(String::as_str));
    let answer = curl(&server, &arguments, "/healthz").unwrap();
    assert!(answer.starts_with("HTTP/2 431"), "{answer}");
    assert!(answer.contains("default-src 'none'"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_older_than_tls_1_2_is_spoken() {
    let server = server(TLS).await;
    for version in ["-tls1_2", "-tls1_3"] {
        let said = s_client(&server, &[version, "-alpn", "h2,http/1.1"]);
        assert!(said.contains("ALPN protocol: h2"), "{said}");
        let said = s_client(&server, &[version, "-alpn", "http/1.1"]);
        assert!(said.contains("ALPN protocol: http/1.1"), "{said}");
    }
    for version in ["-tls1", "-tls1_1"] {
        let said = s_client(&server, &[version, "-cipher", "ALL:@SECLEVEL=0"]);
        assert!(said.contains("Cipher is (NONE)"), "{said}");
        let refused = ["alert protocol version", "alert handshake failure"];
        assert!(refused.iter().any(|alert| said.contains(alert)), "{said}");
    }
    // Plain HTTP is not taken, nor is HTTP/2 without TLS by a server that has none.
    let mut plain = server.connect();
    plain
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    let plain = Process::start("").await;
    let output = Command::new("curl")
        .args(["--silent", "--include", "--http2-prior-knowledge"])
        .args(["--noproxy", "*", "--max-time", "60"])
        .arg(format!("{}/healthz", plain.url))
        .output()
        .unwrap();
    assert!(!output.stdout.starts_with(b"HTTP/2 200"), "{output:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handshake_that_is_never_finished_holds_no_connection() {
    let server = server(&format!("{TLS}[connections]\nhandshake_seconds = 1\n")).await;
    let mut silent = server.connect();
    let mut answer = Vec::new();
    let _ = silent.read_to_end(&mut answer);
    assert_eq!(answer, b"");
}

/// A connection that trusts whatever the file says now.
pub(super) fn connection(
    server: &Process,
    protocols: &[&[u8]],
) -> StreamOwned<ClientConnection, TcpStream> {
    let pem = fs::read(server.folder.path().join("certificate.pem")).unwrap();
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(&pem).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let name = "localhost".try_into().unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    StreamOwned::new(client, server.connect())
}

fn ask(connection: &mut StreamOwned<ClientConnection, TcpStream>) {
    connection
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    let mut byte = [0; 1];
    while !answer.ends_with("\r\n\r\nok\n") {
        connection.read_exact(&mut byte).unwrap();
        answer.push(char::from(byte[0]));
    }
}

pub(super) async fn until_logged(server: &Process, text: &str) {
    for _ in 0..6_000 {
        if server.log().contains(text) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{text} is not in {}", server.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_replaced_while_connections_go_on() {
    let server = server(TLS).await;
    let mut open = connection(&server, &[]);
    ask(&mut open);
    // By itself.
    let folder = server.folder.path();
    write(folder, 0x4711, |_| {});
    until_logged(&server, "the certificate is replaced").await;
    assert!(curl(&server, &[], "/healthz").unwrap().ends_with("ok\n"));
    ask(&mut open);
    // Half of a file is not taken, and told of; a signal asks to look at once.
    let good = fs::read(folder.join("certificate.pem")).unwrap();
    fs::write(folder.join("certificate.pem"), &good[..good.len() / 2]).unwrap();
    server.signal(Signal::SIGHUP);
    until_logged(&server, "the certificate stays as it was").await;
    let said = s_client(&server, &[]);
    let served = said.split_once("-----BEGIN").unwrap().1;
    assert!(
        String::from_utf8_lossy(&good).contains(&served[..200]),
        "{said}"
    );
    ask(&mut open);
    fs::write(folder.join("certificate.pem"), good).unwrap();
    assert!(curl(&server, &[], "/healthz").unwrap().ends_with("ok\n"));
    assert!(!server.log().contains("PRIVATE KEY"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_browsers_would_refuse_keeps_the_server_from_starting() {
    let (folder, _ehr) = prepared(TLS).await;
    let path = folder.path();
    let start = || {
        let output = Command::new(env!("CARGO_BIN_EXE_vestibule"))
            .args(["serve", "--config"])
            .arg(path.join("vestibule.toml"))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let missing = start();
    assert!(
        missing.contains("certificate.pem: No such file"),
        "{missing}"
    );
    write(path, 1, |params| {
        params.not_after = rcgen::date_time_ymd(2020, 1, 2);
    });
    let expired = start();
    assert!(expired.contains("has expired at 2020-01-02"), "{expired}");
    write(path, 1, |_| {});
    let key = fs::read(path.join("key.pem")).unwrap();
    write(path, 2, |_| {});
    fs::write(path.join("key.pem"), key).unwrap();
    let mismatch = start();
    assert!(mismatch.contains("do not go together"), "{mismatch}");
    configure(path, "[tls]\ncertificate = 'certificate.pem'\n");
    let keyless = start();
    assert!(keyless.contains("missing field `key`"), "{keyless}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_admin_api_is_served_by_tls_too_unless_it_is_not_to_be() {
    for (config, url) in [
        (format!("{TLS}{ADMIN_CONFIG}"), "https"),
        (format!("{TLS}admin = false\n{ADMIN_CONFIG}"), "http"),
    ] {
        let server = server(&config).await;
        until_logged(&server, "the admin API listens").await;
        let log = server.log();
        let (_, found) = log.split_once("the admin API listens url=").unwrap();
        let found = found.split_whitespace().next().unwrap().trim_matches('"');
        assert!(found.starts_with(&format!("{url}://")), "{found}");
        let output = Command::new("curl")
            .args([
                "--silent",
                "--insecure",
                "--noproxy",
                "*",
                "--max-time",
                "60",
            ])
            .arg(format!("{found}/healthz"))
            .output()
            .unwrap();
        assert_eq!(output.stdout, b"ok\n", "{output:?}");
    }
}
