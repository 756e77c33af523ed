//! A server on a port of its own, a scripted EHR, and a browser that follows no
//! redirect by itself.

mod ehr;
mod server;

pub(crate) use ehr::{Ehr, MetadataScript, TokenScript};
pub(crate) use server::{
    CONFIG, Launch, TestServer, encrypt, launch_path, location, profile, return_path, write_www,
};

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use vestibule_launch::{Clock, UnixTime};

/// The launches' profile.
pub(crate) const UUID: &str = "12daaebc-ea75-43c1-a6c7-c044be66a36e";

/// The launches' key: 0, 1, 2 … 31.
pub(crate) const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A clock that a test moves.
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn new() -> Self {
        Self(AtomicI64::new(1_800_000_000_000))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0
            .fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> UnixTime {
        UnixTime::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// The parameters of a URL's query or of a fragment that looks like `/?a=b`.
pub(crate) fn parameters(text: &str) -> Vec<(String, String)> {
    let query = text.rsplit_once('?').map_or(text, |(_, query)| query);
    url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

/// The one parameter of this name.
pub(crate) fn parameter(text: &str, name: &str) -> String {
    let mut found = parameters(text)
        .into_iter()
        .filter(|(found, _)| found == name);
    let (_, value) = found
        .next()
        .unwrap_or_else(|| panic!("no parameter {name}"));
    assert!(found.next().is_none(), "{name} is there twice");
    value
}
