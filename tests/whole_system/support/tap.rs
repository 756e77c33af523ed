//! A tap on the wire: forwards every connection as it is, and keeps what the
//! browser sent and what it got. So a test can say what was really on the wire.

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
}

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
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, watched.clone(), Arc::clone(&log)));
            }
        });
        Ok(Self {
            address,
            target,
            sent,
        })
    }

    /// Forwards to the server at this `http://` address.
    pub(crate) fn forward_to(&self, address: &str) {
        let authority = address.trim_start_matches("http://").to_owned();
        self.target.send_replace(Some(authority));
    }

    /// Every request so far, connection by connection.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let sent = self
            .sent
            .lock()
            .expect("no test panics while it holds the lock");
        sent.iter().flat_map(|bytes| parse(bytes)).collect()
    }
}

async fn forward(
    client: TcpStream,
    mut target: watch::Receiver<Option<String>>,
    log: Arc<Mutex<Vec<Vec<u8>>>>,
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
    tokio::join!(
        copy(client_read, server_write, |bytes| {
            log.lock().expect("no test panics while it holds the lock")[index]
                .extend_from_slice(bytes);
        }),
        copy(server_read, client_write, |_| {}),
    );
}

async fn copy(
    mut from: tcp::OwnedReadHalf,
    mut to: tcp::OwnedWriteHalf,
    mut seen: impl FnMut(&[u8]),
) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        seen(&buffer[..length]);
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
    to.shutdown().await.ok();
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
