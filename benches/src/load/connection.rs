//! A connection to a server that stays open from one request to the next.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Empty};
use hyper::{
    body::Bytes,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A connection for one request at a time.
pub(crate) struct Connection {
    host: String,
    sender: SendRequest<Empty<Bytes>>,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self {
            host: address.to_string(),
            sender,
        })
    }

    /// Asks for a path, as a browser behind a proxy at `from`, and reads the answer to
    /// its end.
    pub(crate) async fn get(
        &mut self,
        path: &str,
        from: &str,
        cookie: Option<&str>,
    ) -> Result<(StatusCode, HeaderMap)> {
        let mut request = Request::get(path)
            .header(header::HOST, &self.host)
            .header("x-forwarded-for", from);
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let request = request.body(Empty::new())?;
        self.sender.ready().await.context("the server hung up")?;
        let response = self.sender.send_request(request).await?;
        let (head, mut body) = response.into_parts();
        while let Some(frame) = body.frame().await {
            frame?;
        }
        Ok((head.status, head.headers))
    }
}
