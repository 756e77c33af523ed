//! Ports of this machine's loopback address.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result, ensure};

/// Whether nobody listens on a port.
fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// The port asked for, which must be free.
pub(super) fn exactly(port: u16) -> Result<u16> {
    ensure!(
        is_free(port),
        "port {port} is taken; leave --port out to have a free one chosen"
    );
    Ok(port)
}

/// The preferred port where it is free and not `taken`, or another one.
pub(super) fn preferably(port: u16, taken: Option<u16>) -> Result<u16> {
    preferably_where(port, taken, is_free)
}

fn preferably_where(
    port: u16,
    taken: Option<u16>,
    is_free: impl FnOnce(u16) -> bool,
) -> Result<u16> {
    if Some(port) != taken && is_free(port) {
        return Ok(port);
    }
    // Keep hold of one port while asking for a second, so that they differ.
    let first = any()?;
    let chosen = if Some(port_of(&first)?) == taken {
        any()?
    } else {
        first
    };
    port_of(&chosen)
}

fn any() -> Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")
}

fn port_of(listener: &TcpListener) -> Result<u16> {
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_replaced_by_a_free_one() {
        let listener = any().unwrap();
        let taken = port_of(&listener).unwrap();
        assert_ne!(preferably(taken, None).unwrap(), taken);
    }

    #[test]
    fn a_free_port_is_kept_unless_another_service_has_been_given_it() {
        let free = |_| true;
        assert_eq!(preferably_where(7080, None, free).unwrap(), 7080);
        assert_ne!(preferably_where(7080, Some(7080), free).unwrap(), 7080);
    }

    #[test]
    fn a_port_asked_for_is_not_replaced() {
        let listener = any().unwrap();
        let message = exactly(port_of(&listener).unwrap())
            .unwrap_err()
            .to_string();
        assert!(message.contains("is taken"), "{message}");
    }
}
