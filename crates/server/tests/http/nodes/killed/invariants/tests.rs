//! The checker finds what is planted.

use serde_json::json;

use super::*;
use crate::nodes::killed::{
    evidence::StoredLaunch,
    story::{Attempt, FailurePage},
};

const LAUNCH: &str = "7c4b3f5e-2f0d-4c8a-9a52-0c8f3f3a1a11";
const OTHER: &str = "00000000-2f0d-4c8a-9a52-0c8f3f3a1a11";

fn key(id: u64) -> String {
    format!("\"{LAUNCH}-{id}\"")
}

fn status(id: u64, status: &str) -> Value {
    json!({
        "at": "2027-01-15T08:00:00.000Z", "event": "connection_status",
        "conference_id": "encounter", "external_id": "person", "external_id_type": "2",
        "vendor_name": "Vestibule", "connection_status": status, "idempotency_key": key(id),
    })
}

fn ended(id: u64) -> Value {
    json!({
        "at": "2027-01-15T08:01:00.000Z", "event": "call_ended", "method": "POST",
        "fields": {"csn": "encounter", "user": "person"}, "idempotency_key": key(id),
    })
}

fn page(status: u16) -> FailurePage {
    FailurePage {
        status,
        retry_after: status == 503,
        body: format!("<main>{LAUNCH} 2027-01-15T08:00:00Z <ol><li>Try again</ol>"),
    }
}

/// One visit without a fault, and one failure that was shown as it should be.
fn whole() -> Evidence {
    let mut evidence = Evidence {
        journal: vec![
            json!({"event": "token_issued", "role": "patient", "appointment": "1"}),
            status(1, "1"),
            status(2, "2"),
            ended(3),
        ],
        log: "request_id=7c4b3f5e status=303".to_owned(),
        ..Evidence::default()
    };
    let state = |state: &str| StoredLaunch {
        state: state.to_owned(),
    };
    evidence.launches.insert(LAUNCH.into(), state("completed"));
    evidence.launches.insert(OTHER.into(), state("started"));
    evidence.aliases.insert("abcd".into(), LAUNCH.into());
    for id in 1..=3 {
        let write_back = StoredWriteBack {
            request_id: LAUNCH.into(),
            state: "sent".into(),
        };
        evidence.write_backs.insert(id, write_back);
    }
    let told = &mut evidence.told;
    let seen = vec![Seen::Nothing, Seen::Link("link".into())];
    told.launches.insert(LAUNCH.into(), Attempt { seen });
    told.unknown_beginnings = 1;
    told.links.insert("token".into(), ["link".into()].into());
    told.redeemed.insert("ticket".into(), [7].into());
    let conference = ["name", "tag", "12345678"].map(str::to_owned);
    told.conferences
        .insert("encounter".into(), [conference].into());
    told.failures.push(page(503));
    told.seen_by_patients.push("a link without a PIN".into());
    told.stays.push(Stay {
        alias: "abcd".into(),
        person: "person".into(),
        encounter: "encounter".into(),
    });
    evidence
}

/// What is found after this was done to what is without fault.
#[track_caller]
fn found(plant: impl FnOnce(&mut Evidence)) -> String {
    let mut evidence = whole();
    assert_eq!(violations(&evidence), <[String; 0]>::default());
    plant(&mut evidence);
    let found = violations(&evidence);
    assert!(!found.is_empty(), "it goes unnoticed");
    found.join("\n")
}

fn attempt(evidence: &mut Evidence) -> &mut Vec<Seen> {
    &mut evidence.told.launches.get_mut(LAUNCH).unwrap().seen
}

fn is(evidence: &mut Evidence, request_id: &str, state: &str) {
    let launch = evidence.launches.get_mut(request_id).unwrap();
    state.clone_into(&mut launch.state);
}

#[test]
fn a_code_that_comes_twice_is_found() {
    let refused = json!({"event": "token_refused", "reason": "the code was used before"});
    assert!(found(|it| it.journal.push(refused)).contains("used before"));
    let issued = json!({"event": "token_issued", "role": "patient", "appointment": "1"});
    assert!(found(|it| it.journal.push(issued)).contains("2 codes"));
}

#[test]
fn a_state_a_launch_token_or_a_ticket_that_counts_twice_is_found() {
    assert!(found(|it| attempt(it).push(Seen::Link("another".into()))).contains("2 links"));
    let twice = found(|it| {
        let links = it.told.links.get_mut("token").unwrap();
        links.insert("another".into());
    });
    assert!(twice.contains("2 links"));
    let twice = found(|it| {
        it.told.redeemed.get_mut("ticket").unwrap().insert(8);
    });
    assert!(twice.contains("2 browsers"));
}

#[test]
fn an_alias_of_two_people_is_found() {
    let twice = found(|it| {
        let stay = it.told.stays[0].clone();
        let person = "somebody else".into();
        it.told.stays.push(Stay { person, ..stay });
    });
    assert!(twice.contains("abcd"));
}

#[test]
fn a_launch_that_is_lost_is_found() {
    assert!(found(|it| drop(it.launches.remove(LAUNCH))).contains("is lost"));
    for state in ["started", "authorised", "failed"] {
        assert!(found(|it| is(it, LAUNCH, state)).contains(state));
    }
    assert!(found(|it| it.aliases.clear()).contains("is lost"));
}

#[test]
fn a_launch_that_goes_on_without_its_user_is_found() {
    assert!(found(|it| *attempt(it) = vec![]).contains("completed"));
    assert!(found(|it| *attempt(it) = vec![Seen::Failure(410)]).contains("completed"));
    assert!(found(|it| is(it, OTHER, "authorised")).contains("of nobody"));
    assert!(found(|it| it.told.unknown_beginnings = 0).contains("1 launches of which 0"));
}

#[test]
fn two_conferences_or_one_left_over_are_found() {
    let two = found(|it| {
        let conference = ["name", "another tag", "87654321"].map(str::to_owned);
        it.told
            .conferences
            .get_mut("encounter")
            .unwrap()
            .insert(conference);
    });
    assert!(two.contains("2 conferences"));
    assert!(found(|it| it.running.push("7 10.44.2.1".into())).contains("goes on"));
    assert!(found(|it| it.odd_appointments.push("7".into())).contains("nobody can come to"));
    let leads_nowhere = found(|it| drop(it.aliases.insert("ef".into(), OTHER.into())));
    assert!(leads_nowhere.contains("no completed launch"));
}

#[test]
fn a_pin_or_a_name_in_the_wrong_place_is_found() {
    let seen = found(|it| it.told.seen_by_patients.push("pin=12345678".into()));
    assert!(seen.contains("host PIN"));
    assert!(found(|it| it.log.push_str("\npin=12345678")).contains("secret"));
    assert!(found(|it| it.log.push_str("\nname=Beverley")).contains("secret"));
    assert!(found(|it| it.told.failures[0].body.push_str("Spinder")).contains("secret"));
}

#[test]
fn a_failure_without_its_page_is_found() {
    assert!(found(|it| it.told.failures.push(page(500))).contains("a 500"));
    assert!(found(|it| it.told.failures[0].retry_after = false).contains("Retry-After"));
    for (part, instead) in [(LAUNCH, "-"), ("2027-01-15T", "-"), ("<ol", "<p")] {
        let failure = found(|it| {
            let body = &mut it.told.failures[0].body;
            *body = body.replace(part, instead);
        });
        assert!(failure.contains("without"), "{failure}");
    }
}

#[test]
fn what_the_ehr_was_not_told_is_found() {
    for missing in 1..=3 {
        let found = found(|it| drop(it.journal.remove(missing)));
        assert!(found.contains("did not arrive"), "{found}");
        assert!(found.contains("the EHR was told"), "{found}");
    }
    let waits = found(|it| it.write_backs.get_mut(&3).unwrap().state = "unsent".into());
    assert!(waits.contains("unsent"));
    let given_up = found(|it| it.write_backs.get_mut(&2).unwrap().state = "given_up".into());
    assert!(given_up.contains("given_up"));
    let given_up = found(|it| it.write_backs.get_mut(&3).unwrap().state = "given_up".into());
    assert!(given_up.contains("given_up"));
    let not_needed = found(|it| it.write_backs.get_mut(&2).unwrap().state = "not_needed".into());
    assert!(not_needed.contains("not_needed"));
    let forgotten = found(|it| drop(it.write_backs.remove(&2)));
    assert!(forgotten.contains("nothing is on record"));
}

#[test]
fn what_the_ehr_was_told_twice_is_found_unless_by_its_key() {
    let mut repeated = whole();
    repeated.journal.insert(2, status(1, "1"));
    repeated.journal.push(ended(3));
    assert_eq!(violations(&repeated), <[String; 0]>::default());
    // The same under another key.
    let twice = found(|it| it.journal.insert(2, status(4, "1")));
    assert!(twice.contains(r#"["1", "1", "2""#), "{twice}");
    // Another thing under the same key.
    let changed = found(|it| it.journal.insert(2, status(1, "2")));
    assert!(changed.contains("under one key"));
    let keyless = found(|it| {
        drop(
            it.journal[1]
                .as_object_mut()
                .unwrap()
                .remove("idempotency_key"),
        );
    });
    assert!(keyless.contains("without a key"));
}

#[test]
fn what_the_ehr_was_told_out_of_order_is_found() {
    assert!(found(|it| it.journal.swap(1, 2)).contains("out of order"));
    assert!(found(|it| it.journal.push(status(1, "1"))).contains("again, out of order"));
    let by_their_numbers = found(|it| {
        it.journal[1] = status(1, "2");
        it.journal[2] = status(2, "1");
    });
    assert!(by_their_numbers.contains(r#"["2", "1""#));
}

#[test]
fn somebody_else_or_nobody_who_is_told_of_is_found() {
    let wrong = found(|it| it.told.stays[0].person = "another".into());
    assert!(wrong.contains("another was told of as person"));
    assert!(found(|it| it.told.stays.clear()).contains("who was nowhere"));
    let refused = json!({"event": "call_ended_refused", "reason": "sign in"});
    assert!(found(|it| it.journal.push(refused)).contains("refused to be told"));
}

#[test]
fn a_journal_that_may_have_lost_something_is_no_proof() {
    let much = found(|it| {
        it.journal
            .extend((0..JOURNAL).map(|_| json!({"event": "other"})));
    });
    assert!(much.contains("lost its beginning"));
}
