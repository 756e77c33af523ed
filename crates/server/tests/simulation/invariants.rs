//! What must be so, whatever happened: nothing lost, nothing twice.

use std::collections::BTreeMap;

use serde_json::Value;
use vestibule_server::{conferencing::RoutingRules, launch::alias_hash};
use vestibule_store::{
    Launches as _, SqliteStore, WriteBackRecord, WriteBackState, WriteBacks as _,
};

use crate::{record::Record, world::World};

/// Most events that the EHR's journal keeps; with as many, the first may be lost.
const JOURNAL: usize = 1000;

/// How many write-backs still wait, of all launches that led into a visit.
async fn untold(store: &SqliteStore, routing: &RoutingRules, record: &Record) -> usize {
    let mut untold = 0;
    for alias in record.with(|record| record.aliases.clone()) {
        let base = routing.base_alias(&alias).unwrap();
        let launch = store.find_launch_by_alias(alias_hash(&base)).await.unwrap();
        let request_id = launch.expect("an alias leads to its launch").request_id;
        let records = store.write_backs_of(request_id).await.unwrap();
        let waits =
            |record: &&WriteBackRecord| matches!(record.state, WriteBackState::Unsent { .. });
        untold += records.iter().filter(waits).count();
    }
    untold
}

/// Everything that is wrong with a world that has come to rest, in words.
pub(crate) fn violations(world: &World) -> Vec<String> {
    let record = &world.record;
    let mut found = record.with(|record| record.violations.clone());
    let journal = world.ehr.journal();
    if journal.len() >= JOURNAL {
        found.push("more happened than the EHR's journal keeps".to_owned());
    }

    // I1: a launch token leads to one visit; a code is sent once.
    for (token, links) in record.with(|record| record.links.clone()) {
        if links.len() > 1 {
            found.push(format!("one launch token led to {links:?} ({token})"));
        }
    }
    for entry in of(&journal, "token_refused") {
        let reason = entry["reason"].as_str().unwrap_or_default();
        // Time may move while a code is on its way.
        if !reason.contains("refresh") && reason != "the code has expired" {
            found.push(format!("the EHR refused tokens: {reason}"));
        }
    }

    // Everybody of an appointment is in one conference, with one host PIN.
    let conferences = record.with(|record| record.conferences.clone());
    let mut pins = record.with(|record| record.pins.clone());
    for (appointment, conferences) in conferences {
        if conferences.len() != 1 {
            let count = conferences.len();
            found.push(format!("appointment {appointment} has {count} conferences"));
        }
        let pins = pins.entry(appointment).or_default();
        pins.extend(conferences.into_iter().map(|[_, _, pin]| pin));
    }
    for (appointment, pins) in &pins {
        if pins.len() != 1 {
            found.push(format!("appointment {appointment} has {} PINs", pins.len()));
        }
    }

    // I7: nobody learns what is wrong with launch parameters.
    for (role, refusals) in record.with(|record| record.refusals.clone()) {
        if refusals.len() != 1 {
            found.push(format!("a {role} is refused in several ways: {refusals:?}"));
        }
    }

    // I5: no patient ever sees a host PIN.
    let seen = record.with(|record| record.seen_by_patients.clone());
    for pin in pins.values().flatten() {
        if seen.iter().any(|seen| seen.contains(pin)) {
            found.push("a patient was shown a host PIN".to_owned());
        }
    }

    // I4: the EHR was told of everybody who came and left and of every end, in order and,
    // but for what it can tell by its key, once.
    let mut told = told_once(&journal, "connection_status", &mut found);
    let participations = record.with(|record| record.participations.clone());
    for (id, times) in &participations {
        let statuses = told.remove(id).unwrap_or_default();
        let count = |wanted: &str| statuses.iter().filter(|status| *status == wanted).count();
        let (came, left) = (count("1"), count("2"));
        if came != left || !(times.least..=times.most).contains(&came) {
            found.push(format!(
                "{id} was there {times:?}, and the EHR was told {statuses:?}"
            ));
        }
        let mut open = 0;
        for status in &statuses {
            open += if status == "1" { 1 } else { -1 };
            if open < 0 {
                found.push(format!(
                    "the EHR was told in this order about {id}: {statuses:?}"
                ));
                break;
            }
        }
    }
    for (id, statuses) in told {
        found.push(format!(
            "the EHR was told {statuses:?} about {id}, who was nowhere"
        ));
    }
    let untold = untold(&world.outside.store, world.routing(), record);
    match world.outside.block_on(untold) {
        0 => {}
        untold => found.push(format!("{untold} write-backs still wait")),
    }
    let ended = told_once(&journal, "call_ended", &mut found);
    for id in participations.keys() {
        if !ended.contains_key(id) {
            found.push(format!(
                "the EHR was not told that the visit of {id} has ended"
            ));
        }
    }
    for refused in ["connection_status_refused", "call_ended_refused"] {
        for entry in of(&journal, refused) {
            found.push(format!("the EHR refused to be told: {}", entry["reason"]));
        }
    }
    found
}

/// By the EHR's id of a person, what it was told, in order; what came again under the
/// same key counts once, and must be the same.
fn told_once(
    journal: &[Value],
    event: &str,
    found: &mut Vec<String>,
) -> BTreeMap<String, Vec<String>> {
    let mut by_key: BTreeMap<String, Value> = BTreeMap::new();
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in of(journal, event) {
        let key = entry["idempotency_key"].as_str().unwrap_or_default();
        let mut content = entry.clone();
        content.as_object_mut().unwrap().remove("at");
        if let Some(before) = by_key.get(key) {
            if *before != content {
                found.push(format!(
                    "the EHR was told {before} and {content} under one key"
                ));
            }
            continue;
        }
        by_key.insert(key.to_owned(), content);
        let user = &entry["fields"]["user"];
        let id = entry["external_id"].as_str().or(user.as_str());
        let status = entry["connection_status"].as_str().unwrap_or(event);
        let id = id.unwrap_or("nobody").to_owned();
        told.entry(id).or_default().push(status.to_owned());
    }
    told
}

fn of<'a>(journal: &'a [Value], event: &'a str) -> impl Iterator<Item = &'a Value> {
    journal.iter().filter(move |entry| entry["event"] == event)
}
