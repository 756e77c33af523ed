//! Where connections come in: one home for browsers, administrators and Pexip, with and
//! without TLS. HTTP/1.1, and HTTP/2 over TLS; limits of time, size and number.

use std::{future::poll_fn, io, net::SocketAddr, sync::Arc, task::Poll, time::Duration};

use axum::Router;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use self::{answer::Answers, connections::Connections, refusal::Refusals};
use crate::source_address::TrustedProxies;

mod activity;
mod answer;
pub(crate) mod body;
pub(crate) mod certificate;
mod connection;
mod connections;
mod drain;
mod limits;
mod refusal;
pub(crate) mod tls;
mod watched;

pub use certificate::CertificateError;
pub use drain::{Drain, Draining};
pub use limits::{ConnectionLimits, HeaderBytes};
pub use tls::{Tls, TlsConfig};

/// How long nothing is accepted after the machine had nothing left to accept with.
const PAUSE: Duration = Duration::from_secs(1);

/// How a listener serves.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// How much a connection may take.
    pub limits: ConnectionLimits,
    /// None serves plain HTTP.
    pub tls: Option<Arc<Tls>>,
    /// Who may have as many connections as there are.
    pub trusted_proxies: TrustedProxies,
}

/// An address that is listened on, and not served yet.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    address: SocketAddr,
    settings: Settings,
}

impl Listener {
    /// Takes the address.
    ///
    /// # Errors
    /// Where it cannot be listened on.
    pub async fn bind(address: SocketAddr, settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self {
            address: listener.local_addr()?,
            listener,
            settings,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// By which scheme it is reached.
    pub fn scheme(&self) -> &'static str {
        match self.settings.tls {
            Some(_) => "https",
            None => "http",
        }
    }

    /// Answers with `router` until draining begins, and then whoever is connected already.
    /// Ends when every connection has; who drops it cuts them off.
    pub async fn serve(self, router: Router, mut draining: Draining) {
        let Self {
            listener, settings, ..
        } = self;
        let mut serving = Serving::new(router, &settings, draining.clone());
        loop {
            tokio::select! {
                () = draining.begun() => break,
                accepted = listener.accept() => serving.take(accepted).await,
                Some(_) = serving.running.join_next() => {}
            }
        }
        while let Some(accepted) = waiting(&listener).await {
            serving.take(Ok(accepted)).await;
        }
        drop(listener);
        while serving.running.join_next().await.is_some() {}
    }
}

/// Somebody who has connected and was not accepted yet.
async fn waiting(listener: &TcpListener) -> Option<(TcpStream, SocketAddr)> {
    poll_fn(|context| {
        Poll::Ready(match listener.poll_accept(context) {
            Poll::Ready(accepted) => accepted.ok(),
            Poll::Pending => None,
        })
    })
    .await
}

/// A listener's connections.
struct Serving {
    answers: Arc<Answers>,
    connections: Connections,
    refusals: Refusals,
    tls: Option<Arc<Tls>>,
    draining: Draining,
    running: JoinSet<()>,
}

impl Serving {
    fn new(router: Router, settings: &Settings, draining: Draining) -> Self {
        let tls = settings.tls.clone();
        Self {
            answers: Arc::new(Answers {
                router,
                limits: settings.limits,
                strict_transport_security: tls.as_deref().and_then(Tls::strict_transport_security),
            }),
            connections: Connections::new(&settings.limits, settings.trusted_proxies.clone()),
            refusals: Refusals::default(),
            tls,
            draining,
            running: JoinSet::new(),
        }
    }

    async fn take(&mut self, accepted: io::Result<(TcpStream, SocketAddr)>) {
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => return pause(&error).await,
        };
        let counted = match self.connections.take(peer.ip()) {
            Ok(counted) => counted,
            Err(full) => {
                tracing::debug!(?full, "a connection is refused");
                return self.refusals.refuse(stream, self.tls.is_some());
            }
        };
        let (answers, tls) = (Arc::clone(&self.answers), self.tls.clone());
        let draining = self.draining.clone();
        self.running.spawn(async move {
            connection::serve(stream, peer, answers, tls, draining).await;
            drop(counted);
        });
    }
}

/// Who has gone before being accepted is nobody's fault; otherwise the machine has no file
/// or memory left, and needs a moment.
async fn pause(error: &io::Error) {
    let gone = [
        io::ErrorKind::ConnectionAborted,
        io::ErrorKind::ConnectionRefused,
        io::ErrorKind::ConnectionReset,
    ];
    if !gone.contains(&error.kind()) {
        tracing::error!(%error, "no connection can be accepted");
        tokio::time::sleep(PAUSE).await;
    }
}
