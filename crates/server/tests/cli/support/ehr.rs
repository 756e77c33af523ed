//! The simulated EHR, on a runtime of its own: the command blocks the test's thread.

use std::sync::Arc;

use vestibule_sandbox::{Config, Controls, Sandbox};
use vestibule_server::{clock::SystemClock, random};

use crate::epic;

/// A simulated EHR that serves until it is dropped.
pub(crate) struct SimulatedEhr {
    /// Such as `http://127.0.0.1:7081`.
    pub(crate) url: String,
    pub(crate) controls: Controls,
    _runtime: tokio::runtime::Runtime,
}

impl SimulatedEhr {
    /// One that launches visits at `site`, with these lines in its configuration too.
    pub(crate) fn start(site: &str, more: &str) -> Self {
        Self::of(&epic::sandbox(site, more))
    }

    /// The same with further applications.
    pub(crate) fn with_clients(site: &str, clients: &str) -> Self {
        Self::of(&format!("{}{clients}", epic::sandbox(site, "")))
    }

    /// Where tokens are asked for.
    pub(crate) fn token_endpoint(&self) -> String {
        format!("{}/oauth2/token", self.url)
    }

    fn of(config: &str) -> Self {
        let clock = Arc::new(SystemClock);
        let config = Config::parse(config).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let ehr = runtime
            .block_on(Sandbox::bind(config, clock, random::system()))
            .unwrap();
        let (url, controls) = (ehr.address().to_owned(), ehr.controls());
        runtime.spawn(ehr.serve(std::future::pending()));
        Self {
            url,
            controls,
            _runtime: runtime,
        }
    }
}
