//! A real PostgreSQL for tests, made from the program on the machine: a cluster in a
//! folder of its own, a database for each test, and a way to stop, freeze and start it.
//!
//! PostgreSQL refuses to run as root: where the tests do, it runs as `postgres` or
//! `nobody`.

mod binaries;
mod cluster;
mod user;
mod watchdog;

use std::{
    cell::RefCell,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

pub use cluster::{Cluster, Durability};

/// An empty database, for one test, in the cluster that the tests of this process share.
/// Gives its URL. It goes with the thread that asks for it, which has to be that of the test:
/// so the cluster has what is in use, however many tests there are.
///
/// # Panics
/// Where there is no PostgreSQL on the machine, with what to do.
pub fn database() -> String {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    let cluster = SHARED.get_or_init(|| Cluster::start(Durability::Off));
    let url = cluster.database();
    let database = Database {
        cluster,
        url: url.clone(),
    };
    IN_USE.with_borrow_mut(|in_use| in_use.push(database));
    url
}

thread_local! {
    static IN_USE: RefCell<Vec<Database>> = const { RefCell::new(Vec::new()) };
}

/// Gone from its cluster when dropped.
struct Database {
    cluster: &'static Cluster,
    url: String,
}

impl Drop for Database {
    fn drop(&mut self) {
        self.cluster.forget(&self.url);
    }
}

/// A name that no other database of this process has.
fn next_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
