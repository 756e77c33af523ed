//! Connections of one listener, as its server counts them.

use prometheus_client::metrics::{counter::Counter, gauge::Gauge};

use super::{
    Telemetry,
    labels::{ListenerLabels, RefusalLabels},
};

/// Counts the connections of one listener. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct ConnectionCounts {
    open: Gauge,
    too_many: Counter,
    too_many_of_address: Counter,
    handshake_failed: Counter,
}

/// Why a connection came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionRefusal {
    /// There are as many as there may be.
    TooMany,
    /// There are as many from this address as there may be.
    TooManyOfAddress,
    /// The TLS handshake failed, or took too long.
    HandshakeFailed,
}

/// A connection that is open, until it is dropped.
#[derive(Debug)]
pub struct OpenConnection(Gauge);

impl ConnectionCounts {
    /// Counts one more until the result is dropped.
    pub fn open(&self) -> OpenConnection {
        self.open.inc();
        OpenConnection(self.open.clone())
    }

    /// One came to nothing.
    pub fn refused(&self, refusal: ConnectionRefusal) {
        let counter = match refusal {
            ConnectionRefusal::TooMany => &self.too_many,
            ConnectionRefusal::TooManyOfAddress => &self.too_many_of_address,
            ConnectionRefusal::HandshakeFailed => &self.handshake_failed,
        };
        counter.inc();
    }
}

impl ConnectionRefusal {
    const fn as_str(self) -> &'static str {
        match self {
            Self::TooMany => "too_many",
            Self::TooManyOfAddress => "too_many_of_address",
            Self::HandshakeFailed => "handshake_failed",
        }
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Telemetry {
    /// The counts of the listener of this name; they stand at zero from now on.
    pub fn connections(&self, listener: &'static str) -> ConnectionCounts {
        let open = &self.series.connections_open;
        let refused = |refusal: ConnectionRefusal| {
            let reason = refusal.as_str();
            let labels = RefusalLabels { listener, reason };
            let counter = self.series.connections_refused.get_or_create(&labels);
            counter.clone()
        };
        ConnectionCounts {
            open: open.get_or_create(&ListenerLabels { listener }).clone(),
            too_many: refused(ConnectionRefusal::TooMany),
            too_many_of_address: refused(ConnectionRefusal::TooManyOfAddress),
            handshake_failed: refused(ConnectionRefusal::HandshakeFailed),
        }
    }
}
