//! Outbound HTTP: its one home. Deadlines, no redirects, no proxies, a cap on bodies.

use std::time::Duration;

use async_trait::async_trait;
use vestibule_smart::MAX_BODY_BYTES;

/// How long connecting may take, TLS included.
const CONNECT: Duration = Duration::from_secs(3);

/// Sends a request and brings the answer back.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends `request`; connecting, waiting and reading the body end at `deadline`.
    ///
    /// # Errors
    /// Where there is no answer, or a body longer than [`MAX_BODY_BYTES`]. Any status
    /// is an answer.
    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        deadline: Duration,
    ) -> Result<http::Response<Vec<u8>>, TransportError>;
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// None came in time.
    #[error("no answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// The other side cannot be reached, or broke off.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// The answer's body is too long.
    #[error("the answer is longer than 64 KiB")]
    TooLarge,
}

/// The client that the server uses.
#[derive(Clone, Debug)]
pub struct HttpClient(reqwest::Client);

impl HttpClient {
    /// Makes the client.
    ///
    /// # Errors
    /// Where the machine's certificates cannot be loaded.
    pub fn new() -> Result<Self, reqwest::Error> {
        #[expect(clippy::disallowed_methods, reason = "the home of the HTTP client")]
        let builder = reqwest::Client::builder();
        builder
            .connect_timeout(CONNECT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .user_agent(concat!("vestibule/", env!("CARGO_PKG_VERSION")))
            .build()
            .map(Self)
    }

    async fn exchange(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Vec<u8>>, TransportError> {
        let request = reqwest::Request::try_from(request).map_err(unreachable)?;
        let mut response = self.0.execute(request).await.map_err(unreachable)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > MAX_BODY_BYTES {
                return Err(TransportError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = http::Response::new(body);
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer)
    }
}

#[async_trait]
impl Transport for HttpClient {
    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        deadline: Duration,
    ) -> Result<http::Response<Vec<u8>>, TransportError> {
        tokio::time::timeout(deadline, self.exchange(request))
            .await
            .unwrap_or(Err(TransportError::Timeout(deadline)))
    }
}

/// The whole chain of causes, without the URL: its query may be secret.
fn unreachable(error: reqwest::Error) -> TransportError {
    if error.is_timeout() {
        return TransportError::Timeout(CONNECT);
    }
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    TransportError::Unreachable(text)
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    const DEADLINE: Duration = Duration::from_millis(300);

    /// Answers one request with these bytes, then keeps the connection open.
    async fn answer(bytes: Vec<u8>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(&bytes).await;
            std::future::pending::<()>().await;
        });
        format!("http://{address}/?secret")
    }

    async fn send(url: &str) -> Result<http::Response<Vec<u8>>, TransportError> {
        let request = http::Request::get(url).body(Vec::new()).unwrap();
        HttpClient::new().unwrap().send(request, DEADLINE).await
    }

    #[tokio::test]
    async fn redirects_are_answers_and_not_followed() {
        let url = answer(
            b"HTTP/1.1 302 Found\r\nlocation: /other\r\ncontent-length: 2\r\n\r\nhi".to_vec(),
        );
        let response = send(&url.await).await.unwrap();
        assert_eq!(response.status(), 302);
        assert_eq!(response.body(), b"hi");
    }

    #[tokio::test]
    async fn a_drip_ends_at_the_deadline() {
        let url = answer(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc".to_vec()).await;
        assert_eq!(
            send(&url).await.unwrap_err(),
            TransportError::Timeout(DEADLINE)
        );
    }

    #[tokio::test]
    async fn a_long_body_is_refused() {
        let mut bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 70000\r\n\r\n".to_vec();
        bytes.resize(bytes.len() + 70_000, b'a');
        assert_eq!(
            send(&answer(bytes).await).await.unwrap_err(),
            TransportError::TooLarge
        );
    }

    #[tokio::test]
    async fn an_unreachable_server_is_told_without_the_url() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = send(&format!("http://{address}/?secret"))
            .await
            .unwrap_err();
        assert!(matches!(error, TransportError::Unreachable(_)));
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
