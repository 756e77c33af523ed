//! A tap on the wire: forwards every connection as it is, and keeps what the
//! browser sent and what it got. So a test can say what was really on the wire. It can
//! be taught to answer in the server's place, as something broken on the way would.

use std::sync::{Arc, Mutex};

use anyhow::Result;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    sync::watch,
};

/// A forwarding listener.
pub(crate) struct Tap {
    /// `http://…`, without a slash at the end.
    pub(crate) address: String,
    target: watch::Sender<Option<String>>,
    sent: Arc<Mutex<Vec<Vec<u8>>>>,
    received: Received,
    answers: Answers,
    held: Held,
}

/// Everything that the server has sent.
type Received = Arc<Mutex<Vec<u8>>>;

/// Answers of the tap's own: the end of the path, and a whole response.
type Answers = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// The end of the paths of which every GET is kept back until it changes.
type Held = watch::Sender<Option<String>>;

/// A request as it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) line: String,
    /// Lower-case names.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

impl Tap {
    /// Listens on a free port. Connections wait until [`Tap::forward_to`] is called.
    pub(crate) async fn open() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let (target, watched) = watch::channel(None);
        let sent = Arc::<Mutex<Vec<Vec<u8>>>>::default();
        let log = Arc::clone(&sent);
        let answers = Answers::default();
        let known = Arc::clone(&answers);
        let received = Received::default();
        let got = Arc::clone(&received);
        let held = Held::default();
        let holding = held.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (log, known) = (Arc::clone(&log), Arc::clone(&known));
                tokio::spawn(forward(
                    client,
                    watched.clone(),
                    log,
                    known,
                    Arc::clone(&got),
                    holding.subscribe(),
                ));
            }
        });
        Ok(Self {
            address,
            target,
            sent,
            received,
            answers,
            held,
        })
    }

    /// Forwards to the server at this `http://` address.
    pub(crate) fn forward_to(&self, address: &str) {
        let authority = address.trim_start_matches("http://").to_owned();
        self.target.send_replace(Some(authority));
    }

    /// From now on answers every GET whose path ends like this itself.
    pub(crate) fn answer(&self, part: &str, status: &str, headers: &[(&str, &str)], body: &[u8]) {
        let length = body.len();
        let mut response =
            format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n");
        for (name, value) in headers {
            response += &format!("{name}: {value}\r\n");
        }
        let mut response = (response + "\r\n").into_bytes();
        response.extend_from_slice(body);
        let mut answers = self
            .answers
            .lock()
            .expect("no test panics while it holds the lock");
        answers.push((part.to_owned(), response));
    }

    /// From now on answers nothing itself.
    pub(crate) fn answer_no_more(&self) {
        let mut answers = self
            .answers
            .lock()
            .expect("no test panics while it holds the lock");
        answers.clear();
    }

    /// Keeps every GET whose path ends like this back, until [`Tap::let_go`].
    pub(crate) fn hold(&self, end: &str) {
        self.held.send_replace(Some(end.to_owned()));
    }

    /// Forwards what was kept back.
    pub(crate) fn let_go(&self) {
        self.held.send_replace(None);
    }

    /// Every request so far, connection by connection.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let sent = self
            .sent
            .lock()
            .expect("no test panics while it holds the lock");
        sent.iter().flat_map(|bytes| parse(bytes)).collect()
    }

    /// Everything that the server has answered so far, as it was on the wire.
    pub(crate) fn received(&self) -> String {
        let received = self
            .received
            .lock()
            .expect("no test panics while it holds the lock");
        String::from_utf8_lossy(&received).into_owned()
    }
}

async fn forward(
    client: TcpStream,
    mut target: watch::Receiver<Option<String>>,
    log: Arc<Mutex<Vec<Vec<u8>>>>,
    answers: Answers,
    received: Received,
    held: watch::Receiver<Option<String>>,
) {
    let Ok(authority) = target
        .wait_for(Option::is_some)
        .await
        .map(|target| target.clone())
    else {
        return;
    };
    let Ok(server) = TcpStream::connect(authority.unwrap_or_default()).await else {
        return;
    };
    let index = {
        let mut log = log.lock().expect("no test panics while it holds the lock");
        log.push(Vec::new());
        log.len() - 1
    };
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = server.into_split();
    let client_write = tokio::sync::Mutex::new(client_write);
    let seen = |bytes: &[u8]| {
        log.lock().expect("no test panics while it holds the lock")[index].extend_from_slice(bytes);
        let path = path(bytes)?;
        let answers = answers
            .lock()
            .expect("no test panics while it holds the lock");
        let answer = answers.iter().find(|(end, _)| path.ends_with(end));
        answer.map(|(_, response)| response.clone())
    };
    tokio::join!(
        send(client_read, server_write, &client_write, seen, held),
        receive(server_read, &client_write, &received),
    );
}

/// Forwards what the client sends, until `answer` has an answer to it.
async fn send(
    mut from: tcp::OwnedReadHalf,
    mut to: tcp::OwnedWriteHalf,
    back: &tokio::sync::Mutex<tcp::OwnedWriteHalf>,
    mut answer: impl FnMut(&[u8]) -> Option<Vec<u8>>,
    mut held: watch::Receiver<Option<String>>,
) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let bytes = &buffer[..length];
        if let Some(answer) = answer(bytes) {
            back.lock().await.write_all(&answer).await.ok();
            break;
        }
        let is_held = |held: &Option<String>| match (held, path(bytes)) {
            (Some(end), Some(path)) => path.ends_with(end.as_str()),
            _ => false,
        };
        if held.wait_for(|held| !is_held(held)).await.is_err() || to.write_all(bytes).await.is_err()
        {
            return;
        }
    }
    to.shutdown().await.ok();
}

async fn receive(
    mut from: tcp::OwnedReadHalf,
    to: &tokio::sync::Mutex<tcp::OwnedWriteHalf>,
    log: &Mutex<Vec<u8>>,
) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        log.lock()
            .expect("no test panics while it holds the lock")
            .extend_from_slice(&buffer[..length]);
        if to.lock().await.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
    to.lock().await.shutdown().await.ok();
}

/// The path that a GET is for. A browser sends the next request when it has the answer to
/// the one before, so a request begins what is read.
fn path(bytes: &[u8]) -> Option<&str> {
    let line = bytes.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    line.strip_prefix("GET ")?.split(' ').next()
}

/// Requests of one connection. Browsers send bodies with a length.
fn parse(mut bytes: &[u8]) -> Vec<Request> {
    let mut requests = Vec::new();
    while let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let line = lines.next().unwrap_or_default().to_owned();
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let length = headers
            .iter()
            .find(|(name, _)| name == "content-length")
            .and_then(|(_, value)| value.parse().ok())
            .unwrap_or(0);
        let rest = &bytes[end + 4..];
        let body = rest[..rest.len().min(length)].to_vec();
        bytes = &rest[body.len()..];
        requests.push(Request {
            line,
            headers,
            body,
        });
    }
    requests
}
