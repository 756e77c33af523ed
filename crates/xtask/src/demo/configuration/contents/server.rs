//! `vestibule.toml`.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::Result;
use serde::Serialize;

use super::{Addresses, text};

#[derive(Serialize)]
struct Server {
    listen: SocketAddr,
    data: PathBuf,
    www: PathBuf,
    profiles: PathBuf,
}

pub(in super::super) fn server_text(addresses: &Addresses) -> Result<String> {
    text(
        "# The server of `cargo xtask demo`, which sets `listen` and `www` at every start.\n\n",
        &Server {
            listen: addresses.server,
            data: "server".into(),
            www: PathBuf::new(),
            profiles: "profiles".into(),
        },
    )
}
