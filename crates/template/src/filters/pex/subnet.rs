//! The function `pex_in_subnet`.

use std::net::IpAddr;

use minijinja::{Error, State, Value, value::ValueKind};

use crate::{
    arguments::{bind, text},
    error::Fault,
    limits, python,
};

/// `pex_in_subnet(address, subnets)`: whether the address is in one of the subnets, such
/// as `10.47.0.0/16` or `2001:db8::/32`.
pub(super) fn in_subnet(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [Some(subnets)] = bind(arguments, ["subnets"])? else {
        return Err(Fault::operation(
            "pex_in_subnet takes an address and a list of subnets",
        ));
    };
    limits::work_on(state, &subnets)?;
    let address: IpAddr = text(value)?
        .parse()
        .map_err(|_| Fault::operation("pex_in_subnet takes an IP address"))?;
    if subnets.kind() == ValueKind::String {
        return Ok(Value::from(Subnet::parse(text(&subnets)?)?.has(address)));
    }
    let mut found = false;
    for subnet in python::items(&subnets)? {
        found |= Subnet::parse(text(&subnet?)?)?.has(address);
    }
    Ok(Value::from(found))
}

struct Subnet {
    address: IpAddr,
    prefix: u32,
}

impl Subnet {
    fn parse(text: &str) -> Result<Self, Error> {
        let wrong =
            || Fault::operation("a subnet is an address and a prefix length, as 10.0.0.0/8");
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => most,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits
                .parse()
                .ok()
                .filter(|prefix| *prefix <= most)
                .ok_or_else(wrong)?,
            Some(_) => return Err(wrong()),
        };
        Ok(Self { address, prefix })
    }

    fn has(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(subnet), IpAddr::V4(address)) => {
                let differing = subnet.to_bits() ^ address.to_bits();
                differing.checked_shr(32 - self.prefix).unwrap_or(0) == 0
            }
            (IpAddr::V6(subnet), IpAddr::V6(address)) => {
                let differing = subnet.to_bits() ^ address.to_bits();
                differing.checked_shr(128 - self.prefix).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}
