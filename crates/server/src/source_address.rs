//! Where a request comes from: the peer of the connection, or who the proxies before
//! this server say.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};

use axum::{
    extract::ConnectInfo,
    http::{Extensions, HeaderMap},
};
use serde::Deserialize;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// Most addresses of an `X-Forwarded-For` that are looked at, from its end.
const MOST_HOPS: usize = 16;

/// Where a request comes from, as far as it is worth telling apart: an IPv4 address, or
/// the first 64 bits of an IPv6 address, of which one customer has them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SourceAddress(IpAddr);

/// The proxies that are believed when they say whom they speak for. None by default:
/// anybody can write an `X-Forwarded-For`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct TrustedProxies(Vec<Network>);

/// A network, such as `10.0.0.0/8`; an address alone is a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

impl TrustedProxies {
    /// Where a request comes from: the last address in `X-Forwarded-For` that is none
    /// of the proxies', where the peer is one of them.
    pub fn source(&self, extensions: &Extensions, headers: &HeaderMap) -> SourceAddress {
        let mut source = peer(extensions);
        for hop in forwarded_for(headers).take(MOST_HOPS) {
            if !self.trusts(source) {
                break;
            }
            // What a proxy has not understood it cannot vouch for.
            let Some(hop) = hop else { break };
            source = hop;
        }
        SourceAddress::of(source)
    }

    /// Whether the peer says whom it speaks for and is not believed.
    pub fn ignores(&self, extensions: &Extensions, headers: &HeaderMap) -> bool {
        headers.contains_key(FORWARDED_FOR) && !self.trusts(peer(extensions))
    }

    /// Whether a request comes from a proxy that is believed.
    pub fn trusts_peer(&self, extensions: &Extensions) -> bool {
        self.trusts(peer(extensions))
    }

    /// Whether nobody is believed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this is a proxy that is believed.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.holds(address))
    }
}

impl SourceAddress {
    /// The address as one of IPv6.
    pub(crate) fn octets(self) -> [u8; 16] {
        match self.0 {
            IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
            IpAddr::V6(address) => address.octets(),
        }
    }

    /// What is worth telling apart of an address.
    pub(crate) fn of(address: IpAddr) -> Self {
        Self(match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
        })
    }
}

impl fmt::Display for SourceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Network {
    fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let outside = 32 - self.prefix;
                let differing = network.to_bits() ^ address.to_bits();
                differing.checked_shr(outside).unwrap_or(0) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let outside = 128 - self.prefix;
                let differing = network.to_bits() ^ address.to_bits();
                differing.checked_shr(outside).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl TryFrom<String> for Network {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let problem = "must be an address or a network, such as \"10.0.0.0/8\" or \"fd00::/8\"";
        let (address, prefix) = match text.split_once('/') {
            None => (text.as_str(), None),
            Some((address, prefix)) => (address, Some(prefix)),
        };
        let address: IpAddr = address.parse().map_err(|_| problem)?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(bits), str::parse).map_err(|_| problem)?;
        if prefix > bits {
            return Err(problem);
        }
        Ok(Self { address, prefix })
    }
}

fn peer(extensions: &Extensions) -> IpAddr {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(Ipv6Addr::UNSPECIFIED.into(), |peer| peer.0.ip());
    peer.to_canonical()
}

/// The addresses of `X-Forwarded-For`, the last first; `None` for what is no address.
fn forwarded_for(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let values: Vec<_> = headers.get_all(FORWARDED_FOR).iter().collect();
    values.into_iter().rev().flat_map(|value| {
        let hops: Vec<_> = value.to_str().unwrap_or_default().rsplit(',').collect();
        hops.into_iter().map(address)
    })
}

/// An address, perhaps with a port behind it, as some proxies write it.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let with_port = || text.parse().map(|address: SocketAddr| address.ip());
    let address = text.parse().or_else(|_| with_port()).ok()?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(networks: &[&str]) -> TrustedProxies {
        let networks = networks
            .iter()
            .map(|text| Network::try_from((*text).to_owned()));
        TrustedProxies(networks.collect::<Result<_, _>>().unwrap())
    }

    fn source(proxies: &TrustedProxies, peer: &str, forwarded: &[&str]) -> String {
        let mut extensions = Extensions::new();
        let peer = SocketAddr::new(peer.parse().unwrap(), 1);
        extensions.insert(ConnectInfo(peer));
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        proxies.source(&extensions, &headers).0.to_string()
    }

    #[test]
    fn nobody_is_believed_by_default() {
        let nobody = TrustedProxies::default();
        assert_eq!(source(&nobody, "192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
    }

    #[test]
    fn the_last_address_that_no_proxy_has_is_the_source() {
        let proxies = proxies(&["10.0.0.0/8", "192.0.2.1", "fd00::/8"]);
        for (peer, forwarded, expected) in [
            ("10.1.2.3", &["198.51.100.7"][..], "198.51.100.7"),
            (
                "10.1.2.3",
                &["203.0.113.9, 198.51.100.7, 10.9.9.9"],
                "198.51.100.7",
            ),
            (
                "10.1.2.3",
                &["203.0.113.9", "198.51.100.7 , 192.0.2.1"],
                "198.51.100.7",
            ),
            ("fd00::1", &["198.51.100.7:4711"], "198.51.100.7"),
            ("::ffff:10.1.2.3", &["::ffff:198.51.100.7"], "198.51.100.7"),
            ("10.1.2.3", &[], "10.1.2.3"),
            ("10.1.2.3", &["203.0.113.9, unknown"], "10.1.2.3"),
            ("198.51.100.8", &["203.0.113.9"], "198.51.100.8"),
            ("10.1.2.3", &["10.0.0.1"], "10.0.0.1"),
        ] {
            assert_eq!(source(&proxies, peer, forwarded), expected, "{forwarded:?}");
        }
    }

    #[test]
    fn an_ipv6_customer_is_one_source() {
        let nobody = TrustedProxies::default();
        let one = source(&nobody, "2001:db8:1:2:3:4:5:6", &[]);
        assert_eq!(one, source(&nobody, "2001:db8:1:2:ffff::1", &[]));
        assert_ne!(one, source(&nobody, "2001:db8:1:3:3:4:5:6", &[]));
    }

    #[test]
    fn networks_are_written_with_or_without_prefix() {
        let network = |text: &str| Network::try_from(text.to_owned());
        let holds =
            |text: &str, address: &str| network(text).unwrap().holds(address.parse().unwrap());
        assert!(holds("0.0.0.0/0", "203.0.113.9") && holds("::/0", "2001:db8::1"));
        assert!(!holds("0.0.0.0/0", "2001:db8::1"));
        assert!(holds("10.0.0.0/9", "10.127.0.1") && !holds("10.0.0.0/9", "10.128.0.1"));
        assert!(holds("10.0.0.1", "10.0.0.1") && !holds("10.0.0.1", "10.0.0.2"));
        for bad in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "10.0.0.0/-1",
            "proxy",
        ] {
            assert!(network(bad).is_err(), "{bad}");
        }
    }
}
