use std::{fs, path::Path};

use rcgen::{CertificateParams, KeyPair};

use super::*;

const NOW: UnixTime = UnixTime::from_millis(1_800_000_000_000);

/// Writes a certificate and its key; gives both in PEM.
fn write(folder: &Path, change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    change(&mut params);
    let certificate = params.self_signed(&key).unwrap().pem();
    let key = key.serialize_pem();
    fs::write(folder.join("certificate.pem"), &certificate).unwrap();
    fs::write(folder.join("key.pem"), &key).unwrap();
    (certificate, key)
}

fn config(folder: &Path) -> TlsConfig {
    TlsConfig {
        certificate: folder.join("certificate.pem"),
        key: folder.join("key.pem"),
        hsts_seconds: a_year(),
        admin: true,
        pexip: true,
    }
}

fn open(folder: &Path) -> Result<Tls, String> {
    Tls::open(&config(folder), NOW).map_err(|error| error.to_string())
}

fn served(tls: &Tls) -> Vec<u8> {
    let current = tls.current.0.read().unwrap();
    current.cert[0].to_vec()
}

#[test]
fn what_cannot_be_used_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    assert!(open(path).unwrap_err().contains("check the path"));
    let (certificate, key) = write(path, |_| {});
    assert!(open(path).is_ok());

    fs::write(path.join("certificate.pem"), &key).unwrap();
    assert!(open(path).unwrap_err().contains("holds no certificate"));
    fs::write(path.join("certificate.pem"), &certificate).unwrap();
    fs::write(path.join("key.pem"), &certificate).unwrap();
    assert!(open(path).unwrap_err().contains("holds no private key"));

    let (_, other) = write(path, |_| {});
    fs::write(path.join("certificate.pem"), &certificate).unwrap();
    let mismatch = open(path).unwrap_err();
    assert!(mismatch.contains("do not go together"), "{mismatch}");
    assert!(!mismatch.contains(&other));

    write(path, |params| {
        params.not_after = rcgen::date_time_ymd(2020, 1, 2);
    });
    let expired = open(path).unwrap_err();
    assert!(expired.contains("has expired at 2020-01-02"), "{expired}");
    write(path, |params| {
        params.not_before = rcgen::date_time_ymd(2080, 1, 2);
    });
    let early = open(path).unwrap_err();
    assert!(early.contains("not valid before 2080-01-02"), "{early}");
}

#[test]
fn files_that_are_half_written_change_nothing_and_are_told_of_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(path, |_| {});
    let tls = open(path).unwrap();
    assert!(matches!(tls.look(NOW), Look::Same));
    for file in ["certificate.pem", "key.pem"] {
        let before = served(&tls);
        write(path, |_| {});
        let text = fs::read_to_string(path.join(file)).unwrap();
        fs::write(path.join(file), &text[..text.len() / 2]).unwrap();
        assert!(matches!(tls.look(NOW), Look::Fault(_)), "{file}");
        assert!(matches!(tls.look(NOW), Look::Same), "{file}");
        assert_eq!(served(&tls), before);
        fs::write(path.join(file), text).unwrap();
        assert!(matches!(tls.look(NOW), Look::Replaced(_)), "{file}");
        assert_ne!(served(&tls), before);
    }
}

#[test]
fn files_that_are_replaced_one_after_the_other_count_when_both_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let (_, old_key) = write(path, |_| {});
    let tls = open(path).unwrap();
    let before = served(&tls);
    let (_, new_key) = write(path, |_| {});
    fs::write(path.join("key.pem"), old_key).unwrap();
    assert!(matches!(tls.look(NOW), Look::Fault(fault) if fault.contains("do not go together")));
    assert_eq!(served(&tls), before);
    fs::write(path.join("key.pem"), &new_key).unwrap();
    assert!(matches!(tls.look(NOW), Look::Replaced(_)));
    let after = served(&tls);
    assert_ne!(after, before);

    fs::remove_file(path.join("key.pem")).unwrap();
    assert!(matches!(tls.look(NOW), Look::Fault(_)));
    fs::write(path.join("key.pem"), new_key).unwrap();
    assert!(matches!(tls.look(NOW), Look::Same));
    assert_eq!(served(&tls), after);
}

#[test]
fn nothing_of_the_key_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (_, key) = write(folder.path(), |_| {});
    let shown = format!("{:?}", open(folder.path()).unwrap());
    let line = key.lines().nth(1).unwrap();
    assert!(!shown.contains(line), "{shown}");
}

#[test]
fn browsers_are_told_to_come_by_https_unless_they_are_not_to_be() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), |_| {});
    let header = |hsts_seconds| {
        let config = TlsConfig {
            hsts_seconds,
            ..config(folder.path())
        };
        let tls = Tls::open(&config, NOW).unwrap();
        tls.strict_transport_security()
    };
    assert_eq!(header(a_year()).unwrap(), "max-age=31536000");
    assert_eq!(header(0), None);
}
