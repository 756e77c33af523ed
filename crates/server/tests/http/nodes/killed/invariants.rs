//! What must be so of the evidence, whoever was killed and when: nothing lost, nothing
//! twice.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    evidence::{Evidence, StoredWriteBack},
    story::{Seen, Stay},
};
use crate::failure_page;

/// Most entries that the EHR's journal keeps: with so many some may be missing.
const JOURNAL: usize = 1000;

/// Everything that is wrong, in words.
pub(super) fn violations(evidence: &Evidence) -> Vec<String> {
    let mut found = evidence.told.wrong.clone();
    consumed_once(evidence, &mut found);
    nothing_lost(evidence, &mut found);
    nothing_behind_the_users_back(evidence, &mut found);
    one_conference(evidence, &mut found);
    failures_have_pages(evidence, &mut found);
    no_secrets(evidence, &mut found);
    told_in_order(evidence, &mut found);
    outbox_agrees(evidence, &mut found);
    found
}

/// I1: codes, states, launch tokens and tickets.
fn consumed_once(evidence: &Evidence, found: &mut Vec<String>) {
    for entry in of(evidence, "token_refused") {
        found.push(format!("the EHR refused tokens: {}", entry["reason"]));
    }
    for (token, links) in &evidence.told.links {
        if links.len() > 1 {
            found.push(format!(
                "the launch token {token} led to {} links",
                links.len()
            ));
        }
    }
    for (request_id, attempt) in &evidence.told.launches {
        let links = attempt.seen.iter();
        let links: BTreeSet<_> = links.filter(|seen| matches!(seen, Seen::Link(_))).collect();
        if links.len() > 1 {
            found.push(format!("{request_id} led to {} links", links.len()));
        }
    }
    for browsers in evidence.told.redeemed.values() {
        if browsers.len() > 1 {
            found.push(format!("{} browsers got in by one ticket", browsers.len()));
        }
    }
    let mut dialled = BTreeMap::new();
    for Stay { alias, person, .. } in &evidence.told.stays {
        let of = dialled.entry(alias).or_insert(person);
        if *of != person {
            found.push(format!(
                "the alias {alias} was given to {of} and to {person}"
            ));
        }
    }
    let issued = of(evidence, "token_issued").count();
    let went_on = evidence.launches.values();
    let went_on = went_on.filter(|launch| launch.state != "started").count();
    if issued > went_on {
        found.push(format!(
            "{issued} codes were exchanged for {went_on} launches"
        ));
    }
}

/// Whoever was given a link has a launch behind it, and whoever was in a visit an alias.
fn nothing_lost(evidence: &Evidence, found: &mut Vec<String>) {
    for (request_id, attempt) in &evidence.told.launches {
        let stored = evidence.launches.get(request_id);
        let state = stored.map_or("lost", |launch| launch.state.as_str());
        let has_link = attempt
            .seen
            .iter()
            .any(|seen| matches!(seen, Seen::Link(_)));
        if stored.is_none() || (has_link && state != "completed") {
            found.push(format!(
                "{request_id} is {state}, and its user saw {attempt:?}"
            ));
        }
    }
    for stay in &evidence.told.stays {
        if !evidence.aliases.contains_key(&stay.alias) {
            found.push(format!("the alias of {} is lost", stay.person));
        }
    }
}

/// I8: no launch got on without its user, who was given a link, or was told that it failed,
/// or saw that nothing came.
fn nothing_behind_the_users_back(evidence: &Evidence, found: &mut Vec<String>) {
    let mut unknown = 0;
    for (request_id, launch) in &evidence.launches {
        let Some(attempt) = evidence.told.launches.get(request_id) else {
            unknown += 1;
            if launch.state != "started" {
                found.push(format!("{request_id} of nobody is {}", launch.state));
            }
            continue;
        };
        let saw = |wanted: fn(&Seen) -> bool| attempt.seen.iter().any(wanted);
        let is_fine = match launch.state.as_str() {
            "started" => !saw(|seen| matches!(seen, Seen::Link(_))),
            "completed" => saw(|seen| !matches!(seen, Seen::Failure(400..500))),
            _ => saw(|seen| matches!(seen, Seen::Failure(_) | Seen::Nothing)),
        };
        if !is_fine {
            let state = &launch.state;
            found.push(format!(
                "{request_id} is {state}, and its user saw {attempt:?}"
            ));
        }
    }
    if unknown > evidence.told.unknown_beginnings {
        let known = evidence.told.unknown_beginnings;
        found.push(format!("{unknown} launches of which {known} were begun"));
    }
}

/// Everybody of an appointment is in one conference, with one host PIN that no patient
/// sees (I5), and no conference is left over.
fn one_conference(evidence: &Evidence, found: &mut Vec<String>) {
    let seen = &evidence.told.seen_by_patients;
    for (encounter, conferences) in &evidence.told.conferences {
        if conferences.len() != 1 {
            let count = conferences.len();
            found.push(format!("the encounter {encounter} has {count} conferences"));
        }
        for [_, _, pin] in conferences {
            if seen.iter().any(|seen| seen.contains(pin)) {
                found.push("a patient was shown a host PIN".to_owned());
            }
        }
    }
    for running in &evidence.running {
        found.push(format!("nobody is in it, and it goes on: {running}"));
    }
    for odd in &evidence.odd_appointments {
        found.push(format!("an appointment that nobody can come to: {odd}"));
    }
    for (alias, request_id) in &evidence.aliases {
        if evidence
            .launches
            .get(request_id)
            .is_none_or(|it| it.state != "completed")
        {
            found.push(format!("the alias {alias} leads to no completed launch"));
        }
    }
}

/// I2.
fn failures_have_pages(evidence: &Evidence, found: &mut Vec<String>) {
    for failure in &evidence.told.failures {
        let (status, body) = (failure.status, &failure.body);
        if ![400, 403, 410, 502, 503, 504].contains(&status) {
            found.push(format!("somebody was shown a {status}: {body}"));
        }
        if (status == 503) != failure.retry_after {
            found.push(format!("a {status} with a wrong Retry-After"));
        }
        let is_problem = body.starts_with('{');
        if !is_problem {
            let wrong = failure_page::violations(body).into_iter();
            found.extend(wrong.map(|what| format!("a {status} {what}: {body}")));
        } else if !failure_page::has_time(body) || failure_page::secret_in(body).is_some() {
            found.push(format!(
                "a {status} without a time or with a secret: {body}"
            ));
        }
    }
}

/// I3.
fn no_secrets(evidence: &Evidence, found: &mut Vec<String>) {
    let pins = evidence.told.conferences.values().flatten();
    let pins = pins.map(|[_, _, pin]| pin.as_str());
    for line in evidence.log.lines() {
        let mut words = line.split(|it: char| !it.is_ascii_digit());
        let has_pin = words.any(|word| word.len() == 8 && pins.clone().any(|pin| pin == word));
        if has_pin || failure_page::secret_in(line).is_some() {
            found.push(format!("a secret in the log: {line}"));
        }
    }
}

/// One thing that the EHR was told.
struct ToldOf<'a> {
    /// The number of its write-back.
    id: u64,
    /// `1` or `2` for connected and disconnected, `ended` for the end.
    what: &'a str,
    person: &'a str,
    encounter: &'a str,
}

/// I4: of each launch that somebody was in a visit by, the EHR was told that they came, that
/// they left and that the visit was over, in this order; again only under the same key, and
/// not after it was told the next.
fn told_in_order(evidence: &Evidence, found: &mut Vec<String>) {
    let mut by_launch = told_by_launch(evidence, found);
    for stay in &evidence.told.stays {
        let told = evidence.aliases.get(&stay.alias);
        let told = told.and_then(|request_id| by_launch.remove(request_id));
        let told = told.unwrap_or_default();
        for one in &told {
            if one.person != stay.person || one.encounter != stay.encounter {
                found.push(format!("{} was told of as {}", stay.person, one.person));
            }
        }
        let what: Vec<_> = told.iter().map(|one| one.what).collect();
        // Another visit of the appointment may have been over before they came.
        let begun = what.iter().take_while(|what| **what == "ended").count();
        let is_whole = match &what[begun..] {
            ["1", "2", rest @ ..] => !rest.is_empty() && rest.iter().all(|it| *it == "ended"),
            _ => false,
        };
        if !is_whole {
            found.push(format!("of {stay:?} the EHR was told {what:?}"));
        }
    }
    // That a visit is over is told to launches that came to nothing too.
    for (request_id, told) in by_launch {
        if told.iter().any(|one| one.what != "ended") {
            found.push(format!("the EHR was told of {request_id}, who was nowhere"));
        }
    }
    for refused in ["connection_status_refused", "call_ended_refused"] {
        for entry in of(evidence, refused) {
            found.push(format!("the EHR refused to be told: {}", entry["reason"]));
        }
    }
}

/// By request id what the EHR was told, repeats left out.
fn told_by_launch<'a>(
    evidence: &'a Evidence,
    found: &mut Vec<String>,
) -> BTreeMap<String, Vec<ToldOf<'a>>> {
    let mut by_launch: BTreeMap<String, Vec<ToldOf<'a>>> = BTreeMap::new();
    let mut contents: BTreeMap<&str, Value> = BTreeMap::new();
    if evidence.journal.len() >= JOURNAL {
        found.push("the EHR's journal may have lost its beginning".to_owned());
    }
    for entry in &evidence.journal {
        let ended = match entry["event"].as_str() {
            Some("connection_status") => false,
            Some("call_ended") => true,
            _ => continue,
        };
        let key = entry["idempotency_key"].as_str().unwrap_or_default();
        let Some((request_id, id)) = parts(key) else {
            found.push(format!("the EHR was told without a key: {entry}"));
            continue;
        };
        let mut content = entry.clone();
        content.as_object_mut().unwrap().remove("at");
        let told = by_launch.entry(request_id.to_owned()).or_default();
        if let Some(before) = contents.get(key) {
            if *before != content {
                found.push(format!(
                    "the EHR was told {before} and {content} under one key"
                ));
            }
            if told.last().is_none_or(|last| last.id != id) {
                found.push(format!("the EHR was told {content} again, out of order"));
            }
            continue;
        }
        if told.last().is_some_and(|last| last.id > id) {
            found.push(format!("the EHR was told {content} out of order"));
        }
        contents.insert(key, content);
        let text = |value: &'a Value| value.as_str().unwrap_or_default();
        told.push(if ended {
            ToldOf {
                id,
                what: "ended",
                person: text(&entry["fields"]["user"]),
                encounter: text(&entry["fields"]["csn"]),
            }
        } else {
            ToldOf {
                id,
                what: text(&entry["connection_status"]),
                person: text(&entry["external_id"]),
                encounter: text(&entry["conference_id"]),
            }
        });
    }
    by_launch
}

/// What the outbox calls sent has arrived, what has arrived it calls sent, nothing waits,
/// and nothing was given up. Only the end of a visit that went on after all is not needed,
/// and may have arrived: where the EHR's answer was lost, and it was not to be told again.
fn outbox_agrees(evidence: &Evidence, found: &mut Vec<String>) {
    let mut arrived = BTreeMap::new();
    for event in ["connection_status", "call_ended"] {
        let keys = of(evidence, event).filter_map(|entry| entry["idempotency_key"].as_str());
        arrived.extend(keys.filter_map(|key| Some((parts(key)?, event))));
    }
    for (id, StoredWriteBack { request_id, state }) in &evidence.write_backs {
        let event = arrived.get(&(request_id.as_str(), *id));
        let is_fine = match (state.as_str(), event) {
            ("sent", event) => event.is_some(),
            ("not_needed", event) => event != Some(&"connection_status"),
            _ => false,
        };
        if !is_fine {
            let arrived = event.map_or("did not arrive", |_| "arrived");
            found.push(format!("the write-back {id} is {state}, and {arrived}"));
        }
    }
    for (request_id, id) in arrived.into_keys() {
        let stored = evidence.write_backs.get(&id);
        if stored.is_none_or(|stored| stored.request_id != request_id) {
            found.push(format!("nothing is on record of the write-back {id}"));
        }
    }
}

fn of<'a>(evidence: &'a Evidence, event: &'a str) -> impl Iterator<Item = &'a Value> {
    let journal = evidence.journal.iter();
    journal.filter(move |entry| entry["event"] == event)
}

/// Request id and number of a write-back, from the key under which it is told.
fn parts(key: &str) -> Option<(&str, u64)> {
    let key = key.strip_prefix('"')?.strip_suffix('"')?;
    let (request_id, id) = key.rsplit_once('-')?;
    Some((request_id, id.parse().ok()?))
}

#[cfg(test)]
mod tests;
