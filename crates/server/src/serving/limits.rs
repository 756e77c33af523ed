//! How much one connection, one source address and all of them together may take: the
//! table `[connections]` of the configuration.

use std::{num::NonZeroU32, time::Duration};

use serde::Deserialize;

/// Limits of what browsers, administrators and Pexip connect to. Each listener counts for
/// itself. The defaults are for a server that anybody can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConnectionLimits {
    /// Connections at a time.
    pub most: NonZeroU32,
    /// Connections at a time from one source address; trusted proxies may have all.
    pub most_per_address: NonZeroU32,
    /// Seconds until a TLS handshake must be done.
    pub handshake_seconds: NonZeroU32,
    /// Seconds until a request's headers must be there, from their first byte, or from
    /// the connection's begin.
    pub header_seconds: NonZeroU32,
    /// Seconds until a request's body must be there.
    pub body_seconds: NonZeroU32,
    /// Seconds until a request must be answered. An answer that goes on and on, as events
    /// of a visit do, has only to begin by then.
    pub request_seconds: NonZeroU32,
    /// Seconds for which a connection may wait for its next request.
    pub idle_seconds: NonZeroU32,
    /// Seconds for which the other side may take nothing of an answer.
    pub stall_seconds: NonZeroU32,
    /// Headers of a request.
    pub most_headers: NonZeroU32,
    /// Bytes of a request's headers, its address among them.
    pub header_bytes: HeaderBytes,
    /// Requests at a time on one connection with HTTP/2.
    pub most_streams: NonZeroU32,
}

/// Bytes of a request's headers: 4096 and more, or browsers cannot come in at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
pub struct HeaderBytes(u32);

/// Fewest bytes of headers that can be set.
const FEWEST_HEADER_BYTES: u32 = 4096;

/// Most bytes of headers that can be set.
const MOST_HEADER_BYTES: u32 = 1024 * 1024;

impl HeaderBytes {
    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for HeaderBytes {
    type Error = &'static str;

    fn try_from(bytes: u32) -> Result<Self, Self::Error> {
        if (FEWEST_HEADER_BYTES..=MOST_HEADER_BYTES).contains(&bytes) {
            Ok(Self(bytes))
        } else {
            Err("header_bytes: write 4096 to 1048576")
        }
    }
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        let number = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self {
            most: number(8192),
            most_per_address: number(1024),
            handshake_seconds: number(10),
            header_seconds: number(10),
            body_seconds: number(20),
            request_seconds: number(60),
            idle_seconds: number(75),
            stall_seconds: number(30),
            most_headers: number(100),
            header_bytes: HeaderBytes(64 * 1024),
            most_streams: number(100),
        }
    }
}

impl ConnectionLimits {
    /// Until when a TLS handshake must be done.
    pub fn handshake(&self) -> Duration {
        seconds(self.handshake_seconds)
    }

    /// Until when a request's headers must be there.
    pub fn header(&self) -> Duration {
        seconds(self.header_seconds)
    }

    /// Until when a request's body must be there.
    pub fn body(&self) -> Duration {
        seconds(self.body_seconds)
    }

    /// Until when a request must be answered.
    pub fn request(&self) -> Duration {
        seconds(self.request_seconds)
    }

    /// How long a connection may wait for its next request.
    pub fn idle(&self) -> Duration {
        seconds(self.idle_seconds)
    }

    /// How long the other side may take nothing.
    pub fn stall(&self) -> Duration {
        seconds(self.stall_seconds)
    }
}

fn seconds(number: NonZeroU32) -> Duration {
    Duration::from_secs(number.get().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_as_by_default() {
        let limits: ConnectionLimits = toml::from_str("idle_seconds = 5").unwrap();
        assert_eq!(limits.idle(), Duration::from_secs(5));
        let rest = ConnectionLimits {
            idle_seconds: ConnectionLimits::default().idle_seconds,
            ..limits
        };
        assert_eq!(rest, ConnectionLimits::default());
    }

    #[test]
    fn no_limit_can_be_nothing_or_unknown() {
        for text in ["most = 0", "header_bytes = 100", "most = -1", "much = 1"] {
            assert!(toml::from_str::<ConnectionLimits>(text).is_err(), "{text}");
        }
    }
}
