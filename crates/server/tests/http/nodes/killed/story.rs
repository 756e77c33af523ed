//! What people asked for and what they saw of it: the half of the evidence that is outside
//! the servers.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use super::site::Page;

/// What happened so far.
#[derive(Default)]
pub(super) struct Story(Mutex<Told>);

/// The same, once nothing more happens.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// Launches whose beginning was answered, by request id.
    pub(super) launches: BTreeMap<String, Attempt>,
    /// Beginnings that were not answered, or with a failure: their request ids are unknown.
    pub(super) unknown_beginnings: usize,
    /// By the EHR's launch token: every join link that came of it.
    pub(super) links: BTreeMap<String, BTreeSet<String>>,
    /// By ticket: the browsers that got in by it.
    pub(super) redeemed: BTreeMap<String, BTreeSet<u128>>,
    /// By encounter: name, tag and PIN of every conference that an alias led to.
    pub(super) conferences: BTreeMap<String, BTreeSet<[String; 3]>>,
    /// The pages of failures.
    pub(super) failures: Vec<FailurePage>,
    /// All that patients and strangers were shown.
    pub(super) seen_by_patients: Vec<String>,
    /// Who was in a visit and left it.
    pub(super) stays: Vec<Stay>,
    /// What is wrong at once, in words.
    pub(super) wrong: Vec<String>,
}

/// A launch as its user saw it.
#[derive(Clone, Debug, Default)]
pub(super) struct Attempt {
    pub(super) seen: Vec<Seen>,
}

/// What came of a return from the EHR's sign-in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Seen {
    /// The join link.
    Link(String),
    /// An error page, with this status.
    Failure(u16),
    /// Nothing.
    Nothing,
}

/// A page or problem document of a failure.
#[derive(Clone, Debug)]
pub(super) struct FailurePage {
    pub(super) status: u16,
    pub(super) retry_after: bool,
    pub(super) body: String,
}

/// Somebody came by an alias, and left.
#[derive(Clone, Debug)]
pub(super) struct Stay {
    /// The hash of the base alias, in hexadecimal.
    pub(super) alias: String,
    /// Who that is in the EHR.
    pub(super) person: String,
    pub(super) encounter: String,
}

impl Story {
    pub(super) fn tell<T>(&self, note: impl FnOnce(&mut Told) -> T) -> T {
        note(&mut self.0.lock().unwrap())
    }

    pub(super) fn wrong(&self, what: impl Into<String>) {
        self.tell(|told| told.wrong.push(what.into()));
    }

    pub(super) fn saw(&self, request_id: &str, seen: Seen) {
        self.tell(|told| {
            let attempt = told.launches.entry(request_id.to_owned()).or_default();
            attempt.seen.push(seen);
        });
    }

    pub(super) fn failure(&self, page: &Page) {
        self.tell(|told| {
            told.failures.push(FailurePage {
                status: page.status,
                retry_after: page.headers.contains_key("retry-after"),
                body: page.body.clone(),
            });
        });
    }
}
