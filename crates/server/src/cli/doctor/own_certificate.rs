//! The server's own certificate, where it ends TLS itself.

use std::{fs, os::unix::fs::MetadataExt as _};

use rustls::crypto::aws_lc_rs;
use vestibule_launch::UnixTime;

use super::Finding;
use crate::{
    clock::rfc3339,
    config::Config,
    serving::{
        CertificateError,
        certificate::{Files, Validity},
        tls::{SOON, TlsConfig},
    },
};

const CHECK: &str = "own certificate";

/// Others than owner and group may read it.
const OTHERS: u32 = 0o004;

pub(super) fn examine(config: &Config, now: UnixTime) -> Finding {
    let Some(tls) = &config.tls else {
        return Finding::ok(
            CHECK,
            "none: plain HTTP, for a proxy in front that ends TLS",
        );
    };
    let validity = match read(tls, now) {
        Ok(validity) => validity,
        Err(error) => {
            return Finding::fail(
                CHECK,
                error.to_string(),
                "the server does not start without it",
            );
        }
    };
    let path = tls.certificate.display();
    let text = format!("{path}, valid until {}", rfc3339(validity.ends));
    if validity.ends.since(now) < SOON {
        return Finding::warn(
            CHECK,
            text,
            "put a new one in its place: the running server takes it by itself",
        );
    }
    if fs::metadata(&tls.key).is_ok_and(|key| key.mode() & OTHERS != 0) {
        return Finding::warn(
            CHECK,
            format!(
                "{}: others on this machine can read the key",
                tls.key.display()
            ),
            "run `chmod 640` on it, with the server's group",
        );
    }
    Finding::ok(CHECK, text)
}

fn read(tls: &TlsConfig, now: UnixTime) -> Result<Validity, CertificateError> {
    let files = Files::read(&tls.certificate, &tls.key)?;
    let provider = aws_lc_rs::default_provider();
    let (_, validity) = files.certified(&tls.certificate, &tls.key, &provider, now)?;
    Ok(validity)
}
