//! Another link that is opened in the tab of a visit.

use super::*;

const OTHER: &str = "https://page.example/webapp/#/?conference=other&name=Grace";
const PAGE: &str = "https://page.example/webapp/";

#[test]
fn another_link_in_the_same_tab_ends_the_visit_and_begins_the_other() {
    let mut visit = joined(LINK);
    visit.tell(topic::OTHER_LINK, 0, "https://page.example/webapp/#nothing");
    assert!(visit.calls().is_empty());
    visit.tell(topic::OTHER_LINK, 0, OTHER);
    let calls = visit.calls();
    let text = calls.join("\n");
    let place = |part: &str| calls.iter().position(|call| call.contains(part)).unwrap();
    assert!(
        place("/visit/release_token?token=t") < place("conferences/other/request_token = "),
        "{text}"
    );
    assert_eq!(visit.browser.href.take(), PAGE);
}

#[test]
fn nothing_of_a_launch_goes_over_to_the_visit_of_another_link() {
    let mut visit = joined(TICKET);
    visit.tell(topic::OTHER_LINK, 0, OTHER);
    let posts = visit.calls_of("post");
    assert!(
        posts[0].starts_with("/api/client/v2/conferences/other/request_token "),
        "not on the launch's node: {posts:?}"
    );
    visit.answer(404, refused("Neither conference nor gateway found"));
    let posts = visit.calls_of("post");
    assert_eq!(posts.len(), 1);
    assert!(!posts[0].contains(ID) && posts[0].contains("\"conference\":\"other\""));
}

#[test]
fn nobody_of_the_visit_before_is_listed_in_the_next_one() {
    let mut visit = joined(LINK);
    visit.happen(
        "participant_create",
        json!({"uuid": "host", "display_name": "Grace", "role": "chair"}),
    );
    visit.tell(topic::OTHER_LINK, 0, OTHER);
    visit.calls();
    visit.answer(200, granted());
    visit.happen("participant_sync_begin", Value::Null);
    visit.happen("conference_update", json!({"started": true}));
    assert_eq!(visit.shown(), "joined guest");
    assert_eq!(visit.calls_of("list"), ["participants [] me"]);
}

#[test]
fn a_failure_goes_with_its_visit_and_the_next_one_asks_for_a_name_of_its_own() {
    let mut visit = begin(LINK);
    visit.answer(503, Value::Null);
    visit.tell(
        topic::OTHER_LINK,
        0,
        "https://page.example/webapp/#/?conference=other",
    );
    assert_eq!(visit.shown(), "name");
    visit.fail_plainly();
    assert_eq!(visit.shown(), "name");
    visit.click("retry");
    assert_eq!(visit.shown(), "name");
}

#[test]
fn every_visit_of_the_tab_waits_for_its_own_device_check() {
    let settings = Settings {
        ready_first: true,
        ..settings()
    };
    let mut visit = begin_with(Recorded::at(LINK), settings);
    visit.click("join");
    visit.tell(topic::OTHER_LINK, 0, OTHER);
    assert_eq!(visit.shown(), "ready");
}

#[test]
fn late_answers_to_the_visit_before_do_not_reach_the_next_one() {
    let mut visit = begin(TICKET);
    visit.tell(topic::OTHER_LINK, 0, OTHER);
    visit.calls();
    visit.launched(launch());
    assert!(visit.calls().is_empty());
    visit.answer(200, granted());
    visit.happen("conference_update", json!({"started": true}));
    assert_eq!(visit.shown(), "joined guest");

    let mut visit = begin(LINK);
    visit.tell(topic::OTHER_LINK, 0, OTHER);
    visit.calls();
    visit.browser.answer_superseded(&granted());
    assert_eq!(
        visit.calls(),
        ["beacon /api/client/v2/conferences/visit/release_token?token=t {}"]
    );
    assert_eq!(visit.shown(), "connecting");
}

#[test]
fn another_link_that_cannot_be_used_leaves_the_address_and_the_visit_as_it_is() {
    let unusable = "https://page.example/webapp/#/?ticket=short&pin=1234";
    let mut visit = joined(LINK);
    visit.tell(topic::OTHER_LINK, 0, unusable);
    assert_eq!(visit.calls_of("address"), [PAGE]);
    assert_eq!(visit.shown(), "joined guest");

    visit.click("leave");
    visit.calls();
    visit.tell(topic::OTHER_LINK, 0, unusable);
    let posts = visit.calls_of("post");
    assert!(posts[0].contains("join_link_invalid"), "{posts:?}");
    visit.fail_plainly();
    assert_eq!(visit.shown(), "failed");
}
