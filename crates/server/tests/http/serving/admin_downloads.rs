//! Tables that administrators download: few at once, each for a limited time. The client
//! is one of HTTP/2 that takes nothing of an answer's body until it is told to.

use std::{fs, sync::Arc, time::Duration};

use axum::body::Bytes;
use h2::{
    RecvStream,
    client::{Builder, SendRequest},
};
use http::{Request, Response};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    sync::oneshot,
    time::{Instant, sleep, timeout},
};
use tokio_rustls::TlsConnector;
use vestibule_store::{AuditAction, NewAuditEntry};

use crate::support::{ADMIN_CONFIG, Admin, TestServer};

/// A table with a line: of the signing in. HTTP/2 takes the line of the columns though
/// nobody else takes it, the second one waits to be taken, and so the end waits as well.
const TABLE: &str = "/admin/audit.csv";

/// Most downloads at once.
const MOST: usize = 4;

/// Only against hanging.
const PATIENCE: Duration = Duration::from_secs(60);

/// The admin pages by TLS, and an administrator who is signed in.
struct Site {
    admin: Admin,
    certificate: TempDir,
    cookie: String,
}

/// A connection of HTTP/2; it is closed when this is dropped.
struct Connection {
    requests: SendRequest<Bytes>,
    open: oneshot::Sender<()>,
}

impl Site {
    async fn start() -> Self {
        let certificate = tempfile::tempdir().unwrap();
        super::tls::write(certificate.path(), 1, |_| {});
        let file = |name| certificate.path().join(name);
        // Who takes nothing at all is cut off sooner, as of every answer.
        let config = format!(
            "{ADMIN_CONFIG}[connections]\nstall_seconds = 3600\n[tls]\ncertificate = {:?}\nkey = {:?}\n",
            file("certificate.pem"),
            file("key.pem")
        );
        let mut site = Self {
            admin: Admin {
                server: TestServer::with("", &config).await,
            },
            certificate,
            cookie: String::new(),
        };
        let request = Request::post("https://localhost/admin/sign-in")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        let form = Bytes::from_static(b"name=admin&password=correct+horse+battery");
        let signed_in = site.eager().await.send(request, form).await;
        assert_eq!(signed_in.status(), 303);
        let cookie = signed_in.headers()["set-cookie"].to_str().unwrap();
        site.cookie = cookie.split(';').next().unwrap().to_owned();
        site
    }

    /// A connection that takes what comes.
    async fn eager(&self) -> Connection {
        self.connect(65_535).await
    }

    /// A connection that takes no byte of a body before [`Connection::open`].
    async fn reluctant(&self) -> Connection {
        self.connect(0).await
    }

    async fn connect(&self, window: u32) -> Connection {
        let pem = fs::read(self.certificate.path().join("certificate.pem")).unwrap();
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
        config.alpn_protocols = vec![b"h2".to_vec()];
        let url = self.admin.url("");
        let address = url.strip_prefix("http://").unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        let stream = TlsConnector::from(Arc::new(config))
            .connect("localhost".try_into().unwrap(), stream)
            .await
            .unwrap();
        let (requests, mut connection) = Builder::new()
            .initial_window_size(window)
            .handshake(stream)
            .await
            .unwrap();
        let (open, opened) = oneshot::channel();
        tokio::spawn(async move {
            let opened = tokio::select! {
                _ = &mut connection => return,
                opened = opened => opened,
            };
            if opened.is_ok() {
                connection.set_initial_window_size(65_535).unwrap();
                let _ = connection.await;
            }
        });
        Connection { requests, open }
    }

    async fn get(&self, connection: &Connection, path: &str) -> Response<RecvStream> {
        let request = Request::get(format!("https://localhost{path}"));
        let request = request.header("cookie", &self.cookie);
        connection.send(request, Bytes::new()).await
    }

    /// A download that has begun, as soon as there is a place for it.
    async fn download(&self, connection: &Connection) -> RecvStream {
        let begun = Instant::now();
        loop {
            let response = self.get(connection, TABLE).await;
            if response.status() == 200 {
                return response.into_body();
            }
            assert_eq!(response.status(), 503);
            assert!(begun.elapsed() < PATIENCE, "no place is free");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// The table has more lines from now on than the server reads ahead.
    async fn has_long_table(&self) {
        let entry = NewAuditEntry {
            administrator: None,
            identity: None,
            role: None,
            source: "192.0.2.1".to_owned(),
            action: AuditAction::SignedIn,
            subject: None,
            details: String::new(),
        };
        let tools = self.admin.server.tools().await;
        let recorded = tools
            .store
            .record_audit_all(vec![entry; 2_500], tools.now());
        recorded.await.unwrap();
    }

    async fn sign_out(&self) {
        let eager = self.eager().await;
        let page = text(self.get(&eager, "/admin").await.into_body()).await;
        let page = page.unwrap();
        let (_, rest) = page.split_once("name=\"csrf\" value=\"").unwrap();
        let csrf = rest.split('"').next().unwrap();
        let request = Request::post("https://localhost/admin/sign-out")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("cookie", &self.cookie)
            .header("sec-fetch-site", "same-origin");
        let form = Bytes::from(format!("csrf={csrf}"));
        assert_eq!(eager.send(request, form).await.status(), 303);
    }

    /// Whoever wants one more is told that there are too many, though not of anything else.
    async fn has_no_place(&self) {
        let eager = self.eager().await;
        let refused = self.get(&eager, TABLE).await;
        assert_eq!(refused.status(), 503);
        let headers = refused.headers();
        assert_eq!(headers["retry-after"], "30");
        assert_eq!(headers["content-type"], "text/html; charset=utf-8");
        assert!(!headers.contains_key("content-disposition"));
        let page = text(refused.into_body()).await.unwrap();
        assert!(page.contains("Too many downloads"), "{page}");
        assert!(page.contains("Try again soon"), "{page}");
        let page = self.get(&eager, "/admin/launches").await;
        assert_eq!(page.status(), 200);
    }
}

impl Connection {
    async fn send(&self, request: http::request::Builder, body: Bytes) -> Response<RecvStream> {
        let mut requests = self.requests.clone().ready().await.unwrap();
        let request = request.body(()).unwrap();
        let (response, mut sending) = requests.send_request(request, body.is_empty()).unwrap();
        if !body.is_empty() {
            sending.send_data(body, true).unwrap();
        }
        timeout(PATIENCE, response).await.unwrap().unwrap()
    }

    /// From now on it takes what comes.
    fn open(self) -> SendRequest<Bytes> {
        self.open.send(()).unwrap();
        self.requests
    }
}

/// All of a body, or why it broke off.
async fn text(mut body: RecvStream) -> Result<String, h2::Error> {
    let mut text = Vec::new();
    while let Some(chunk) = timeout(PATIENCE, body.data()).await.unwrap() {
        let chunk = chunk?;
        body.flow_control().release_capacity(chunk.len())?;
        text.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8(text).unwrap())
}

async fn is_whole(body: RecvStream) {
    let table = text(body).await.unwrap();
    assert!(table.contains(",admin,"), "{table}");
}

#[tokio::test]
async fn a_fifth_download_has_to_wait_until_one_has_ended() {
    let site = Site::start().await;
    let (first, others) = (site.reluctant().await, site.reluctant().await);
    let of_first = site.download(&first).await;
    let mut of_others = Vec::new();
    for _ in 1..MOST {
        of_others.push(site.download(&others).await);
    }
    site.has_no_place().await;
    site.has_no_place().await;
    let _first = first.open();
    is_whole(of_first).await;
    let eager = site.eager().await;
    is_whole(site.download(&eager).await).await;
    let _others = others.open();
    for body in of_others {
        is_whole(body).await;
    }
}

#[tokio::test]
async fn a_download_whose_client_goes_away_makes_room() {
    let site = Site::start().await;
    let reluctant = site.reluctant().await;
    let mut bodies = Vec::new();
    for _ in 0..MOST {
        bodies.push(site.download(&reluctant).await);
    }
    site.has_no_place().await;
    // One is given up.
    bodies.pop();
    let other = site.reluctant().await;
    let body = site.download(&other).await;
    site.has_no_place().await;
    // Their connection ends.
    drop((bodies, reluctant));
    let mut bodies = Vec::new();
    for _ in 1..MOST {
        bodies.push(site.download(&other).await);
    }
    site.has_no_place().await;
    let _other = other.open();
    for body in bodies.into_iter().chain([body]) {
        is_whole(body).await;
    }
}

#[tokio::test]
async fn a_download_breaks_off_once_the_administrator_has_signed_out() {
    let site = Site::start().await;
    site.has_long_table().await;
    let reluctant = site.reluctant().await;
    let body = site.download(&reluctant).await;
    site.sign_out().await;
    let _reluctant = reluctant.open();
    // Nobody takes the part for the whole.
    let broken = text(body).await.unwrap_err();
    assert!(broken.is_reset(), "{broken}");
}
