//! The server's own certificate and its key, read from files in PEM form.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};
use sha2::{Digest as _, Sha256};
use vestibule_launch::UnixTime;
use x509_cert::{Certificate, der::Decode as _, time::Time};
use zeroize::Zeroizing;

use crate::clock::rfc3339;

/// The two files as they were found.
pub(crate) struct Files {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

/// From when until when a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Validity {
    pub(crate) begins: UnixTime,
    pub(crate) ends: UnixTime,
}

/// Why a certificate or its key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error("tls: {path}: {source}; check the path and its permissions", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is no certificate in its file.
    #[error(
        "tls.certificate: {path} holds no certificate in PEM form; it begins with \
         -----BEGIN CERTIFICATE-----",
        path = .0.display()
    )]
    NoCertificate(PathBuf),
    /// There is no key in its file.
    #[error(
        "tls.key: {path} holds no private key in PEM form without a passphrase",
        path = .0.display()
    )]
    NoKey(PathBuf),
    /// They do not belong together, or are of a kind that cannot be used.
    #[error("tls: the certificate and the key do not go together: {0}")]
    Mismatch(rustls::Error),
    /// The certificate is not valid any more.
    #[error("tls.certificate: {path} has expired at {at}; put a new one in its place", path = path.display())]
    Expired {
        /// The file.
        path: PathBuf,
        /// When.
        at: String,
    },
    /// The certificate is not valid yet.
    #[error(
        "tls.certificate: {path} is not valid before {at}; check the clock of this machine, \
         or use the certificate of today",
        path = path.display()
    )]
    NotYet {
        /// The file.
        path: PathBuf,
        /// When.
        at: String,
    },
}

impl Files {
    /// Reads them.
    pub(crate) fn read(certificate: &Path, key: &Path) -> Result<Self, CertificateError> {
        let read = |path: &Path| {
            fs::read(path).map_err(|source| CertificateError::Unreadable {
                path: path.to_owned(),
                source,
            })
        };
        Ok(Self {
            certificate: read(certificate)?,
            key: Zeroizing::new(read(key)?),
        })
    }

    /// By which a change is noticed.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let digest = Sha256::new()
            .chain_update(
                u64::try_from(self.certificate.len())
                    .unwrap_or(u64::MAX)
                    .to_be_bytes(),
            )
            .chain_update(&self.certificate)
            .chain_update(&*self.key);
        digest.finalize().into()
    }

    /// What TLS is served with, where both can be used at `now`.
    pub(crate) fn certified(
        &self,
        certificate_path: &Path,
        key_path: &Path,
        provider: &CryptoProvider,
        now: UnixTime,
    ) -> Result<(Arc<CertifiedKey>, Validity), CertificateError> {
        let no_certificate = || CertificateError::NoCertificate(certificate_path.to_owned());
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<_, _>>()
            .map_err(|_| no_certificate())?;
        let first = chain.first().ok_or_else(no_certificate)?;
        let validity = Validity::of(first).ok_or_else(no_certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|_| CertificateError::NoKey(key_path.to_owned()))?;
        let certified =
            CertifiedKey::from_der(chain, key, provider).map_err(CertificateError::Mismatch)?;
        validity.check(certificate_path, now)?;
        Ok((Arc::new(certified), validity))
    }
}

impl Validity {
    /// Of a certificate in DER.
    pub(crate) fn of(der: &[u8]) -> Option<Self> {
        let certificate = Certificate::from_der(der).ok()?;
        let validity = certificate.tbs_certificate().validity();
        let unix = |time: Time| {
            let milliseconds = time.to_unix_duration().as_millis();
            UnixTime::from_millis(i64::try_from(milliseconds).unwrap_or(i64::MAX))
        };
        Some(Self {
            begins: unix(validity.not_before),
            ends: unix(validity.not_after),
        })
    }

    fn check(&self, path: &Path, now: UnixTime) -> Result<(), CertificateError> {
        let path = path.to_owned();
        if now < self.begins {
            let at = rfc3339(self.begins);
            return Err(CertificateError::NotYet { path, at });
        }
        if now > self.ends {
            let at = rfc3339(self.ends);
            return Err(CertificateError::Expired { path, at });
        }
        Ok(())
    }
}
