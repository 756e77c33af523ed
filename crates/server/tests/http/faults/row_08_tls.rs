//! Row 8: no secure connection to the EHR. It is never made without.

use std::{
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use tokio::net::TcpListener;
use tokio_rustls::{TlsAcceptor, rustls};
use vestibule_launch::ErrorName;

use super::assert_invariants;
use crate::support::{Launch, TestServer, encrypt, launch_path, log};

/// Who signs the EHR's certificates; the server is told to trust it.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name_of_its_own: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        let name = &mut params.distinguished_name;
        name.push(DnType::CommonName, name_of_its_own);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    fn signs(&self, params: &CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Identity {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }
}

/// A certificate and its key, in PEM.
struct Identity {
    certificate: String,
    key: String,
}

fn of(host: &str) -> CertificateParams {
    CertificateParams::new(vec![host.to_owned()]).unwrap()
}

/// An EHR that has metadata, and this certificate.
async fn ehr(identity: &Identity) -> SocketAddr {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
    let certificate = CertificateDer::from_pem_slice(identity.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
                // A client that refuses the certificate goes away here.
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let _ = stream.read(&mut [0; 4096]).await;
                let body = r#"{"authorization_endpoint": "https://localhost/a", "token_endpoint": "https://localhost/t"}"#;
                let length = body.len();
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    address
}

/// A launch from the EHR at this address, by a server that trusts the authority.
async fn launch(authority: &Authority, ehr: &str) -> (TestServer, reqwest::Response) {
    let iss = format!("https://{ehr}/fhir");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), authority.0.pem()).unwrap();
    let trusted = format!("trusted_certificates = '{}'\n", file.path().display());
    let profile = format!("allowed_iss = ['{iss}']\nshow_debug_information = true");
    let server = TestServer::with(&profile, &trusted).await;
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("iss", &iss)
        .append_pair("launch", "launch-token-0")
        .append_pair("data", &encrypt(Launch::PATIENT.plaintext.unwrap()))
        .finish();
    let response = server
        .get(&format!("{}?{form}", launch_path("patient")))
        .await;
    (server, response)
}

/// The cause is in the log, and not on the page, whatever the profile lets it show.
async fn fails(authority: &Authority, ehr: &str, cause: &str) {
    let (server, response) = launch(authority, ehr).await;
    assert_invariants(response, 502, ErrorName::EhrTls).await;
    let log = log::text();
    assert!(log.contains(cause), "{cause} in {log}");
    // The EHR is left in peace for a while, but the cause is the same.
    let iss = format!("https://{ehr}/fhir");
    let path = format!("{}?iss={iss}&launch=again", launch_path("patient"));
    let page = server.get(&path).await.text().await.unwrap();
    assert!(page.contains(ErrorName::EhrTls.as_str()), "{page}");
    assert!(!page.contains(cause), "{cause} in {page}");
}

#[tokio::test]
async fn row_08_a_certificate_of_a_trusted_authority_is_taken() {
    let authority = Authority::new("The authority");
    let address = ehr(&authority.signs(&of("localhost"))).await;
    let ehr = format!("localhost:{}", address.port());
    let (_server, response) = launch(&authority, &ehr).await;
    assert_eq!(response.status(), 303);
}

#[tokio::test]
async fn row_08_an_expired_certificate_is_refused() {
    let authority = Authority::new("The authority");
    let mut params = of("localhost");
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2021, 1, 1);
    let address = ehr(&authority.signs(&params)).await;
    fails(
        &authority,
        &format!("localhost:{}", address.port()),
        "expired",
    )
    .await;
}

#[tokio::test]
async fn row_08_a_certificate_of_another_host_is_refused() {
    let authority = Authority::new("The authority");
    let address = ehr(&authority.signs(&of("ehr.example.org"))).await;
    let cause = "not valid for name";
    fails(&authority, &format!("localhost:{}", address.port()), cause).await;
}

#[tokio::test]
async fn row_08_a_certificate_that_nobody_vouches_for_is_refused() {
    let other = Authority::new("Another authority");
    let address = ehr(&other.signs(&of("localhost"))).await;
    let cause = "UnknownIssuer";
    fails(
        &Authority::new("The authority"),
        &format!("localhost:{}", address.port()),
        cause,
    )
    .await;

    let key = KeyPair::generate().unwrap();
    let certificate = of("localhost").self_signed(&key).unwrap();
    let identity = Identity {
        certificate: certificate.pem(),
        key: key.serialize_pem(),
    };
    let address = ehr(&identity).await;
    fails(
        &Authority::new("The authority"),
        &format!("localhost:{}", address.port()),
        cause,
    )
    .await;
}

#[tokio::test]
async fn row_08_what_speaks_no_tls_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            use tokio::io::AsyncWriteExt as _;
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        }
    });
    let ehr = format!("localhost:{}", address.port());
    fails(
        &Authority::new("The authority"),
        &ehr,
        "no secure connection",
    )
    .await;
}

/// OpenSSL as a server of an old protocol. Ends when dropped.
struct OldServer(Child);

impl OldServer {
    fn start(folder: &Path, identity: &Identity, port: u16) -> Self {
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
        write("certificate.pem", &identity.certificate);
        write("key.pem", &identity.key);
        let server = Command::new("openssl")
            .current_dir(folder)
            .args(["s_server", "-quiet", "-www", "-tls1_1"])
            .args(["-cipher", "DEFAULT:@SECLEVEL=0"])
            .args(["-cert", "certificate.pem", "-key", "key.pem"])
            .args(["-accept", &format!("127.0.0.1:{port}")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(server.expect("openssl is there: `cargo xtask test` installs it"))
    }
}

impl Drop for OldServer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn row_08_an_old_protocol_is_refused() {
    let authority = Authority::new("The authority");
    let port = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let folder = tempfile::tempdir().unwrap();
    let _old = OldServer::start(folder.path(), &authority.signs(&of("localhost")), port);
    let begun = tokio::time::Instant::now();
    let connect = || tokio::net::TcpStream::connect(("127.0.0.1", port));
    while connect().await.is_err() {
        let patience = Duration::from_secs(60);
        assert!(begun.elapsed() < patience, "openssl does not listen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    fails(&authority, &format!("localhost:{port}"), "ProtocolVersion").await;
}
