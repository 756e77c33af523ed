//! TLS by the server itself: versions 1.2 and 1.3 (RFC 8446, RFC 5246), with certificate
//! and key from files that are read again when they change.

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use axum::http::HeaderValue;
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use serde::Deserialize;
use tokio::{
    net::TcpStream,
    signal::unix::{SignalKind, signal},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use vestibule_launch::{Clock, UnixTime};

use super::certificate::{CertificateError, Files, Validity};
use crate::clock::rfc3339;

/// HTTP/2, as TLS agrees on it.
pub(super) const HTTP2: &[u8] = b"h2";

/// How often the files are looked at.
const INTERVAL: Duration = Duration::from_secs(2);

/// Certificates that end sooner are warned of.
pub(crate) const SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// `[tls]` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The certificate in PEM form, followed by those of the authorities between it and
    /// the one that browsers know.
    pub certificate: PathBuf,
    /// Its private key in PEM form, without a passphrase.
    pub key: PathBuf,
    /// For how many seconds browsers shall come by HTTPS only, from their last visit on
    /// (RFC 6797); 0 says nothing of it.
    #[serde(default = "a_year")]
    pub hsts_seconds: u32,
    /// Whether the admin API is served by TLS too.
    #[serde(default = "yes")]
    pub admin: bool,
    /// Whether the listener for Pexip Infinity, where there is one, is served by TLS too.
    #[serde(default = "yes")]
    pub pexip: bool,
}

fn a_year() -> u32 {
    365 * 24 * 60 * 60
}

fn yes() -> bool {
    true
}

/// TLS with the certificate of the moment.
pub struct Tls {
    acceptor: TlsAcceptor,
    current: Arc<Current>,
    provider: Arc<CryptoProvider>,
    config: TlsConfig,
    seen: Mutex<Seen>,
}

/// What was found in the files last.
struct Seen {
    digest: [u8; 32],
    fault: Option<String>,
    /// When the certificate in use ends, and when that was last warned of.
    ends: UnixTime,
    warned_at: Option<UnixTime>,
}

/// The certificate of the moment.
struct Current(RwLock<Arc<CertifiedKey>>);

/// What a look at the files has led to.
#[derive(Debug)]
enum Look {
    Same,
    Replaced(Validity),
    Fault(String),
}

impl Tls {
    /// Reads certificate and key.
    ///
    /// # Errors
    /// [`CertificateError`], where they cannot be used at `now`.
    pub fn open(config: &TlsConfig, now: UnixTime) -> Result<Self, CertificateError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let files = Files::read(&config.certificate, &config.key)?;
        let (certified, validity) =
            files.certified(&config.certificate, &config.key, &provider, now)?;
        let current = Arc::new(Current(RwLock::new(certified)));
        let mut tls = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(CertificateError::Mismatch)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        tls.alpn_protocols = vec![HTTP2.to_vec(), b"http/1.1".to_vec()];
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(tls)),
            current,
            provider,
            config: config.clone(),
            seen: Mutex::new(Seen {
                digest: files.digest(),
                fault: None,
                ends: validity.ends,
                warned_at: None,
            }),
        })
    }

    /// Whether the admin API is served by TLS.
    pub fn is_for_admin(&self) -> bool {
        self.config.admin
    }

    /// Whether the listener for Pexip is served by TLS.
    pub fn is_for_pexip(&self) -> bool {
        self.config.pexip
    }

    /// When the certificate in use ends.
    pub fn ends(&self) -> UnixTime {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.ends
    }

    /// `Strict-Transport-Security`, where browsers are told of it.
    pub(super) fn strict_transport_security(&self) -> Option<HeaderValue> {
        let seconds = self.config.hsts_seconds;
        (seconds > 0)
            .then(|| HeaderValue::from_str(&format!("max-age={seconds}")).ok())
            .flatten()
    }

    pub(super) async fn accept(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        self.acceptor.accept(stream).await
    }

    /// Looks at the files every two seconds and on SIGHUP, for ever. Connections keep the
    /// certificate with which they began.
    pub async fn watch(&self, clock: &dyn Clock) {
        let mut hangups = signal(SignalKind::hangup()).ok();
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let hangup = async {
                match &mut hangups {
                    Some(hangups) => hangups.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = hangup => {}
                _ = ticks.tick() => {}
            }
            let now = clock.now();
            match self.look(now) {
                Look::Same => {}
                Look::Replaced(validity) => {
                    let until = rfc3339(validity.ends);
                    tracing::info!(%until, "the certificate is replaced");
                }
                Look::Fault(fault) => {
                    tracing::error!(%fault, "the certificate stays as it was");
                }
            }
            self.warn_of_the_end(now);
        }
    }

    /// Says once a day that the certificate in use ends soon, or has ended.
    fn warn_of_the_end(&self, now: UnixTime) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let is_told = seen.warned_at.is_some_and(|at| now.since(at) < DAY);
        if is_told || seen.ends.since(now) >= SOON {
            return;
        }
        seen.warned_at = Some(now);
        let until = rfc3339(seen.ends);
        if seen.ends > now {
            tracing::warn!(%until, "the certificate ends soon");
        } else {
            tracing::error!(%until, "the certificate has ended: browsers refuse it");
        }
    }

    /// Takes what is in the files, where it has changed and can be used. The same fault is
    /// told of once.
    fn look(&self, now: UnixTime) -> Look {
        let TlsConfig {
            certificate, key, ..
        } = &self.config;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let looked = Files::read(certificate, key).and_then(|files| {
            let digest = files.digest();
            if digest == seen.digest {
                return Ok(None);
            }
            let (certified, validity) = files.certified(certificate, key, &self.provider, now)?;
            Ok(Some((digest, certified, validity)))
        });
        match looked {
            Ok(None) => {
                seen.fault = None;
                Look::Same
            }
            Ok(Some((digest, certified, validity))) => {
                let mut current = self.current.0.write();
                **current
                    .as_mut()
                    .unwrap_or_else(|poisoned| poisoned.get_mut()) = certified;
                *seen = Seen {
                    digest,
                    fault: None,
                    ends: validity.ends,
                    warned_at: None,
                };
                Look::Replaced(validity)
            }
            Err(error) => {
                let fault = error.to_string();
                if seen.fault.as_ref() == Some(&fault) {
                    return Look::Same;
                }
                seen.fault = Some(fault.clone());
                Look::Fault(fault)
            }
        }
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&current))
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current(…)")
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
