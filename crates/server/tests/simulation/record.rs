//! What happened outside the servers: what browsers were shown, and who was in which
//! visit. The invariants are checked against it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use axum::http;
use sha2::{Digest as _, Sha256};

use crate::{
    conferencing::{POLICY, SINK},
    epic::KEY,
    gate::Page,
    setting::SECRETS,
};

/// Who is in the EHR, none of whom may stand on an error page.
const NAMES: [&str; 4] = ["Halvorsen", "Spinder", "Picardo", "Marchetti"];

/// How much is taken into the digest at once, in bytes.
const DIGESTED: usize = 64 << 10;

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
    /// What patients and strangers were shown, and every error page.
    pub(crate) seen_by_patients: Vec<String>,
    /// By the EHR's id of a person: how often they were in a visit and left it.
    pub(crate) participations: BTreeMap<String, Times>,
    /// The aliases of launches that led into a visit.
    pub(crate) aliases: BTreeSet<String>,
    /// By role: every page that a launch with spoilt parameters led to, without what is
    /// different on each.
    pub(crate) refusals: BTreeMap<&'static str, BTreeSet<String>>,
    /// Launches that ended in a visit, error pages, and what became of them, in order.
    pub(crate) story: Vec<String>,
    /// How often each kind of fault was drawn.
    pub(crate) drawn: BTreeMap<&'static str, u64>,
    /// Of every request, operation and answer, in order.
    digest: Sha256,
    /// What is not yet in it.
    undigested: Vec<u8>,
    pub(crate) visits: u32,
    pub(crate) failures: u32,
}

impl Inner {
    /// The digest of everything until now.
    pub(crate) fn digested(&self) -> Vec<u8> {
        let digest = self.digest.clone().chain_update(&self.undigested);
        digest.finalize().to_vec()
    }
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
        // What a schedule that panicked has told until then counts.
        note(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn violation(&self, what: impl Into<String>) {
        self.with(|inner| inner.violations.push(what.into()));
    }

    pub(crate) fn tell(&self, what: impl Into<String>) {
        self.with(|inner| inner.story.push(what.into()));
    }

    pub(crate) fn drawn(&self, what: &'static str) {
        self.with(|inner| *inner.drawn.entry(what).or_default() += 1);
    }

    /// Takes something into the digest.
    pub(crate) fn digest(&self, what: impl AsRef<[u8]>) {
        let what = what.as_ref();
        self.with(|inner| {
            let undigested = &mut inner.undigested;
            undigested.extend_from_slice(&what.len().to_be_bytes());
            undigested.extend_from_slice(what);
            if undigested.len() >= DIGESTED {
                inner.digest.update(&undigested);
                undigested.clear();
            }
        });
    }

    pub(crate) fn digest_headers(&self, headers: &http::HeaderMap) {
        for (name, value) in headers {
            self.digest(name);
            self.digest(value);
        }
    }

    pub(crate) fn digest_page(&self, page: &Page) {
        self.digest(page.status.to_be_bytes());
        self.digest_headers(&page.headers);
        self.digest(&page.body);
    }

    /// Invariant 7: whatever is wrong with launch parameters, the page is the same.
    pub(crate) fn refusal(&self, role: &'static str, page: &Page) {
        if !page.body.contains("launch_params_invalid") {
            return;
        }
        self.drawn("launch parameters are refused");
        let words = page
            .body
            .split_inclusive(|c: char| !c.is_ascii_hexdigit() && c != '-');
        let text: String = words
            .filter(|word| word.matches('-').count() < 4)
            .flat_map(str::chars)
            .filter(|c| !c.is_ascii_digit())
            .collect();
        let refusal = format!("{} {text}", page.status);
        self.with(|inner| inner.refusals.entry(role).or_default().insert(refusal));
    }

    /// Invariant 2: whatever fails shows a page with the request id and the time, and has
    /// a status that says whose fault it was. No name and no secret stands on it.
    pub(crate) fn failure(&self, who: &str, page: &Page) {
        self.with(|inner| {
            inner.failures += 1;
            inner.seen_by_patients.push(page.body.clone());
        });
        self.tell(format!("{who} is shown {}", page.status));
        let expected = [400, 403, 404, 409, 410, 429, 502, 503, 504];
        if !expected.contains(&page.status) {
            self.violation(format!("{who} is shown a {}", page.status));
        }
        let secrets = SECRETS.into_iter().chain([KEY, POLICY.1, SINK.1]);
        for hidden in NAMES.into_iter().chain(secrets) {
            if page.body.contains(hidden) {
                self.violation(format!("{who} is shown {hidden:?} on an error page"));
            }
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
