//! Counts connections, all and by where they come from.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use super::limits::ConnectionLimits;
use crate::source_address::{SourceAddress, TrustedProxies};

/// Connections of one listener. Clones count together.
#[derive(Clone, Debug)]
pub(super) struct Connections {
    most: usize,
    most_per_address: usize,
    trusted_proxies: TrustedProxies,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_address: HashMap<SourceAddress, usize>,
}

/// One connection, counted until it is dropped.
#[derive(Debug)]
pub(super) struct Counted {
    counts: Arc<Mutex<Counts>>,
    /// None of a proxy.
    address: Option<SourceAddress>,
}

/// Why a connection is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// There are as many as there may be.
    All,
    /// There are as many from this address as there may be.
    Address,
}

impl Connections {
    pub(super) fn new(limits: &ConnectionLimits, trusted_proxies: TrustedProxies) -> Self {
        let count = |number: std::num::NonZeroU32| usize::try_from(number.get());
        Self {
            most: count(limits.most).unwrap_or(usize::MAX),
            most_per_address: count(limits.most_per_address).unwrap_or(usize::MAX),
            trusted_proxies,
            counts: Arc::default(),
        }
    }

    /// Counts one more.
    pub(super) fn take(&self, peer: IpAddr) -> Result<Counted, Full> {
        let peer = peer.to_canonical();
        let is_proxy = self.trusted_proxies.trusts(peer);
        let address = (!is_proxy).then(|| SourceAddress::of(peer));
        let mut counts = lock(&self.counts);
        if counts.all >= self.most {
            return Err(Full::All);
        }
        if let Some(address) = address {
            let of_address = counts.by_address.entry(address).or_default();
            if *of_address >= self.most_per_address {
                return Err(Full::Address);
            }
            *of_address += 1;
        }
        counts.all += 1;
        Ok(Counted {
            counts: Arc::clone(&self.counts),
            address,
        })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = lock(&self.counts);
        counts.all -= 1;
        let Some(address) = self.address else { return };
        if let Some(of_address) = counts.by_address.get_mut(&address) {
            *of_address -= 1;
            if *of_address == 0 {
                counts.by_address.remove(&address);
            }
        }
    }
}

fn lock(counts: &Mutex<Counts>) -> std::sync::MutexGuard<'_, Counts> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections(limits: &str, proxies: &str) -> Connections {
        #[derive(serde::Deserialize)]
        struct Proxies {
            trusted: TrustedProxies,
        }
        let proxies: Proxies = toml::from_str(&format!("trusted = [{proxies}]")).unwrap();
        Connections::new(&toml::from_str(limits).unwrap(), proxies.trusted)
    }

    fn from(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_gets_its_share_and_another_one_its_own() {
        let connections = connections("most = 3\nmost_per_address = 2", "");
        let first = connections.take(from("192.0.2.1")).unwrap();
        let _second = connections.take(from("::ffff:192.0.2.1")).unwrap();
        let refused = connections.take(from("192.0.2.1"));
        assert_eq!(refused.unwrap_err(), Full::Address);
        let third = connections.take(from("192.0.2.2")).unwrap();
        assert_eq!(connections.take(from("192.0.2.3")).unwrap_err(), Full::All);
        drop((first, third));
        assert!(connections.take(from("192.0.2.1")).is_ok());
        assert_eq!(lock(&connections.counts).by_address.len(), 1);
    }

    #[test]
    fn a_trusted_proxy_speaks_for_many() {
        let connections = connections("most = 3\nmost_per_address = 1", "\"10.0.0.0/8\"");
        let taken: Vec<_> = (0..3).map(|_| connections.take(from("10.0.0.1"))).collect();
        assert!(taken.iter().all(Result::is_ok));
        assert_eq!(connections.take(from("10.0.0.1")).unwrap_err(), Full::All);
    }
}
