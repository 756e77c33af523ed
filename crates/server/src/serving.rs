//! Where connections come in: one home for browsers, administrators and Pexip, with and
//! without TLS. HTTP/1.1, and HTTP/2 over TLS; limits of time, size and number.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
};

use self::{
    answer::Answers,
    connection::HandshakeFailed,
    connections::{Connections, Full},
    refusal::Refusals,
};
use crate::{
    in_flight::InFlight,
    source_address::TrustedProxies,
    telemetry::{ConnectionCounts, ConnectionRefusal},
};

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

/// Most who wait to be accepted: as many as Linux keeps for one listener.
const QUEUE: u32 = 4096;

/// How a listener serves.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// How much a connection may take.
    pub limits: ConnectionLimits,
    /// None serves plain HTTP.
    pub tls: Option<Arc<Tls>>,
    /// Who may have as many connections as there are.
    pub trusted_proxies: TrustedProxies,
    /// Counts requests from when they begin to come in until their answer begins.
    pub under_way: InFlight,
    /// Counts connections.
    pub counts: ConnectionCounts,
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
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4(),
            SocketAddr::V6(_) => TcpSocket::new_v6(),
        }?;
        // A server that is started again has its address at once.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(QUEUE)?;
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
        for accepted in waiting(listener) {
            serving.take(Ok(accepted)).await;
        }
        while serving.running.join_next().await.is_some() {}
    }
}

/// Those who have connected and were not accepted yet. The kernel is asked itself: the
/// runtime need not have heard of them, and whoever is left would be cut off.
fn waiting(listener: TcpListener) -> Vec<(TcpStream, SocketAddr)> {
    let Ok(listener) = listener.into_std() else {
        return Vec::new();
    };
    let accepted = |_| match listener.accept() {
        Ok((stream, peer)) => Some(non_blocking(stream).ok().map(|stream| (stream, peer))),
        Err(error) if has_gone(&error) => Some(None),
        Err(_) => None,
    };
    (0..QUEUE).map_while(accepted).flatten().collect()
}

fn non_blocking(stream: std::net::TcpStream) -> io::Result<TcpStream> {
    stream.set_nonblocking(true)?;
    TcpStream::from_std(stream)
}

/// A listener's connections.
struct Serving {
    answers: Arc<Answers>,
    connections: Connections,
    counts: ConnectionCounts,
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
                under_way: settings.under_way.clone(),
                strict_transport_security: tls.as_deref().and_then(Tls::strict_transport_security),
            }),
            connections: Connections::new(&settings.limits, settings.trusted_proxies.clone()),
            counts: settings.counts.clone(),
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
                self.counts.refused(match full {
                    Full::All => ConnectionRefusal::TooMany,
                    Full::Address => ConnectionRefusal::TooManyOfAddress,
                });
                return self.refusals.refuse(stream, self.tls.is_some());
            }
        };
        let (answers, tls) = (Arc::clone(&self.answers), self.tls.clone());
        let draining = self.draining.clone();
        let (counts, open) = (self.counts.clone(), self.counts.open());
        self.running.spawn(async move {
            let served = connection::serve(stream, peer, answers, tls, draining).await;
            if let Err(HandshakeFailed) = served {
                counts.refused(ConnectionRefusal::HandshakeFailed);
            }
            drop((counted, open));
        });
    }
}

/// Who has gone before being accepted is nobody's fault; otherwise the machine has no file
/// or memory left, and needs a moment.
async fn pause(error: &io::Error) {
    if !has_gone(error) {
        tracing::error!(%error, "no connection can be accepted");
        tokio::time::sleep(PAUSE).await;
    }
}

fn has_gone(error: &io::Error) -> bool {
    let gone = [
        io::ErrorKind::ConnectionAborted,
        io::ErrorKind::ConnectionRefused,
        io::ErrorKind::ConnectionReset,
    ];
    gone.contains(&error.kind())
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::TcpStream,
    };

    use axum::routing::get;

    use super::*;

    /// More than the runtime lets one task accept at a time.
    const MANY: usize = 300;

    #[tokio::test]
    async fn everybody_who_had_connected_before_the_end_is_answered() {
        let listener = Listener::bind(([127, 0, 0, 1], 0).into(), Settings::default());
        let listener = listener.await.unwrap();
        let address = listener.address();
        let mut clients: Vec<_> = (0..MANY)
            .map(|_| TcpStream::connect(address).unwrap())
            .collect();
        let drain = Drain::new();
        drain.begin();
        let router = Router::new().route("/", get(async || "here"));
        let serving = tokio::spawn(listener.serve(router, drain.draining()));
        let asking = tokio::task::spawn_blocking(move || {
            for client in &mut clients {
                // Whoever is cut off may hear of it here or below.
                let _ = client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n");
            }
            let answered = clients.iter_mut().filter_map(|client| {
                let mut answer = String::new();
                client.read_to_string(&mut answer).ok()?;
                answer.ends_with("\r\n\r\nhere").then_some(())
            });
            answered.count()
        });
        assert_eq!(asking.await.unwrap(), MANY);
        serving.await.unwrap();
        assert!(TcpStream::connect(address).is_err());
    }
}
