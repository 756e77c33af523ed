//! What happened outside the servers: what browsers were shown, and who was in which
//! visit. The invariants are checked against it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use crate::gate::Page;

/// The record. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Record(Arc<Mutex<Inner>>);

#[derive(Default)]
pub(crate) struct Inner {
    /// What is wrong at once, in words.
    pub(crate) violations: Vec<String>,
    /// By the EHR's launch token: every join link that a browser was sent to.
    pub(crate) links: BTreeMap<String, BTreeSet<String>>,
    /// By appointment: every conference that an alias led to, by name, tag and PIN.
    pub(crate) conferences: BTreeMap<String, BTreeSet<[String; 3]>>,
    /// By appointment: the host PINs that providers were given.
    pub(crate) pins: BTreeMap<String, BTreeSet<String>>,
    /// What patients and strangers were shown.
    pub(crate) seen_by_patients: Vec<String>,
    /// By the EHR's id of a person: how often they were in a visit and left it.
    pub(crate) participations: BTreeMap<String, Times>,
    /// The aliases of launches that led into a visit.
    pub(crate) aliases: BTreeSet<String>,
    /// Launches that ended in a visit, error pages, and what became of them, in order.
    pub(crate) story: Vec<String>,
    pub(crate) visits: u32,
    pub(crate) failures: u32,
}

/// How often somebody was in a visit: whoever was there with two devices may have been
/// there twice, since two nodes report in any order.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Times {
    pub(crate) least: usize,
    pub(crate) most: usize,
}

impl Record {
    pub(crate) fn with<T>(&self, note: impl FnOnce(&mut Inner) -> T) -> T {
        note(&mut self.0.lock().unwrap())
    }

    pub(crate) fn violation(&self, what: impl Into<String>) {
        self.with(|inner| inner.violations.push(what.into()));
    }

    pub(crate) fn tell(&self, what: impl Into<String>) {
        self.with(|inner| inner.story.push(what.into()));
    }

    /// Invariant 2: whatever fails shows a page with the request id and the time, and has
    /// a status that says whose fault it was.
    pub(crate) fn failure(&self, who: &str, page: &Page) {
        self.with(|inner| inner.failures += 1);
        self.tell(format!("{who} is shown {}", page.status));
        let expected = [400, 403, 404, 409, 410, 429, 502, 503, 504];
        if !expected.contains(&page.status) {
            self.violation(format!("{who} is shown a {}", page.status));
        }
        let has_request_id = page
            .body
            .split(|c: char| !c.is_ascii_hexdigit() && c != '-')
            .any(|word| word.len() == 36 && word.matches('-').count() == 4);
        if !has_request_id || !page.body.contains("2027-01-") {
            self.violation(format!(
                "{who} is shown a {} without request id or time: {}",
                page.status, page.body
            ));
        }
    }
}
