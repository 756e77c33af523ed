//! Outbound HTTP: its one home. Deadlines, no redirects, no proxies, a cap on bodies.

use std::{error::Error, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
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

    /// The same for an answer that may be longer: up to `longest` bytes.
    ///
    /// # Errors
    /// As [`Transport::send`].
    async fn send_long(
        &self,
        request: http::Request<Vec<u8>>,
        deadline: Duration,
        longest: usize,
    ) -> Result<http::Response<Vec<u8>>, TransportError> {
        let _ = longest;
        self.send(request, deadline).await
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// None came in time.
    #[error("no answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// The name of the other side cannot be resolved. Nothing was sent.
    #[error("its name cannot be resolved: {0}")]
    Dns(String),
    /// No secure connection can be made. Nothing was sent.
    #[error("no secure connection: {0}")]
    Tls(String),
    /// Nobody listens there, or the network is down. Nothing was sent.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// The other side broke off. It may have got the request.
    #[error("broke off: {0}")]
    BrokenOff(String),
    /// The answer's body is too long.
    #[error("the answer is longer than {} KiB", .0 / 1024)]
    TooLarge(usize),
}

impl TransportError {
    /// Whether the other side cannot have seen anything of the request.
    pub fn nothing_was_sent(&self) -> bool {
        match self {
            Self::Dns(_) | Self::Tls(_) | Self::Unreachable(_) => true,
            Self::Timeout(_) | Self::BrokenOff(_) | Self::TooLarge(_) => false,
        }
    }
}

/// The certificate of the other side in DER, among the extensions of an answer that
/// came over TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificate(pub Vec<u8>);

/// The client that the server uses.
#[derive(Clone, Debug)]
pub struct HttpClient(reqwest::Client);

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum HttpClientError {
    /// The machine's own certificates cannot be used.
    #[error("the HTTP client: {0}; check the machine's certificates")]
    Client(#[from] reqwest::Error),
    /// The file of further certificates cannot be read.
    #[error("trusted_certificates: {0}; check the path and its permissions")]
    Unreadable(std::io::Error),
    /// The file of further certificates holds none.
    #[error("trusted_certificates: holds no certificate in PEM form")]
    NoCertificate,
}

impl HttpClient {
    /// Makes the client. It trusts the certificates that the machine trusts.
    ///
    /// # Errors
    /// Where the machine's certificates cannot be loaded.
    pub fn new() -> Result<Self, HttpClientError> {
        Self::trusting(None)
    }

    /// Makes the client. It trusts the certificates that the machine trusts, and those
    /// in this PEM file.
    ///
    /// # Errors
    /// Where certificates cannot be loaded.
    pub fn trusting(more: Option<&Path>) -> Result<Self, HttpClientError> {
        #[expect(clippy::disallowed_methods, reason = "the home of the HTTP client")]
        let builder = reqwest::Client::builder();
        Ok(builder
            .connect_timeout(CONNECT)
            .dns_resolver(Arc::new(Resolver))
            .tls_certs_merge(more.map_or(Ok(Vec::new()), certificates)?)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tls_info(true)
            .referer(false)
            .user_agent(concat!("vestibule/", env!("CARGO_PKG_VERSION")))
            .build()
            .map(Self)?)
    }

    async fn exchange(
        &self,
        request: http::Request<Vec<u8>>,
        longest: usize,
    ) -> Result<http::Response<Vec<u8>>, TransportError> {
        let request = reqwest::Request::try_from(request).map_err(told)?;
        let mut response = self.0.execute(request).await.map_err(told)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(told)? {
            if body.len() + chunk.len() > longest {
                return Err(TransportError::TooLarge(longest));
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = http::Response::new(body);
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        let secured = response.extensions().get::<reqwest::tls::TlsInfo>();
        if let Some(certificate) = secured.and_then(|secured| secured.peer_certificate()) {
            let certificate = PeerCertificate(certificate.to_vec());
            answer.extensions_mut().insert(certificate);
        }
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
        self.send_long(request, deadline, MAX_BODY_BYTES).await
    }

    async fn send_long(
        &self,
        request: http::Request<Vec<u8>>,
        deadline: Duration,
        longest: usize,
    ) -> Result<http::Response<Vec<u8>>, TransportError> {
        tokio::time::timeout(deadline, self.exchange(request, longest))
            .await
            .unwrap_or(Err(TransportError::Timeout(deadline)))
    }
}

fn certificates(path: &Path) -> Result<Vec<reqwest::Certificate>, HttpClientError> {
    let pem = std::fs::read(path).map_err(HttpClientError::Unreadable)?;
    let certificates =
        reqwest::Certificate::from_pem_bundle(&pem).map_err(|_| HttpClientError::NoCertificate)?;
    if certificates.is_empty() {
        return Err(HttpClientError::NoCertificate);
    }
    Ok(certificates)
}

/// The machine's resolver, with an error that can be told from others. It remembers
/// nothing, so a name that comes back is found at once.
struct Resolver;

#[derive(Debug, thiserror::Error)]
enum ResolveError {
    #[error("{0}")]
    Failed(std::io::Error),
    #[error("it has no address")]
    NoAddress,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let addresses: Vec<_> = found.map_err(ResolveError::Failed)?.collect();
            if addresses.is_empty() {
                return Err(ResolveError::NoAddress.into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// What went wrong, with the whole chain of causes, and without the URL: its query may
/// be secret.
fn told(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut resolving = false;
    let mut securing = false;
    let mut next = error.source();
    while let Some(cause) = next {
        resolving |= cause.is::<ResolveError>();
        securing |= is_tls(cause);
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    if resolving {
        TransportError::Dns(text)
    } else if error.is_timeout() {
        TransportError::Timeout(CONNECT)
    } else if securing && error.is_connect() {
        TransportError::Tls(text)
    } else if error.is_connect() {
        TransportError::Unreachable(text)
    } else {
        TransportError::BrokenOff(text)
    }
}

/// An input/output error may carry one of TLS inside, which is not among its causes.
fn is_tls(error: &(dyn Error + 'static)) -> bool {
    let inside = || error.downcast_ref::<std::io::Error>()?.get_ref();
    error.is::<rustls::Error>() || inside().is_some_and(|inner| is_tls(inner))
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
            TransportError::TooLarge(MAX_BODY_BYTES)
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

    #[tokio::test]
    async fn a_longer_body_is_read_where_it_is_expected() {
        let mut bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 70000\r\n\r\n".to_vec();
        bytes.resize(bytes.len() + 70_000, b'a');
        let request = http::Request::get(answer(bytes).await).body(Vec::new());
        let client = HttpClient::new().unwrap();
        let read = client.send_long(request.unwrap(), DEADLINE, 70_000).await;
        assert_eq!(read.unwrap().body().len(), 70_000);
    }

    #[tokio::test]
    async fn a_name_that_does_not_exist_is_told_as_such() {
        let request = http::Request::get("https://ehr.invalid/?secret").body(Vec::new());
        let deadline = Duration::from_secs(3);
        let sent = HttpClient::new()
            .unwrap()
            .send(request.unwrap(), deadline)
            .await;
        let error = sent.unwrap_err();
        let TransportError::Dns(text) = error else {
            panic!("{error:?}")
        };
        assert!(!text.contains("secret"), "{text}");
    }

    #[tokio::test]
    async fn who_breaks_off_may_have_got_the_request() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await;
        });
        let error = send(&format!("http://{address}/")).await.unwrap_err();
        assert!(matches!(error, TransportError::BrokenOff(_)), "{error:?}");
        assert!(!error.nothing_was_sent());
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(
            HttpClient::trusting(Some(file.path())),
            Err(HttpClientError::NoCertificate)
        ));
    }
}
