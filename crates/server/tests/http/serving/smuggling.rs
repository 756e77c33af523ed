//! Requests that say where they end in more ways than one: through nginx and without it,
//! none may bring another request with it.

use std::{
    fs,
    io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use nix::unistd::Uid;

use crate::support::Process;

/// What is smuggled. Nobody else asks for it.
const HIDDEN: &str = "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n";

/// Where Debian has it: a folder that is not on everybody's path.
const INSTALLED: &str = "/usr/sbin/nginx";

/// nginx in front of the server, keeping its connections to it open.
struct Nginx {
    process: Child,
    address: String,
    _folder: tempfile::TempDir,
}

impl Nginx {
    fn start(server: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
        let port = free.unwrap().port();
        let path = folder.path().display();
        // Of root, nginx would make nobody, who cannot read the test's files.
        let user = if Uid::effective().is_root() {
            "user root;"
        } else {
            ""
        };
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {path}/{kind};\n"))
            .concat();
        let configuration = format!(
            "{user}\ndaemon off;\nworker_processes 1;\npid {path}/nginx.pid;\n\
             error_log stderr notice;\nevents {{}}\nhttp {{\n{temporary}access_log off;\n\
             client_header_timeout 1s;\nclient_body_timeout 1s;\nkeepalive_timeout 1s;\n\
             lingering_close off;\n\
             upstream vestibule {{ server {server}; keepalive 1; }}\n\
             server {{ listen 127.0.0.1:{port};\n\
             location / {{ proxy_pass http://vestibule; proxy_http_version 1.1;\n\
             proxy_set_header Connection \"\"; proxy_request_buffering off; }} }}\n}}\n"
        );
        fs::write(folder.path().join("nginx.conf"), configuration).unwrap();
        let program = if Path::new(INSTALLED).exists() {
            INSTALLED
        } else {
            "nginx"
        };
        let mut process = Command::new(program)
            .args(["-e", "stderr", "-p"])
            .arg(folder.path())
            .arg("-c")
            .arg(folder.path().join("nginx.conf"))
            .stderr(Stdio::piped())
            .spawn()
            .expect("nginx is needed: apt-get install nginx");
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        let started = lines.by_ref().map(Result::unwrap).any(|line| {
            said.push(line);
            said.last()
                .is_some_and(|line| line.contains("start worker process "))
        });
        assert!(started, "{said:?}");
        // What it says must go on being read, or it stops.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            process,
            address: format!("127.0.0.1:{port}"),
            _folder: folder,
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let id = nix::unistd::Pid::from_raw(self.process.id().try_into().unwrap());
        // Its worker ends with it only when it is asked to.
        let _ = nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM);
        let _ = self.process.wait();
    }
}

/// Requests with another one in them, each with what is wrong with it.
fn requests() -> Vec<(&'static str, String)> {
    let path = "/api/telehealth/v1/launch/redeem";
    let post = |headers: &str, body: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{headers}\r\n{body}"
        )
    };
    let (length, hidden) = (HIDDEN.len(), HIDDEN);
    let ended = format!("0\r\n\r\n{hidden}");
    let whole = format!("Content-Length: {}\r\n", ended.len());
    let chunk = format!("{length:x}\r\n{hidden}\r\n0\r\n\r\n");
    let chunked = "Transfer-Encoding: chunked\r\n";
    vec![
        ("CL.TE", post(&format!("{whole}{chunked}"), &ended)),
        (
            "TE.CL",
            post(&format!("{chunked}Content-Length: 4\r\n"), &chunk),
        ),
        (
            "chunked, then more",
            post(&format!("{chunked}{whole}"), &ended),
        ),
        (
            "an unknown coding",
            post(&format!("Transfer-Encoding: xchunked\r\n{whole}"), &ended),
        ),
        (
            "a coding after chunked",
            post(
                &format!("{chunked}Transfer-Encoding: identity\r\n{whole}"),
                &ended,
            ),
        ),
        (
            "a coding in a list",
            post(
                &format!("Transfer-Encoding: chunked, identity\r\n{whole}"),
                &ended,
            ),
        ),
        (
            "a space before the colon",
            post(&format!("Transfer-Encoding : chunked\r\n{whole}"), &ended),
        ),
        (
            "a control character",
            post(
                &format!("Transfer-Encoding: \x0bchunked\r\n{whole}"),
                &ended,
            ),
        ),
        (
            "a folded coding",
            post(
                &format!("Transfer-Encoding:\r\n chunked\r\n{whole}"),
                &ended,
            ),
        ),
        (
            "a folded header",
            post(
                &format!("X: a\r\n Content-Length: 0\r\nContent-Length: {length}\r\n"),
                hidden,
            ),
        ),
        (
            "two lengths",
            post(
                &format!("Content-Length: 0\r\nContent-Length: {length}\r\n"),
                hidden,
            ),
        ),
        (
            "two lengths, the other way",
            post(
                &format!("Content-Length: {length}\r\nContent-Length: 0\r\n"),
                hidden,
            ),
        ),
        (
            "a list of lengths",
            post(&format!("Content-Length: 0, {length}\r\n"), hidden),
        ),
        (
            "a length with a sign",
            post("Content-Length: +0\r\n", hidden),
        ),
        (
            "a length below zero",
            post("Content-Length: -1\r\n", hidden),
        ),
        (
            "a length in hexadecimal",
            post("Content-Length: 0x0\r\n", hidden),
        ),
        (
            "a length with a space in it",
            post(&format!("Content-Length: 0 {length}\r\n"), hidden),
        ),
        (
            "a chunk's extension",
            post(
                chunked,
                &format!("{length:x};a=\"b\"\r\n{hidden}\r\n0\r\n\r\n"),
            ),
        ),
        (
            "a line end in a chunk's extension",
            post(chunked, &format!("1;a\nb\r\nc\r\n0\r\n\r\n{hidden}")),
        ),
        (
            "a chunk's length that overflows",
            post(chunked, &format!("10000000000000000\r\n{hidden}")),
        ),
        (
            "bare line feeds",
            format!("GET /healthz HTTP/1.1\nHost: x\nContent-Length: {length}\n\n{hidden}"),
        ),
        (
            "a bare carriage return",
            format!(
                "GET /healthz HTTP/1.1\r\nHost: x\rContent-Length: 0\r\nContent-Length: {length}\r\n\r\n{hidden}"
            ),
        ),
        (
            "a body where none is looked at",
            format!("GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{hidden}"),
        ),
        (
            "a NUL",
            format!(
                "GET /healthz HTTP/1.1\r\nHost: x\r\nX: \0\r\nContent-Length: {length}\r\n\r\n{hidden}"
            ),
        ),
        (
            "chunks in HTTP/1.0",
            format!(
                "POST {path} HTTP/1.0\r\nConnection: keep-alive\r\n{chunked}{whole}\r\n{ended}"
            ),
        ),
    ]
}

/// The same, of which nginx itself makes two: to it a bare line feed ends a line too. It
/// brings each to the server as a request of its own.
fn requests_that_nginx_parts() -> Vec<(&'static str, String)> {
    let headers = "Host: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
    let begin = format!("POST /api/telehealth/v1/launch/redeem HTTP/1.1\r\n{headers}\r\n");
    vec![(
        "a bare line feed after a chunk's length",
        format!("{begin}0\n\n{HIDDEN}"),
    )]
}

/// All that comes back until the other side closes.
fn send(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => String::from_utf8_lossy(&answer).into_owned(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_hides_in_another_one() {
    // On a busy machine who hides nothing may take a moment too.
    let limits = "[connections]\nidle_seconds = 3\nheader_seconds = 3\nbody_seconds = 3\n";
    let server = Process::start(limits).await;
    let nginx = Nginx::start(server.address());
    let direct = requests().into_iter().chain(requests_that_nginx_parts());
    let direct = direct.map(|(what, request)| (server.address(), what, request));
    let through = requests().into_iter();
    let through = through.map(|(what, request)| (&*nginx.address, what, request));
    let senders = direct.chain(through).map(|(address, what, request)| {
        let address = address.to_owned();
        std::thread::spawn(move || (what, send(&address, &request)))
    });
    let mut found = Vec::new();
    for sender in senders.collect::<Vec<_>>() {
        let (what, answer) = sender.join().unwrap();
        let answers = answer.matches("HTTP/1.1 ").count();
        if answers > 1 || answer.contains("\"ready\"") {
            found.push(format!("{what}: {answer}"));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n\n"));
    // Nobody gets the answer to what somebody else has hidden.
    for _ in 0..4 {
        let innocent = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let answer = send(&nginx.address, innocent);
        assert!(answer.ends_with("ok\n"), "{answer}");
    }
    let hidden = "route=\"/readyz\"";
    assert_eq!(server.log().matches(hidden).count(), 0, "{}", server.log());
    // It would have been seen.
    send(&nginx.address, HIDDEN);
    assert_eq!(server.log().matches(hidden).count(), 1, "{}", server.log());
}
