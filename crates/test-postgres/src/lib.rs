//! A real PostgreSQL for tests, made from the program on the machine: a cluster in a
//! folder of its own, a database for each test, and a way to stop, freeze and start it.
//!
//! PostgreSQL refuses to run as root: where the tests do, it runs as `postgres` or
//! `nobody`.

mod binaries;
mod cluster;
mod user;
mod watchdog;

use std::sync::{
    OnceLock,
    atomic::{AtomicU32, Ordering},
};

pub use cluster::{Cluster, Durability};

/// An empty database, for one test, in the cluster that the tests of this process share.
/// Gives its URL. It goes with the cluster, when the process ends.
///
/// # Panics
/// Where there is no PostgreSQL on the machine, with what to do.
pub fn database() -> String {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    let cluster = SHARED.get_or_init(|| Cluster::start(Durability::Off));
    cluster.database()
}

/// A name that no other database of this process has.
fn next_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
