//! The way to PostgreSQL by TLS: only to the server that is meant.

use std::{fs, path::Path};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use vestibule_store::{PostgresAddress, PostgresStore, Store as _, StoreError};
use vestibule_test_postgres::{Cluster, Durability, database};

use crate::PATIENCE;

/// An authority of the hospital's own.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key can be made");
        Self(CertifiedIssuer::self_signed(params, key).expect("it signs itself"))
    }

    /// A certificate for this host, and its key.
    fn certify(&self, host: &str) -> (String, String) {
        let key = KeyPair::generate().expect("a key can be made");
        let params = CertificateParams::new([host.to_owned()]).expect("it is a name");
        let certificate = params.signed_by(&key, &self.0).expect("it signs");
        (certificate.pem(), key.serialize_pem())
    }

    fn write(&self, path: &Path) {
        fs::write(path, self.0.pem()).expect("there is room");
    }
}

async fn open(url: &str) -> Result<PostgresStore, StoreError> {
    let address: PostgresAddress = url.parse().expect("the address is good");
    PostgresStore::open_within(&address, 2, PATIENCE).await
}

/// Why the driver refuses, as an administrator reads it.
async fn refusal(url: &str) -> String {
    let error = open(url).await.err();
    let error = error.unwrap_or_else(|| panic!("{url} is let through"));
    assert!(matches!(error, StoreError::Connect { .. }), "{error:?}");
    let told = error.to_string();
    assert!(told.contains("cannot connect to the database"), "{told}");
    assert!(told.contains("sslmode"), "{told}");
    assert!(!told.contains("canary"), "{told}");
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_full_goes_to_the_server_that_is_meant_and_to_no_other() {
    let folder = tempfile::tempdir().expect("there is room");
    let (ours, theirs) = (
        folder.path().join("ours.pem"),
        folder.path().join("theirs.pem"),
    );
    let authority = Authority::new("Ours");
    authority.write(&ours);
    Authority::new("Theirs").write(&theirs);
    let forged = folder.path().join("forged.pem");
    Authority::new("Ours").write(&forged);
    let cluster = Cluster::start(Durability::Off);
    let url = cluster.database();
    // A password that no message may repeat.
    let url = url.replace("vestibule@", "vestibule:canary@");
    let by_name = url.replace("127.0.0.1", "localhost");
    let (certificate, key) = authority.certify("localhost");
    cluster.require_tls(&certificate, &key);
    let with = |url: &str, mode: &str, root: &Path| {
        format!("{url}?sslmode={mode}&sslrootcert={}", root.display())
    };

    let store = open(&with(&by_name, "verify-full", &ours)).await;
    let store = store.expect("it is the server that is meant");
    store
        .ready()
        .await
        .expect("connections of the pool come in too");
    store.close().await;

    let told = refusal(&with(&by_name, "verify-full", &theirs)).await;
    assert!(told.contains("UnknownIssuer"), "{told}");
    let told = refusal(&with(&by_name, "verify-full", &forged)).await;
    assert!(told.contains("BadSignature"), "of the same name: {told}");
    let told = refusal(&with(&url, "verify-full", &ours)).await;
    assert!(told.contains("not valid for name"), "{told}");
    let told = refusal(&format!("{by_name}?sslmode=verify-full")).await;
    assert!(
        told.contains("UnknownIssuer"),
        "browsers' authorities alone: {told}"
    );
    let absent = folder.path().join("absent.pem");
    refusal(&with(&by_name, "verify-full", &absent)).await;
    let spoilt = folder.path().join("spoilt.pem");
    fs::write(&spoilt, "no certificate").expect("there is room");
    refusal(&with(&by_name, "verify-full", &spoilt)).await;
    // What checks less is let through, so it is the check that refuses.
    for address in [
        with(&url, "verify-ca", &ours),
        format!("{url}?sslmode=require"),
    ] {
        open(&address).await.expect("it comes by TLS").close().await;
    }
    let told = refusal(&format!("{url}?sslmode=disable")).await;
    assert!(told.contains("no encryption"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_full_goes_to_no_server_without_tls() {
    let url = database();
    let told = refusal(&format!("{url}?sslmode=verify-full")).await;
    assert!(told.contains("server does not support TLS"), "{told}");
}
